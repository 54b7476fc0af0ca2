"""`holdfast output [SHARD]`: the outputs of the last good deploy."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import examples
from holdfast_orchestrator.cli._records import history_options, opened_history
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast output --env prod",
        "holdfast output storefront-prod-eu-west-1",
        "holdfast output storefront-prod-eu-west-1 --json",
        "holdfast output orders --state-bucket acme-state --region eu-west-1",
    )
)
@click.argument("shard", required=False)
@click.option("--sensitive", is_flag=True, help="Show the values of sensitive outputs too.")
@history_options
@click.pass_obj
def command(runtime: Runtime, /, *, shard: str | None, sensitive: bool, **given: Any) -> None:
    """Show the outputs of the last good deploy of each shard, or of one.

    SHARD is the shard's name, or its service where only one shard has it.
    """
    from holdfast_orchestrator.report.output_text import output_document, output_lines  # noqa: PLC0415

    with opened_history(runtime, given) as (output, history):
        shards = history.outputs(shard, env=given["env"])
        output.show(output_document(shards, sensitive=sensitive), output_lines(shards, sensitive=sensitive))
