"""Reads --var and --var-file, and keeps their values out of output and records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast_orchestrator import Variable
from holdfast_orchestrator.errors import SettingsError, UsageError

_OPTION = "--var"
HIDDEN = "(hidden)"


def variables_in(given: Mapping[str, Any], cwd: Path) -> tuple[Variable, ...]:
    """Return the variables of the options: files first, because --var overrides --var-file."""
    files = (_file(cwd / path) for path in given.get("var_file") or ())
    return (*files, *(_variable(text) for text in given.get("var") or ()))


def without_values(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command line without the values of variables, as records keep it."""
    kept, named = [], False
    for word in argv:
        if named or word.startswith(f"{_OPTION}="):
            lead = "" if named else f"{_OPTION}="
            name = word.removeprefix(lead).partition("=")[0]
            kept.append(f"{lead}{name}={HIDDEN}")
        else:
            kept.append(word)
        named = word == _OPTION
    return tuple(kept)


def _variable(text: str) -> Variable:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError(
            f"{_OPTION} must be NAME=VALUE, got one without a name or without `=`",
            next_step=f"{_OPTION} NAME=VALUE, or TF_VAR_NAME in the environment",
        )
    return Variable(name=name.strip(), value=value, form="literal")


def _file(path: Path) -> Variable:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError.unreadable(path, error) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text") from None
    return Variable(name=path.name, value=text, form="file")
