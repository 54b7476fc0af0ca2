"""The paths that a container may write to: each is an empty volume of its task, gone with the task."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast_constructs.errors import ConstructError

TEMPORARY = "/tmp"  # noqa: S108 - the container's own
# The agent of ECS Exec writes here (aws/containers-roadmap issue 1359); AWS documents the paths nowhere.
EXEC_PATHS = ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")

_PATH = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
# A volume here would hide what the container cannot do without.
_OF_THE_SYSTEM = frozenset({"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr"})
_PLAIN = re.compile(r"[a-z0-9/]+")
_HASH_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Mount:
    """A path in a container, and the volume of the task that is there."""

    path: str
    volume: str

    @classmethod
    def of(cls, path: str, container: str = "") -> "Mount":
        """Return the mount of `path`; a container other than the main one has volumes of its own."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", path.strip("/"))
        if _PLAIN.fullmatch(path) is None:
            # Two paths that read alike stay two volumes.
            readable += "-" + hashlib.sha256(path.encode()).hexdigest()[:_HASH_LENGTH]
        return cls(path, f"{container}-{readable}" if container else readable)


def mounts(paths: Sequence[str], *, shell: bool, container: str = "") -> list[Mount]:
    """Return the mounts for /tmp, for `paths`, and for the agent of ECS Exec where `shell` says so.

    Raises ConstructError for a path that no volume can be mounted on, and for one path twice.
    """
    for path in paths:
        _check(path)
    wanted = [TEMPORARY, *paths, *(EXEC_PATHS if shell else ())]
    for number, path in enumerate(wanted):
        if path in wanted[:number]:
            raise ConstructError(f"{path} is writable already", next_step="remove it from writable_paths")
    return [Mount.of(path, container) for path in wanted]


def _check(path: str) -> None:
    if _PATH.fullmatch(path) is None or path.split("/")[1] in _OF_THE_SYSTEM:
        raise ConstructError(
            "writable_paths",
            got=path,
            allowed="absolute, such as /var/cache/app, and outside of /bin, /dev, /etc, /lib, /proc, /usr",
            next_step="let the program write to a folder of its own",
        )
