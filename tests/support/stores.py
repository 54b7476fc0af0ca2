"""Buckets in memory on which something goes wrong."""

from holdfast_orchestrator.state.lease_record import lease_key
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import ObjectHead


class AnswersLost(MemoryStore):
    """Does every write and loses the answer; the SDK's retry then meets the write."""

    def create(self, key: str, body: bytes) -> ObjectHead:
        super().create(key, body)
        return super().create(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        super().replace(key, body, etag=etag)
        return super().replace(key, body, etag=etag)


class Killed(BaseException):
    """The process is gone."""


class MortalStore(MemoryStore):
    """A bucket whose user dies after so many writes: nothing it would still do is done."""

    writes_left: int | None = None

    def _write(self, key: str, body: bytes) -> ObjectHead:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise Killed
            self.writes_left -= 1
        return super()._write(key, body)

    def delete(self, key: str, *, etag: str) -> None:
        if self.writes_left == 0:
            raise Killed
        super().delete(key, etag=etag)

    def revive(self, *folders: str) -> None:
        """Another process looks: the dead one's leases have expired."""
        self.writes_left = None
        for folder in folders:
            self.objects.pop(lease_key(folder), None)
