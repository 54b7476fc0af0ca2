"""What a command prints: lines for people, or the one document of `--json`; an error is a document too.

The redactor masks everything first. With `--json` the document goes to standard output, and lines for people
go to standard error.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

import click

from holdfast_orchestrator.cli._advice import Advice
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.report.wording import wrapped
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Output:
    """The output of one command; `advice` makes the commands that it prints complete."""

    runtime: Runtime
    json: bool
    advice: Advice = field(default_factory=Advice.current)

    @property
    def talk(self) -> TextIO:
        """The stream that people read: standard output, with `--json` standard error."""
        return self.runtime.terminal.err if self.json else self.runtime.terminal.out

    @property
    def width(self) -> int | None:
        """The columns of the terminal that a table must fit; None where there is no terminal."""
        return self.runtime.terminal.width if self.runtime.terminal.is_tty else None

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer a question."""
        return self.runtime.terminal.is_tty and not self.json

    def refuse_silence(self, asks: str, *, next_step: str) -> None:
        """Raise UsageError if no person can answer the question of the command."""
        if not self.can_ask:
            raise UsageError(f"{asks}, and there is no terminal to ask on", next_step=next_step)

    def show(
        self, document: "DataclassInstance", lines: Iterable[str], *, wrapped_at: int | None = None
    ) -> None:
        """Print the answer of the command: the document with `--json`, the lines without."""
        if self.json:
            self.answer(document)
        else:
            self.say(lines, wrapped_at=wrapped_at)

    def show_records(self, document: "DataclassInstance", lines: Iterable[str]) -> None:
        """Print an answer whose commands are those of others, and stay as they were recorded."""
        replace(self, advice=Advice()).show(document, lines)

    def say(self, lines: Iterable[str], *, wrapped_at: int | None = None) -> None:
        """Write lines for people, in as many columns as `wrapped_at` says (None: as long as they are)."""
        for line in map(self.advice.completed, lines):
            # Redacted as a whole: half of a secret would not be known as one.
            text = self.runtime.redactor.text(line).rstrip()
            shown = text if wrapped_at is None else wrapped(text, wrapped_at)
            self.talk.write(self.runtime.redactor.text(shown) + "\n")
        self.talk.flush()

    def say_marked(self, sign: str, line: str, *, color: str) -> None:
        """Write a line for people after a sign; the sign is coloured on a terminal that shows colours."""
        shown = click.style(sign, fg=color) if self.runtime.terminal.color else sign
        self.talk.write(f"{shown} {self.runtime.redactor.text(line).rstrip()}\n")

    def note(self, text: str) -> None:
        """Write a line on standard error; it is not part of the answer."""
        self.runtime.terminal.err.write(f"{self.runtime.redactor.text(self.advice.completed(text))}\n")

    def answer(self, document: "DataclassInstance") -> None:
        """Print the one document of `--json`."""
        from holdfast_orchestrator.report.documents import as_json  # noqa: PLC0415 - only for a document
        from holdfast_orchestrator.system.visible import json_text  # noqa: PLC0415 - only for a document

        out = self.runtime.terminal.out
        value = self.advice.completed_value(as_json(document))
        out.write(json_text(self.runtime.redactor.value(value), indent=2) + "\n")
        out.flush()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Make the advice of an error that passes through complete; with `--json`, print it as a document."""
        try:
            yield
        except HoldfastError as error:
            if error.next_step is not None:
                error.next_step = self.advice.completed(error.next_step, about=error.what)
            if self.json:
                from holdfast_orchestrator.report.documents import error_document  # noqa: PLC0415

                self.answer(error_document(error))
            raise

    def refuse(self, error: HoldfastError) -> int:
        """Print why the command failed; return its exit code."""
        self.note(f"error: {error}")
        return error.exit_code
