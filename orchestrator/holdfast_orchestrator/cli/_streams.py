"""Standard streams that outlive their readers.

A terminal that was closed, a pipe nobody reads any more, a sign the terminal cannot show: none of these may
end a deploy. What is written after that goes nowhere; the exit code, the bucket and `--events` still tell.
"""

import errno
import io
import os
import sys
from typing import TextIO

_GONE = frozenset({errno.EPIPE, errno.EIO})


def keep_streams_open() -> None:
    """Replace standard output and error of this process by such streams."""
    sys.stdout = outliving(sys.stdout)
    sys.stderr = outliving(sys.stderr)


def outliving(stream: TextIO) -> TextIO:
    """Return a stream to the same place that goes on when its reader has gone."""
    try:
        file = _Outliving(stream.fileno(), "w", closefd=False)
    except (OSError, ValueError, AttributeError):
        return stream
    by_lines = stream.isatty() or stream is sys.stderr
    return io.TextIOWrapper(
        io.BufferedWriter(file), encoding=stream.encoding, errors="replace", line_buffering=by_lines
    )


class _Outliving(io.FileIO):
    def write(self, content: object) -> int:
        try:
            return super().write(content)  # type: ignore[arg-type]
        except OSError as error:
            if error.errno not in _GONE:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(content).nbytes  # type: ignore[arg-type]
