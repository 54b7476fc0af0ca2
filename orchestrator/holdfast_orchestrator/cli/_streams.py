"""Standard streams that outlive their readers.

A closed terminal, a pipe without a reader, a full disk, a character that the terminal cannot show: none of
these may end a deploy or change its exit code. Later output is dropped; one notice on the other stream says
so, and the exit code, the bucket and `--events` still record the result.
"""

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import TextIO

# The reader stopped reading, as `head` does: a notice would reach nobody, or the loss is intended.
_GONE = frozenset({errno.EPIPE, errno.EIO})


def keep_streams_open() -> None:
    """Replace standard output and error of this process by streams that outlive their readers."""
    out, err = sys.stdout, sys.stderr
    sys.stderr = outliving(err, name="standard error", other=out)
    sys.stdout = outliving(out, name="standard output", other=err)


def outliving(stream: TextIO | None, *, name: str, other: TextIO | None = None) -> TextIO:
    """Return a stream to the same place that drops what cannot be written there any more.

    `name` is the stream's name in the notice of a loss; `other` is the stream that gets the notice.
    """
    if stream is None:
        # The stream was closed before this process began.
        return _text(_Outliving(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), name, None))
    try:
        place = _Outliving(stream.fileno(), name, _descriptor(other))
    except (OSError, ValueError, AttributeError):
        return stream
    return _text(place, encoding=stream.encoding, by_lines=stream.isatty() or stream is sys.stderr)


def was_lost(stream: TextIO) -> bool:
    """Whether something that was written to the stream was lost."""
    return bool(getattr(getattr(getattr(stream, "buffer", None), "raw", None), "lost", False))


def _text(place: "_Outliving", *, encoding: str = "utf-8", by_lines: bool = False) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(place), encoding=encoding, errors="replace", line_buffering=by_lines
    )


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


class _Outliving(io.RawIOBase):
    """A descriptor; after the first failed write it is `lost`, and nothing more is written to it."""

    def __init__(self, descriptor: int, name: str, other: int | None) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._name = name
        self._other = other
        self.lost = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, content: object) -> int:
        given = memoryview(content)  # type: ignore[arg-type]
        while not self.lost:
            try:
                return os.write(self._descriptor, given)
            except BlockingIOError:
                # Another process that shares the terminal or the pipe made it non-blocking.
                self._wait()
            except OSError as error:
                self._lose(error)
        return given.nbytes

    def _wait(self) -> None:
        look = select.poll()
        look.register(self._descriptor, select.POLLOUT)
        look.poll()

    def _lose(self, error: OSError) -> None:
        self.lost = True
        if self._other is None or error.errno in _GONE:
            return
        notice = f"notice: {self._name} cannot be written ({error.strerror}); the rest of it is lost\n"
        with suppress(OSError):
            os.write(self._other, notice.encode())
