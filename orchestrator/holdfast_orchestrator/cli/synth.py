"""`holdfast synth`: run the app."""

from typing import Any

import click

from holdfast_orchestrator import Selection
from holdfast_orchestrator.cli._options import choosing, examples
from holdfast_orchestrator.cli._session import session
from holdfast_orchestrator.report.documents import synth_document
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples("holdfast synth", "holdfast synth --env prod", "holdfast synth --service orders --json")
)
@choosing
@click.pass_obj
def command(runtime: Runtime, /, **given: Any) -> None:
    """Synthesize the environments named (all, where none is): cdktf.out and holdfast.json."""
    with session(runtime, given) as here:
        with here.watching() as on_event:
            manifest = here.project.synth(env=given["env"], service=given["service"], on_event=on_event)
        chosen = Selection(stacks=given["stack"]).of(manifest)
        if here.json:
            here.answer(synth_document(manifest, str(here.project.file.output)))
        else:
            here.say(f"  {shard.name}" for shard in chosen)
