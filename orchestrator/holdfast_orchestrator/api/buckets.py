"""Opens a state bucket by its name alone, without an app."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import StateLocation
    from holdfast_orchestrator.context.tools import RealTools, Tools
    from holdfast_orchestrator.state.object_store import DurableStore
    from holdfast_orchestrator.state.s3 import S3Store

Cloud = Literal["aws", "local"]


@dataclass(frozen=True, kw_only=True)
class BucketAccess:
    """Opens buckets from this machine. `folder` is the project whose local cloud may hold them."""

    runtime: Runtime
    folder: Path

    @property
    def tools(self) -> "RealTools":
        """The tools that have the credentials for a cloud."""
        from holdfast_orchestrator.context.tools import RealTools  # noqa: PLC0415 - when a bucket is opened

        return RealTools(runtime=self.runtime, project=self.folder)

    def cloud_of(self, bucket: str) -> Cloud:
        """Return the cloud of the bucket: the local cloud if it runs and has the bucket."""
        from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415 - when a bucket is opened

        status = LocalCloud(self.folder, self.runtime).status()
        return "local" if status.running and bucket in status.state_buckets else "aws"

    def store(self, location: "StateLocation", cloud: Cloud) -> "DurableStore":
        """Open the bucket of a state."""
        return open_bucket(self.runtime, self.tools, location, cloud)


def open_bucket(runtime: Runtime, tools: "Tools", location: "StateLocation", cloud: Cloud) -> "S3Store":
    """Open the bucket of a state with the credentials that `tools` have for its cloud."""
    from holdfast_orchestrator.state.s3 import S3Store  # noqa: PLC0415 - when a bucket is opened

    client = runtime.aws.client("s3", region=location.region, environ=tools.environ(cloud))
    return S3Store(client, location, cloud=cloud)
