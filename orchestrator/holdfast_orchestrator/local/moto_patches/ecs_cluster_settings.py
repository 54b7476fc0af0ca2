"""Settings of ECS clusters.

moto 5.2.1 has no UpdateClusterSettings, the older of the two ways to turn Container Insights on.
AWS replaces the settings named. So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation


def close() -> None:
    """Add UpdateClusterSettings."""

    @operation(moto("ecs.responses").EC2ContainerServiceResponse, "UpdateClusterSettings")
    def update(self: Any, params: Mapping[str, Any]) -> object:
        backend, name = self.ecs_backend, params["cluster"]
        settings = {s["name"]: s["value"] for s in backend._get_cluster(name).settings or ()}  # noqa: SLF001
        settings |= {s["name"]: s["value"] for s in params["settings"]}
        listed = [{"name": key, "value": value} for key, value in settings.items()]
        return {"cluster": backend.update_cluster(name, listed, None, None)}
