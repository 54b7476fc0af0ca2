"""Fingerprint of a verified deployment. If it still matches, the next deploy skips the shard.

It is written into the state record (`state_record.py`) after a deploy that was verified; every other
ending leaves none. It is evidence for skipping and nothing else: one that cannot be read counts as none.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from holdfast_orchestrator.state.json_object import parse_time, time_text
from holdfast_orchestrator.terraform.accepted import AcceptedUse


@dataclass(frozen=True, slots=True)
class ObjectStamp:
    """Which object it was, to the byte: ETag, and version where the bucket keeps versions."""

    etag: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A provider's version, and the checksums of the builds that were trusted."""

    version: str
    hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class InputFingerprint:
    """What was read from an upstream shard: out of which state, and the digest of each output."""

    mark: ObjectStamp | None
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedInputs:
    """What a plan that found nothing was made of: the upstream states from before it, and the state.

    Where either is another one by the time this is written down, nothing was proven.
    """

    inputs: Mapping[str, ObjectStamp | None]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The footing of run `run`'s deployment.

    `configuration` is the digest of the normalised configuration, `settings` a digest for each thing the
    manifest says beside it, `environment` one for each variable that providers heed, `inputs` are by upstream
    shard, `state` is the object it left, `good` the ETag
    of the last-good record it belongs to, `accepted` what still differs and was accepted. `reads` is a digest
    for each file and variable it read, by name; None where nobody wrote that down.
    """

    run: str
    at: datetime
    configuration: str
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    engine: str
    providers: Mapping[str, Build]
    inputs: Mapping[str, InputFingerprint] = field(default_factory=dict)
    state: ObjectStamp
    good: str
    reads: Mapping[str, str] | None = None
    accepted: tuple[AcceptedUse, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return {
            "run": self.run,
            "at": time_text(self.at),
            "configuration": self.configuration,
            "settings": dict(sorted(self.settings.items())),
            "environment": dict(sorted(self.environment.items())),
            "engine": self.engine,
            "providers": {
                source: {"version": build.version, "hashes": sorted(build.hashes)}
                for source, build in sorted(self.providers.items())
            },
            "inputs": {
                name: {"state": _mark(one.mark), "outputs": dict(sorted(one.outputs.items()))}
                for name, one in sorted(self.inputs.items())
            },
            "state": _mark(self.state),
            "good": self.good,
            **({} if self.reads is None else {"reads": dict(sorted(self.reads.items()))}),
            **({"accepted": [asdict(use) for use in self.accepted]} if self.accepted else {}),
        }


def read_fingerprint(document: Any) -> Fingerprint | None:
    """Return what `to_json` wrote, None for anything else: what is not understood proves nothing."""
    try:
        return _built(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _built(document: Any) -> Fingerprint | None:
    state = _marked(document["state"])
    if state is None:
        return None
    return Fingerprint(
        run=str(document["run"]),
        at=parse_time(document["at"]),
        configuration=str(document["configuration"]),
        settings=_texts(document["settings"]),
        environment=_texts(document["environment"]),
        engine=str(document["engine"]),
        providers={
            source: Build(str(build["version"]), frozenset(map(str, build["hashes"])))
            for source, build in document["providers"].items()
        },
        inputs={
            name: InputFingerprint(_marked(one["state"]), _texts(one["outputs"]))
            for name, one in document["inputs"].items()
        },
        state=state,
        good=str(document["good"]),
        reads=_texts(document["reads"]) if "reads" in document else None,
        accepted=tuple(AcceptedUse(**use) for use in document.get("accepted", ())),
    )


def _mark(mark: ObjectStamp | None) -> dict[str, str | None] | None:
    return None if mark is None else {"etag": mark.etag, "version": mark.version}


def _marked(document: Any) -> ObjectStamp | None:
    if document is None:
        return None
    version = document["version"]
    return ObjectStamp(str(document["etag"]), None if version is None else str(version))


def _texts(document: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in document.items()}
