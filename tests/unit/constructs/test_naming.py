import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import LIMITS, Kind, aws_name, limited
from holdfast_constructs.testing import sample_target

parts = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True)


def test_a_short_name_is_left_as_a_person_would_write_it() -> None:
    name = aws_name("load_balancer", sample_target(), "edge", "public")

    assert name == "edge-prod-public"


def test_a_long_name_keeps_its_beginning_and_ends_in_a_hash_of_all_of_it() -> None:
    name = aws_name("target_group", sample_target(), "storefront", "recommendations-api")

    assert name == "storefront-prod-recomme-a8be5d45"


@given(name=parts, limit=st.integers(min_value=16, max_value=64))
def test_a_limited_name_fits_and_keeps_to_hyphens_inside(name: str, limit: int) -> None:
    cut = limited(name, limit)

    assert len(cut) <= limit
    assert not cut.startswith("-")
    assert not cut.endswith("-")
    assert cut == name or len(name) > limit


@given(one=parts, other=parts)
def test_two_names_stay_two_names(one: str, other: str) -> None:
    same = limited(f"storefront-prod-{one}", 32) == limited(f"storefront-prod-{other}", 32)

    assert same == (one == other)


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_every_kind_keeps_its_limit(kind: Kind) -> None:
    name = aws_name(kind, sample_target(), "s" * 63, "p" * 1000)

    assert len(name) == LIMITS[kind]


def test_names_of_roles_differ_between_regions_since_roles_are_global() -> None:
    ireland = aws_name("role", sample_target(), "orders", "task")
    elsewhere = aws_name("role", sample_target(region="us-east-1", zones=("us-east-1a",)), "orders", "task")

    assert (ireland, elsewhere) == ("orders-prod-task-eu-west-1", "orders-prod-task-us-east-1")


def test_names_of_buckets_differ_between_accounts_since_buckets_are_global() -> None:
    name = aws_name("bucket", sample_target(), "edge", "access-logs")

    assert name == "edge-prod-access-logs-210987654321-eu-west-1"


@pytest.mark.parametrize("part", ["", "-api", "api-", "a/b", "a b", "ä"])
def test_a_part_that_is_no_name_is_refused(part: str) -> None:
    with pytest.raises(ConstructError, match="letters, digits and inner hyphens"):
        aws_name("cluster", sample_target(), "edge", part)


def test_names_of_secrets_parameters_and_repositories_are_paths() -> None:
    target = sample_target()

    assert aws_name("secret", target, "orders", "api", "stripe") == "orders/prod/api/stripe"
    assert aws_name("parameter", target, "orders", "flags") == "/orders/prod/flags"
    assert aws_name("repository", target, "orders", "web") == "orders/prod/web"
