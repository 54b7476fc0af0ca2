"""Options that say where records and states are read, and what they open.

The buckets are those of the app's shards. On a machine without the app, `--state-bucket` and `--region` name
one bucket.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.cli._options import env_option, json_option, mirrored, options, project_option
from holdfast_orchestrator.cli._output import Output
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.api.history import History
    from holdfast_orchestrator.api.states import ShardState
    from holdfast_orchestrator.events import Event

_region_option = mirrored("--region", metavar="NAME", help="The region of that bucket.")
history_options = options(
    env_option,
    project_option,
    mirrored("--state-bucket", metavar="NAME", help="Read this bucket, without an app; needs --region."),
    _region_option,
    json_option,
)
state_options = options(
    click.argument("shard"),
    env_option,
    project_option,
    mirrored(
        "--state-bucket",
        metavar="NAME",
        help="Look for the shard in this bucket, without an app; needs --region.",
    ),
    _region_option,
    mirrored("--kms-key-id", metavar="KEY", help="The key that encrypts the states in that bucket."),
    json_option,
)


@contextmanager
def opened_history(runtime: Runtime, given: Mapping[str, Any]) -> "Iterator[tuple[Output, History]]":
    """Open the buckets; with `--json`, print errors as documents."""
    output = Output(runtime, json=given["as_json"])
    with output.errors():
        yield output, _history(runtime, given, output)


@contextmanager
def opened_state(runtime: Runtime, given: Mapping[str, Any]) -> "Iterator[tuple[Output, ShardState]]":
    """Find the shard; with `--json`, print errors as documents."""
    output = Output(runtime, json=given["as_json"])
    with output.errors():
        yield output, _state(runtime, given)


def _history(runtime: Runtime, given: Mapping[str, Any], output: Output) -> "History":
    if given["state_bucket"] is not None:
        from holdfast_orchestrator.api.history import History  # noqa: PLC0415 - when it runs

        return History.in_bucket(
            given["state_bucket"], region=_region(given), path=given["project"], runtime=runtime
        )
    # The app's own modules are not needed for a bucket that is named.
    from holdfast_orchestrator.api.project import Project  # noqa: PLC0415
    from holdfast_orchestrator.events import Notice  # noqa: PLC0415

    def note(event: "Event") -> None:
        if isinstance(event, Notice):
            output.note(event.message)

    return Project.load(given["project"], runtime=runtime).history(env=given["env"], on_event=note)


def _state(runtime: Runtime, given: Mapping[str, Any]) -> "ShardState":
    if given["state_bucket"] is not None:
        from holdfast_orchestrator.api.states import States  # noqa: PLC0415 - when it runs

        states = States.in_bucket(
            given["state_bucket"],
            region=_region(given),
            kms_key_id=given["kms_key_id"],
            path=given["project"],
            runtime=runtime,
        )
    else:
        from holdfast_orchestrator.api.project import Project  # noqa: PLC0415

        states = Project.load(given["project"], runtime=runtime).states()
    return states.in_environments(given["env"]).of(given["shard"])


def _region(given: Mapping[str, Any]) -> str:
    region: str | None = given["region"]
    if region is None:
        raise UsageError(
            "--state-bucket needs --region, the bucket's region",
            next_step="name it, for example: holdfast … --region eu-west-1",
        )
    return region
