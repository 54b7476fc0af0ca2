"""Finds cdktf's bindings before Python does, and has them loaded the fast way.

It imports nothing but what every Python has imported as it starts. The rest of `holdfast_bindings` is loaded
when the first of cdktf's packages is imported, from the folder above this one, so that an app needs no
Holdfast in its own environment.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

TYPE_CHECKING = False  # `typing` costs a tenth of Python's start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_PROVIDERS = ("cdktf_cdktf_provider_", "cdktn_provider_")
_ROOTS = frozenset({"cdktf", "cdktn", "constructs"})
_DEEPEST = 2  # dots in the name of a package of local bindings: `imports.aws`, `infra.imports.aws`


def insert() -> None:
    """Put a finder before Python's own, unless there is one."""
    if any(type(finder).__name__ == BindingsFinder.__name__ for finder in sys.meta_path):
        return
    for place, finder in enumerate(sys.meta_path):
        if getattr(finder, "__name__", "") == "PathFinder":
            local = os.environ.get("HOLDFAST_BINDINGS_LOCAL", "").split(os.pathsep)
            sys.meta_path.insert(place, BindingsFinder(finder, frozenset(filter(None, local))))
            return


class BindingsFinder:
    """A finder of `sys.meta_path` that answers for packages of cdktf bindings only."""

    def __init__(self, path_finder: Any, local: frozenset[str]) -> None:
        self._path_finder = path_finder
        self._local = local
        self._lock = RLock()
        self._is_asking = False
        self._takeover: Any = None

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a stand-in for a package of bindings, None for anything else.

        A reload (`target`) is left to Python.
        """
        if target is not None or not self._may_be_bindings(name, path):
            return None
        with self._lock:
            if self._is_asking:
                return None
            self._is_asking = True
            try:
                return self._spec(name, path)
            except Exception as error:  # noqa: BLE001 - whatever it is, Python goes on without Holdfast
                report(f"stock {name.partition('.')[0]}: {error!r}")
                return None
            finally:
                self._is_asking = False

    def _may_be_bindings(self, name: str, path: Sequence[str] | None) -> bool:
        if path is None:
            return name in _ROOTS or name.startswith(_PROVIDERS)
        return bool(self._local) and name.count(".") <= _DEEPEST and not self._local.isdisjoint(path)

    def _spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        if self._takeover is None:
            self._takeover = False  # not tried again where it fails
            self._takeover = _load().Takeover(report)
        if not self._takeover or (path is None and name in _ROOTS):
            return None
        spec: ModuleSpec | None = self._takeover.spec(self._path_finder.find_spec(name, path))
        return spec


def report(line: str) -> None:
    """Tell Holdfast what became of the bindings, where it has named a file for that."""
    file = os.environ.get("HOLDFAST_BINDINGS_REPORT")
    if not file:
        return
    try:
        with open(file, "a", encoding="utf-8") as lines:  # noqa: PTH123 - pathlib costs 8 ms
            lines.write(line.replace("\n", " ") + "\n")
    except OSError:
        pass


def _load() -> Any:
    from importlib import import_module  # noqa: PLC0415 - only in a process that imports cdktf
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    package = "holdfast_bindings"
    if package not in sys.modules:
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        file = os.path.join(folder, "__init__.py")  # noqa: PTH118
        spec = spec_from_file_location(package, file, submodule_search_locations=[folder])
        assert spec is not None  # noqa: S101 - the file's name ends in .py
        assert spec.loader is not None  # noqa: S101 - the same
        sys.modules[package] = module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[package]
            raise
    return import_module(f"{package}.takeover")
