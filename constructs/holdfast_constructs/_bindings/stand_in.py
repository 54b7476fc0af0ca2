"""A parent module for the bindings that imports a submodule when it is asked for, not all 2,135 at once."""

import pkgutil
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


def install(package: str) -> Path | None:
    """Put the stand-in in place.

    Returns:
        The package's directory; None when it is not installed, or its real root was imported before.
    """
    spec = None if package in sys.modules else find_spec(package)
    if spec is None or spec.origin is None or spec.loader is None:
        return None
    sys.modules[package] = _StandIn(spec)
    return Path(spec.origin).parent


def remove(package: str) -> None:
    """Let the next import of the package find its real root again."""
    if isinstance(sys.modules.get(package), _StandIn):
        del sys.modules[package]


class _StandIn(ModuleType):
    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__ = spec
        self.__loader__ = spec.loader
        self.__package__ = spec.name
        self.__file__ = spec.origin
        self.__path__ = list(spec.submodule_search_locations or ())
        self._holdfast_is_whole = False

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [module.name for module in pkgutil.iter_modules(self.__path__) if module.name != "_jsii"]
        if name.startswith("__"):
            raise AttributeError(name)
        full_name = f"{self.__name__}.{name}"
        if find_spec(full_name) is not None:
            return import_module(full_name)
        return self._from_the_real_root(name)

    def _from_the_real_root(self, name: str) -> Any:
        """Only the real root knows what else it holds: run it, once, in this module."""
        if not self._holdfast_is_whole:
            self._holdfast_is_whole = True
            assert self.__spec__ is not None  # noqa: S101 - set in __init__, typed as optional by typeshed
            assert self.__spec__.loader is not None  # noqa: S101 - install() has seen it
            self.__spec__.loader.exec_module(self)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None
