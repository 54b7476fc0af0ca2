"""After a failed apply, verify or health phase: what kind of failure is it?

The exit code is a hint and the verify plan is the verdict: an apply whose only fault was that its lock
could not be released exits 1 with everything applied, and rolling that back would be an outage of our own
making. The order of the questions matters and is the order of `Verdict`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from holdfast_orchestrator.terraform.error_patterns import _CREDENTIALS, _LOCK_ERRORS, passes


class Verdict(StrEnum):
    """What to do next, in the order in which the questions are asked."""

    STATE_NOT_SAVED = "state not saved"  # recover the state, then ask again
    IN_DOUBT = "objects in doubt"  # look for them, then ask again
    CREDENTIALS = "credentials are not valid any more"  # nothing can be done or undone with these
    APPLIED_AFTER_ALL = "applied after all"  # carry on with the health phase
    TRANSIENT = "transient"  # plan afresh and try again, a bounded number of times
    DEFINITE = "definite"  # roll back


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is known after an apply.

    Attributes:
        exit_code: Terraform's, None when it was killed.
        errors: text of each error diagnostic, summary and detail together.
        rescued_state: whether an errored state or an emergency dump was found and not yet dealt with.
        unsaved: how many completed creates the stored state does not know.
        in_doubt: how many creates are in doubt.
        adopted: those of `errors` that say that an object exists which is ours and is in the state by now.
        verified: what the verify plan said; None before there was one.
        healthy: False once a health check failed; the apply itself may have been perfect.
    """

    exit_code: int | None
    errors: tuple[str, ...] = ()
    rescued_state: bool = False
    unsaved: int = 0
    in_doubt: int = 0
    adopted: tuple[str, ...] = ()
    verified: Literal["proven", "differs", "failed"] | None = None
    healthy: bool = True


def classify(aftermath: Aftermath) -> Verdict:
    """The kind of failure this is, or APPLIED_AFTER_ALL where there is none left."""
    real = [error for error in aftermath.errors if not _LOCK_ERRORS.search(error)]
    if aftermath.rescued_state or aftermath.unsaved:
        return Verdict.STATE_NOT_SAVED
    if aftermath.in_doubt:
        return Verdict.IN_DOUBT
    if any(_CREDENTIALS.search(error) for error in real) and aftermath.verified != "proven":
        return Verdict.CREDENTIALS
    if not aftermath.healthy:
        return Verdict.DEFINITE
    if aftermath.verified == "proven":
        return Verdict.APPLIED_AFTER_ALL
    # An answer was lost, the SDK asked again and met its own object: the next plan goes on from there.
    adopted = set(aftermath.adopted)
    left = [error for error in real if error not in adopted]
    again = passes(left) if left else bool(adopted)
    return Verdict.TRANSIENT if again else Verdict.DEFINITE
