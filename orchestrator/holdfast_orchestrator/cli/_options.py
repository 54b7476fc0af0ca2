"""Options that several commands share. Most can also be set by an environment variable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import click

from holdfast_orchestrator.system.capacity import MOST_OBJECTS_AT_ONCE, parallel_for

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Adds options to the function of a command."""


class ValueOption(click.Option):
    """An option that takes no other option for its value: `--retired --yes` has forgotten the name."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value; raises BadOptionUsage where it is an option of the same command."""
        given = value if isinstance(value, tuple | list) else (value,)
        known = {name for parameter in ctx.command.params for name in parameter.opts if name.startswith("-")}
        if not self.is_flag and any(each in known for each in given if isinstance(each, str)):
            raise click.BadOptionUsage(self.opts[0], f"Option {self.opts[0]!r} requires an argument.", ctx)
        return super().process_value(ctx, value)


class MirroredOption(ValueOption):
    """An option whose environment variable is read from the Runtime; repeatable ones split at commas."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the variable's value; None if it is not set or empty."""
        runtime = ctx.find_root().obj
        name = self.envvar if isinstance(self.envvar, str) else None
        return (runtime.environ.get(name) or None) if runtime is not None and name else None

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the variable's value as this option takes it."""
        value = self.resolve_envvar_value(ctx)
        if value is None or not self.multiple:
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())


def mirrored(*names: str, **settings: Any) -> Decorator:
    """Return an option that the variable HOLDFAST_<NAME> sets too; the help names the variable."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = f"HOLDFAST_{long[2:].replace('-', '_').upper()}"
    return click.option(*names, cls=MirroredOption, envvar=variable, show_envvar=True, **settings)


def options(*decorators: Decorator) -> Decorator:
    """Return one decorator for several; the help shows the options in the order given."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def examples(*lines: str) -> str:
    """Return an epilog; the mark keeps click from joining its lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


project_option = mirrored(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of the cdktf app (where cdktf.json is).  [default: here]",
)
output_option = mirrored(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Synthesize to this folder.  [default: cdktf.out]",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document on standard output, and everything else on standard error.",
)
watching_options = options(
    json_option,
    mirrored(
        "--events",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write every event to this file, one JSON document a line.",
    ),
    mirrored("--verbose", is_flag=True, help="Also show what the app prints and each object that is done."),
)
env_option = mirrored("--env", multiple=True, metavar="NAME", help="Environment; repeatable.")
dependents_option = mirrored(
    "--include-dependents", is_flag=True, help="Also choose every shard that depends on those chosen."
)
since_option = mirrored(
    "--changed-since",
    metavar="GIT_REF",
    help="Keep only the shards that synthesize differently than at this git revision.",
)
# The place of the app, and settings for an app without holdfast.json.
app_options = options(
    project_option,
    output_option,
    mirrored("--state-bucket", metavar="NAME", help="State bucket of an app without holdfast.json."),
    mirrored("--region", metavar="NAME", help="Region of such an app and its state bucket."),
    mirrored("--account", metavar="ID", help="Account of such an app.  [default: the caller's account]"),
)
choosing_options = options(
    env_option,
    mirrored("--service", multiple=True, metavar="NAME", help="Service; repeatable."),
    mirrored(
        "--stack", multiple=True, metavar="GLOB", help="Shards whose name or service matches; repeatable."
    ),
    app_options,
    watching_options,
)
engine_option = mirrored("--engine", metavar="NAME|PATH", help="terraform, tofu, or a path to one.")
cold_option = mirrored(
    "--cold-providers", is_flag=True, help="Let every Terraform command start its own providers."
)
parallelism_option = mirrored(
    "--parallelism",
    type=click.IntRange(1, MOST_OBJECTS_AT_ONCE),
    help="Objects of a shard that Terraform reads or changes at once.  [default: the setting in cdktf.json, "
    "else 20 for the plans of shards with more than 100 objects, and 10]",
)
# Cores and bytes of a machine that sets no limit by itself.
_HUGE = (2**10, 2**50)
# How shards are planned and deployed.
working_options = options(
    mirrored(
        "--max-parallel",
        type=click.IntRange(min=1),
        help="Shards at once.  [default: what cores and memory allow, "
        f"{parallel_for(*_HUGE, warm=True)} at most; {parallel_for(*_HUGE)} with --cold-providers]",
    ),
    mirrored(
        "--max-parallel-per-account",
        type=click.IntRange(min=1),
        help="Shards of one account at once, for accounts that throttle.  [default: no other limit]",
    ),
    parallelism_option,
    cold_option,
    click.option(
        "--var",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a Terraform variable, for the stacks that declare it; repeatable. It overrides "
        "--var-file. Other users of this machine can see a command line: put secrets into TF_VAR_<name> or "
        "a file.",
    ),
    mirrored(
        "--var-file",
        multiple=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of values of Terraform variables (.tfvars or .tfvars.json); repeatable, a later file "
        "overrides an earlier one.",
    ),
    engine_option,
)
# How an earlier deployment is taken up or repeated.
recorded_options = options(parallelism_option, cold_option, engine_option, app_options, watching_options)
allow_destroy_option = mirrored(
    "--allow-destroy",
    multiple=True,
    metavar="ADDRESS",
    help="A protected resource that may be lost; repeatable.",
)
refresh_option = mirrored(
    "--refresh", is_flag=True, help="Also plan shards in which nothing has changed since the last deploy."
)
yes_option = mirrored("--yes", is_flag=True, help="Do not ask.")
_PEM_FILE = click.Path(dir_okay=False, path_type=Path)
executor_options = options(
    mirrored(
        "--executor",
        metavar="ADDRESS",
        help="Dask scheduler, such as tls://10.0.0.5:8786, whose workers deploy the shards.",
    ),
    mirrored(
        "--executor-ca",
        type=_PEM_FILE,
        help="PEM file of the authority that signed the certificates of a tls:// executor.",
    ),
    mirrored("--executor-cert", type=_PEM_FILE, help="PEM file of our certificate for that executor."),
    mirrored("--executor-key", type=_PEM_FILE, help="PEM file of the key of our certificate."),
    mirrored(
        "--executor-insecure",
        is_flag=True,
        help="Allow tcp:// beyond loopback: anyone who reaches the port runs code on all its machines.",
    ),
)
