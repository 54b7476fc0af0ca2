import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from jsii._kernel.types import CreateRequest, InvokeRequest, LoadRequest, ObjRef, StaticInvokeRequest

from holdfast_constructs._bindings import kernel
from holdfast_constructs._bindings.assembly import Assembly

NAME = "@acme/provider-cloud"


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for jsii's register of the types that Python has imported."""
    register: dict[str, Any] = {"cdktf.App": object()}
    monkeypatch.setattr(kernel, "_REGISTERS", (register, {}))
    return register


@pytest.fixture
def provided(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    calls: list[set[str]] = []

    def provide(self: Assembly, submodules: frozenset[str], load: object) -> None:
        calls.append(set(submodules))
        self.loaded |= submodules

    monkeypatch.setattr(Assembly, "provide", provide)
    return calls


@pytest.fixture
def watch(tmp_path: Path) -> kernel._Watch:
    watch = kernel._Watch(NAME, tmp_path, None)
    assert watch.puts_off(LoadRequest(NAME, "1.2.3", str(tmp_path / "_jsii" / "package.tgz")))
    return watch


def _load(name: str, version: str, tarball: str) -> str:
    raise AssertionError(f"{name} is loaded by the double of provide()")


def _create(fqn: str, *args: Any) -> CreateRequest:
    return CreateRequest(fqn=fqn, args=list(args))


def test_nothing_is_loaded_for_an_app_without_the_package(
    watch: kernel._Watch, types: dict[str, Any], provided: list[set[str]]
) -> None:
    types[f"{NAME}.vpc.Vpc"] = object()

    watch.serve(_create("cdktf.App", {"$jsii.struct": {"fqn": "cdktf.AppConfig", "data": {}}}), _load)

    assert provided == []


@pytest.mark.parametrize(
    "request_",
    [
        _create(f"{NAME}.vpc.Vpc"),
        StaticInvokeRequest(fqn=f"{NAME}.vpc.Vpc", method="generateConfigForImport", args=[]),
        _create(
            "cdktf.Thing", {"$jsii.map": {"a": {"$jsii.struct": {"fqn": f"{NAME}.vpc.Config", "data": {}}}}}
        ),
        InvokeRequest(
            objref=ObjRef("cdktf.X@1"), method="put", args=[[{"$jsii.enum": f"{NAME}.vpc.Kind/A"}]]
        ),
        CreateRequest(fqn="Object", args=[], interfaces=[f"{NAME}.vpc.IVpc"]),
    ],
    ids=["create", "static", "struct", "enum", "interface"],
)
def test_a_request_that_names_a_type_has_all_imported_submodules_loaded_first(
    watch: kernel._Watch, types: dict[str, Any], provided: list[set[str]], request_: Any
) -> None:
    types |= {f"{NAME}.vpc.Vpc": object(), f"{NAME}.alb.Alb": object(), f"{NAME}.alb.AlbConfig": object()}

    watch.serve(request_, _load)

    assert provided == [{"vpc", "alb"}]


def test_only_what_is_imported_later_is_loaded_later(
    watch: kernel._Watch, types: dict[str, Any], provided: list[set[str]]
) -> None:
    types[f"{NAME}.vpc.Vpc"] = object()
    watch.serve(_create(f"{NAME}.vpc.Vpc"), _load)
    watch.serve(_create(f"{NAME}.vpc.Vpc"), _load)
    types["random.Pet"] = object()
    watch.serve(_create(f"{NAME}.vpc.Vpc"), _load)
    types[f"{NAME}.alb.Alb"] = object()
    watch.serve(_create(f"{NAME}.alb.Alb"), _load)

    assert provided == [{"vpc"}, {"vpc", "alb"}]


def test_other_packages_are_loaded_at_once(tmp_path: Path) -> None:
    watch = kernel._Watch(NAME, tmp_path, None)

    assert not watch.puts_off(LoadRequest("cdktf", "0.21.0", str(tmp_path / "cdktf.tgz")))


def test_a_package_in_a_file_that_will_be_gone_later_is_loaded_at_once(tmp_path: Path) -> None:
    watch = kernel._Watch(NAME, tmp_path / "site-packages", None)

    assert not watch.puts_off(LoadRequest(NAME, "1.2.3", str(tmp_path / "unzipped-for-now.tgz")))


def test_an_unknown_version_of_jsii_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_REGISTERS", ())

    assert kernel.install(jsii_package=NAME, directory=tmp_path) is False


def test_what_nobody_waits_for_yet_is_done_in_order() -> None:
    meanwhile, done = kernel._Meanwhile(), list[int]()

    for number in range(3):
        meanwhile.do(done.append, number)
    meanwhile.finish()

    assert done == [0, 1, 2]


def test_what_failed_meanwhile_is_raised_when_it_is_waited_for() -> None:
    meanwhile = kernel._Meanwhile()

    meanwhile.do(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        meanwhile.finish()


def test_a_package_unpacked_for_a_moment_is_not_left_for_later(tmp_path: Path) -> None:
    assert not kernel._stays(f"{tempfile.gettempdir()}/unzipped/cdktf.tgz")
    assert kernel._stays(str(Path(os.__file__).parent / "cdktf.tgz"))
