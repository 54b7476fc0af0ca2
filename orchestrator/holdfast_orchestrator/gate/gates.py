"""The gates in force, in the order their findings are read."""

from collections.abc import Iterable, Iterator

from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.gate.base import Finding, Gate, Proposal
from holdfast_orchestrator.gate.expired import expired
from holdfast_orchestrator.gate.protection import protection
from holdfast_orchestrator.gate.shown import shown

GATES: tuple[Gate, ...] = (protection, shown, expired)


def findings(proposal: Proposal, gates: Iterable[Gate] | None = None) -> tuple[Finding, ...]:
    """Return what all gates (by default `GATES`) have against a proposal, in the gates' order."""
    from holdfast_orchestrator.gate.gates import GATES  # noqa: PLC0415 - each gate imports this module

    return tuple(
        finding for gate in (GATES if gates is None else gates) for finding in _asked(gate, proposal)
    )


def pass_gates(proposal: Proposal, more: Iterable[Finding] = ()) -> None:
    """Return if no gate refuses a proposal. Raises GateError with every finding, `more` included."""
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
