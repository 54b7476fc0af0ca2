"""Stage 3: may this plan be applied?

Each gate is one pure function from a proposal (a shard's plan and what a person has allowed) to
findings; no finding means yes. `GATES` is the whole list and grows: a gate that crashes has found
something too, because what cannot be judged must not be applied.

    protection.py   protected objects are not destroyed or replaced unless each is named
    shown.py        nothing is destroyed that a person was not shown beforehand
    takeover.py     no create takes over an object that is there already, unless each is named
    rejected.py     no version that was rolled back from by hand, unless its run is named
    expired.py      a difference whose acceptance has expired is looked at again
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.manifest import Shard
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


def findings(proposal: Proposal, gates: Iterable[Gate] | None = None) -> tuple[Finding, ...]:
    """Return what all gates (by default `GATES`) have against a proposal, in the gates' order."""
    from holdfast_orchestrator.gate.gates import GATES  # noqa: PLC0415 - each gate imports this module

    return tuple(
        finding for gate in (GATES if gates is None else gates) for finding in _asked(gate, proposal)
    )


def pass_gates(proposal: Proposal, more: Iterable[Finding] = ()) -> None:
    """Return if nothing stands against a proposal. Raises GateError with every finding, `more` included."""
    found = (*findings(proposal), *more)
    if found:
        raise GateError(
            "; ".join(finding.what for finding in found),
            next_step="; ".join(dict.fromkeys(finding.next_step for finding in found)),
        )


def _asked(gate: Gate, proposal: Proposal) -> Iterator[Finding]:
    try:
        yield from gate(proposal)
    except Exception as error:  # noqa: BLE001 - a gate that cannot judge must not let pass
        name = getattr(gate, "__name__", "gate")
        yield Finding(
            gate=name, what=f"the gate {name} could not judge: {error!r}", next_step="report this to Holdfast"
        )
