"""Which stacks of the app declare what a stack that is not in the app any more still has.

Such a stack was renamed, most likely, or its objects moved: taking it down would destroy what the app needs.
"""

import json
from collections import defaultdict
from collections.abc import Mapping

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.record.owners import StateOwners, cache_file
from holdfast_orchestrator.terraform.possible_moves import Declared, possible_moves

Heirs = Mapping[str, tuple[str, ...]]


def heirs_of(retired: Shard, run: Run) -> Heirs:
    """Return the stacks that declare objects of `retired` and do not have them, with the addresses there.

    Only where the attributes that name the object are written out. Raises StateBucketError where the bucket
    cannot be listed.
    """
    state = retired.state
    cache = cache_file(
        run.runtime.cache,
        bucket=state.bucket,
        region=state.region,
        endpoint=str(run.tools.environ(retired.cloud).get("AWS_ENDPOINT_URL", "")),
    )
    owners = StateOwners(run.tools.store(retired), cache).now()
    gone = Declared(name=retired.name, folder=state.folder, configuration={})
    beside = [
        Declared(name=one.name, folder=one.state.folder, configuration=json.loads(one.configuration))
        for one in run.manifest.shards
        if one.state.bucket == state.bucket
    ]
    by_stack = defaultdict[str, list[str]](list)
    for move in possible_moves([gone, *beside], owners):
        if move.source == retired.name and move.certain:
            by_stack[move.target].append(move.owner.address)
    return {name: tuple(sorted(addresses)) for name, addresses in sorted(by_stack.items())}
