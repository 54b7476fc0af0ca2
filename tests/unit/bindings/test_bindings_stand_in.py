import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import pytest

from holdfast_bindings import stand_in

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


def _install() -> None:
    real = find_spec(PACKAGE)
    assert real is not None
    spec = stand_in.spec_for(real)
    assert spec.loader is not None
    sys.modules[PACKAGE] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[PACKAGE])


def _imported() -> set[str]:
    return {name for name in sys.modules if name.startswith(f"{PACKAGE}.")}


def test_a_submodule_is_imported_alone(directory: Path) -> None:
    _install()

    server = import_module(f"{PACKAGE}.server")

    assert server.name == "server"
    assert _imported() == {f"{PACKAGE}.server"}


def test_a_submodule_is_imported_when_it_is_read_as_an_attribute(directory: Path) -> None:
    _install()

    package = import_module(PACKAGE)

    assert package.network.name == "network"
    assert _imported() == {f"{PACKAGE}.network"}


def test_what_only_the_real_root_holds_is_found_there(directory: Path) -> None:
    _install()

    package = import_module(PACKAGE)

    assert package.at_the_root == "NETWORK"


def test_a_name_that_nobody_knows_is_an_attribute_error(directory: Path) -> None:
    _install()

    package = import_module(PACKAGE)

    with pytest.raises(AttributeError, match="has no attribute 'typo'"):
        _ = package.typo
    assert not hasattr(package, "__wrapped__")


def test_a_submodule_that_does_not_exist_is_an_import_error(directory: Path) -> None:
    _install()

    with pytest.raises(ModuleNotFoundError, match=f"{PACKAGE}.typo"):
        import_module(f"{PACKAGE}.typo")


def test_a_star_import_still_means_every_submodule(directory: Path) -> None:
    _install()

    names: dict[str, object] = {}
    exec(f"from {PACKAGE} import *", names)

    assert {"network", "server"} <= names.keys()


def test_it_says_where_the_package_is_as_the_real_root_does(directory: Path) -> None:
    _install()

    package = import_module(PACKAGE)

    assert Path(package.__file__ or "") == directory / "__init__.py"
    assert list(package.__path__) == [str(directory)]
    assert package.__spec__ == find_spec(PACKAGE)


def test_a_question_that_needs_the_real_root_spoils_nothing(directory: Path) -> None:
    """The root of bindings puts another module in its own place."""
    (directory / "__init__.py").write_text(
        "import sys, types\nfrom . import network, server\n"
        "public = types.ModuleType(__name__)\npublic.__path__ = __path__\npublic.network = network\n"
        "sys.modules[__name__] = public\n"
    )
    _install()
    package = import_module(PACKAGE)

    assert not hasattr(package, "typo")
    assert package.network.name == "network"
    assert import_module(f"{PACKAGE}.server").name == "server"


def test_dir_names_the_submodules(directory: Path) -> None:
    _install()

    names = dir(import_module(PACKAGE))

    assert {"network", "server", "__path__", "__all__"} <= set(names)
    assert not [name for name in names if "holdfast" in name]
    assert _imported() == set()


def test_a_root_that_cannot_be_imported_says_so_each_time(directory: Path) -> None:
    (directory / "__init__.py").write_text("raise ImportError('no licence')\n")
    _install()
    package = import_module(PACKAGE)

    for _ in range(2):
        with pytest.raises(ImportError, match="no licence"):
            _ = package.at_the_root
    assert package.server.name == "server"
