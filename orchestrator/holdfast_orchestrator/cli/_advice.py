"""Makes the advice that is printed complete, so that every command in it works where it is printed.

Advice is written where only the shard is known. A command in it gets the options of this command line that
say where the app is, what it reads and which records are meant: `--project`, `--env`, `--state-bucket`,
`--var` and the like, each where the command takes it. `holdfast … --OPTION VALUE` in a text means the command
that was run, with that option; a value that the error calls wrong is left out of it.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from holdfast_orchestrator.cli._variables import without_values

ARGV = "holdfast.argv"
# In the order in which they are printed.
_REPEATED = (
    "--project",
    "--output",
    "--state-bucket",
    "--region",
    "--account",
    "--kms-key-id",
    "--engine",
    "--var-file",
    "--var",
    "--env",
)
_COMMAND = re.compile(r"(?<![\w./-])holdfast (?P<rest>[a-z](?:(?!\bholdfast )[^`;()<>\n])*)")
_NAME = re.compile(r"[a-z][a-z-]*(?= |$|[.,:])")
_OPTION = r"--[a-z][a-z-]*(?:[ =](?:'[^'\n]*'|[^\s;,()`'-][^\s;,()`]*))?"
# The stack that only `bootstrap` deploys: others know it by its name alone.
_FOUNDATION = re.compile(r"holdfast (?:deploy|plan)(?P<env>(?: --env \S+)?) --stack \S*\bfoundation-\S+")
_AGAIN = re.compile(rf"holdfast … (?P<options>{_OPTION}(?: {_OPTION})*)")


@dataclass(slots=True)
class Advice:
    """What advice has to repeat of one command line.

    `given` are the values of the options of `command` that were typed, by option; `argv` is the whole line.
    Values of variables are printed once it is known which of them are secret (`values_known`).
    """

    command: click.Command | None = None
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    values_known: bool = False

    @classmethod
    def current(cls) -> "Advice":
        """Return the advice for the command that runs; it changes nothing where none does."""
        context = click.get_current_context(silent=True)
        if context is None:
            return cls()
        typed = {
            option: _texts(context.params[parameter.name])
            for parameter in context.command.params
            for option in parameter.opts
            if parameter.name in context.params
            and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
        }
        argv = tuple(context.meta.get(ARGV, ()))
        if argv[:1] == ("new",):
            # What is written has this account; other commands mean that of an app which does not say it.
            typed.pop("--account", None)
        return cls(context.command, typed, argv)

    def completed(self, text: str, *, about: str = "") -> str:
        """Return a text with every command in it complete; `about` is the error that it advises on."""
        if self.command is None or "holdfast " not in text:
            return text
        if self.argv[:1] == ("bootstrap",):
            text = _FOUNDATION.sub(r"holdfast bootstrap\g<env>", text)
        text = _AGAIN.sub(lambda match: self._again(match["options"], about), text)
        if not self.given:
            return text
        return _COMMAND.sub(lambda match: f"holdfast {self._repeating(match['rest'], about)}", text)

    def completed_value(self, value: Any) -> Any:
        """Return a document with every next step in it complete."""
        match value:
            case dict():
                return {
                    key: self.completed(each, about=str(value.get("error", "")))
                    if key == "next_step" and isinstance(each, str)
                    else self.completed_value(each)
                    for key, each in value.items()
                }
            case list() | tuple():
                return [self.completed_value(each) for each in value]
            case _:
                return value

    def _repeating(self, rest: str, about: str) -> str:
        command, names = _command_in(rest)
        if command is None:
            return rest
        said = {word.partition("=")[0] for word in rest.split() if word.startswith("--")}
        words = [word for option, word in self._options(command, names, about) if option not in said]
        end = len(names)
        return " ".join(filter(None, (names, *words))) + rest[end:]

    def _options(self, command: click.Command, names: str, about: str) -> Iterator[tuple[str, str]]:
        """Yield each option to repeat that a command takes, with its words."""
        taken = _options_of(command)
        if names.startswith("new"):
            taken -= {"--env"}
        if not self._is_bucket_known(taken):
            taken -= {"--state-bucket", "--region"}
        for option in _REPEATED:
            for value in self.given.get(option, ()) if option in taken else ():
                if repr(value) not in about:
                    yield option, f"{option} {shlex.quote(self._shown(option, value))}"

    def _is_bucket_known(self, taken: set[str]) -> bool:
        """Whether a bucket that was given can be given to a command with these options.

        For some commands it is that of an app, and others need its region, and then no app.
        """
        own = set[str]() if self.command is None else _options_of(self.command)
        if "--account" in taken:
            return "--account" in own
        return "--region" in self.given or "--state-bucket" not in self.given

    def _shown(self, option: str, value: str) -> str:
        if option != "--var" or self.values_known:
            return value
        return without_values(("--var", value))[1]

    def _again(self, options: str, about: str) -> str:
        taken = set[str]() if self.command is None else _options_of(self.command)
        added = [words for words in _pairs(options) if words[0] in taken]
        if not added:
            return options
        if not self.values_known and without_values(self.argv) != self.argv:
            return f"the same command with {options} (values of --var are not repeated here)"
        kept = _without_wrong(self.argv, {words[0] for words in added}, about)
        missing = [word for words in added if len(words) > 1 or words[0] not in kept for word in words]
        return shlex.join(["holdfast", *kept, *missing])


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, tuple | list) else (value,)
    return tuple(str(each) for each in values if each is not None and each != Path())


def _command_in(rest: str) -> tuple[click.Command | None, str]:
    """Return the command that a text begins with, and its words."""
    from holdfast_orchestrator.cli import group  # noqa: PLC0415 - the table of commands imports this module

    command: click.Command = group
    position = 0
    while isinstance(command, click.Group) and (name := _NAME.match(rest, position)) is not None:
        inner = command.get_command(click.Context(command), name[0])
        if inner is None:
            break
        command, position = inner, name.end() + 1
    return (None if command is group else command), rest[: max(position - 1, 0)]


def _pairs(options: str) -> Iterator[tuple[str, ...]]:
    """Yield each option of a text with its value, where it has one."""
    words = [word for text in shlex.split(options) for word in text.split("=", 1 if text[:2] == "--" else 0)]
    for word, after in pairwise((*words, "--")):
        if word.startswith("--"):
            yield (word,) if after.startswith("--") else (word, after)


def _options_of(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def _without_wrong(argv: Sequence[str], options: set[str], about: str) -> list[str]:
    """Return a command line without the values of these options that an error calls wrong."""
    kept: list[str] = []
    words = iter(argv)
    for word in words:
        option, sign, value = word.partition("=")
        if option not in options:
            kept.append(word)
        elif sign:
            kept += [] if repr(value) in about else [word]
        else:
            value = next(words, "")
            kept += [] if repr(value) in about else [word, *filter(None, (value,))]
    return kept
