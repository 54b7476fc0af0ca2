"""Options that several commands share. Each has a mirror among the environment variables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from holdfast_orchestrator.system.capacity import parallel_for

F = TypeVar("F", bound=Callable[..., Any])


class MirroredOption(click.Option):
    """An option whose environment variable is read from the Runtime; repeatable ones split at commas."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the variable's value, None where it is not set or empty."""
        runtime = ctx.find_root().obj
        name = self.envvar if isinstance(self.envvar, str) else None
        return (runtime.environ.get(name) or None) if runtime is not None and name else None

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the variable's value as this option takes it."""
        value = self.resolve_envvar_value(ctx)
        if value is None or not self.multiple:
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())


def mirrored(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return an option with the variable HOLDFAST_<NAME>, shown in the help."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = f"HOLDFAST_{long[2:].replace('-', '_').upper()}"
    return click.option(*names, cls=MirroredOption, envvar=variable, show_envvar=True, **settings)


project_option = mirrored(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of the cdktf app (where cdktf.json is).  [default: here]",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON document on standard output, all else on standard error.",
)
events_option = mirrored(
    "--events",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what happens to this file, a JSON document a line.",
)
verbose_option = mirrored(
    "--verbose", is_flag=True, help="Also show what the app prints and each object that is done."
)
env_option = mirrored("--env", multiple=True, metavar="NAME", help="Environment; repeatable.")
service_option = mirrored("--service", multiple=True, metavar="NAME", help="Service; repeatable.")
stack_option = mirrored(
    "--stack", multiple=True, metavar="GLOB", help="Shards whose name or service matches; repeatable."
)
dependents_option = mirrored(
    "--include-dependents", is_flag=True, help="Also every shard that depends on those chosen."
)
since_option = mirrored(
    "--changed-since",
    metavar="GIT_REF",
    help="Of these only what synthesizes differently than at this git revision.",
)
output_option = mirrored(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Synthesize to this folder.  [default: cdktf.out]",
)
engine_option = mirrored("--engine", metavar="NAME|PATH", help="terraform, tofu, or a path to one.")
cold_option = mirrored(
    "--cold-providers", is_flag=True, help="Let every Terraform command start its own providers."
)
# Cores and bytes of a machine that sets no limit by itself.
_HUGE = (2**10, 2**50)
_parallel_option = mirrored(
    "--max-parallel",
    type=click.IntRange(min=1),
    help="Shards at once.  [default: what cores and memory carry, "
    f"{parallel_for(*_HUGE, warm=True)} at most; {parallel_for(*_HUGE)} with --cold-providers]",
)
_per_account_option = mirrored(
    "--max-parallel-per-account",
    type=click.IntRange(min=1),
    help="Shards of one account at once, for accounts that throttle.  [default: no other limit]",
)
allow_destroy_option = mirrored(
    "--allow-destroy",
    multiple=True,
    metavar="ADDRESS",
    help="A protected resource that may be lost; repeatable.",
)
refresh_option = mirrored(
    "--refresh", is_flag=True, help="Look at reality too where nothing has changed since the last deploy."
)
executor_option = mirrored(
    "--executor",
    metavar="ADDRESS",
    help="Dask scheduler, such as tls://10.0.0.5:8786, whose workers deploy the shards.",
)
_EXECUTORS = (
    ("--executor-ca", "PEM file of who signed the certificates of a tls:// executor."),
    ("--executor-cert", "PEM file of our certificate there."),
    ("--executor-key", "PEM file of its key."),
)
executor_tls_options = (
    *(
        mirrored(name, type=click.Path(dir_okay=False, path_type=Path), help=text)
        for name, text in _EXECUTORS
    ),
    mirrored(
        "--executor-insecure",
        is_flag=True,
        help="Allow tcp:// beyond loopback: whoever reaches the port runs code on all its machines.",
    ),
)
_var_option = click.option(
    "--var",
    "var",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a Terraform variable, for the stacks that declare it; repeatable, and above --var-file. "
    "Others on the machine can see a command line: give secrets in TF_VAR_<name> or a file.",
)
_var_file_option = mirrored(
    "--var-file",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of values of Terraform variables (.tfvars or .tfvars.json); repeatable, a later one counts.",
)
yes_option = mirrored("--yes", is_flag=True, help="Do not ask.")

_FOREIGN = (
    mirrored("--state-bucket", metavar="NAME", help="State bucket of an app without holdfast.json."),
    mirrored("--region", metavar="NAME", help="Region of such an app and its state bucket."),
    mirrored("--account", metavar="ID", help="Account of such an app.  [default: whoever is calling]"),
)
_WATCHING = (verbose_option, events_option, json_option)
_CHOOSING = (stack_option, service_option, env_option)


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator for several; they show in the help in the order given."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def choosing(function: F) -> F:
    """Add what every command has that is about shards: which, of what app, seen how."""
    shared: F = options(*reversed(_CHOOSING), project_option, output_option, *_FOREIGN, *reversed(_WATCHING))(
        function
    )
    return shared


def variables_option(function: F) -> F:
    """Add values of Terraform variables."""
    shared: F = options(_var_option, _var_file_option)(function)
    return shared


def parallel_option(function: F) -> F:
    """Add how much is done at once."""
    shared: F = options(_parallel_option, _per_account_option)(function)
    return shared


def examples(*lines: str) -> str:
    """Return an epilog; the mark keeps click from joining its lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
