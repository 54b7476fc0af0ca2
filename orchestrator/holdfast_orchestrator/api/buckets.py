"""How history and states reach a state bucket that is known by its name alone, without an app."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import StateLocation
    from holdfast_orchestrator.context.tools import RealTools
    from holdfast_orchestrator.state.object_store import DurableStore

Cloud = Literal["aws", "local"]


@dataclass(frozen=True, kw_only=True)
class BucketAccess:
    """Opens buckets from this machine. `folder` is the project whose local cloud may hold them."""

    runtime: Runtime
    folder: Path

    @property
    def tools(self) -> "RealTools":
        """The tools that lead to a cloud."""
        from holdfast_orchestrator.context.tools import RealTools  # noqa: PLC0415 - when a bucket is opened

        return RealTools(runtime=self.runtime, project=self.folder)

    def cloud_of(self, bucket: str) -> Cloud:
        """Return the cloud the bucket is in: the local one where that runs and has it."""
        from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415 - when a bucket is opened

        status = LocalCloud(self.folder, self.runtime).status()
        return "local" if status.running and bucket in status.state_buckets else "aws"

    def store(self, location: "StateLocation", cloud: Cloud) -> "DurableStore":
        """Open the bucket of a state."""
        from holdfast_orchestrator.state.s3 import S3Store  # noqa: PLC0415 - when a bucket is opened

        environ = self.tools.environ(cloud)
        client = self.runtime.aws.client("s3", region=location.region, environ=environ)
        return S3Store(client, location, cloud=cloud)
