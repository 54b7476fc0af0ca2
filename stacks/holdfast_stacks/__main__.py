"""cdktf.json's app: load the environments asked for, synthesize their stacks, write holdfast.json.

    HOLDFAST_ENV            environments, separated by commas; all of them when empty
    HOLDFAST_SERVICE        services, separated by commas, kept with what they refer to; all when empty
    HOLDFAST_ENVIRONMENTS   the folder of the settings; `environments` when empty
    CDKTF_OUTDIR            cdktf's own: where to write; `cdktf.out` when empty

Wrong settings end with exit code 64 and a message on standard error, every problem of them at once.
"""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from holdfast_constructs.errors import ConstructError
from holdfast_stacks.settings import Environment, InvalidSettingsError, Problem, load_environments
from holdfast_stacks.settings.models import Services
from holdfast_stacks.settings.problems import EXIT_SETTINGS, did_you_mean


def main(environ: Mapping[str, str]) -> int:
    """Synthesize what `environ` asks for; return the exit code."""
    try:
        environments = load_environments(
            Path(environ.get("HOLDFAST_ENVIRONMENTS") or "environments"), _names(environ, "HOLDFAST_ENV")
        )
        synthesize(environments, services=_names(environ, "HOLDFAST_SERVICE"))
    except InvalidSettingsError as error:
        count = len(error.problems)
        _tell(f"the settings have {'a problem' if count == 1 else f'{count} problems'}\n\n{error}")
        return error.exit_code
    except ConstructError as error:
        _tell(f"the stacks cannot be built: {error}")
        return EXIT_SETTINGS
    return 0


def synthesize(environments: Sequence[Environment], *, services: Sequence[str] = ()) -> None:
    """Write the stacks of `environments` to cdktf's output folder, those of `services` where any are named.

    Raises InvalidSettingsError for a service that does not exist, ConstructError for what cannot be built.
    """
    # cdktf is loaded only here, so that wrong settings are reported in a tenth of the time.
    from holdfast_constructs import HoldfastApp  # noqa: PLC0415
    from holdfast_stacks import catalog, selection  # noqa: PLC0415

    _refuse_unknown(services, (*catalog.PLATFORM, *Services.model_fields))
    app = HoldfastApp()
    stacks = catalog.build(app, environments)
    wanted = [stack.name for stack in stacks if stack.service in services]
    if services and not wanted:
        raise InvalidSettingsError([_nowhere(services, environments)])
    app.synth()
    if services:
        selection.keep_only(Path(app.outdir), wanted)


def _names(environ: Mapping[str, str], variable: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in environ.get(variable, "").split(",")))))


def _refuse_unknown(services: Sequence[str], known: Collection[str]) -> None:
    problems = [
        Problem(
            place="HOLDFAST_SERVICE",
            key="",
            what="names a service that does not exist",
            got=repr(name),
            allowed=", ".join(known) + did_you_mean(name, known),
            next_step="name one of these, or add it to settings.models and catalog in holdfast_stacks",
        )
        for name in services
        if name not in known
    ]
    if problems:
        raise InvalidSettingsError(problems)


def _nowhere(services: Sequence[str], environments: Sequence[Environment]) -> Problem:
    names = ", ".join(env.name for env in environments)
    return Problem(
        place="HOLDFAST_SERVICE",
        key="",
        what="names a service that no environment asked for has",
        got=", ".join(services),
        allowed=f"a service of {names}",
        next_step="add it below [services] of the environment, or ask for another environment",
    )


def _tell(message: str) -> None:
    sys.stderr.write(f"holdfast: {message}\n")


if __name__ == "__main__":
    sys.exit(main(os.environ))  # noqa: TID251 - the one place where the app reads the process environment
