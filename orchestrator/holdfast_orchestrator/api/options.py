"""The options of `plan`, `destroy` and `deploy`, each as one value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.executor.address import Cluster
    from holdfast_orchestrator.preview.refusals import Agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How shards are planned.

    With `refresh`, shards that have not changed since their last good deploy are planned too. With `explain`,
    the reasons why a shard is planned name the resources that changed. `take_over_app` is an earlier name of
    this app. `agreed` says which losses are allowed. `max_parallel` limits the shards at once (none: what
    cores and memory allow), `max_parallel_per_account` those of one account.
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

    `policy` says which losses are allowed and what happens after a failure; `command` is the command line for
    the records. `max_parallel` and `max_parallel_per_account` are those of `PlanOptions`.
    """

    policy: "DeployPolicy | None" = None
    command: str = ""
    max_parallel: int | None = None
    max_parallel_per_account: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions(RunOptions):
    """How shards are deployed.

    With `atomic`, all shards are rolled back if one fails. With `refresh`, shards that have not changed since
    their last good deploy are planned too. `executor` is a Dask cluster whose workers deploy the shards, or
    the address of its scheduler.
    """

    atomic: bool = False
    refresh: bool = False
    executor: "str | Cluster | None" = None
