"""`holdfast adopt`: take over a state that another tool keeps."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import (
    app_options,
    engine_option,
    env_option,
    examples,
    options,
    parallelism_option,
    watching_options,
)
from holdfast_orchestrator.cli._policy import command_line
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast adopt web --env prod --from terraform.web.tfstate",
        "holdfast adopt web --env prod --from s3://old-states/web.tfstate --yes",
        "terraform state pull > web.tfstate   (in the folder of an HCP Terraform workspace or any backend)",
        "holdfast adopt web --env prod --from web.tfstate --yes",
    )
)
@click.argument("shard")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="PLACE",
    help="A state file, s3://BUCKET/KEY, or what `terraform state pull` wrote.",
)
@click.option("--yes", is_flag=True, help="Adopt the state; without this option nothing is changed.")
@options(env_option, parallelism_option, engine_option, app_options, watching_options)
@click.pass_obj
def command(runtime: Runtime, /, *, shard: str, source: str, yes: bool, **given: Any) -> None:
    """Take the state of stack SHARD over from another tool: cdktf-cli, HCP Terraform, Terraform.

    Without --yes this is a dry run: it shows what would be adopted and what a plan would then do. The state
    is copied unchanged, with its lineage and serial, and backed up. An existing state is never overwritten,
    unless it is an older one of the same lineage or manages nothing. Nothing is deleted at the old place: a
    file is renamed to *.adopted-by-holdfast, and a marker is written beside an S3 object.

    This takes over a whole state. To take over a single object that exists in AWS and in no state, use
    `import` blocks in the app, or options of `holdfast deploy`.
    """
    from holdfast_orchestrator.report.adopt_documents import adopt_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.adopt_text import adopt_lines  # noqa: PLC0415

    with opened_session(runtime, given) as session, session.reading() as on_event:
        adoption = session.project.adopt(
            shard, source, env=given["env"], yes=yes, command=command_line(), on_event=on_event
        )
        session.output.show(adopt_document(adoption), adopt_lines(adoption))
