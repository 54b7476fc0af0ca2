"""The guard of the layout: refuses to start where a file would shadow the PyPI package `constructs`.

Without it the symptom is an obscure `No module named 'constructs._jsii'`, and only for some ways of
starting.
"""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # What several tests share is imported by its full name; `pytest` alone does not put the folder there.
    sys.path.insert(0, str(ROOT))

SHADOWS = tuple(
    ROOT / folder / "__init__.py" for folder in ("constructs", "tests/constructs", "tests/unit/constructs")
)

# A busy machine is no finding: nothing here asserts on time. The same code gets the same examples, so that
# a run does not fail by chance; `HYPOTHESIS_PROFILE=search` looks for new ones at random.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("holdfast", settings.get_profile("search"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "holdfast"))


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the fault catalogue, which has a verb of its own, and put the files first that take longest.

    A file is one worker's. Where one of many minutes begins last, the other workers wait for it.
    """
    longest: dict[Path, float] = {}
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "faults"):
            item.add_marker("faults")
        marker = item.get_closest_marker("timeout")
        seconds = float(marker.args[0]) if marker else 0.0
        longest[item.path] = max(longest.get(item.path, 0.0), seconds)
    items.sort(key=lambda item: -longest[item.path])
