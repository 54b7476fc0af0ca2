"""What a provider says on its own output: read from a pipe, kept in memory for a moment, and never on disk.

A provider started with `-debug` logs at level TRACE unless it is set otherwise, and its trace has the body
of every request: passwords, secret strings, whole configurations. So it is set to log nothing, and what it
says all the same (a panic, a level that a library set) goes through a pipe: only what it says before it is
ready is kept, for the reason why one did not start.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

_MOST = 1 << 16
_REATTACH = re.compile(rb"TF_REATTACH_PROVIDERS='(\{.*\})'")
_PROVIDER = re.compile(r"^terraform-provider-([a-z0-9-]+)")
_LOGGING = ("TF_LOG", "TF_ACC_LOG")
# One for each root logger of Terraform's provider SDKs; the loggers below them follow these.
_OFF = ("TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK")


def silenced(environ: Mapping[str, str], binary: Path) -> dict[str, str]:
    """Return the environment in which a provider logs nothing, whatever the caller's own TF_LOG* say.

    Those that name a file or a folder (TF_LOG_PATH, TF_LOG_SDK_PROTO_DATA_DIR) are left out.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_LOGGING)}
    names = list(_OFF)
    if provider := _PROVIDER.match(binary.name):
        names.append(f"TF_LOG_PROVIDER_{provider[1].upper().replace('-', '_')}")
    return {**kept, **dict.fromkeys(names, "OFF")}


class Voice:
    """The pipe of one provider; lives in the gateway's one thread."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        self._said: bytearray | None = bytearray()
        self._reattach: bytes | None = None
        os.set_blocking(self._reading, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    @property
    def text(self) -> str:
        """The output so far, until `forget`."""
        self._read()
        return bytes(self._said or b"").decode(errors="replace")

    @property
    def reattach(self) -> bytes | None:
        """How the provider can be reached, as JSON, once it has printed that."""
        self._read()
        return self._reattach

    def started(self) -> None:
        """Close our copy of the end that the provider writes to."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def forget(self) -> None:
        """Keep nothing of the output so far, nor of what follows."""
        self._said = None

    def close(self) -> None:
        """Close the pipe."""
        self.started()
        if self._reading >= 0:
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
            self._reading = -1

    def _read(self) -> None:
        # It is always read, or a provider that says much would wait for us for ever.
        if self._reading < 0:
            return
        with contextlib.suppress(BlockingIOError):
            part = os.read(self._reading, _MOST)
            if not part:
                self.close()
            elif self._said is not None:
                self._said += part
                if self._reattach is None and (reattach := _REATTACH.search(self._said)):
                    self._reattach = reattach[1]
                del self._said[:-_MOST]
