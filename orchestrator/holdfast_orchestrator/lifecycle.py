"""The states of one shard's deploy as data: which may follow which, and what a restart does in each.

    PREPARED → APPLYING (stage one: no deletes) → SETTLE → VERIFY → HEALTH
         → DELETING (stage two: the deletes) → VERIFY → PROMOTED
    a failure of the apply, the verify, the health checks or the second stage → CLASSIFY
    CLASSIFY → HEALTH | STATE_RECOVERY | RESOLVE | RETRY_FORWARD | PARTIAL_SNAPSHOT | KEPT | NEEDS_OPERATOR
    PARTIAL_SNAPSHOT → RB_BUILD → RB_PLANNED → RB_APPLYING → RB_SETTLE → RB_VERIFY → ROLLED_BACK
    anything of RB_* that fails → RB_RETRY (bounded, a fresh plan) → NEEDS_OPERATOR, which waits for a person
    a verdict against going on, before anything changed → HELD
    a failure that is not to be undone (a first deploy, or nobody wants it) → KEPT

Every arrow is journalled before and after; every state can be entered again. A rollback never starts
another rollback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FORWARD_RETRIES = 3
ROLLBACK_RETRIES = 2


class Phase(StrEnum):
    """One state of a shard's deploy. The values are what journals and published documents call it."""

    PREPARED = "prepared"
    APPLYING = "applying"
    SETTLE = "settle"
    VERIFY = "verify"
    HEALTH = "health"
    DELETING = "contract"
    PROMOTED = "promoted"
    CLASSIFY = "classify"
    STATE_RECOVERY = "state_recovery"
    RESOLVE = "resolve"
    RETRY_FORWARD = "retry_forward"
    PARTIAL_SNAPSHOT = "partial_snapshot"
    RB_BUILD = "rb_build"
    RB_PLANNED = "rb_planned"
    RB_APPLYING = "rb_applying"
    RB_SETTLE = "rb_settle"
    RB_VERIFY = "rb_verify"
    RB_RETRY = "rb_retry"
    ROLLED_BACK = "rolled_back"
    KEPT = "kept"
    HELD = "held"
    NEEDS_OPERATOR = "stuck"


_P = Phase

# What journals that were written earlier call the phases of today. Their bytes stay as they are.
_EARLIER_NAMES: Mapping[str, Phase] = {
    **dict.fromkeys(("leased", "preflight", "snapshot", "planned", "gated"), _P.PREPARED),
    "verify2": _P.VERIFY,
    "rb_guarded": _P.RB_PLANNED,
}
# The names under which the first entry of a shard is written, in its journal or when it is begun anew.
FIRST_NAMES = frozenset({"prepared", "leased"})


def phase_named(name: str) -> Phase:
    """Return the phase that a journal calls so, today or earlier. Raises ValueError where there is none."""
    return _EARLIER_NAMES.get(name) or Phase(name)


def is_phase(name: str) -> bool:
    """Say whether a journal calls a phase so, today or earlier."""
    return name in _EARLIER_NAMES or name in set(Phase)


# What the driver may do. Each arrow to NEEDS_OPERATOR is an error that a person has to judge: a state that
# nobody can read, a lock or a lease of somebody else, credentials that have ended, no disk.
ARROWS: Mapping[Phase, frozenset[Phase]] = {
    _P.PREPARED: frozenset({_P.APPLYING, _P.HELD}),
    # Terraform may have applied before the error; a resume examines what there is.
    _P.APPLYING: frozenset({_P.SETTLE, _P.NEEDS_OPERATOR}),
    # The state cannot be read or unlocked, so nobody can tell what the apply has left.
    _P.SETTLE: frozenset({_P.VERIFY, _P.CLASSIFY, _P.NEEDS_OPERATOR}),
    # Before the deletes HEALTH follows, after them PROMOTED. A plan that fails is an answer (CLASSIFY); an
    # error of ours or of the bucket is none.
    _P.VERIFY: frozenset({_P.HEALTH, _P.PROMOTED, _P.CLASSIFY, _P.NEEDS_OPERATOR}),
    _P.HEALTH: frozenset({_P.DELETING, _P.PROMOTED, _P.CLASSIFY, _P.NEEDS_OPERATOR}),
    _P.DELETING: frozenset({_P.VERIFY, _P.CLASSIFY, _P.NEEDS_OPERATOR}),
    _P.CLASSIFY: frozenset({
        _P.HEALTH,
        _P.STATE_RECOVERY,
        _P.RESOLVE,
        _P.RETRY_FORWARD,
        _P.PARTIAL_SNAPSHOT,
        _P.KEPT,
        _P.NEEDS_OPERATOR,
    }),
    _P.STATE_RECOVERY: frozenset({_P.CLASSIFY, _P.NEEDS_OPERATOR}),
    _P.RESOLVE: frozenset({_P.CLASSIFY, _P.NEEDS_OPERATOR}),
    _P.RETRY_FORWARD: frozenset({_P.APPLYING, _P.CLASSIFY, _P.NEEDS_OPERATOR}),
    # Nothing of the way back was applied yet: it is tried again from the state as it is.
    _P.PARTIAL_SNAPSHOT: frozenset({_P.RB_BUILD, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    _P.RB_BUILD: frozenset({_P.RB_PLANNED, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    # A plan that could not be made or judged is no verdict on the way back: a fresh one is.
    _P.RB_PLANNED: frozenset({_P.RB_APPLYING, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    # The apply gave no answer, or an owner came between: a fresh plan sees what it did.
    _P.RB_APPLYING: frozenset({_P.RB_SETTLE, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    _P.RB_SETTLE: frozenset({_P.RB_VERIFY, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    _P.RB_VERIFY: frozenset({_P.ROLLED_BACK, _P.RB_RETRY, _P.NEEDS_OPERATOR}),
    _P.RB_RETRY: frozenset({_P.RB_BUILD, _P.NEEDS_OPERATOR}),
    # Ends. What goes on after NEEDS_OPERATOR is a new drive, begun where `crash_recovery` says.
    _P.PROMOTED: frozenset(),
    _P.ROLLED_BACK: frozenset(),
    _P.KEPT: frozenset(),
    _P.HELD: frozenset(),
    _P.NEEDS_OPERATOR: frozenset(),
}  # fmt: skip

# Entering these changes a state or the cloud. All others may be redone as they are.
WRITING = frozenset({
    _P.APPLYING,
    _P.DELETING,
    _P.PROMOTED,
    _P.STATE_RECOVERY,
    _P.RESOLVE,
    _P.RB_BUILD,
    _P.RB_APPLYING,
})  # fmt: skip


class Resume(StrEnum):
    """What a restart does."""

    NOTHING = "nothing"
    START_OVER = "discard the plan, release our own lock, start over"
    REDO = "do this phase again"
    WAIT_FOR_PERSON = "wait for a person"


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a restart does, and the phase it does it in."""

    action: Resume
    phase: Phase


class WrongArrowError(RuntimeError):
    """The driver went where the table does not lead: a defect of ours."""


def follow(before: Phase, after: Phase) -> Phase:
    """Return `after` where the table has this arrow. Raises WrongArrowError where it has not."""
    if after not in ARROWS[before]:
        raise WrongArrowError(f"{before} does not lead to {after}")
    return after


def is_begun_anew(last: Phase) -> bool:
    """Whether a run whose journal ends in `last` has changed nothing, so that it may begin again."""
    return last is _P.HELD or next_after_crash(last).action is Resume.START_OVER


def next_after_crash(last: Phase) -> Resumption:
    """What to do when the journal of a dead run, whose Terraform is dead too, ends in `last`."""
    return _AFTER_CRASH.get(last, Resumption(Resume.REDO, last))


# Where nothing stands here, the phase is done again.
_AFTER_CRASH: Mapping[Phase, Resumption] = {
    **{ended: Resumption(Resume.NOTHING, ended) for ended in (_P.KEPT, _P.HELD, _P.ROLLED_BACK)},
    _P.PREPARED: Resumption(Resume.START_OVER, _P.PREPARED),
    _P.APPLYING: Resumption(Resume.REDO, _P.SETTLE),
    _P.PROMOTED: Resumption(Resume.REDO, _P.VERIFY),
    **dict.fromkeys((_P.RB_PLANNED, _P.RB_RETRY), Resumption(Resume.REDO, _P.RB_BUILD)),
    _P.RB_APPLYING: Resumption(Resume.REDO, _P.RB_SETTLE),
    _P.NEEDS_OPERATOR: Resumption(Resume.WAIT_FOR_PERSON, _P.NEEDS_OPERATOR),
}
