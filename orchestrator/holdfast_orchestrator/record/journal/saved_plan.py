"""Plans that runs applied, kept whole: a restart compares with them what a dead run did.

    _holdfast/runs/<run>/plans/<sha256>.json.gz

It is Terraform's own JSON of the plan, with secrets, as secret as the state and encrypted like it.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.journal.entry import look_first
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore

_FASTEST = 1


def keep_plan(store: ObjectStore, run: str, plan: Mapping[str, Any]) -> str:
    """Write a plan and return the key it lies at."""
    body = gzip.compress(json.dumps(plan, sort_keys=True).encode(), compresslevel=_FASTEST, mtime=0)
    key = f"_holdfast/runs/{run}/plans/{hashlib.sha256(body).hexdigest()}.json.gz"
    create_once(store, key, body)
    return key


def read_plan(store: ObjectReader, key: str, *, shard: str) -> dict[str, Any]:
    """Return a plan that was kept of a shard. Raises NeedsPersonError where it is gone or was changed."""
    stored = store.get(key)
    if stored is None or hashlib.sha256(stored.body).hexdigest() not in key:
        raise NeedsPersonError(
            f"the plan at {key} is gone or was changed, so what that run did cannot be measured",
            next_step=look_first(shard),
        )
    plan: dict[str, Any] = json.loads(gzip.decompress(stored.body))
    return plan
