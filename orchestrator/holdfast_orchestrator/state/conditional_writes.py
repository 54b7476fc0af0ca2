"""Does this bucket really refuse what it must refuse? Asked before anything relies on it.

Leases, journals and Terraform's own lock rely on `If-None-Match` and `If-Match`. Some S3-compatible
stores take the headers and ignore them: two applies then run at once. One small object is kept for the
question, so that asking again leaves nothing behind.
"""

import threading
from collections.abc import Callable

from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.state.object_store import ObjectExistsError, ObjectStore

_KEY = "_holdfast/conditional-writes"
_BODY = b'{"schema":"holdfast/conditional-writes/v1","purpose":"a second write of this object must fail"}'
_NO_SUCH_ETAG = '"00000000000000000000000000000000"'


class ConditionalWrites:
    """Remembers for the length of a run which buckets have passed. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passed: set[str] = set()

    def require(self, store: ObjectStore, *, bucket: str) -> None:
        """Return if the bucket honours conditions; it is asked once.

        Raises StateBucketError where a write that had to be refused was not.
        """
        with self._lock:
            if bucket not in self._passed:
                prove_conditional_writes(store, bucket=bucket)
                self._passed.add(bucket)


def prove_conditional_writes(store: ObjectStore, *, bucket: str) -> None:
    """Write under conditions that do not hold; raises StateBucketError where such a write goes through."""
    # The first time ever the first write is rightly accepted: then the second one is the question.
    if _accepted(lambda: store.create(_KEY, _BODY)) and _accepted(lambda: store.create(_KEY, _BODY)):
        raise _ignored(bucket, "If-None-Match")
    if _accepted(lambda: store.replace(_KEY, _BODY, etag=_NO_SUCH_ETAG)):
        raise _ignored(bucket, "If-Match")


def _accepted(write: Callable[[], object]) -> bool:
    try:
        write()
    except ObjectExistsError:
        return False
    return True


def _ignored(bucket: str, header: str) -> StateBucketError:
    return StateBucketError(
        f"the state bucket {bucket!r} accepts a write that its condition ({header}) forbids; two deploys "
        "could apply at the same time",
        next_step="keep the states in Amazon S3 or in a store that honours conditional writes",
    )
