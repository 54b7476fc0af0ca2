"""Removes the state bucket of a foundation that was taken down, with every version of every object in it."""

from collections.abc import Iterator
from typing import Any

from holdfast_orchestrator.bootstrap.bucket import BucketPlace
from holdfast_orchestrator.errors import GateError, HoldfastError, StateBucketError
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.terraform.json_values import managed

# Amazon S3, DeleteObjects: at most 1,000 a request.
_AT_ONCE = 1000
_NAMED = 3


def refuse_used(store: DurableStore, place: BucketPlace, *, own_key: str) -> None:
    """Raise GateError where a state of the bucket, other than the foundation's, still manages something."""
    used = [key for key in _state_keys(store) if key != own_key and _manages(store, key)]
    if used:
        named = ", ".join(used[:_NAMED]) + (", …" if len(used) > _NAMED else "")
        raise GateError(
            f"the state bucket {place.bucket!r} has states that manage something: {named}; nothing was taken "
            "down",
            next_step=f"take the stacks down first: holdfast destroy --env {place.environment}",
        )


def remove(client: Any, place: BucketPlace) -> None:
    """Delete the bucket and everything in it. Raises StateBucketError where S3 refuses a version."""
    import botocore.exceptions  # noqa: PLC0415 - boto3 is loaded by the caller who made the client

    try:
        for batch in _batches(client, place.bucket):
            answer = client.delete_objects(Bucket=place.bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise StateBucketError(
                    f"S3 kept {errors[0]['Key']} of {place.bucket!r}: {errors[0].get('Message', '')}",
                    next_step="remove what holds it, and run the same command again",
                )
        client.delete_bucket(Bucket=place.bucket)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise StateBucketError(
            f"the state bucket {place.bucket!r} could not be removed: {error}",
            next_step="run the same command again",
        ) from None


def _batches(client: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for start in range(0, len(entries), _AT_ONCE):
            yield [
                {"Key": entry["Key"], "VersionId": entry["VersionId"]}
                for entry in entries[start : start + _AT_ONCE]
            ]


def _state_keys(store: DurableStore) -> Iterator[str]:
    for head in store.list(""):
        if head.key.endswith(f"/{STATE_FILE}") and not head.key.startswith("_holdfast/"):
            yield head.key


def _manages(store: DurableStore, key: str) -> bool:
    try:
        snapshot = read_snapshot(store, key)
    except HoldfastError:
        # What cannot be read may manage anything.
        return True
    return snapshot is not None and any(True for _ in managed(snapshot.document))
