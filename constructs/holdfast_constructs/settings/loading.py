"""Reads environments/*.toml: bytes → text → TOML → no secrets in it → a validated Environment.

Only the environments asked for are read. All problems of all of them are reported at once.
"""

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast_constructs.settings import rules
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.explain import explain
from holdfast_constructs.settings.json_schema import environment_schema
from holdfast_constructs.settings.lines import line_of
from holdfast_constructs.settings.models import Environment, environment_model
from holdfast_constructs.settings.plain_secrets import plain_secrets
from holdfast_constructs.settings.problems import Fault, InvalidSettingsError, Problem, did_you_mean, key_of
from holdfast_constructs.settings.profiles import with_defaults_of
from holdfast_constructs.settings.tenants import is_written, once_of_all_tenants, own_faults, put_together
from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
ServiceTables = Mapping[str, type[Settings]]


def load_environments(
    folder: Path, wanted: Sequence[str] = (), *, services: ServiceTables
) -> tuple[Environment, ...]:
    """Return the environments wanted, all of the folder's where none is named, sorted by name.

    `services` has the type of each service's table, by the service's name.
    Raises InvalidSettingsError with every problem of every file that was read.
    """
    files = _files(folder, wanted)
    loaded: list[Environment] = []
    problems: list[Problem] = []
    for file in files:
        try:
            loaded.append(load_environment(file, services=services))
        except InvalidSettingsError as error:
            problems += error.problems
    if problems:
        raise InvalidSettingsError(problems)
    return tuple(loaded)


def load_environment(file: Path, *, services: ServiceTables) -> Environment:
    """Return the environment of one file, called as the file is without `.toml`.

    Raises InvalidSettingsError with everything that is wrong with it.
    """
    return parse_environment(_text(file), file, services=services)


def parse_environment(text: str, file: Path, *, services: ServiceTables) -> Environment:
    """Return the environment in `text`, as if it were in `file`; raises as load_environment does."""
    document = _document(file, text)
    secrets = list(plain_secrets(document, text))
    model = environment_model(services)
    try:
        environment = model.model_validate({**put_together(document, services), "name": file.stem})
    except ValidationError as error:
        faults = list(own_faults(explain(error, environment_schema(model)), document))
    else:
        if environment.profile is not None:
            environment = with_defaults_of(environment.profile, environment)
        faults = list(once_of_all_tenants(rules.broken(environment), document))
    faults += _reserved(document)
    secret_paths = [fault.path for fault in secrets if fault.path]
    # Another fault of the same value would repeat the secret.
    faults = [fault for fault in faults if not any(_related(fault.path, path) for path in secret_paths)]
    if secrets or faults:
        raise InvalidSettingsError(_located((*secrets, *faults), text, file))
    return environment


def problems_of(faults: Iterable[Fault], file: Path) -> list[Problem]:
    """Return what is wrong with a settings file, each with its line, in their order."""
    text = _text(file)
    document = _document(file, text)
    written = [fault for fault in own_faults(faults, document) if is_written(fault.path, document)]
    return _located(written, text, file)


def _located(faults: Iterable[Fault], text: str, file: Path) -> list[Problem]:
    lines = [(fault.line or line_of(fault.path, text), fault) for fault in faults]
    lines.sort(key=lambda pair: pair[0] or 0)
    return [_problem(fault, file, line) for line, fault in lines]


def _files(folder: Path, wanted: Sequence[str]) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise _not_there(folder, "is no folder", "a folder with a <name>.toml for each environment")
    names = sorted(file.stem for file in folder.glob("*.toml"))
    if not names:
        raise _not_there(folder, "has no environments", "a <name>.toml for each environment")
    _check_names(folder, names if not wanted else [name for name in names if name in wanted])
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise InvalidSettingsError(_unknown(folder, name, names) for name in unknown)
    return tuple(folder / f"{name}.toml" for name in names if not wanted or name in wanted)


def _not_there(folder: Path, what: str, allowed: str) -> InvalidSettingsError:
    next_step = "run from the project's root, or name the folder in HOLDFAST_ENVIRONMENTS"
    return InvalidSettingsError(
        [
            Problem(
                place=folder.as_posix(), key="", what=what, got="none", allowed=allowed, next_step=next_step
            )
        ]
    )


def _unknown(folder: Path, name: str, names: Sequence[str]) -> Problem:
    return Problem(
        place=folder.as_posix(),
        key="",
        what=f"has no environment {name!r}",
        got=repr(name),
        allowed=", ".join(names) + did_you_mean(name, names),
        next_step=f"name one of these, or write {(folder / name).as_posix()}.toml: "
        f"holdfast new env {shlex.quote(name)}",
    )


def _check_names(folder: Path, names: Iterable[str]) -> None:
    problems = []
    for name in names:
        try:
            state_key("any", "0" * 12, "eu-west-1", name)
        except InvalidStateKeyError:
            place = (folder / f"{name}.toml").as_posix()
            allowed = "1-63 of a-z, 0-9 and inner hyphens before .toml"
            what = "is named as no environment can be"
            problems.append(
                Problem(
                    place=place,
                    key="",
                    what=what,
                    got=repr(name),
                    allowed=allowed,
                    next_step="rename the file",
                )
            )
    if problems:
        raise InvalidSettingsError(problems)


def _text(file: Path) -> str:
    try:
        # Some editors write a byte order mark, which TOML's reader refuses.
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unreadable(
            f"{file.as_posix()}:{line}",
            what="is not UTF-8",
            got=f"the byte 0x{error.object[error.start]:02x}",
            next_step="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise _unreadable(
            file.as_posix(),
            what="cannot be read",
            got=error.strerror or str(error),
            next_step="make it readable",
        ) from None


def _document(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        position = _POSITION.search(message)
        line, column = (position.group(1), position.group(2)) if position is not None else (None, None)
        raise _unreadable(
            file.as_posix() if line is None else f"{file.as_posix()}:{line}",
            what="is not TOML",
            got=_POSITION.sub("", message)
            + (" at the end of the file" if line is None else f" at column {column}"),
            next_step="correct the line; https://toml.io shows how it is written",
        ) from None


def _unreadable(place: str, *, what: str, got: str, next_step: str) -> InvalidSettingsError:
    allowed = "a TOML file in UTF-8"
    return InvalidSettingsError(
        [Problem(place=place, key="", what=what, got=got, allowed=allowed, next_step=next_step)]
    )


def _reserved(document: dict[str, Any]) -> Iterable[Fault]:
    """`name` is a field of the model and no key of the file: the file's own name says it."""
    if "name" in document:
        yield Fault(("name",), "is not a key that exists here", "'name'", "the file's own name", "remove it")


def _related(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _problem(fault: Fault, file: Path, line: int | None) -> Problem:
    place = file.as_posix() if line is None else f"{file.as_posix()}:{line}"
    return Problem(
        place=place,
        key=key_of(fault.path),
        what=fault.what,
        got=fault.got,
        allowed=fault.allowed,
        next_step=fault.next_step or f"correct it in {file.as_posix()}",
    )
