"""Every error a user can meet, and the exit code it ends with.

    HoldfastError                1   failed; what was changed is recorded
    ├── UsageError              64   wrong usage
    │   └── SettingsError       64   wrong settings, manifest or names
    ├── SynthesisError           1   the app failed while it was synthesized
    ├── ToolchainError           1   Terraform, the provider mirror, Node: missing or too old
    ├── EngineError              1   a Terraform command failed; carries its diagnostics
    ├── StateBucketError         1   the state bucket is missing or cannot be used
    ├── MachineError             1   this machine refused: a full disk, a folder that cannot be written
    ├── GateError                4   stopped by policy, cost, approval or protection
    ├── RolledBackError          5   the deploy failed and was undone
    ├── NeedsPersonError         6   somebody has to decide; the message names the step
    ├── LeasedError              7   another deploy holds the shard
    └── InterruptedSafelyError 130   Ctrl-C; Terraform was left to finish

An error says what is wrong, what was got, what is allowed and what to do next. Errors never log
or print: `cli.main` is the one place that turns them into text and an exit code.
"""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CHANGES = 2
EXIT_DEFECT = 3

_MEMORY = "give it more memory (`ulimit -v`, the container's limit), or use less: holdfast … --max-parallel 1"
_THREADS = (
    "allow more processes and threads (`ulimit -u`, the container's limit), or use fewer: "
    "holdfast … --max-parallel 1"
)
_LOADING = "give it more memory (`ulimit -v`, the container's limit), or install Holdfast anew"
_FILES = "allow more open files: ulimit -n 4096"
_MACHINE_ADVICE = {
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _THREADS,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}
# An error, what it came from, and so on; a chain may lead back to itself.
_LONGEST_CHAIN = 20


class HoldfastError(Exception):
    """A failure Holdfast expected.

    `what` is one sentence with what was got and what is allowed; `next_step` is the command or
    edit that repairs it, or None where there is none.
    """

    exit_code = EXIT_FAILED

    def __init__(self, what: str, *, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return self.what if self.next_step is None else f"{self.what}\n  next: {self.next_step}"


def nearest(asked: str, names: Iterable[str]) -> str | None:
    """Return which of the names was probably meant; None where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    return next(iter(get_close_matches(asked, sorted(names), n=1)), None)


class UsageError(HoldfastError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 64


class SettingsError(UsageError):
    """A settings file, a manifest or a name is not valid."""

    @classmethod
    def unreadable(cls, file: "Path", error: OSError | UnicodeError) -> "SettingsError":
        """Return why a file that must be there could not be read."""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return cls(f"cannot read {file}: {reason}", next_step="make it a readable file")


class SynthesisError(HoldfastError):
    """The app that writes the stacks failed; the message holds its error output."""


class ToolchainError(HoldfastError):
    """A tool Holdfast drives is missing, too old or not usable."""


class EngineError(HoldfastError):
    """A Terraform or OpenTofu command failed."""


class StateBucketError(HoldfastError):
    """The state bucket is missing or refuses what Holdfast needs of it."""


class MachineError(HoldfastError):
    """This machine refused: its disk is full, a folder cannot be written, memory or threads ran out."""

    @classmethod
    def of(cls, error: OSError) -> "MachineError":
        """Return what the system refused, and where."""
        where = f" ({error.filename})" if error.filename else ""
        return cls(
            f"this machine refused: {error.strerror or error}{where}",
            next_step=_MACHINE_ADVICE.get(
                error.errno or 0, "correct that; HOLDFAST_CACHE_DIR and TMPDIR name other folders to work in"
            ),
        )

    @classmethod
    def behind(cls, error: BaseException | None) -> "MachineError | None":
        """Return what the system refused where that is the cause of `error`; None for any other error."""
        for _ in range(_LONGEST_CHAIN):
            match error:
                case None | HoldfastError():
                    return error if isinstance(error, MachineError) else None
                case MemoryError():
                    return cls("this machine refused: there is not enough memory", next_step=_MEMORY)
                case RuntimeError() if "start new thread" in str(error):
                    return cls("this machine refused: no more threads can be started", next_step=_THREADS)
                case ImportError():
                    return cls(f"a part of Holdfast cannot be loaded: {error}", next_step=_LOADING)
                case OSError():
                    return cls.of(error)
            # Not the context: a defect in what handles an OSError is a defect all the same.
            error = error.__cause__
        return None


@contextmanager
def machine_errors() -> Iterator[None]:
    """Raise what the machine refused as a MachineError; other errors stay what they are."""
    try:
        yield
    except HoldfastError:
        raise
    except Exception as error:
        refused = MachineError.behind(error)
        if refused is None:
            raise
        raise refused from error


class GateError(HoldfastError):
    """A gate stopped the run before anything was changed."""

    exit_code = 4


class RolledBackError(HoldfastError):
    """A deploy failed and was rolled back."""

    exit_code = 5


class NeedsPersonError(HoldfastError):
    """Going on needs a decision only a person can make."""

    exit_code = 6


class LeasedError(HoldfastError):
    """Another deploy holds the shard."""

    exit_code = 7


class InterruptedSafelyError(HoldfastError):
    """The user interrupted; Terraform was left to finish and write its state."""

    exit_code = 130
