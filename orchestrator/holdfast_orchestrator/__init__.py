"""The automation API of Holdfast.

    from holdfast_orchestrator import Project

Lazy (PEP 562): a name is imported when it is first used, so that importing a leaf such as
`holdfast_orchestrator.state_key` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast_orchestrator.api.app import Options
    from holdfast_orchestrator.api.project import Project
    from holdfast_orchestrator.app.manifest import Manifest, Shard
    from holdfast_orchestrator.app.project_file import ForeignSettings
    from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
    from holdfast_orchestrator.errors import HoldfastError
    from holdfast_orchestrator.events import Event
    from holdfast_orchestrator.plan.result import Plan, ShardPlan
    from holdfast_orchestrator.state_admin.adoption import Adoption
    from holdfast_orchestrator.system.runtime import Runtime, real_runtime
    from holdfast_orchestrator.system.stop import StopSignal

__all__ = [
    "Adoption",
    "Event",
    "ForeignSettings",
    "HoldfastError",
    "Manifest",
    "Options",
    "Outcome",
    "Plan",
    "Project",
    "RunResult",
    "Runtime",
    "Shard",
    "ShardPlan",
    "ShardResult",
    "StopSignal",
    "real_runtime",
]

_HOMES = {
    "Adoption": "api.adopt",
    "Event": "events",
    "ForeignSettings": "app.project_file",
    "HoldfastError": "errors",
    "Manifest": "app.manifest",
    "Options": "api.app",
    "Outcome": "deploy.outcome",
    "Plan": "plan.result",
    "Project": "api.project",
    "RunResult": "deploy.outcome",
    "Runtime": "system.runtime",
    "Shard": "app.manifest",
    "ShardPlan": "plan.result",
    "ShardResult": "deploy.outcome",
    "StopSignal": "system.stop",
    "real_runtime": "system.runtime",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
