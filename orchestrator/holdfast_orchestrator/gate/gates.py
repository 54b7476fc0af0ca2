"""The gates in force, in the order their findings are read."""

from collections.abc import Iterable, Iterator, Sequence

from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.gate.base import Finding, Gate, Proposal
from holdfast_orchestrator.gate.expired import expired
from holdfast_orchestrator.gate.protection import protection
from holdfast_orchestrator.gate.refused import refused
from holdfast_orchestrator.gate.shown import shown

GATES: tuple[Gate, ...] = (protection, shown, expired, refused)


def findings(proposal: Proposal, gates: Iterable[Gate] | None = None) -> tuple[Finding, ...]:
    """Return what all gates (by default `GATES`) have against a proposal, in the gates' order."""
    return tuple(
        finding for gate in (GATES if gates is None else gates) for finding in _asked(gate, proposal)
    )


def refuse_findings(found: Sequence[Finding]) -> None:
    """Return if nothing was found. Raises GateError with every finding; a rejected version is named alone."""
    rejected = [finding for finding in found if finding.gate == "rejected"]
    # What may be lost is read before what would be taken over.
    named = rejected or sorted(found, key=lambda finding: finding.gate == "takeover")
    if named:
        raise GateError(
            "; ".join(finding.what for finding in named),
            next_step="; ".join(dict.fromkeys(finding.next_step for finding in named)),
        )


def _asked(gate: Gate, proposal: Proposal) -> Iterator[Finding]:
    try:
        yield from gate(proposal)
    except Exception as error:  # noqa: BLE001 - a gate that cannot judge must not let pass
        name = getattr(gate, "__name__", "gate")
        yield Finding(
            gate=name, what=f"the gate {name} could not judge: {error!r}", next_step="report this to Holdfast"
        )
