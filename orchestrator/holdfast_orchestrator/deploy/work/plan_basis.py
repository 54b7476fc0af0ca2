"""Whether Terraform planned against the state that lies in the bucket."""

from pathlib import Path

from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.plan import Stamp, prior_stamp


def refuse_other_state(leased: LeasedShard, plan: Path) -> None:
    """Raise GateError where Terraform planned against another state than the one that lies there.

    A store that denies for a moment that the state exists makes it plan to create everything again.
    """
    snapshot = leased.snapshot()
    there = Stamp("", 0) if snapshot is None else Stamp(snapshot.lineage, snapshot.serial)
    planned = prior_stamp(read_source(plan))
    if planned != there:
        raise GateError(
            f"Terraform planned against state serial {planned.serial} (lineage {planned.lineage or 'none'}), "
            f"and in the bucket lies serial {there.serial} (lineage {there.lineage or 'none'})",
            next_step=f"{deploy_command(leased.shard)}; if it stays so: holdfast doctor",
        )
