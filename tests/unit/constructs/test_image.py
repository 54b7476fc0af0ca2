import pytest

from holdfast_constructs.compute.image import EcrRepository, Image
from holdfast_constructs.errors import ConstructError

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "repository",
    ["web", "library/nginx", "ghcr.io/acme/web", "localhost:5000/acme/web_api", "public.ecr.aws/nginx/nginx"],
)
def test_an_image_by_digest_is_pinned_to_it(repository: str) -> None:
    image = Image.digest(f"{repository}@{DIGEST}")

    assert (image.reference, image.repository, image.pinned) == (f"{repository}@{DIGEST}", repository, True)


def test_an_image_by_tag_is_not_pinned() -> None:
    image = Image.tag("ghcr.io/acme/web:1.4.2")

    assert (image.repository, image.pinned) == ("ghcr.io/acme/web", False)


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [(f"acme/web@{DIGEST}", True), ("acme/web:v2", False), ("localhost:5000/web:v2", False)],
)
def test_a_reference_of_either_form_finds_its_kind(reference: str, *, pinned: bool) -> None:
    image = Image.of(reference)

    assert image.pinned is pinned


@pytest.mark.parametrize(
    "reference",
    [
        "web:1",
        "web",
        f"web:1@{DIGEST}",
        "web@sha256:0123",
        f"Web@{DIGEST}",
        f"web@{DIGEST.upper()}",
        f"@{DIGEST}",
    ],
)
def test_what_is_no_digest_is_refused_with_the_way_to_find_one(reference: str) -> None:
    with pytest.raises(ConstructError, match=r"an image by digest must be .* imagetools inspect"):
        Image.digest(reference)


@pytest.mark.parametrize(
    "reference", ["web", "web:", "web:a b", "https://ghcr.io/web:1", "localhost:5000/web", ""]
)
def test_what_is_no_tag_is_refused(reference: str) -> None:
    with pytest.raises(ConstructError, match=r"an image by tag must be repository:tag"):
        Image.tag(reference)


def test_an_image_in_ecr_knows_its_repository() -> None:
    image = Image.digest(f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/orders@{DIGEST}")

    assert image.ecr_repository == EcrRepository("210987654321", "eu-west-1", "team/orders")


@pytest.mark.parametrize("repository", ["ghcr.io/acme/web", "public.ecr.aws/nginx/nginx", "web"])
def test_an_image_from_elsewhere_has_no_ecr_repository(repository: str) -> None:
    image = Image.digest(f"{repository}@{DIGEST}")

    assert image.ecr_repository is None
