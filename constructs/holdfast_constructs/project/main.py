"""cdktf.json's app: load the environments asked for, synthesize their stacks, write holdfast.json.

    python -m stacks            synthesize (`stacks` is the project's package of stacks)
    python -m stacks schema     write the schema of the settings, which editors complete from

    HOLDFAST_ENV            environments, separated by commas; all of them when empty
    HOLDFAST_SERVICE        services, separated by commas, kept with what they refer to; all when empty
    HOLDFAST_ENVIRONMENTS   the folder of the settings; `environments` when empty
    HOLDFAST_FOUNDATION     set by `holdfast bootstrap`: synthesize the foundations, and no other stack
    CDKTF_OUTDIR            cdktf's own: where to write; `cdktf.out` when empty

Wrong settings end with exit code 64 and a message on standard error, every problem of them at once.
"""

import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from holdfast_constructs.app._configurations import read_configurations
from holdfast_constructs.app.stack import HoldfastApp, ServiceStack
from holdfast_constructs.checking.callers import failing_line
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.existing import VARIABLE as FOUNDATION
from holdfast_constructs.foundation.existing import Existing
from holdfast_constructs.project import selection
from holdfast_constructs.project.registry import Registration, registrations
from holdfast_constructs.project.site import Site
from holdfast_constructs.project.unread import unread_faults
from holdfast_constructs.settings import (
    Environment,
    InvalidSettingsError,
    Problem,
    Settings,
    load_environments,
)
from holdfast_constructs.settings.base import Reads, recorded
from holdfast_constructs.settings.json_schema import editor_schema
from holdfast_constructs.settings.loading import problems_of
from holdfast_constructs.settings.models import environment_model
from holdfast_constructs.settings.problems import EXIT_SETTINGS, did_you_mean

Stacks = Mapping[str, Registration]


def main(package: str, argv: Sequence[str] | None = None) -> int:
    """Run the app whose stacks are the modules of `package`; return the exit code."""
    environ = os.environ  # noqa: TID251 - the one place where the app reads the process environment
    folder = Path(environ.get("HOLDFAST_ENVIRONMENTS") or "environments")
    try:
        stacks = registrations(package)
        if list(sys.argv[1:] if argv is None else argv) == ["schema"]:
            write_schema(stacks, folder / "schema.json")
        elif found := environ.get(FOUNDATION):
            synthesize_foundations(stacks, folder, _names(environ, "HOLDFAST_ENV"), Existing.of(found))
        else:
            synthesize(stacks, folder, _names(environ, "HOLDFAST_ENV"), _names(environ, "HOLDFAST_SERVICE"))
    except InvalidSettingsError as error:
        count = len(error.problems)
        _tell(f"the settings have {'a problem' if count == 1 else f'{count} problems'}\n\n{error}")
        return error.exit_code
    except ConstructError as error:
        _tell(f"the stacks cannot be built\n\n{error.report(failing_line(error.__traceback__))}")
        return EXIT_SETTINGS
    return 0


def synthesize(stacks: Stacks, folder: Path, environments: Sequence[str], services: Sequence[str]) -> None:
    """Write the stacks of `environments` to cdktf's output folder, those of `services` where any are named.

    Raises InvalidSettingsError for a service that does not exist and for a setting that no stack reads,
    ConstructError for what cannot be built.
    """
    _refuse_unknown([name for name in services if not _may_be_of_a_tenant(name, stacks)], stacks)
    app = HoldfastApp()
    built = load_and_build(app, stacks, folder, environments)
    wanted = [stack.name for stack in built if {stack.service, stack.base_service} & set(services)]
    if services and not wanted:
        raise InvalidSettingsError([_nowhere(services, {stack.target.environment for stack in built})])
    app.synth()
    if services:
        selection.keep_only(Path(app.outdir), wanted)


def synthesize_foundations(
    stacks: Stacks, folder: Path, environments: Sequence[str], existing: Existing
) -> None:
    """Write the foundation of each environment to cdktf's output folder; raises as `synthesize` does.

    The stacks are synthesized before, elsewhere: a foundation has what these need.
    """
    from holdfast_constructs.project.foundations import build_foundation  # noqa: PLC0415 - only bootstrap has it

    foundations = HoldfastApp()
    for env in load_environments(folder, environments, services=service_tables(stacks)):
        documents: dict[str, Mapping[str, Any]] = {}
        if env.foundation is not None and env.foundation.has_roles:
            with TemporaryDirectory() as outdir:
                app = HoldfastApp(outdir)
                build(app, stacks, [env], folder=folder)
                app.synth()
                documents = {name: each.document for name, each in read_configurations(Path(outdir)).items()}
        build_foundation(foundations, env, stacks=documents, existing=existing)
    foundations.synth()


def load_and_build(
    app: HoldfastApp, stacks: Stacks, folder: Path, environments: Sequence[str]
) -> tuple[ServiceStack, ...]:
    """Create the stacks of these environments (none: all) in `app`; raises as `synthesize` does."""
    loaded = load_environments(folder, environments, services=service_tables(stacks))
    with recorded() as reads:
        built = build(app, stacks, loaded, folder=folder)
    _refuse_unread(loaded, folder, stacks, reads)
    return built


def build(
    app: HoldfastApp,
    stacks: Stacks,
    environments: Iterable[Environment],
    *,
    folder: Path = Path("environments"),
) -> tuple[ServiceStack, ...]:
    """Create every stack of these environments in `app`, and return them, each after what it asks for.

    `folder` is where the settings of the environments were read from.
    """
    environments = tuple(environments)
    for env in environments:
        # Read by the stack that `holdfast bootstrap` deploys.
        if env.foundation is not None:
            env.foundation.read_all()
    sites = [Site(app, env, region, folder=folder) for env in environments for region in env.regions]
    return tuple(stack for site in sites for stack in site.build(stacks.values()))


def service_tables(stacks: Stacks) -> dict[str, type[Settings]]:
    """Return the type of each service's table in the settings, by the service's name."""
    return {name: entry.settings for name, entry in stacks.items() if entry.settings is not None}


def environments_schema(stacks: Stacks) -> dict[str, Any]:
    """Return the schema of the settings files, with a table for each service that is registered."""
    return editor_schema(environment_model(service_tables(stacks)))


def write_schema(stacks: Stacks, file: Path) -> None:
    """Write the schema of the settings files."""
    text = json.dumps(environments_schema(stacks), indent=2, sort_keys=True, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")


def _names(environ: Mapping[str, str], variable: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in environ.get(variable, "").split(",")))))


def _may_be_of_a_tenant(name: str, stacks: Stacks) -> bool:
    """Tell whether `name` may be `<service>-<tenant>`; only the settings say which tenants there are."""
    return any(entry.per_tenant and name.startswith(f"{entry.name}-") for entry in stacks.values())


def _refuse_unknown(services: Sequence[str], stacks: Collection[str]) -> None:
    problems = [
        Problem(
            place="HOLDFAST_SERVICE",
            key="",
            what="names a service that does not exist",
            got=repr(name),
            allowed=", ".join(stacks) + did_you_mean(name, stacks),
            next_step=f'name one of these, or write a stack with @service("{name}") above its class',
        )
        for name in services
        if name not in stacks
    ]
    if problems:
        raise InvalidSettingsError(problems)


def _nowhere(services: Sequence[str], environments: Collection[str]) -> Problem:
    names = ", ".join(sorted(environments))
    return Problem(
        place="HOLDFAST_SERVICE",
        key="",
        what="names a service that no environment asked for has",
        got=", ".join(services),
        allowed=f"a service of {names}",
        next_step="add it below [services] of the environment, or ask for another environment",
    )


def _refuse_unread(environments: Iterable[Environment], folder: Path, stacks: Stacks, reads: Reads) -> None:
    problems = [
        problem
        for env in environments
        for problem in problems_of(unread_faults(env, stacks, reads), folder / f"{env.name}.toml")
    ]
    if problems:
        raise InvalidSettingsError(problems)


def _tell(message: str) -> None:
    sys.stderr.write(f"holdfast: {message}\n")
