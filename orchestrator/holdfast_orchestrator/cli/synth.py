"""`holdfast synth`: run the app."""

from typing import Any

import click

from holdfast_orchestrator import Selection
from holdfast_orchestrator.cli._options import choosing_options, examples
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.report.documents import synth_document
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples("holdfast synth", "holdfast synth --env prod", "holdfast synth --service orders --json")
)
@choosing_options
@click.pass_obj
def command(runtime: Runtime, /, **given: Any) -> None:
    """Synthesize the environments that --env names, or all: cdktf.out and holdfast.json."""
    with opened_session(runtime, given) as session:
        with session.watching() as on_event:
            manifest = session.project.synth(env=given["env"], service=given["service"], on_event=on_event)
        names = [f"  {shard.name}" for shard in Selection(stacks=given["stack"]).of(manifest)]
        session.output.show(synth_document(manifest, str(session.project.file.output)), names)
