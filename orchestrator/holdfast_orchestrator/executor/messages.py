"""The messages between a deployer and its workers: JSON, checked against its types.

    deployer → worker    a job                                      `job_text`, `job_of`
    worker → deployer    events of the run, the result of a shard    `event_text`, `result_text`, …

Dask would send any object as a pickle, and anyone who can send a pickle to a program can run code in it. So
both sides give Dask only text, and read only the values named here from it.
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
    """A text that is not a message of Holdfast."""


class WorkerError(HoldfastError):
    """The error of a worker, in its own words."""

    def __init__(self, what: str, next_step: str | None = None, *, exit_code: int = 1) -> None:
        super().__init__(what, next_step=next_step)
        self.exit_code = exit_code


def job_text(job: Job) -> str:
    """Return a job as text. It holds the secrets of the shard's configuration."""
    return json.dumps({"version": job.version, "job": _adapter(Job).dump_python((job,), mode="json")[0]})


def version_of(text: str) -> str:
    """Return the version of the package that wrote a job; another version cannot read the rest."""
    return str(json.loads(text)["version"])


def job_of(text: str) -> Job:
    """Read what `job_text` wrote. Raises MessageError."""
    job: Job = _read(Job, _document(text).get("job"))
    return job


def event_text(event: Event) -> str:
    """Return an event as text."""
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
    """Return the result of a shard as text."""
    return json.dumps({"result": _adapter(ShardResult).dump_python((result,), mode="json")[0]})


def error_text(error: Exception) -> str:
    """Return the reason for no result as text."""
    if isinstance(error, HoldfastError):
        fields = {"what": error.what, "next_step": error.next_step, "exit_code": error.exit_code}
        return json.dumps({"error": fields})
    return json.dumps({"defect": f"{type(error).__name__}: {error}"})


def result_of(text: object, *, shard: str) -> ShardResult:
    """Read the result of `shard`.

    Raises WorkerError for a worker's error, RuntimeError for a defect in a worker, MessageError for any other
    text.
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
        # JSON mode reads sets, tuples and bytes from the form in which they were written.
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
    # pydantic takes no configuration for a dataclass, only for a type around it: a tuple of one.
    return TypeAdapter(tuple[kind], config=_BYTES)


def _worker_error(document: object) -> WorkerError:
    match document:
        case {"what": str(what), "next_step": (str() | None) as next_step, "exit_code": int(exit_code)}:
            return WorkerError(what, next_step, exit_code=exit_code)
        case _:
            raise MessageError("it is no error of Holdfast")
