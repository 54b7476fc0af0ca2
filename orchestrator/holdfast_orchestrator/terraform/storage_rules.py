"""The storage that RDS gives a database: it grows only, by a tenth at least, and gp3 has its own speeds.

Sources: Amazon RDS User Guide, "Increasing DB instance storage capacity" ("at least 10 percent"; the API
reference says that less is rounded up: in neither case is it what was written), "Managing capacity
automatically with Amazon RDS storage autoscaling" (the limit is at least 10% above the storage) and "gp3
storage (recommended)".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast_orchestrator.terraform.json_values import Document

_TENTH_MORE = 110  # percent
# The guide, "gp3 storage": the size in GiB from which IOPS and throughput may be chosen. SQL Server has none.
_CHOICE_GIB = {"mariadb": 400, "mysql": 400, "postgres": 400, "oracle": 200}
_LEAST_IOPS, _LEAST_MIB = 12_000, 500
_IOPS_OF_A_GIB, _IOPS_OF_A_MIB = 500, 4


@dataclass(frozen=True, slots=True)
class RefusedStorage:
    """An attribute whose value RDS refuses, why, and what to do."""

    attribute: str
    why: str
    next_step: str


def storage_of_rds(before: Document, after: Document) -> Iterator[RefusedStorage]:
    """Yield what RDS refuses of an instance's or a cluster's storage; `before` is empty where it is made."""
    yield from _size(before, after)
    yield from _limit(before, after)
    if after.get("storage_type") == "gp3":
        yield from _speed(before, after)


def _size(before: Document, after: Document) -> Iterator[RefusedStorage]:
    old, new = _whole(before, "allocated_storage"), _whole(after, "allocated_storage")
    if not old or not new or old == new:
        return
    tenth_more = _tenth_more(old)
    if new < old:
        why = "RDS makes no storage smaller"
        yield RefusedStorage(
            "allocated_storage",
            why,
            f"write {old}, which it has; for less, make a new database and copy the data into it",
        )
    elif new < tenth_more:
        why = "RDS lets a storage grow by a tenth at least"
        yield RefusedStorage("allocated_storage", why, f"keep {old}, or give {tenth_more} or more")


def _limit(before: Document, after: Document) -> Iterator[RefusedStorage]:
    size, limit = _whole(after, "allocated_storage"), _whole(after, "max_allocated_storage")
    names = ("allocated_storage", "max_allocated_storage")
    if size and limit and _change(before, after, *names) and limit < _tenth_more(size):
        yield RefusedStorage(
            "max_allocated_storage",
            f"{size} GiB are allocated, and RDS wants the limit of a storage that grows a tenth above that",
            f"give {_tenth_more(size)} or more, or 0 for a storage that does not grow",
        )


def _speed(before: Document, after: Document) -> Iterator[RefusedStorage]:
    choice = _CHOICE_GIB.get(str(after.get("engine")).partition("-")[0])
    size = _whole(after, "allocated_storage")
    if choice is None or size is None:
        return
    if size < choice:
        for name in ("iops", "storage_throughput"):
            if _whole(after, name) and _change(before, after, name):
                why = f"gp3 below {choice} GiB has the speed that it has"
                yield RefusedStorage(name, why, f"remove {name}, or give {choice} GiB or more")
        return
    iops, mib = _whole(after, "iops"), _whole(after, "storage_throughput")
    # The provider sends the IOPS with every change of the size, also those that nobody wrote.
    if iops and _change(before, after, "iops", "allocated_storage"):
        yield from _iops(iops, size, choice)
    if mib and _change(before, after, "storage_throughput"):
        yield from _throughput(mib, iops, choice)


def _iops(iops: int, size: int, choice: int) -> Iterator[RefusedStorage]:
    most = _IOPS_OF_A_GIB * size
    if iops < _LEAST_IOPS:
        why = f"gp3 from {choice} GiB on has {_LEAST_IOPS} IOPS at least"
        yield RefusedStorage("iops", why, f"write iops = {_LEAST_IOPS} and storage_throughput = {_LEAST_MIB}")
    elif iops > most:
        yield RefusedStorage("iops", f"gp3 has at most {_IOPS_OF_A_GIB} IOPS a GiB", f"give at most {most}")


def _throughput(mib: int, iops: int | None, choice: int) -> Iterator[RefusedStorage]:
    if mib < _LEAST_MIB:
        why = f"gp3 from {choice} GiB on has {_LEAST_MIB} MiB/s at least"
        yield RefusedStorage("storage_throughput", why, f"give {_LEAST_MIB} or more")
    elif iops and mib * _IOPS_OF_A_MIB > iops:
        why = f"a MiB/s needs {_IOPS_OF_A_MIB} IOPS, and there are {iops}"
        yield RefusedStorage(
            "storage_throughput", why, f"give {iops // _IOPS_OF_A_MIB} at most, or more iops"
        )


def _whole(values: Document, name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _change(before: Document, after: Document, *names: str) -> bool:
    return any(before.get(name) != after.get(name) for name in names)


def _tenth_more(gib: int) -> int:
    return -(-gib * _TENTH_MORE // 100)
