"""Whose the state bucket is, and what it needs before a state may be written to it.

A bucket is the foundation's own by its tags; an empty and bare one of the account may become it; any other
one only where a person names it. Nothing is changed in a bucket before that is clear.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from holdfast_orchestrator.errors import GateError, HoldfastError, StateBucketError

T = TypeVar("T")

# Amazon S3, "Error responses": what it answers where a bucket has no such setting.
_ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "OwnershipControlsNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
_FORBIDDEN = {"403", "AccessDenied", "Forbidden"}
_TAKEN = {"BucketAlreadyExists"}
_ELSEWHERE = {"301", "PermanentRedirect"}
_CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
# What S3 says of the location of a bucket in the two regions that have names of their own there.
_LOCATIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
# The settings of a bucket that the stack has: the call that shows one, and the field that is there then.
_SETTINGS = {
    "aws_s3_bucket_lifecycle_configuration": ("get_bucket_lifecycle_configuration", "Rules"),
    "aws_s3_bucket_logging": ("get_bucket_logging", "LoggingEnabled"),
    "aws_s3_bucket_ownership_controls": ("get_bucket_ownership_controls", "OwnershipControls"),
    "aws_s3_bucket_policy": ("get_bucket_policy", "Policy"),
    "aws_s3_bucket_public_access_block": ("get_public_access_block", "PublicAccessBlockConfiguration"),
    "aws_s3_bucket_server_side_encryption_configuration": (
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
    ),
    "aws_s3_bucket_versioning": ("get_bucket_versioning", "Status"),
}
SERVICE = "foundation"
_SHOWN_OBJECTS = 3


class Standing(StrEnum):
    """What a bucket is to a foundation."""

    ABSENT = "absent"
    OURS = "ours"
    BARE = "bare"
    OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPlace:
    """The state bucket that an environment's settings name; `project` is that of its tags, if it has one."""

    bucket: str
    region: str
    account: str
    environment: str
    project: str | None = None

    @property
    def proof(self) -> Mapping[str, str]:
        """The tags that only the bucket of this foundation has."""
        project = {} if self.project is None else {"Project": self.project}
        return {**project, "Service": SERVICE, "Environment": self.environment, "ManagedBy": "holdfast"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change to the bucket: what it does in words, and the call."""

    words: str
    make: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of the bucket. `has` says what keeps a bucket of unknown origin from being taken."""

    standing: Standing
    steps: tuple[Step, ...] = ()
    has: tuple[str, ...] = ()


class StateBucketSetup:
    """The state bucket, looked at and set up through a boto3 client of S3."""

    def __init__(self, client: Any, place: BucketPlace) -> None:
        self._s3 = client
        self._place = place

    def look(self) -> Sight:
        """Return what the bucket is and which steps it needs; changes nothing.

        Raises GateError for a bucket of another account, region or foundation, and StateBucketError where S3
        does not say.
        """
        if not self._is_there():
            return Sight(standing=Standing.ABSENT, steps=tuple(self._steps({}, exists=False)))
        self._refuse_elsewhere()
        tags = self._tags()
        self._refuse_other_foundation(tags)
        steps = tuple(self._steps(tags, exists=True))
        if self._place.proof.items() <= tags.items():
            return Sight(standing=Standing.OURS, steps=steps)
        has = tuple(self._content(tags))
        return Sight(standing=Standing.OTHERS if has else Standing.BARE, steps=steps, has=has)

    def refuse_unnamed(self, sight: Sight, named: str | None) -> None:
        """Raise GateError for a bucket that nothing proves to be ours and that nobody has named."""
        if sight.standing is not Standing.OTHERS or named == self._place.bucket:
            return
        place = self._place
        raise GateError(
            f"the bucket {place.bucket!r} is in account {place.account} and was not made by this foundation: "
            f"it has {', '.join(sight.has)}; nothing was changed",
            next_step="if it is the state bucket, name it: "
            f"holdfast bootstrap --env {place.environment} --adopt-bucket {place.bucket}",
        )

    def settings(self) -> frozenset[str]:
        """Return which settings the bucket has, by their types in Terraform; they are imported."""
        return frozenset(
            kind for kind, (operation, field) in _SETTINGS.items() if self._ask(operation).get(field)
        )

    def set_up(self, sight: Sight, tell: Callable[[str], object]) -> None:
        """Make the steps that are missing; raises StateBucketError for the first that S3 refuses."""
        for step in sight.steps:
            self._call(step.make)
            tell(f"state bucket {self._place.bucket}: {step.words}")

    def _steps(self, tags: Mapping[str, str], *, exists: bool) -> Iterator[Step]:
        place, s3, bucket = self._place, self._s3, self._place.bucket
        if not exists:
            yield Step(words=f"create it in {place.region}", make=self._create)
        # First of all: a bucket that says whose it is can be completed after a crash.
        if not place.proof.items() <= tags.items():
            tagged = [{"Key": key, "Value": value} for key, value in {**tags, **place.proof}.items()]
            yield Step(
                words="tag it as this foundation's",
                make=lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tagged}),
            )
        if not exists or self._public_access() != _CLOSED:
            yield Step(
                words="block public access",
                make=lambda: s3.put_public_access_block(
                    Bucket=bucket, PublicAccessBlockConfiguration=_CLOSED
                ),
            )
        if not exists or self._versioning() != "Enabled":
            yield Step(
                words="keep versions",
                make=lambda: s3.put_bucket_versioning(
                    Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
                ),
            )

    def _create(self) -> None:
        place = self._place
        # us-east-1 is the one region that must not be named as a location constraint.
        where = (
            {}
            if place.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        )
        self._s3.create_bucket(Bucket=place.bucket, **where)

    def _is_there(self) -> bool:
        place = self._place
        answer = self._call(
            lambda: self._s3.head_bucket(Bucket=place.bucket, ExpectedBucketOwner=place.account)
        )
        return answer is not None

    def _refuse_elsewhere(self) -> None:
        place = self._place
        location = self._ask("get_bucket_location").get("LocationConstraint")
        region = _LOCATIONS.get(location, location)
        if region != place.region:
            raise GateError(
                f"the bucket {place.bucket!r} is in {region}, and the settings of {place.environment} say "
                f"{place.region}; nothing was changed",
                next_step=f'set region = "{region}" below [state] of the environment, or name another bucket',
            )

    def _refuse_other_foundation(self, tags: Mapping[str, str]) -> None:
        ours = self._place.proof
        if tags.get("Service") != SERVICE or tags.get("ManagedBy") != "holdfast":
            return
        if any(tags.get(key) != ours.get(key) for key in ("Environment", "Project")):
            owner = " of project ".join(filter(None, (tags.get("Environment", "?"), tags.get("Project"))))
            raise GateError(
                f"the bucket {self._place.bucket!r} is of the foundation of {owner}; nothing was changed",
                next_step="give each environment a bucket of its own: [state] bucket in its settings",
            )

    def _content(self, tags: Mapping[str, str]) -> Iterator[str]:
        listed = self._s3_answer("list_object_versions", MaxKeys=_SHOWN_OBJECTS)
        keys = dict.fromkeys(
            entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in listed.get(kind, ())
        )
        if keys:
            yield f"objects ({', '.join(keys)}{', …' if listed.get('IsTruncated') else ''})"
        if tags:
            yield f"tags ({', '.join(f'{key}={value}' for key, value in sorted(tags.items()))})"
        settings = {
            "a policy": "get_bucket_policy",
            "lifecycle rules": "get_bucket_lifecycle_configuration",
            "replication": "get_bucket_replication",
        }
        for words, operation in settings.items():
            if self._ask(operation):
                yield words

    def _tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self._ask("get_bucket_tagging").get("TagSet", ())}

    def _public_access(self) -> Mapping[str, bool]:
        answer: dict[str, bool] = self._ask("get_public_access_block").get(
            "PublicAccessBlockConfiguration", {}
        )
        return answer

    def _versioning(self) -> str | None:
        status: str | None = self._ask("get_bucket_versioning").get("Status")
        return status

    def _ask(self, operation: str) -> dict[str, Any]:
        """Return what S3 says of a setting; empty where the bucket has none."""
        return self._s3_answer(operation)

    def _s3_answer(self, operation: str, **asked: Any) -> dict[str, Any]:
        answer = self._call(lambda: getattr(self._s3, operation)(Bucket=self._place.bucket, **asked))
        return {key: value for key, value in (answer or {}).items() if key != "ResponseMetadata"}

    def _call(self, call: Callable[[], T]) -> T | None:
        import botocore.exceptions  # noqa: PLC0415 - boto3 is loaded by the caller who made the client

        try:
            return call()
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _ABSENT:
                return None
            raise self._refused(code, str(error)) from None
        except botocore.exceptions.BotoCoreError as error:
            raise StateBucketError(f"S3 cannot be reached: {error}", next_step="holdfast doctor") from None

    def _refused(self, code: str, text: str) -> HoldfastError:
        place = self._place
        if code in _TAKEN:
            return GateError(
                f"the name {place.bucket!r} is taken by a bucket of another account; nothing was changed",
                next_step="choose another name: [state] bucket of the environment",
            )
        if code in _FORBIDDEN:
            return GateError(
                f"the bucket {place.bucket!r} is not account {place.account}'s, or the credentials in use "
                f"may not use it: {text}; nothing was changed in it",
                next_step="use the credentials of an administrator of that account, or choose another name: "
                "[state] bucket of the environment",
            )
        if code in _ELSEWHERE:
            return GateError(
                f"the bucket {place.bucket!r} is not in {place.region}; nothing was changed",
                next_step="set region below [state] of the environment to the bucket's region",
            )
        return StateBucketError(
            f"the bucket {place.bucket!r} answered: {text}", next_step="run the same command again"
        )
