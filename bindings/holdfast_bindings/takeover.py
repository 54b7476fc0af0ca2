"""Decides which packages are loaded the fast way: bindings that are laid out as pacmak lays them out."""

from __future__ import annotations

import atexit
import gc
import re
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

from holdfast_bindings import kernel, stand_in

_LOAD = re.compile(
    r'JSIIAssembly\.load\(\s*"(?P<package>[^"]+)",\s*"[^"]+",\s*__name__\[0:-6\],\s*"(?P<file>[^"]+\.jsii\.tgz)"'
)
_NEEDS_CDKTF = re.compile(r"^import cdkt[fn]\._jsii$", re.MULTILINE)
# Of newer pacmaks: their roots import a submodule when it is asked for.
_LAZY_ROOT = "_SUBMODULE_FQN_MAP"


class Takeover:
    """Changes jsii in this process when it is made; later it makes the specs of packages."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._watch = kernel.install(report)
        if self._watch is None:
            report("stock *: this version of jsii is not known")
        else:
            atexit.register(gc.freeze)

    def spec(self, real: ModuleSpec | None) -> ModuleSpec | None:
        """Return the spec of a stand-in for the package; None where Python's own is to be used."""
        if self._watch is None or real is None or real.origin is None:
            return None
        root = Path(real.origin).parent
        jsii_module = root / "_jsii" / "__init__.py"
        if not jsii_module.is_file():
            return None
        code = jsii_module.read_text(encoding="utf-8")
        load = _LOAD.search(code)
        if load is None or not _NEEDS_CDKTF.search(code) or not (root / "_jsii" / load["file"]).is_file():
            self._report(f"stock {real.name}: it is not laid out as expected")
            return None
        self._watch.add(load["package"], root)
        self._report(f"fast {real.name}")
        return None if _LAZY_ROOT in code else stand_in.spec_for(real)
