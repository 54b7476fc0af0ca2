"""Actions by hand on states (adopt, move, restore, unlock), each with its entry in the audit trail."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.context.tools import Tools
    from holdfast_orchestrator.record.actor import Actor
    from holdfast_orchestrator.record.audit.entry import Action
    from holdfast_orchestrator.state.object_store import DurableStore
    from holdfast_orchestrator.state_admin.operator import Operator

Result = TypeVar("Result")
Tell = Callable[[str], object]
"""Gets a sentence for people."""


def find_person(runtime: Runtime, tools: "Tools", *, region: str, cloud: str) -> "Actor":
    """Return who is calling, by the credentials for this cloud."""
    from holdfast_orchestrator.record.actor import aws_caller, find_actor  # noqa: PLC0415 - when it runs

    environ = tools.environ("local" if cloud == "local" else "aws")
    return find_actor(runtime, aws_caller=lambda: aws_caller(runtime, region=region, environ=environ))


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """One action by hand. `store` is the bucket whose audit trail gets the entry.

    `on_warning` is called if the entry cannot be written; the action itself stays done.
    """

    operator: "Operator"
    action: "Action"
    store: "DurableStore"
    on_warning: Tell

    @classmethod
    def of(
        cls, runtime: Runtime, actor: "Actor", store: "DurableStore", *, on_warning: Tell, **action: Any
    ) -> "ByHand":
        """Return the action that begins now; `action` are fields of its entry in the audit trail."""
        from holdfast_orchestrator.record.audit.entry import Action  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.operator import Operator  # noqa: PLC0415

        now = runtime.clock.now()
        operator = Operator(runtime=runtime, actor=actor, run=new_run_id(now))
        begun = Action.of(actor, run=operator.run, action=action.pop("action"), at=now)
        return cls(operator=operator, action=replace(begun, **action), store=store, on_warning=on_warning)

    def carry_out(
        self,
        work: "Callable[[Operator], Result]",
        *,
        outcome: str,
        shown: Callable[[Result], Iterable[str]],
        before: Sequence[str] = (),
        refusal: str = "failed",
    ) -> Result:
        """Do the work, and write it into the audit trail, also if it fails.

        The entry's output is `before`, and then the lines `shown` of the result, or the error.
        """
        try:
            result = work(self.operator)
        except HoldfastError as error:
            self._record(refusal, [*before, str(error)])
            raise
        self._record(outcome, [*before, *shown(result)])
        return result

    def _record(self, outcome: str, lines: Sequence[str]) -> None:
        from holdfast_orchestrator.record.audit.by_hand import add_by_hand  # noqa: PLC0415 - when it runs

        ended = replace(
            self.action,
            at=self.operator.runtime.clock.now(),
            outcome=outcome,
            outcomes=dict.fromkeys(self.action.outcomes, outcome),
            output="\n".join(lines),
        )
        unwritten = add_by_hand(self.store, self.operator.runtime, ended)
        if unwritten is not None:
            self.on_warning(f"not written into the audit trail: {unwritten}")
