"""Shards in waves, for a CI that gives each shard a job of its own.

Pure. Everything in a wave can be done at once: what its shards depend on lies in earlier waves, or was not
chosen. A CI takes only so many jobs at once, so a wave of more is split in several, one after another.
"""

from holdfast_orchestrator.app.graph import Graph

MATRIX_LIMIT = 256
"""The most jobs one matrix may make: GitHub Actions refuses a workflow run with a matrix of more."""


def matrix_waves(graph: Graph, *, limit: int = MATRIX_LIMIT) -> tuple[tuple[str, ...], ...]:
    """Return the names of `graph` in waves of at most `limit`, in the order to run them.

    Where no wave has more, they are as few as the longest chain of dependencies has links.
    """
    return tuple(wave[start : start + limit] for wave in graph.waves for start in range(0, len(wave), limit))
