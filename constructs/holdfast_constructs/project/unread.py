"""Settings that would be lost: a file has them, and no stack reads them."""

import inspect
import os
from collections.abc import Iterator, Mapping

from holdfast_constructs.project.registry import Registration
from holdfast_constructs.settings import Environment
from holdfast_constructs.settings.base import Reads, unread
from holdfast_constructs.settings.problems import Fault, key_of
from holdfast_constructs.settings.tenants import KEY


def unread_faults(env: Environment, stacks: Mapping[str, Registration], reads: Reads) -> Iterator[Fault]:
    """Yield a fault for each setting of `env` that no stack read while all of them were built."""
    for path, neighbours in unread(env, reads):
        if _is_completed_in_tenants(path, stacks):
            continue
        entry = stacks.get(str(path[1])) if path[0] == "services" else None
        read = ", ".join(neighbours) or "none here"
        if entry is None:
            next_step = "read it in a stack, or remove it"
        else:
            below = path[4:] if path[2:3] == (KEY,) else path[2:]
            next_step = f"use settings.{key_of(below)} in {_file_of(entry)}, or remove it"
        yield Fault(
            path,
            "is read by no stack and would have no effect",
            repr(str(path[-1])),
            f"a setting that a stack reads: {read}",
            next_step,
        )


def _is_completed_in_tenants(path: tuple[str | int, ...], stacks: Mapping[str, Registration]) -> bool:
    """Tell whether the setting is of a service per tenant: no stack reads it but in the tables of tenants."""
    if path[0] != "services" or len(path) == 1:
        return False
    entry = stacks.get(str(path[1]))
    return entry is not None and entry.per_tenant and path[2:3] != (KEY,)


def _file_of(entry: Registration) -> str:
    file = inspect.getsourcefile(entry.kind) or entry.kind.__module__
    return os.path.relpath(file)
