"""Initializes the folders of shards that still wait for other shards.

`init` needs nothing of the shards above, so it is run for one shard after another while fewer shards are at
work than may be. A shard whose turn comes takes its folder over; what was not ready then, or failed, is done
as always. Left alone are shards whose last run has not ended, for something of that may be in the folder.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.inspect import required_sources
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.plan.shard import quiet
from holdfast_orchestrator.system.workers import start_helper

_LOOK_SECONDS = 0.1


class BackgroundInit:
    """A thread that makes folders ready; `has_room` says whether there is a core to spare."""

    def __init__(self, run: Run, shards: Iterable[Shard], *, has_room: Callable[[], bool]) -> None:
        self._run = run
        self._has_room = has_room
        self._waiting = deque(shards)
        self._changed = threading.Condition()
        self._busy = ""
        self._thread = start_helper(self._work, name="ahead")

    def leave(self, name: str) -> None:
        """Take the folder of this shard out of the queue, and wait until this thread has left it."""
        with self._changed:
            self._waiting = deque(shard for shard in self._waiting if shard.name != name)
            self._changed.wait_for(lambda: self._busy != name)

    def close(self) -> None:
        """Stop, and wait for the init that runs."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (shard := self._next()) is not None:
            try:
                # What fails here fails again, and is reported, when the shard's turn comes.
                with suppress(HoldfastError, OSError), self._run.tools.folder(shard):
                    terraform = self._run.tools.terraform(shard, quiet)
                    with self._run.stop.interrupting(terraform.cancel):
                        terraform.init()
            finally:
                with self._changed:
                    self._busy = ""
                    self._changed.notify_all()

    def _next(self) -> Shard | None:
        """Wait for a free core, and return the next shard; None where none is left."""
        with self._changed:
            while self._waiting and not self._run.stop.asked:
                if self._has_room() and self._is_locked(self._waiting[0]):
                    shard = self._waiting.popleft()
                    self._busy = shard.name
                    return shard
                self._changed.wait(_LOOK_SECONDS)
        return None

    def _is_locked(self, shard: Shard) -> bool:
        """Whether the lock file has every provider: the first `init` of a project has to write it alone."""
        with suppress(HoldfastError):
            versions = self._run.tools.versions()
            required = set(required_sources(shard, versions.registry))
            return bool(required) and required <= set(versions.locks)
        return False
