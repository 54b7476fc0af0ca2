"""`holdfast adopt`: take over a state that another tool keeps."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import (
    engine_option,
    env_option,
    events_option,
    examples,
    json_option,
    mirrored,
    options,
    output_option,
    project_option,
    verbose_option,
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
@click.option("--yes", is_flag=True, help="Do it; without this nothing is changed.")
@options(
    env_option,
    engine_option,
    project_option,
    output_option,
    mirrored("--state-bucket", metavar="NAME", help="State bucket of an app without holdfast.json."),
    mirrored("--region", metavar="NAME", help="Region of such an app and its state bucket."),
    mirrored("--account", metavar="ID", help="Account of such an app.  [default: whoever is calling]"),
    verbose_option,
    events_option,
    json_option,
)
@click.pass_obj
def command(runtime: Runtime, /, *, shard: str, source: str, yes: bool, **given: Any) -> None:
    """Take the state of stack SHARD over from another tool: cdktf-cli, HCP Terraform, Terraform.

    It is a dry run unless --yes is given: it shows what would be adopted and what a plan would then do. The
    state arrives as it is, with its lineage and serial, and is backed up. A state that is there already is
    never written over, unless it is an older one of the same lineage or manages nothing. Nothing at the old
    place is deleted: a file is renamed to *.adopted-by-holdfast, beside an S3 object lies a marker.

    This takes over a whole state. A single object that exists in AWS and in no state is taken over by
    `import` blocks in the app, or by options of `holdfast deploy`.
    """
    from holdfast_orchestrator.report.adopt_documents import adopt_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.adopt_text import adopt_lines  # noqa: PLC0415

    with opened_session(runtime, given) as session, session.reading() as on_event:
        adoption = session.project.adopt(
            shard, source, env=given["env"], yes=yes, command=command_line(), on_event=on_event
        )
        if session.output.json:
            session.output.answer(adopt_document(adoption))
        else:
            session.output.say(adopt_lines(adoption))
