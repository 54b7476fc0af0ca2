"""What a verify plan proves, and what it does not.

"No changes" says that configuration, state and cloud agree. It does not say that nothing was lost: a
table that was replaced and rolled back agrees with everything and is empty. So the stateful identities
of the last good deployment are compared as well. And some providers show the same difference after
every apply: somebody may have accepted it by name, and what the last good verify plan still showed is
remembered as a fingerprint.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from holdfast_orchestrator.terraform.differences import Accepting, Judged, has_unknown, judge_differences
from holdfast_orchestrator.terraform.identity import IdentityIndex, TrackedObject, lost
from holdfast_orchestrator.terraform.json_values import Document, digest
from holdfast_orchestrator.terraform.plan import Change, read_plan
from holdfast_orchestrator.terraform.reads import ReadCount

CLEAN_FINGERPRINT = digest([])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The verdict: `proven` only when the plan shows nothing new and nothing stateful is lost.

    `reads` counts the objects that the plan read, `read_again` says why all of them had to be. `reads_before`
    counts those of a verify that proved nothing with remembered reads, and was repeated.
    """

    plan: Literal["clean", "accepted", "as before", "changes", "unreadable"]
    fingerprint: str
    lost: tuple[TrackedObject, ...]
    differences: Judged = field(default_factory=Judged)
    reads: ReadCount | None = None
    read_again: str | None = None
    reads_before: ReadCount | None = None

    @property
    def proven(self) -> bool:
        return self.plan in ("clean", "accepted", "as before") and not self.lost

    @property
    def differing(self) -> tuple[str, ...]:
        """The addresses that still change and are not accepted."""
        left = self.differences
        addresses = (*(one.address for one in left.open), *(one.resource for one in left.expired))
        return tuple(dict.fromkeys(addresses))


def fingerprint(plan: Document) -> str:
    """A SHA-256 (hex) of what a plan still shows: per object the action and what would change, no secrets.

    An object's identity takes part, so the same difference at another object is another fingerprint.
    """
    return digest(
        sorted(
            [change.address, change.action, str(change.identity), _differences(change), *_unknown(change)]
            for change in read_plan(plan)
            if change.touches
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsOfRun:
    """The objects of a state before a run and now, and what may explain that one is missing.

    Attributes:
        before: the identity index of the last good deployment.
        now: the index of the newest state.
        approved: addresses whose loss was approved by name.
        destroyed: (type, id) of every object this run destroyed (`Progress.destroyed`).
    """

    before: IdentityIndex
    now: IdentityIndex
    approved: Collection[str] = ()
    destroyed: Collection[tuple[str, str]] = ()

    @property
    def lost(self) -> tuple[TrackedObject, ...]:
        """The objects that had to stay and are missing; of a destroyed one, a namesake does not count."""
        gone = set(self.destroyed)
        ids = {tracked.identity for tracked in self.before if (tracked.identity.kind, tracked.id) in gone}
        return lost(self.before, self.now, approved=self.approved, destroyed=ids)


def judge_verify(
    plan: Document, objects: ObjectsOfRun, *, baseline: str | None, accepted: Accepting | None = None
) -> Verified:
    """Hold a verify plan and the newest state against the last good deployment.

    Args:
        plan: the verify plan, as `terraform show -json` prints it.
        objects: the objects before the run and now.
        baseline: the fingerprint recorded with the last good deployment, None before the first.
        accepted: the differences that somebody has accepted.
    """
    planned, plan_fingerprint = read_plan(plan), fingerprint(plan)
    judged = judge_differences(planned, accepted or Accepting())
    verdict: Literal["clean", "accepted", "as before", "changes", "unreadable"] = "changes"
    if planned.problems:
        verdict = "unreadable"
    elif not (judged.open or judged.expired):
        verdict = "accepted" if judged.accepted else "clean"
    elif plan_fingerprint == baseline:
        verdict = "as before"
    return Verified(plan=verdict, fingerprint=plan_fingerprint, lost=objects.lost, differences=judged)


def _unknown(change: Change) -> list[str]:
    """What is known only after the apply, apart from values that do not exist."""
    return [digest(change.after_unknown)] if has_unknown(change.after_unknown) else []


def _differences(change: Change) -> list[list[str]]:
    old, new = change.before or {}, change.after or {}
    return [
        [name, digest(old.get(name)), digest(new.get(name))]
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
