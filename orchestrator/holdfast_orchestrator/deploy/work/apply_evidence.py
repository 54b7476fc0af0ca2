"""What an apply said of itself: the record of its events, parsed once.

A record is a file of Terraform's JSON events, one a line, on the machine where it ran.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast_orchestrator.deploy.decisions.apply_progress import ApplyStep, Step, measure
from holdfast_orchestrator.terraform.addresses import object_type
from holdfast_orchestrator.terraform.create_semantics import is_doubtful
from holdfast_orchestrator.terraform.error_patterns import says_exists
from holdfast_orchestrator.terraform.ownership import REFUSED

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.ui_events import UiEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyEvidence:
    """One apply.

    `steps` are its steps in order; `existed` has address and text of each error that says that the object to
    be created exists.
    """

    steps: tuple[ApplyStep, ...]
    existed: tuple[tuple[str, str], ...]

    @property
    def begun(self) -> Iterator[Step]:
        """Yield each create that was begun and not ended, but for those answered with "it exists".

        Somebody else may have made such an object meanwhile.
        """
        answered = {address for address, _ in self.existed}
        yield from (step for step in measure((), self.steps).doubt if step.address not in answered)

    @property
    def refused(self) -> frozenset[str]:
        """Addresses whose create was refused because the object was there before.

        Of a type whose create AWS itself refuses that is no proof: an earlier answer may have been lost.
        """
        return frozenset(
            address
            for address, text in self.existed
            if REFUSED in text or is_doubtful(object_type(address), {})
        )


def evidence_of(record: Path) -> ApplyEvidence:
    """Return what the apply with this record said. A record that grew is read again."""
    try:
        size = record.stat().st_size
    except OSError:
        size = 0
    return _parsed(record, size)


# A worker of a cluster lives long.
@lru_cache(maxsize=64)
def _parsed(record: Path, _size: int) -> ApplyEvidence:
    from holdfast_orchestrator.engine.runner import Tail  # noqa: PLC0415 - only after an apply
    from holdfast_orchestrator.engine.ui_events import DiagnosticEvent  # noqa: PLC0415 - only after an apply

    events = tuple(Tail(record).events(last=True))
    errors = (event.diagnostic for event in events if isinstance(event, DiagnosticEvent))
    return ApplyEvidence(
        steps=tuple(step for event in events if (step := _step(event)) is not None),
        existed=tuple(
            (error.address, error.text) for error in errors if error.address and says_exists(error.text)
        ),
    )


def _step(event: "UiEvent") -> ApplyStep | None:
    from holdfast_orchestrator.engine import ui_events as ui  # noqa: PLC0415 - only after an apply

    match event:
        case ui.ApplyStart():
            phase: Literal["start", "complete", "errored"] = "start"
        case ui.ApplyComplete():
            phase = "complete"
        case ui.ApplyErrored():
            phase = "errored"
        case _:
            return None
    return ApplyStep(
        address=event.address,
        action=event.action,
        phase=phase,
        id_key=event.id_key,
        # Of a type without an id Terraform tells the name instead; the state knows such an object by address.
        id_value=event.id_value if event.id_key == "id" else None,
    )
