"""The states of one shard's deploy as data: which may follow which, and what a restart does in each.

    IDLE → LEASED → PREFLIGHT → SNAPSHOT → PLANNED → GATED → APPLYING (stage one: no deletes)
         → SETTLE → VERIFY → HEALTH → CONTRACT (stage two: the deletes) → VERIFY2 → PROMOTED
    a failure of the apply, the verify, the health checks or the second stage → CLASSIFY
    CLASSIFY → HEALTH | STATE_RECOVERY | RESOLVE | RETRY_FORWARD | PARTIAL_SNAPSHOT | KEPT | STUCK
    PARTIAL_SNAPSHOT → RB_BUILD → RB_PLANNED → RB_GUARDED → RB_APPLYING → RB_SETTLE → RB_VERIFY
         → ROLLED_BACK
    anything of RB_* that fails → RB_RETRY (bounded, a fresh plan) → STUCK, which waits for a person
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
    """One state of a shard's deploy, as the journal writes it."""

    IDLE = "idle"
    LEASED = "leased"
    PREFLIGHT = "preflight"
    SNAPSHOT = "snapshot"
    PLANNED = "planned"
    GATED = "gated"
    APPLYING = "applying"
    SETTLE = "settle"
    VERIFY = "verify"
    HEALTH = "health"
    CONTRACT = "contract"
    VERIFY2 = "verify2"
    PROMOTED = "promoted"
    CLASSIFY = "classify"
    STATE_RECOVERY = "state_recovery"
    RESOLVE = "resolve"
    RETRY_FORWARD = "retry_forward"
    PARTIAL_SNAPSHOT = "partial_snapshot"
    RB_BUILD = "rb_build"
    RB_PLANNED = "rb_planned"
    RB_GUARDED = "rb_guarded"
    RB_APPLYING = "rb_applying"
    RB_SETTLE = "rb_settle"
    RB_VERIFY = "rb_verify"
    RB_RETRY = "rb_retry"
    ROLLED_BACK = "rolled_back"
    KEPT = "kept"
    HELD = "held"
    STUCK = "stuck"


_P = Phase

ARROWS: Mapping[Phase, frozenset[Phase]] = {
    _P.IDLE: frozenset({_P.LEASED}),
    _P.LEASED: frozenset({_P.PREFLIGHT, _P.HELD}),
    _P.PREFLIGHT: frozenset({_P.SNAPSHOT, _P.HELD}),
    _P.SNAPSHOT: frozenset({_P.PLANNED, _P.HELD}),
    _P.PLANNED: frozenset({_P.GATED, _P.HELD}),
    _P.GATED: frozenset({_P.APPLYING, _P.HELD}),
    _P.APPLYING: frozenset({_P.SETTLE}),
    _P.SETTLE: frozenset({_P.VERIFY, _P.CLASSIFY}),
    _P.VERIFY: frozenset({_P.HEALTH, _P.CLASSIFY}),
    _P.HEALTH: frozenset({_P.CONTRACT, _P.PROMOTED, _P.CLASSIFY}),
    _P.CONTRACT: frozenset({_P.VERIFY2, _P.CLASSIFY}),
    _P.VERIFY2: frozenset({_P.PROMOTED, _P.CLASSIFY}),
    _P.PROMOTED: frozenset({_P.IDLE}),
    _P.CLASSIFY: frozenset({
        _P.HEALTH,
        _P.STATE_RECOVERY,
        _P.RESOLVE,
        _P.RETRY_FORWARD,
        _P.PARTIAL_SNAPSHOT,
        _P.KEPT,
        _P.STUCK,
    }),
    _P.STATE_RECOVERY: frozenset({_P.CLASSIFY, _P.STUCK}),
    _P.RESOLVE: frozenset({_P.CLASSIFY, _P.STUCK}),
    _P.RETRY_FORWARD: frozenset({_P.APPLYING, _P.CLASSIFY}),
    _P.PARTIAL_SNAPSHOT: frozenset({_P.RB_BUILD, _P.STUCK}),
    _P.RB_BUILD: frozenset({_P.RB_PLANNED, _P.RB_RETRY, _P.STUCK}),
    _P.RB_PLANNED: frozenset({_P.RB_GUARDED, _P.RB_RETRY, _P.STUCK}),
    _P.RB_GUARDED: frozenset({_P.RB_APPLYING, _P.STUCK}),
    _P.RB_APPLYING: frozenset({_P.RB_SETTLE}),
    _P.RB_SETTLE: frozenset({_P.RB_VERIFY, _P.RB_RETRY, _P.STUCK}),
    _P.RB_VERIFY: frozenset({_P.ROLLED_BACK, _P.RB_RETRY, _P.STUCK}),
    _P.RB_RETRY: frozenset({_P.RB_BUILD, _P.STUCK}),
    _P.ROLLED_BACK: frozenset({_P.IDLE}),
    _P.KEPT: frozenset({_P.IDLE}),
    _P.HELD: frozenset({_P.IDLE}),
    # continue and --skip build the rollback again; --accept-forward goes on with the new version.
    _P.STUCK: frozenset({_P.RB_BUILD, _P.STATE_RECOVERY, _P.CLASSIFY, _P.VERIFY, _P.IDLE}),
}  # fmt: skip

# Entering these changes a state or the cloud. All others may be redone as they are.
WRITING = frozenset({
    _P.APPLYING,
    _P.CONTRACT,
    _P.PROMOTED,
    _P.STATE_RECOVERY,
    _P.RESOLVE,
    _P.RB_BUILD,
    _P.RB_APPLYING,
})  # fmt: skip

OUTCOMES: Mapping[Phase, str] = {
    _P.PROMOTED: "committed",
    _P.ROLLED_BACK: "rolled_back",
    _P.KEPT: "failed",
    _P.HELD: "blocked",
    _P.STUCK: "needs_human",
}


class Child(StrEnum):
    """What became of the Terraform process a dead orchestrator had started."""

    NONE = "none"
    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Resume(StrEnum):
    """What a restart does."""

    NOTHING = "nothing"
    START_OVER = "discard the plan, release our own lock, start over"
    ATTACH = "wait for the running Terraform and follow its events"
    REDO = "do this phase again"
    WAIT_FOR_PERSON = "wait for a person"


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a restart does, and the phase it does it in."""

    action: Resume
    phase: Phase


def may_follow(before: Phase, after: Phase) -> bool:
    """Whether the machine has this arrow."""
    return after in ARROWS[before]


def is_read_only(phase: Phase) -> bool:
    """Whether entering this phase changes neither a state nor the cloud."""
    return phase not in WRITING


def is_begun_anew(last: Phase) -> bool:
    """Whether a run whose journal ends in `last` has changed nothing, so that it may begin again."""
    return last is _P.HELD or next_after_crash(last, Child.DEAD).action is Resume.START_OVER


def next_after_crash(last: Phase, child: Child = Child.NONE) -> Resumption:
    """What to do when the journal of a dead run ends in `last`.

    Args:
        last: the phase journalled last, whether it was being entered or had been left.
        child: the Terraform process of that phase. UNKNOWN (another machine that cannot be asked)
            never counts as dead.
    """
    ended = last in (_P.IDLE, _P.KEPT, _P.HELD, _P.ROLLED_BACK, _P.STUCK)
    if child is Child.ALIVE and not ended:
        return Resumption(Resume.ATTACH, last)
    if child is Child.UNKNOWN and not ended:
        return Resumption(Resume.WAIT_FOR_PERSON, last)
    return _AFTER_CRASH.get(last, Resumption(Resume.REDO, last))


# Where nothing stands here, the phase is done again.
_AFTER_CRASH: Mapping[Phase, Resumption] = {
    **dict.fromkeys((_P.IDLE, _P.KEPT, _P.HELD, _P.ROLLED_BACK), Resumption(Resume.NOTHING, _P.IDLE)),
    **dict.fromkeys(
        (_P.LEASED, _P.PREFLIGHT, _P.SNAPSHOT, _P.PLANNED, _P.GATED),
        Resumption(Resume.START_OVER, _P.LEASED),
    ),
    _P.APPLYING: Resumption(Resume.REDO, _P.SETTLE),
    _P.PROMOTED: Resumption(Resume.REDO, _P.VERIFY2),
    **dict.fromkeys((_P.RB_PLANNED, _P.RB_GUARDED, _P.RB_RETRY), Resumption(Resume.REDO, _P.RB_BUILD)),
    _P.RB_APPLYING: Resumption(Resume.REDO, _P.RB_SETTLE),
    _P.STUCK: Resumption(Resume.WAIT_FOR_PERSON, _P.STUCK),
}
