"""The state bucket in S3, through a boto3 client that is handed in.

Every write is encrypted and conditional (`If-None-Match: *` or `If-Match`). Errors of the bucket
itself become one sentence and the command that repairs it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.errors import HoldfastError, StateBucketError
from holdfast_orchestrator.state.object_store import (
    ObjectExistsError,
    ObjectHead,
    ObjectVersion,
    StoredObject,
)

T = TypeVar("T")

_ABSENT = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchLifecycleConfiguration"}
_NO_BUCKET = {"404", "NoSuchBucket", "NotFound"}
_CONDITION_FAILED = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
# botocore asks again until an answer begins; one that breaks off or arrives damaged is ours to ask for again.
_READS = 3
_FORBIDDEN = {"403", "AccessDenied", "Forbidden"}


class S3Store:
    """A `DurableStore` in S3; `location` says which bucket, where, under which KMS key (None: SSE-S3)."""

    def __init__(self, client: Any, location: StateLocation, *, cloud: Literal["aws", "local"]) -> None:
        self._client = client
        self._location = location
        self._cloud = cloud

    def check(self) -> None:
        self._head_bucket()

    def now(self) -> datetime:
        served = _served(self._head_bucket())
        if served is None:
            raise StateBucketError(f"the state bucket {self._location.bucket!r} does not tell the time")
        return served

    def head(self, key: str) -> ObjectHead | None:
        answer = self._call(lambda: self._client.head_object(Bucket=self._location.bucket, Key=key))
        return None if answer is None else _head(key, answer, answer["ContentLength"])

    def get(self, key: str) -> StoredObject | None:
        stored: StoredObject | None = self._call(lambda: self._read(key))
        return stored

    def create(self, key: str, body: bytes) -> ObjectHead:
        return self._put(key, body, {"IfNoneMatch": "*"})

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        return self._put(key, body, {"IfMatch": etag})

    def delete(self, key: str, *, etag: str) -> None:
        bucket = self._location.bucket
        answer = self._call(lambda: self._client.delete_object(Bucket=bucket, Key=key, IfMatch=etag))
        if answer is None:
            raise ObjectExistsError(f"the object at {key} is gone already")

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        for page in self._pages("list_objects_v2", Prefix=prefix, StartAfter=after):
            served = _served(page)
            for entry in page.get("Contents", ()):
                yield ObjectHead(
                    key=entry["Key"],
                    etag=entry["ETag"],
                    size=entry["Size"],
                    modified=entry["LastModified"],
                    served=served,
                )

    def folders(self, prefix: str, *, after: str = "") -> Iterator[str]:
        # "0" is the sign after "/": nothing in the folder of that name comes after it.
        start = f"{prefix}{after}0" if after else ""
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/", StartAfter=start):
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"].removeprefix(prefix).removesuffix("/")

    def versions(self, key: str) -> tuple[ObjectVersion, ...]:
        versions = [
            _version(entry, deleted=deleted)
            for page in self._pages("list_object_versions", Prefix=key)
            for name, deleted in (("Versions", False), ("DeleteMarkers", True))
            for entry in page.get(name, ())
            if entry["Key"] == key
        ]
        # S3 lists the versions of a key newest first; only the two kinds have to be merged.
        return tuple(sorted(versions, key=lambda version: version.modified, reverse=True))

    def get_version(self, key: str, version: str) -> StoredObject | None:
        stored: StoredObject | None = self._call(lambda: self._read(key, VersionId=version))
        return stored

    def lifecycle(self) -> tuple[Mapping[str, Any], ...]:
        bucket = self._location.bucket
        answer = self._call(lambda: self._client.get_bucket_lifecycle_configuration(Bucket=bucket))
        return () if answer is None else tuple(answer.get("Rules", ()))

    def set_lifecycle(self, rules: Sequence[Mapping[str, Any]]) -> None:
        bucket, wanted = self._location.bucket, {"Rules": list(rules)}
        self._call(
            lambda: self._client.put_bucket_lifecycle_configuration(
                Bucket=bucket, LifecycleConfiguration=wanted
            )
        )

    def _head_bucket(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(
            lambda: self._client.head_bucket(Bucket=self._location.bucket), absent=_NO_BUCKET
        )
        return answer

    def _pages(self, operation: str, **asked: str) -> Iterator[dict[str, Any]]:
        given = {name: value for name, value in asked.items() if value}
        pages = iter(self._client.get_paginator(operation).paginate(Bucket=self._location.bucket, **given))
        while (page := self._call(lambda: next(pages, None))) is not None:
            yield page

    def _read(self, key: str, **which: str) -> StoredObject:
        import botocore.exceptions as broken  # noqa: PLC0415 - boto3 is loaded by whoever made the client

        for _ in range(_READS - 1):
            with suppress(
                broken.FlexibleChecksumError,
                broken.IncompleteReadError,
                broken.ReadTimeoutError,
                broken.ResponseStreamingError,
            ):
                return self._read_once(key, **which)
        return self._read_once(key, **which)

    def _read_once(self, key: str, **which: str) -> StoredObject:
        answer = self._client.get_object(Bucket=self._location.bucket, Key=key, **which)
        body = answer["Body"].read()
        return StoredObject(head=_head(key, answer, len(body)), body=body)

    def _put(self, key: str, body: bytes, condition: dict[str, str]) -> ObjectHead:
        kms = self._location.kms_key_id
        encryption = (
            {"ServerSideEncryption": "AES256"}
            if kms is None
            else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms}
        )
        answer = self._call(
            lambda: self._client.put_object(
                Bucket=self._location.bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                **condition,
                **encryption,
            ),
            absent=frozenset(),
        )
        if answer is None:
            raise ObjectExistsError(f"the object at {key} is gone")
        return _head(key, answer, len(body))

    def _call(self, call: Callable[[], T], *, absent: set[str] | frozenset[str] = frozenset()) -> Any:
        """Run one request; None where the object is absent. `absent` codes mean a missing bucket."""
        import botocore.exceptions  # noqa: PLC0415 - boto3 is loaded by whoever made the client

        try:
            return call()
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NoSuchBucket" or code in absent:
                raise self._missing() from None
            if code in _ABSENT:
                return None
            if code in _CONDITION_FAILED:
                raise ObjectExistsError("another writer was faster: a conditional write failed") from None
            raise self._refused(code, str(error)) from None
        except botocore.exceptions.BotoCoreError as error:
            raise self._unreachable(error) from None

    def _missing(self) -> StateBucketError:
        bucket, region = self._location.bucket, self._location.region
        # us-east-1 is the one region that must not be named as a location constraint.
        where = "" if region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={region}"
        create = f"aws s3api create-bucket --bucket {bucket} --region {region}{where}"
        versioned = (
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
        )
        return StateBucketError(
            f"the state bucket {bucket!r} does not exist in {region}",
            next_step=f"holdfast local up --bucket {bucket}"
            if self._cloud == "local"
            else f"{create} && {versioned}",
        )

    def _refused(self, code: str, text: str) -> HoldfastError:
        if code in _FORBIDDEN:
            return StateBucketError(
                f"the credentials in use may not use the state bucket {self._location.bucket!r}: {text}",
                next_step="to see who is calling: aws sts get-caller-identity; all the rest: holdfast doctor",
            )
        return StateBucketError(f"the state bucket {self._location.bucket!r} answered: {text}")

    def _unreachable(self, error: Exception) -> StateBucketError:
        return StateBucketError(
            f"the state bucket {self._location.bucket!r} cannot be reached: {error}",
            next_step="holdfast local status" if self._cloud == "local" else "holdfast doctor",
        )


def _head(key: str, answer: dict[str, Any], size: int) -> ObjectHead:
    return ObjectHead(
        key=key,
        etag=answer["ETag"],
        size=size,
        version=answer.get("VersionId"),
        modified=answer.get("LastModified"),
        served=_served(answer),
    )


def _served(answer: dict[str, Any]) -> datetime | None:
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return None if text is None else parsedate_to_datetime(text)


def _version(entry: dict[str, Any], *, deleted: bool) -> ObjectVersion:
    return ObjectVersion(
        key=entry["Key"],
        version=entry["VersionId"],
        modified=entry["LastModified"],
        size=entry.get("Size", 0),
        deleted=deleted,
    )
