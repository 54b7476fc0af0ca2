"""Whether Terraform planned against the state that lies in the bucket."""

from pathlib import Path

from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.plan import prior_stamp
from holdfast_orchestrator.terraform.state_file import NO_STATE


def refuse_other_state(leased: LeasedShard, plan: Path) -> None:
    """Raise GateError where Terraform planned against another state than the one that lies there.

    A store that denies for a moment that the state exists makes it plan to create everything again.
    """
    snapshot = leased.snapshot()
    stored = NO_STATE if snapshot is None else snapshot.stamp
    planned = prior_stamp(read_source(plan))
    if planned != stored:
        raise GateError(
            f"Terraform planned against state serial {planned.serial} (lineage {planned.lineage or 'none'}), "
            f"and in the bucket lies serial {stored.serial} (lineage {stored.lineage or 'none'})",
            next_step=f"{deploy_command(leased.shard)}; if it stays so: holdfast doctor",
        )
