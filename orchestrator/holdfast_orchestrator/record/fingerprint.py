"""Fingerprint of a verified deployment. If it still matches, the next deploy skips the shard.

It is written into the state record (`state_record.py`) after a deploy that was verified; every other
ending leaves none. It is evidence for skipping and nothing else: one that cannot be read counts as none.
"""

import operator
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapSerializer,
    WrapValidator,
)

from holdfast_orchestrator.state.record_format import Moment, SortedTexts, in_order, is_none
from holdfast_orchestrator.terraform.accepted import AcceptedUse


@dataclass(frozen=True, slots=True)
class ObjectStamp:
    """Identifies the exact bytes of an object: ETag, and version where the bucket keeps versions."""

    etag: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A provider's version, and the checksums of the builds that were trusted."""

    version: str
    hashes: Annotated[frozenset[str], PlainSerializer(sorted)]


@dataclass(frozen=True, slots=True)
class InputFingerprint:
    """What a shard read from an upstream shard: the stamp of its state, and a digest of each output."""

    mark: Annotated[ObjectStamp | None, Field(alias="state")]
    outputs: SortedTexts


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedInputs:
    """The states behind a plan that found nothing: those of the upstream shards, and the shard's own.

    Where either is another one by the time this is written down, nothing was proven.
    """

    inputs: Mapping[str, ObjectStamp | None]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesFingerprint:
    """What was found in the modules of a shard once they were laid out.

    `providers` are those that were used beside what the configuration itself requires. `doubts` say what the
    fetched modules may read that may be another thing tomorrow.
    """

    providers: Annotated[Mapping[str, Build], WrapSerializer(in_order)] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What run `run` deployed, and what it depended on.

    `configuration` is the digest of the normalised configuration, `settings` a digest for each thing the
    manifest says beside it, `environment` one for each variable that providers heed, `inputs` are by upstream
    shard, `state` is the object it left, `good` the ETag
    of the last-good record it belongs to, `accepted` what still differs and was accepted. `reads` is a digest
    for each file and variable it read, by name; None where nobody wrote that down. `modules` is None where it
    calls none, or nobody wrote down what is in them.
    """

    run: str
    at: Moment
    configuration: str
    settings: SortedTexts
    environment: SortedTexts
    engine: str
    providers: Annotated[Mapping[str, Build], WrapSerializer(in_order)]
    inputs: Annotated[Mapping[str, InputFingerprint], WrapSerializer(in_order)] = field(default_factory=dict)
    state: ObjectStamp
    good: str
    reads: Annotated[SortedTexts | None, Field(exclude_if=is_none)] = None
    modules: Annotated[ModulesFingerprint | None, Field(exclude_if=is_none)] = None
    accepted: Annotated[tuple[AcceptedUse, ...], Field(exclude_if=operator.not_)] = ()


def _or_none(document: Any, read: ValidatorFunctionWrapHandler) -> Fingerprint | None:
    with suppress(ValueError):
        fingerprint: Fingerprint | None = read(document)
        return fingerprint
    return None


FingerprintIfRead = Annotated[Fingerprint | None, WrapValidator(_or_none)]
"""A fingerprint in a record: what is not understood proves nothing, and counts as none."""
