"""A root module for the bindings that imports a submodule when it is asked for, not all 2,135 at once."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any

_OWN_NAMES = ("__all__", "__builtins__", "__cached__")
_LOCK = RLock()


def spec_for(real: ModuleSpec) -> ModuleSpec:
    """Return a spec that makes a stand-in where `real` would run the package's root."""
    spec = ModuleSpec(real.name, _Loader(real), origin=real.origin, is_package=True)
    spec.submodule_search_locations = list(real.submodule_search_locations or ())
    spec.has_location = True
    return spec


class _Loader(Loader):
    def __init__(self, real: ModuleSpec) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__, module.__loader__ = self._real, self._real.loader


class _StandIn(ModuleType):
    _holdfast_root: ModuleType | None = None

    def __getattr__(self, name: str) -> Any:
        if self._holdfast_root is not None:
            return getattr(self._holdfast_root, name)
        if name == "__all__":
            return self._holdfast_submodules()
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        full_name = f"{self.__name__}.{name}"
        if PathFinder.find_spec(full_name, self.__path__) is not None:
            return import_module(full_name)
        return getattr(self._holdfast_run_root(), name)

    def __dir__(self) -> list[str]:
        if self._holdfast_root is not None:
            return dir(self._holdfast_root)
        own = (name for name in self.__dict__ if "holdfast" not in name)
        return sorted({*self._holdfast_submodules(), *_OWN_NAMES, *own})

    def _holdfast_submodules(self) -> list[str]:
        return [module.name for module in pkgutil.iter_modules(self.__path__) if module.name != "_jsii"]

    def _holdfast_run_root(self) -> ModuleType:
        """Run the real root, in a module of its own: only it knows what else it holds.

        It puts another module in its place (`publication.publish()`), so it cannot be run in this one.
        """
        with _LOCK:
            if self._holdfast_root is None:
                spec = self.__spec__
                assert spec is not None  # noqa: S101 - the import system sets it
                assert spec.loader is not None  # noqa: S101 - it has an origin
                sys.modules[spec.name] = module = module_from_spec(spec)
                try:
                    spec.loader.exec_module(module)
                except BaseException:
                    sys.modules[spec.name] = self
                    raise
                self._holdfast_root = sys.modules[spec.name]
        return self._holdfast_root
