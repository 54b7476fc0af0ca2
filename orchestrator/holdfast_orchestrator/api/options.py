"""How a project's commands are carried out: one value for `plan`, one for `destroy`, one for `deploy`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.executor.address import Cluster
    from holdfast_orchestrator.preview.refusals import Agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How shards are planned.

    With `refresh` also what has not changed since its last good deploy is planned. With `explain` the reasons
    why a shard is planned name the resources that changed. `take_over_app` is the name this app had before.
    `agreed` is what may be lost. `max_parallel` are shards at once (none: what cores and memory carry),
    `max_parallel_per_account` those of one account.
    """

    refresh: bool = False
    explain: bool = False
    take_over_app: str | None = None
    agreed: "Agreed | None" = None
    max_parallel: int | None = None
    max_parallel_per_account: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How shards are changed.

    `policy` says what may be lost and what happens after a failure, `command` is what the records say was
    called. `max_parallel` and `max_parallel_per_account` are those of `PlanOptions`.
    """

    policy: "DeployPolicy | None" = None
    command: str = ""
    max_parallel: int | None = None
    max_parallel_per_account: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions(RunOptions):
    """How shards are deployed.

    `atomic`: where one fails, all go back. `refresh` also looks at what has not changed since its last good
    deploy. `executor` is a Dask cluster, or its scheduler's address, whose workers do the work.
    """

    atomic: bool = False
    refresh: bool = False
    executor: "str | Cluster | None" = None
