"""What to begin first where not everything can begin at once: whatever the most work waits for.

Pure. A shard's priority is the length of the longest path from it to the end of the run, in seconds, by
what each shard took the last time, else by how many resources it has.
"""

import json
from collections.abc import Mapping

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Shard

# Terraform's own start, and about what a quick resource takes.
BASE_SECONDS = 3.0
SECONDS_PER_RESOURCE = 1.0


def longest_paths(graph: Graph, seconds: Mapping[str, float]) -> Mapping[str, float]:
    """Return for each name its own seconds and those of the longest chain that waits for it."""
    paths: dict[str, float] = {}
    for name in reversed(graph.order):
        after = (paths[dependent] for dependent in graph.waiting[name])
        paths[name] = seconds.get(name, 0.0) + max(after, default=0.0)
    return paths


def estimated_seconds(shard: Shard, *, earlier: float | None = None) -> float:
    """Return how long a shard will take: as long as it did, else by the number of its resources."""
    if earlier is not None:
        return earlier
    by_type = json.loads(shard.configuration).get("resource")
    resources = sum(len(by_name) for by_name in by_type.values()) if isinstance(by_type, dict) else 1
    return BASE_SECONDS + SECONDS_PER_RESOURCE * resources
