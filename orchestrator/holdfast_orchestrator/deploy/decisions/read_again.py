"""Whether a verify has to read every object again, or may use what the plan of its run has read.

What the plan read still holds for an object that shares no identifier with anything that was changed
(`terraform.neighbours`), as long as every change is known and reaches no further than its identifiers. Each
function here gives the reason why that is not so, None where it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast_orchestrator.terraform.far_reaching import reaches_far
from holdfast_orchestrator.terraform.json_values import Document, kinds_used
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan

_AWS = "/hashicorp/aws"
# Data sources that run a program each time they are read.
_PROGRAMS = frozenset({"aws_lambda_invocation", "external"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What came before a verify.

    `code` is the exit code of the last apply, None where another process made it. `retries` counts the times
    that the deploy was tried again. `goes_back` says that the last good version was applied.
    """

    verb: str
    code: int | None
    retries: int = 0
    goes_back: bool = False


def because_of_course(course: Course) -> str | None:
    """The reason in what came before: only a deploy that went straight on is sure to know its changes."""
    if course.goes_back or course.verb != "deploy":
        return "it is a rollback"
    if course.code is None:
        return "the run was taken up"
    if course.code != 0:
        return "an apply failed"
    return "the deploy was tried again" if course.retries else None


def because_of_changes(plans: Iterable[Document], configuration: Document) -> str | None:
    """The reason in what is changed, and by whom."""
    for plan in plans:
        changes = read_plan(plan)
        if changes.problems:
            return changes.problems[0]
        for change in changes:
            reason = _because_of(change) if change.action is not Action.NOTHING else None
            if reason is not None:
                return reason
    programs = sorted(kinds_used(configuration) & _PROGRAMS)
    return f"data source {programs[0]} runs a program" if programs else None


def _because_of(change: Change) -> str | None:
    if not change.provider.endswith(_AWS):
        return f"{change.address} is no object of the AWS provider"
    return f"{change.address} may change objects that it does not name" if reaches_far(change.kind) else None
