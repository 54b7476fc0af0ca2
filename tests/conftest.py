"""The guard of the layout: refuses to start where a file would shadow the PyPI package `constructs`.

Without it the symptom is an obscure `No module named 'constructs._jsii'`, and only for some ways of
starting.
"""

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHADOWS = (ROOT / "constructs" / "__init__.py", ROOT / "tests" / "constructs" / "__init__.py")


def pytest_configure() -> None:
    # A shell starts background jobs with SIGINT ignored, and what the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for file in SHADOWS:
        if file.exists():
            pytest.exit(
                f"{file.relative_to(ROOT)} shadows the PyPI package `constructs` of cdktf; delete it.",
                returncode=4,
            )
    spec = find_spec("constructs")
    origin = Path(spec.origin) if spec is not None and spec.origin else None
    if origin is None or origin.is_relative_to(ROOT / "constructs"):
        pytest.exit(
            f"`import constructs` does not find the PyPI package (found {origin}); run `make install`.",
            returncode=4,
        )
