"""`--adopt ADDRESS` names one object that one shard is to make; one that names none or several is refused."""

import json
import shlex
from collections.abc import Collection, Mapping, Sequence

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import HoldfastError, UsageError, nearest
from holdfast_orchestrator.terraform.json_values import Document, blocks
from holdfast_orchestrator.terraform.references import declares


def refuse_unknown_adoptions(adopt: Collection[str], shards: Sequence[Shard]) -> None:
    """Return if exactly one of the shards that were chosen declares each address.

    Raises UsageError for the first of which that is not so.
    """
    configurations = [json.loads(shard.configuration) for shard in shards] if adopt else []
    for address in sorted(adopt):
        having = [
            shard
            for shard, configuration in zip(shards, configurations, strict=True)
            if _declares(configuration, address)
        ]
        if len(having) > 1:
            names = ", ".join(shard.name for shard in having)
            raise UsageError(
                f"--adopt {address} must mean one object, and {names} have that address",
                next_step=_deploy(having[0], address),
            )
        if not having:
            raise _unknown(address, shards, configurations)


def refuse_unknown_instance(adopt: Collection[str], addresses: Collection[str], shard: Shard) -> None:
    """Return if each address whose block a shard declares is in its plan or its state (`addresses`).

    Raises UsageError for the first that is in neither: the block has no such instance.
    """
    for address in sorted(set(adopt).difference(addresses)):
        meant = nearest(address, addresses)
        also = f"; the nearest is {meant}" if meant else ""
        raise UsageError(
            f"--adopt {address}: {shard.name} makes and has no object at that address{also}",
            next_step=_deploy(shard, meant) if meant else _plan(shard),
        )


def refuse_absent(absent: Mapping[str, str], adopt: Collection[str], shard: Shard) -> None:
    """Return if nothing is absent. Raises UsageError that names each address to adopt, with its import id."""
    if absent:
        named = ", ".join(f"{address} ({import_id})" for address, import_id in sorted(absent.items()))
        raise UsageError(
            f"--adopt: there is no such object in the cloud: {named}",
            next_step=f"leave the option away, and the deploy creates it: "
            f"{_deploy(shard, *sorted(set(adopt).difference(absent)))}",
        )


def refuse_nameless(addresses: Collection[str], shard: Shard) -> None:
    """Return if there are none. Raises UsageError for objects that nothing in their configuration names."""
    if addresses:
        raise UsageError(
            f"--adopt: nothing in the configuration says which object in the cloud is meant by "
            f"{', '.join(sorted(addresses))}",
            next_step=f"write an import block with its id, then: {_deploy(shard)}",
        )


def _unknown(address: str, shards: Sequence[Shard], configurations: Sequence[Document]) -> UsageError:
    names = ", ".join(shard.name for shard in shards)
    what = f"--adopt {address}: {names} {'declares' if len(shards) == 1 else 'declare'} no such resource"
    every = {
        f"{kind}.{name}": shard
        for shard, configuration in zip(shards, configurations, strict=True)
        for kind, name, _ in blocks(configuration, "resource")
    }
    meant = nearest(address, every)
    if meant:
        return UsageError(f"{what}; the nearest is {meant}", next_step=_deploy(every[meant], meant))
    return UsageError(what, next_step=_plan(shards[0]) if shards else None)


def _declares(configuration: Document, address: str) -> bool:
    try:
        return declares(configuration, address)
    except (HoldfastError, ValueError, IndexError):
        return False


def _deploy(shard: Shard, *adopt: str) -> str:
    words = ["holdfast", "deploy", "--env", shard.environment, "--stack", shard.name]
    return shlex.join([*words, *(word for address in adopt for word in ("--adopt", address))])


def _plan(shard: Shard) -> str:
    return shlex.join(["holdfast", "plan", "--env", shard.environment, "--stack", shard.name])
