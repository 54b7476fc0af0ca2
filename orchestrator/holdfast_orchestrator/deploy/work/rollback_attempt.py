"""What a rollback works on, as one value: each phase of the way back returns the next one."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from holdfast_orchestrator.app.inputs import NOTHING, Inputs
from holdfast_orchestrator.deploy.decisions.configuration import RollbackConfiguration, RollbackNeeds
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.state_file import NO_STATE, StateStamp

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackAttempt:
    """One try to go back: what it was built from, its plan, and what its apply said.

    Attributes:
        needs: what to keep, forget, move and import beyond going back.
        built: the configuration to go back to; None after a restart, until it is built again.
        created: the objects that the failed run made, or earlier ones that were kept.
        inputs: what the configuration reads.
        prior: the state that the plan was made against.
        terraform: what planned, in whose folder the plan lies.
        plan_file: the plan to apply; None where there is nothing to do, or it was applied.
        plan: Terraform's document of it.
        skipped: addresses that a person leaves as they are.
        code: how the apply ended.
        errors: what went wrong in this try.
    """

    needs: RollbackNeeds = field(default_factory=RollbackNeeds)
    built: RollbackConfiguration | None = None
    created: frozenset[Identity] = frozenset()
    inputs: Inputs = NOTHING
    prior: StateStamp = NO_STATE
    terraform: "Terraform | None" = field(default=None, repr=False)
    plan_file: Path | None = None
    plan: Document = field(default_factory=dict, repr=False)
    skipped: frozenset[str] = frozenset()
    code: int = 0
    errors: tuple[str, ...] = ()

    @property
    def configuration(self) -> Document:
        """The configuration to go back to."""
        return {} if self.built is None else self.built.configuration

    def with_errors(self, *errors: str) -> Self:
        """Return the same try with more that went wrong."""
        return replace(self, errors=(*self.errors, *errors))
