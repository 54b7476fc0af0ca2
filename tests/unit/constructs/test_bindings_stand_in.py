import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from holdfast_constructs._bindings import stand_in

PACKAGE = "acme_cloud_bindings"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose root imports all it has, as the AWS bindings' root does."""
    package = tmp_path / PACKAGE
    for submodule in ("network", "server", "_jsii"):
        (package / submodule).mkdir(parents=True)
        (package / submodule / "__init__.py").write_text(f"name = {submodule!r}\n")
    (package / "__init__.py").write_text(
        "from . import network, server\nat_the_root = network.name.upper()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def _imported() -> set[str]:
    return {name for name in sys.modules if name.startswith(f"{PACKAGE}.")}


def test_a_submodule_is_imported_alone(directory: Path) -> None:
    stand_in.install(PACKAGE)

    server = import_module(f"{PACKAGE}.server")

    assert server.name == "server"
    assert _imported() == {f"{PACKAGE}.server"}


def test_a_submodule_is_imported_when_it_is_read_as_an_attribute(directory: Path) -> None:
    stand_in.install(PACKAGE)

    package = import_module(PACKAGE)

    assert package.network.name == "network"
    assert _imported() == {f"{PACKAGE}.network"}


def test_what_only_the_real_root_holds_is_found_there(directory: Path) -> None:
    stand_in.install(PACKAGE)

    package = import_module(PACKAGE)

    assert package.at_the_root == "NETWORK"


def test_a_name_that_nobody_knows_is_an_attribute_error(directory: Path) -> None:
    stand_in.install(PACKAGE)

    package = import_module(PACKAGE)

    with pytest.raises(AttributeError, match="has no attribute 'typo'"):
        _ = package.typo
    assert not hasattr(package, "__wrapped__")


def test_a_submodule_that_does_not_exist_is_an_import_error(directory: Path) -> None:
    stand_in.install(PACKAGE)

    with pytest.raises(ModuleNotFoundError, match=f"{PACKAGE}.typo"):
        import_module(f"{PACKAGE}.typo")


def test_a_star_import_still_means_every_submodule(directory: Path) -> None:
    stand_in.install(PACKAGE)

    names: dict[str, object] = {}
    exec(f"from {PACKAGE} import *", names)

    assert {"network", "server"} <= names.keys()


def test_the_package_s_own_directory_is_told(directory: Path) -> None:
    assert stand_in.install(PACKAGE) == directory
    assert Path(import_module(PACKAGE).__file__ or "") == directory / "__init__.py"


def test_a_root_that_was_imported_before_stays(directory: Path) -> None:
    real = import_module(PACKAGE)

    assert stand_in.install(PACKAGE) is None
    assert sys.modules[PACKAGE] is real


def test_a_package_that_is_not_installed_is_left_alone() -> None:
    assert stand_in.install("acme_bindings_nobody_has") is None


def test_removing_the_stand_in_brings_the_real_root_back(directory: Path) -> None:
    stand_in.install(PACKAGE)

    stand_in.remove(PACKAGE)

    assert import_module(PACKAGE).at_the_root == "NETWORK"
    assert f"{PACKAGE}.server" in _imported()
