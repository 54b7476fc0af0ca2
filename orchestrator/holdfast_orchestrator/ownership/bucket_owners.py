"""Who owns what, as one run asks it: the owners of each bucket, and what this process is about to make."""

import threading
from dataclasses import dataclass, field

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.record.owners import StateOwners, cache_file
from holdfast_orchestrator.terraform.object_keys import ObjectKey


@dataclass
class BucketOwners:
    """The owners of every bucket of a run, and the creates of its shards; safe between threads."""

    _buckets: dict[tuple[str, str, str], StateOwners] = field(default_factory=dict)
    _claims: dict[ObjectKey, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, shard: Shard, run: Run) -> StateOwners:
        """Return the owners of the bucket that holds a shard's state."""
        state = shard.state
        with self._lock:
            place = (state.bucket, state.region, shard.cloud)
            if place not in self._buckets:
                self._buckets[place] = StateOwners(
                    run.tools.store(shard),
                    cache_file(
                        run.runtime.cache,
                        bucket=state.bucket,
                        region=state.region,
                        endpoint=str(run.tools.environ(shard.cloud).get("AWS_ENDPOINT_URL", "")),
                    ),
                )
            return self._buckets[place]

    def claim(self, key: ObjectKey, shard: str) -> str:
        """Say that a shard is about to make an object; returns the shard of this run that said so first."""
        with self._lock:
            return self._claims.setdefault(key, shard)
