"""Container images: a digest names exactly the tested image, a tag the image that was pushed last."""

import re
from dataclasses import dataclass
from typing import Protocol

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

# The reference grammar of the OCI distribution specification: host[:port]/path components.
_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*"
_DIGEST = re.compile(rf"({_REPOSITORY})@sha256:[0-9a-f]{{64}}")
_TAG = re.compile(rf"({_REPOSITORY}):[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}")
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>.+)"
)


@dataclass(frozen=True, slots=True)
class EcrRepository:
    """A repository in Amazon ECR: its `account`, `region` and `name`."""

    account: str
    region: str
    name: str


class ImageRepository(Protocol):
    """A repository of images, such as a Repository."""

    @property
    def registry_url(self) -> str:
        """What its images are called, without digest or tag."""


@checked
@dataclass(frozen=True, slots=True)
class Image:
    """A container image. Make one with `digest`, `tag` or `of`.

    `reference` is what the container runtime pulls; `repository` is its part before digest or tag; `pinned`
    says whether it always means the same bytes.
    """

    reference: str
    repository: str
    pinned: bool

    @classmethod
    def digest(cls, reference: str) -> "Image":
        """Return the image `repository@sha256:<64 hex digits>`; raises ConstructError for anything else."""
        match = _DIGEST.fullmatch(reference)
        if match is None:
            raise ConstructError(
                "an image by digest",
                got=reference,
                allowed="repository@sha256: and 64 hex digits",
                next_step="`docker buildx imagetools inspect <image>` shows the digest",
            )
        return cls(reference, match[1], pinned=True)

    @classmethod
    def tag(cls, reference: str) -> "Image":
        """Return the image `repository:tag`, refused in production; raises ConstructError otherwise."""
        match = _TAG.fullmatch(reference)
        if match is None:
            raise ConstructError(
                "an image by tag", got=reference, allowed="repository:tag, such as web:1.4.2"
            )
        return cls(reference, match[1], pinned=False)

    @classmethod
    def of(
        cls, reference: str | ImageRepository, *, digest: str | None = None, tag: str | None = None
    ) -> "Image":
        """Return the image of a reference that may have either form, or of a repository and one of the two.

        `Image.of(repository, digest="sha256:…")` names an image in a Repository. Raises ConstructError for a
        reference of neither form, and where both or none of digest and tag are given.
        """
        if isinstance(reference, str) and digest is None and tag is None:
            return cls.digest(reference) if "@" in reference else cls.tag(reference)
        if (digest is None) == (tag is None):
            raise ConstructError(
                "an image of a repository needs a digest or a tag",
                next_step='write Image.of(repository, digest="sha256:…")',
            )
        place = reference if isinstance(reference, str) else reference.registry_url
        return cls.tag(f"{place}:{tag}") if digest is None else cls.digest(f"{place}@{digest}")

    @property
    def ecr_repository(self) -> EcrRepository | None:
        """The ECR repository of the image, or None if the image comes from another registry."""
        match = _ECR.fullmatch(self.repository)
        return None if match is None else EcrRepository(match["account"], match["region"], match["name"])
