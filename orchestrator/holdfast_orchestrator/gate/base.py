"""A gate: what it is asked, and what it answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.plan.document import PlanDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan that is about to be applied.

    `allowed` are resource addresses somebody named; `shown` is the plan that was looked at before,
    None where nobody was asked to look.
    """

    shard: Shard
    document: PlanDocument
    allowed: frozenset[str] = frozenset()
    shown: PlanDocument | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a proposal may not be applied, and what lifts that."""

    gate: str
    what: str
    next_step: str


Gate = Callable[[Proposal], Iterable[Finding]]
