"""What a deployer and its workers say to each other: JSON, checked against its types.

    deployer → worker    a job                                             `job_text`, `job_of`
    worker → deployer    events of the run, and what became of the shard    `event_text`, `ended_text`, …

Dask would carry any object as a pickle, and anybody who can send a program a pickle runs code in it. So
nothing but text is handed to Dask on either side, and nothing is made of a text but the values named here.
"""

import json
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from holdfast_orchestrator import events
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.events import Event
from holdfast_orchestrator.executor.job import Job

_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", extra="forbid")
_LONGEST = 64 * 2**20


class MessageError(Exception):
    """A text that is no message of ours."""


class WorkerError(HoldfastError):
    """What a worker was stopped by, in its own words."""

    def __init__(self, what: str, next_step: str | None = None, *, exit_code: int = 1) -> None:
        super().__init__(what, next_step=next_step)
        self.exit_code = exit_code


def job_text(job: Job) -> str:
    """Return a job as it travels. It holds the secrets of the shard's configuration."""
    return json.dumps({"version": job.version, "job": _adapter(Job).dump_python((job,), mode="json")[0]})


def version_of(text: str) -> str:
    """Return the version of the package that made a job; the rest may mean anything in another version."""
    return str(json.loads(text)["version"])


def job_of(text: str) -> Job:
    """Read what `job_text` wrote. Raises MessageError."""
    job: Job = _read(Job, _document(text).get("job"))
    return job


def event_text(event: Event) -> str:
    """Return an event as it travels."""
    kind: Any = type(event)
    body = _adapter(kind).dump_python((event,), mode="json")[0]
    return json.dumps({"event": event.kind, "body": body})


def event_of(text: object) -> Event:
    """Read what `event_text` wrote. Raises MessageError for anything else."""
    document = _document(text)
    kind = _kinds().get(str(document.get("event")))
    if kind is None:
        raise MessageError("it is no event that this version knows")
    event: Event = _read(kind, document.get("body"))
    return event


def result_text(result: ShardResult) -> str:
    """Return what became of a shard as it travels."""
    return json.dumps({"result": _adapter(ShardResult).dump_python((result,), mode="json")[0]})


def error_text(error: Exception) -> str:
    """Return why there is no result."""
    if isinstance(error, HoldfastError):
        told = {"what": error.what, "next_step": error.next_step, "exit_code": error.exit_code}
        return json.dumps({"error": told})
    return json.dumps({"defect": f"{type(error).__name__}: {error}"})


def result_of(text: object, *, shard: str) -> ShardResult:
    """Read what became of `shard`.

    Raises WorkerError where a worker was stopped, RuntimeError for a defect there, MessageError for nonsense.
    """
    document = _document(text)
    if "defect" in document:
        raise RuntimeError(f"on a worker: {str(document['defect'])[:2000]}")
    if "error" in document:
        raise _worker_error(document["error"])
    result: ShardResult = _read(ShardResult, document.get("result"))
    if result.shard != shard:
        raise MessageError(f"it is about {result.shard!r}")
    return result


def _document(text: object) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise MessageError("it is no text")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MessageError("it is no JSON") from None
    if not isinstance(document, dict):
        raise MessageError("it is no JSON object")
    return document


def _read(kind: type, document: object) -> Any:
    try:
        # As JSON, because a set, a tuple or bytes are only then read from what they were written as.
        return _adapter(kind).validate_json(json.dumps([document]))[0]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"][1:]))
        raise MessageError(f"{kind.__name__}: {place}: {first['msg']}") from None


@cache
def _kinds() -> dict[str, type[Event]]:
    kinds = (kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event))
    return {kind.kind: kind for kind in kinds if kind is not Event}


@cache
def _adapter(kind: Any) -> Any:
    # A tuple of one: how bytes are written can only be said for what holds a dataclass.
    adapter: Any = TypeAdapter(tuple[kind], config=_BYTES)
    from holdfast_orchestrator.deploy.shard.intent import RollbackTarget  # noqa: PLC0415 - named by its text in Intent

    adapter.rebuild(force=True, _types_namespace={"Back": RollbackTarget})
    return adapter


def _worker_error(told: object) -> WorkerError:
    match told:
        case {"what": str(what), "next_step": (str() | None) as next_step, "exit_code": int(exit_code)}:
            return WorkerError(what, next_step, exit_code=exit_code)
        case _:
            raise MessageError("it is no error of ours")
