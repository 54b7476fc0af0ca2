"""Lets cdktf's bindings be found by Holdfast's finder, in a Python that Holdfast's `synth` has started.

Python imports this module as it starts, because its folder is first on PYTHONPATH. It puts the finder in
place, takes its own folder off `sys.path`, and hands over to the `sitecustomize` that Python would have
found without it. It can be read by every Python since 2.7; the finder needs 3.9.
"""

import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs 8 ms

try:
    if os.environ.get("HOLDFAST_FAST_BINDINGS") != "0":
        if "HOLDFAST_BINDINGS_REPORT" in os.environ:
            with open(os.environ["HOLDFAST_BINDINGS_REPORT"], "a") as _report:  # noqa: PTH123
                _report.write("started %d.%d\n" % sys.version_info[:2])  # noqa: UP031
        if sys.version_info >= (3, 9):  # noqa: UP036
            import _holdfast_finder  # type: ignore[import-not-found]

            _holdfast_finder.insert()
except Exception:  # noqa: BLE001, S110 - whatever it is, the app's Python starts as without Holdfast
    pass
sys.path[:] = [_entry for _entry in sys.path if _entry != _FOLDER]
sys.modules.pop("sitecustomize", None)
# The user's; where there is none, `site` expects this ImportError.
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401
