"""Plans with a state before it is adopted: shows what the next plan would do.

It plans with a copy of the state in a folder of its own, and the shard's own configuration with a local
backend. Nothing of it stays.
"""

import json
from dataclasses import replace

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.upstream import waits_for
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.engine.in_memory import write_in_memory
from holdfast_orchestrator.engine.terraform import WITHOUT_LOCK
from holdfast_orchestrator.engine.workdir import remove, tree_of
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.plan.document import PlanDocument, parse_plan
from holdfast_orchestrator.plan.result import ShardPlan, configuration_sha256
from holdfast_orchestrator.plan.shard import quiet
from holdfast_orchestrator.system.secret_places import secrets_in_state

_STATE = "given.tfstate"


def preview(shard: Shard, content: bytes, run: Run) -> ShardPlan:
    """Return the plan of `shard` with `content` as its state; what goes wrong is part of the answer."""
    planned = ShardPlan(
        shard=shard.name,
        label=run.label(shard.name),
        configuration_sha256=configuration_sha256(shard),
    )
    run.redactor.learn([*secrets_in_state(json.loads(content))])
    try:
        waiting = waits_for(shard, run.manifest, run.tools)
        if waiting:
            words = f"waits for {', '.join(waiting)}, to be adopted or deployed first"
            return replace(planned, waits_for=waiting, waiting=words)
        return replace(planned, document=_planned(shard, content, run))
    except HoldfastError as error:
        return replace(planned, failure=run.redactor.text(str(error)))


def _planned(shard: Shard, content: bytes, run: Run) -> PlanDocument:
    # Beside the shard's own folder, whose backend and plans are others.
    beside = replace(shard, name=f"{shard.name} (adoption)")
    folder = run.tools.workdir(beside)
    document = json.loads(shard.configuration)
    document["terraform"]["backend"] = {"local": {"path": str(folder / _STATE)}}
    beside = replace(beside, configuration=json.dumps(document).encode())
    with run.tools.folder(beside):
        try:
            terraform = run.tools.terraform(beside, quiet)
            # It holds secrets, and this process may be killed.
            write_in_memory(folder / _STATE, content)
            with run.stop.interrupting(terraform.cancel):
                terraform.init()
                outcome = terraform.plan(flags=(WITHOUT_LOCK,))
                raw = terraform.show_plan(outcome.plan) if outcome.changes else {}
            return parse_plan(raw, run.redactor) if raw else PlanDocument()
        finally:
            if folder.exists():
                remove(tree_of(folder))
