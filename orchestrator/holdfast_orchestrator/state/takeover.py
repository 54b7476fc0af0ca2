"""Decides whether a lease may be taken from its holder, from what is known for certain; no I/O.

There are three witnesses that a holder is gone: it did not renew in time (by the bucket's clock), its
process is proved dead (same boot, same namespace, another or no process of that id), an operator says
so. Two of the three must agree. A process that is seen alive outweighs them all: a paused or slow
deployer comes back and writes. A lease held by a person is given up by a person's word alone, and
never without it.
"""

from dataclasses import dataclass

from holdfast_orchestrator.state.lease_record import StoredLease
from holdfast_orchestrator.state.process_identity import Life


@dataclass(frozen=True, slots=True)
class Refused:
    """The lease stays with its holder; `next_step` is what would change that."""

    why: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The lease may be taken; `why` is recorded in the new one."""

    why: str


def judge_takeover(lease: StoredLease, life: Life, *, operator: bool) -> Granted | Refused:
    """Say whether the lease may be taken.

    Args:
        lease: as it lies there, still held.
        life: what is known of the holder's process.
        operator: whether a person asked for the shard to be taken over.
    """
    if lease.record.kind == "human":
        return _from_a_person(lease, operator=operator)
    if life is Life.ALIVE:
        where = f"process {lease.record.process.pid} on {lease.record.process.host}"
        return Refused("its process is running", f"wait for {where}, or end it with SIGINT")
    witnesses = [
        witness
        for witness, holds in (
            ("not renewed in time", lease.has_expired),
            ("its process is dead", life is Life.DEAD),
            ("an operator asked for it", operator),
        )
        if holds
    ]
    if len(witnesses) > 1:
        return Granted(", ".join(witnesses))
    if lease.has_expired:
        return Refused(
            "it was not renewed in time, but whether its process is dead cannot be told from here",
            f"make sure that run has ended, then: holdfast resume {lease.record.run}",
        )
    if life is Life.DEAD:
        return Refused(
            "its process is dead, but the lease has not expired yet", f"holdfast resume {lease.record.run}"
        )
    return Refused("it is being renewed", "wait for that run to end")


def _from_a_person(lease: StoredLease, *, operator: bool) -> Granted | Refused:
    if operator:
        return Granted("an operator asked for it")
    return Refused("a person holds it", f"ask that person, or: holdfast state unlock {lease.folder}")
