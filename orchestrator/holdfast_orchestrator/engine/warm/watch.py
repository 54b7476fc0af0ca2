"""The watch over one command's creates: a look while Terraform plans, a guard at the create itself.

Only creates of types that would take an existing object over (`terraform.create_semantics`). The look runs
beside the plan and costs it nothing; what it saw is handed over when the command has ended. The guard looks
once more in the moment before the create, knows names that a plan does not know yet, and answers in the
provider's place where something is there: the create then fails as one does that AWS refuses.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.looks import Asking, Looks
from holdfast_orchestrator.engine.warm.values import NIL, decoded, diagnostic, errors, is_nil
from holdfast_orchestrator.terraform.create_semantics import is_doubtful, is_looked_for, rule_of
from holdfast_orchestrator.terraform.object_keys import ObjectKey, key_of
from holdfast_orchestrator.terraform.ownership import (
    REFUSED,
    Holdings,
    Sighting,
    Verdict,
    judged_without_look,
    parent_names,
)

# Fields of PlanResourceChange and ApplyResourceChange, requests and answers, in protocol 5 and 6.
_TYPE, _PRIOR, _PLANNED_IN_APPLY = 1, 2, 3
_PLANNED_IN_ANSWER = _NEW_STATE = 1
_APPLY_DIAGNOSTICS = 3


@dataclass(eq=False, kw_only=True)
class Watch:
    """What is watched of one command, and what was seen.

    With `plans` objects are looked for while it plans, with `applies` its creates are guarded. `holdings` is
    what the shard has, `tags` are those by which the objects of a shard are recognized.
    """

    looks: Looks
    plans: bool
    applies: bool
    holdings: Holdings
    tags: Mapping[str, str] = field(default_factory=dict)
    seen: dict[ObjectKey, Sighting] = field(default_factory=dict)
    deleted: set[ObjectKey] = field(default_factory=set)
    made: set[tuple[str, str]] = field(default_factory=set)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def planned(self, asking: Asking, request: bytes, answer: bytes) -> None:
        """Begin to look for what a PlanResourceChange is to create."""
        if not self.plans or not is_nil(wire.part(request, _PRIOR)):
            return
        kind, values = wire.part(request, _TYPE).decode(), decoded(wire.part(answer, _PLANNED_IN_ANSWER))
        if values and not is_doubtful(kind, values):
            # What may be there already is no new parent before its create was let through.
            self.made.update(parent_names(kind, values))
        if values and (is_looked_for(kind, values) or self._is_untold(kind, values)):
            self.tasks.append(asyncio.create_task(self._look_later(asking, kind, values)))

    @asynccontextmanager
    async def creating(self, asking: Asking, request: bytes) -> AsyncIterator[bytes]:
        """Guard one ApplyResourceChange while it runs.

        Yields the answer to give in the provider's place, empty where the call may pass.
        """
        kind, values = wire.part(request, _TYPE).decode(), decoded(wire.part(request, _PLANNED_IN_APPLY))
        is_create = is_nil(wire.part(request, _PRIOR)) and bool(values)
        if not self.applies or not is_create or not is_doubtful(kind, values):
            yield b""
            return
        key = await self._key(asking, kind, values)
        if key is None:
            yield b""
            return
        async with self.looks.busy[key]:
            seen = self.seen[key] = await self._judged(asking, key, kind, values)
            yield _refusal(seen) if seen.verdict is Verdict.FOUND else b""

    async def applied(self, asking: Asking, request: bytes, answer: bytes) -> None:
        """Note what an ApplyResourceChange has made or deleted."""
        kind, prior = wire.part(request, _TYPE).decode(), wire.part(request, _PRIOR)
        if errors(answer, _APPLY_DIAGNOSTICS):
            return
        if is_nil(prior):
            self.made.update(parent_names(kind, decoded(wire.part(answer, _NEW_STATE))))
        elif is_nil(wire.part(request, _PLANNED_IN_APPLY)) and rule_of(kind) is not None:
            key = await self._key(asking, kind, decoded(prior))
            self.deleted.update(() if key is None else (key,))

    async def results(self) -> dict[str, Any]:
        """Wait for what is still being looked for, and return everything that was seen."""
        await asyncio.gather(*self.tasks)
        return {
            "seen": [sighting.to_json() for sighting in self.seen.values()],
            "gone": [[key.kind, key.name, key.place] for key in self.deleted],
        }

    async def _look_later(self, asking: Asking, kind: str, values: Mapping[str, Any]) -> None:
        key = await self._key(asking, kind, values)
        if key is not None:
            self.seen[key] = await self._judged(asking, key, kind, values)

    def _is_untold(self, kind: str, values: Mapping[str, Any]) -> bool:
        """Whether nothing on the object would say later that it is the shard's."""
        rule, tags = rule_of(kind), values.get("tags_all")
        if rule is None or not rule.is_for_proof:
            return False
        return not isinstance(tags, Mapping) or not self.tags.items() <= tags.items()

    async def _key(self, asking: Asking, kind: str, values: Mapping[str, Any]) -> ObjectKey | None:
        place = await self.looks.place(asking)
        return key_of(kind, values, None if place is None else str(place))

    async def _judged(self, asking: Asking, key: ObjectKey, kind: str, values: Mapping[str, Any]) -> Sighting:
        holdings = replace(self.holdings, gone=self.holdings.gone | self.deleted)
        judged = judged_without_look(key, kind, values, holdings=holdings, made=self.made)
        return judged or await self.looks.look(asking, key, kind, values)


def _refusal(seen: Sighting) -> bytes:
    """An answer that says that the object exists, and that nothing was made."""
    tags = ", ".join(f"{key}={value}" for key, value in sorted((seen.tags or {}).items())) or "none"
    error = diagnostic(
        f"{seen.kind} {seen.import_id or seen.key.name} already exists",
        f"{REFUSED}, which would have taken it over: it was there before and is in no state of this shard "
        f"(tags: {tags}). Nothing was changed.",
    )
    return wire.sized(_NEW_STATE, wire.sized(1, NIL)) + wire.sized(_APPLY_DIAGNOSTICS, error)
