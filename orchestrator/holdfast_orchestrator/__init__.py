"""The automation API of Holdfast.

    from holdfast_orchestrator import Project

Lazy (PEP 562): a name is imported when it is first used, so that importing a leaf such as
`holdfast_orchestrator.state_key` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast_orchestrator.api.app import Options
    from holdfast_orchestrator.api.history import History, RecordedRun
    from holdfast_orchestrator.api.options import DeployOptions, PlanOptions, RunOptions
    from holdfast_orchestrator.api.project import Project
    from holdfast_orchestrator.api.states import ShardState, States
    from holdfast_orchestrator.app.inputs import Variable
    from holdfast_orchestrator.app.manifest import Manifest, Shard
    from holdfast_orchestrator.app.project_file import ForeignSettings
    from holdfast_orchestrator.app.selection import Selection, select
    from holdfast_orchestrator.deploy.decisions.reversibility import Approval
    from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.deploy.work.task import OperatorDecision
    from holdfast_orchestrator.doctor.check import Check
    from holdfast_orchestrator.errors import HoldfastError
    from holdfast_orchestrator.events import Event
    from holdfast_orchestrator.executor.address import Cluster
    from holdfast_orchestrator.local.cloud import LocalCloud, LocalStatus
    from holdfast_orchestrator.plan.result import Plan, ShardPlan
    from holdfast_orchestrator.preview.refusals import Agreed
    from holdfast_orchestrator.record.audit.trail import AuditFilter
    from holdfast_orchestrator.state.copies import StateCopy
    from holdfast_orchestrator.state_admin.adoption import Adoption
    from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal
    from holdfast_orchestrator.state_admin.unlock import Held
    from holdfast_orchestrator.system.runtime import Runtime, real_runtime
    from holdfast_orchestrator.system.stop import StopSignal

__all__ = [
    "Adoption",
    "Agreed",
    "Approval",
    "AuditFilter",
    "Check",
    "Cluster",
    "DeployOptions",
    "DeployPolicy",
    "Event",
    "ForeignSettings",
    "Held",
    "History",
    "HoldfastError",
    "LocalCloud",
    "LocalStatus",
    "Manifest",
    "OperatorDecision",
    "Options",
    "Outcome",
    "Plan",
    "PlanOptions",
    "Project",
    "RecordedRun",
    "RestoreProposal",
    "Restored",
    "RunOptions",
    "RunResult",
    "Runtime",
    "Selection",
    "Shard",
    "ShardPlan",
    "ShardResult",
    "ShardState",
    "StateCopy",
    "States",
    "StopSignal",
    "Variable",
    "real_runtime",
    "select",
]

_HOMES = {
    "Adoption": "state_admin.adoption",
    "Agreed": "preview.refusals",
    "Approval": "deploy.decisions.reversibility",
    "AuditFilter": "record.audit.trail",
    "Check": "doctor.check",
    "Cluster": "executor.address",
    "DeployOptions": "api.options",
    "DeployPolicy": "deploy.run_context",
    "Event": "events",
    "ForeignSettings": "app.project_file",
    "Held": "state_admin.unlock",
    "History": "api.history",
    "HoldfastError": "errors",
    "LocalCloud": "local.cloud",
    "LocalStatus": "local.cloud",
    "Manifest": "app.manifest",
    "OperatorDecision": "deploy.work.task",
    "Options": "api.app",
    "Outcome": "deploy.outcome",
    "Plan": "plan.result",
    "PlanOptions": "api.options",
    "Project": "api.project",
    "RecordedRun": "api.history",
    "RestoreProposal": "state_admin.restore",
    "Restored": "state_admin.restore",
    "RunOptions": "api.options",
    "RunResult": "deploy.outcome",
    "Runtime": "system.runtime",
    "Selection": "app.selection",
    "Shard": "app.manifest",
    "ShardPlan": "plan.result",
    "ShardResult": "deploy.outcome",
    "ShardState": "api.states",
    "StateCopy": "state.copies",
    "States": "api.states",
    "StopSignal": "system.stop",
    "Variable": "app.inputs",
    "real_runtime": "system.runtime",
    "select": "app.selection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
