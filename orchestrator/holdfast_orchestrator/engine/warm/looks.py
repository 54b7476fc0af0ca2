"""Is an object there? Asked of the provider process that is about to create it, with calls that only read.

An import and a read, as Terraform's own import does them: what the provider answers is handed back to it
byte for byte, so no schema is needed. For types whose read waits long for an object that is absent (a queue:
20 seconds) their data source is asked. What was not answered within DEADLINE_SECONDS is not known.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.protocol import IMPORT, READ, READ_DATA, Call
from holdfast_orchestrator.engine.warm.provider_process import Metadata, ProviderProcess
from holdfast_orchestrator.engine.warm.schemas import KeptSchema
from holdfast_orchestrator.engine.warm.values import UNKNOWN, decoded, encoded, errors, is_nil
from holdfast_orchestrator.terraform.create_semantics import CreateRule, rule_of
from holdfast_orchestrator.terraform.error_patterns import says_absent
from holdfast_orchestrator.terraform.object_keys import ObjectKey, Place, import_id_of, key_of
from holdfast_orchestrator.terraform.ownership import Sighting, Verdict

DEADLINE_SECONDS = 5.0
AT_ONCE = 16

# What makes up the import id in the answer of a data source, where the wanted values do not.
_IDS_IN_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "aws_secretsmanager_secret_version": ("secret_id", "version_id"),
    "aws_sqs_queue": ("url",),
}

_PLACE_SOURCES = ("aws_caller_identity", "aws_region", "aws_partition")

# Fields of ImportResourceState, ReadResource and ReadDataSource, the same in protocol 5 and 6.
_TYPE, _ID, _STATE, _PRIVATE = 1, 2, 2, 3
_IMPORTED, _IMPORT_DIAGNOSTICS = 1, 2
_NEW_STATE, _READ_DIAGNOSTICS = 1, 2


class _UnknownError(Exception):
    """Nobody could say whether the object is there."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Whom to ask: a configured process, and a call that goes to it."""

    process: ProviderProcess
    call: Call
    metadata: Metadata
    schema: KeptSchema


@dataclass(eq=False)
class Looks:
    """The looks of one gateway: so many at once. `busy` has a lock for each object that is being created."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    busy: defaultdict[ObjectKey, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def look(self, asking: Asking, key: ObjectKey, kind: str, values: Mapping[str, Any]) -> Sighting:
        """Return what there is. Never raises: a look without an answer is UNPROVEN, with the reason."""
        marker = object()
        asking.process.users.add(marker)
        try:
            async with self.slots, asyncio.timeout(DEADLINE_SECONDS):
                return await self._asked(asking, key, kind, values)
        except TimeoutError:
            why = f"no answer within {DEADLINE_SECONDS:.0f} s"
        except (_UnknownError, grpc.RpcError, wire.WireError) as error:
            why = str(error) or type(error).__name__
        finally:
            asking.process.users.discard(marker)
        return Sighting(key=key, kind=kind, verdict=Verdict.UNPROVEN, why=why)

    async def place(self, asking: Asking) -> Place | None:
        """Return account and region of the process's configuration, asked once; None where it cannot say."""
        process = asking.process
        if process.place is None:
            process.place = asyncio.create_task(_place(asking))
        place: Place | None = await asyncio.shield(process.place)
        return place

    async def _asked(self, asking: Asking, key: ObjectKey, kind: str, values: Mapping[str, Any]) -> Sighting:
        rule = rule_of(kind)
        if rule is None or rule.look in ("", "none"):
            raise _UnknownError("there is no call that tells")
        import_id = import_id_of(kind, values, await self.place(asking)) or ""
        if not rule.data_arguments:
            attributes = await _imported(asking, rule.kind, import_id)
        else:
            attributes = await _data_source(asking, kind, _arguments(rule, values))
            if attributes is not None and rule.may_be_gone(attributes):
                # One that is there is read at once; for one that is not the provider waits, and nobody knows.
                attributes = await _imported(asking, rule.kind, import_id)
        if attributes is None or rule.is_default(attributes):
            return Sighting(key=key, kind=kind, verdict=Verdict.ABSENT)
        answered = key_of(kind, attributes, key.place)
        if answered is not None and answered.name != key.name:
            raise _UnknownError(f"the provider answered with {answered.name}")
        return Sighting(
            key=key,
            kind=kind,
            verdict=Verdict.FOUND,
            import_id=_id_in(kind, attributes) or import_id,
            tags=_tags(attributes),
        )


async def _imported(asking: Asking, kind: str, import_id: str) -> Mapping[str, Any] | None:
    if not import_id:
        raise _UnknownError("its id is not known before it is made")
    typed = wire.sized(_TYPE, kind.encode())
    answer = await _ask(asking, IMPORT, typed + wire.sized(_ID, import_id.encode()))
    if _says_absent(answer, _IMPORT_DIAGNOSTICS):
        return None
    imported = wire.parts(answer, _IMPORTED)
    if not imported:
        return None
    state, private = wire.part(imported[0], _STATE), wire.part(imported[0], _PRIVATE)
    if is_nil(state):
        return None
    kept = wire.sized(3, private) if private else b""
    return _object(await _ask(asking, READ, typed + wire.sized(_STATE, state) + kept))


async def _data_source(asking: Asking, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    empty = asking.schema.empty_data_source(name)
    if not arguments.keys() <= empty.keys():
        raise _UnknownError("the provider has no such data source")
    request = wire.sized(_TYPE, name.encode()) + wire.sized(_STATE, encoded({**empty, **arguments}))
    return _object(await _ask(asking, READ_DATA, request))


async def _ask(asking: Asking, name: str, request: bytes) -> bytes:
    return await asking.process.ask(asking.call.sibling(name), request, asking.metadata)


def _object(answer: bytes) -> Mapping[str, Any] | None:
    if _says_absent(answer, _READ_DIAGNOSTICS):
        return None
    state = wire.part(answer, _NEW_STATE)
    return None if is_nil(state) else decoded(state)


def _says_absent(answer: bytes, number: int) -> bool:
    """Whether the errors say that there is no such object. Raises _UnknownError for other errors."""
    texts = errors(answer, number)
    if texts and not all(map(says_absent, texts)):
        raise _UnknownError(texts[0])
    return bool(texts)


def _id_in(kind: str, attributes: Mapping[str, Any]) -> str:
    """The import id in the answer of a data source; empty where the answer does not have it."""
    names = _IDS_IN_ANSWERS.get(kind, ())
    return "|".join(str(attributes[name]) for name in names) if all(map(attributes.get, names)) else ""


def _arguments(rule: CreateRule, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the data source. Raises _UnknownError where one is not known."""
    arguments = {argument: values.get(attribute) for argument, attribute in rule.data_arguments.items()}
    if any(value is None or value is UNKNOWN for value in arguments.values()):
        raise _UnknownError("its name is not known before it is made")
    return arguments


async def _place(asking: Asking) -> Place | None:
    """The place that the provider reports: also right for aliases and assumed roles."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            answers = await asyncio.gather(*(_data_source(asking, name, {}) for name in _PLACE_SOURCES))
    except (TimeoutError, _UnknownError, grpc.RpcError, wire.WireError):
        return None
    identity, region, partition = ((answer or {}) for answer in answers)
    account, where, name = identity.get("account_id"), region.get("name"), partition.get("partition")
    return Place(str(account), str(where), str(name)) if account and where and name else None


def _tags(attributes: Mapping[str, Any]) -> Mapping[str, str] | None:
    tags = attributes.get("tags_all") or attributes.get("tags")
    return {str(key): str(value) for key, value in tags.items()} if isinstance(tags, Mapping) else None
