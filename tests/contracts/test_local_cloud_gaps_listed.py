"""Every gap is closed for a service moto has, and every one has a probe that says when it may go."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from holdfast_orchestrator.local.moto_patches import GAPS

MODULES = [(service, module) for service, modules in GAPS.items() for module in modules]
PROBES = "".join(
    path.read_text()
    for path in Path(__file__).parent.glob("test_local_cloud_gaps_*.py")
    if path != Path(__file__)
)


@pytest.mark.parametrize(("service", "module"), MODULES)
def test_a_gap_belongs_to_a_service_of_moto_and_tells_its_story(service: str, module: str) -> None:
    gap = import_module(f"holdfast_orchestrator.local.moto_patches.{module}")

    assert find_spec(f"moto.{service}") is not None
    assert all(words in str(gap.__doc__) for words in ("moto 5.2.1", "AWS"))


@pytest.mark.parametrize(("service", "module"), MODULES)
def test_a_gap_has_a_probe(service: str, module: str) -> None:
    assert f'"{module}"' in PROBES


def test_every_module_of_the_layer_is_applied_somewhere() -> None:
    folder = Path(str(import_module("holdfast_orchestrator.local.moto_patches").__file__)).parent
    there = {path.stem for path in folder.glob("[!_]*.py")}

    assert there == {module for _, module in MODULES}
