from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast_constructs._bindings import pruning
from holdfast_constructs._bindings.assembly import Assembly, Package
from holdfast_constructs._bindings.cache import Cache, open_cache

NAME = "@acme/provider-cloud"


@dataclass
class Kernel:
    """Records what it is asked to load, and refuses tarballs with a certain content."""

    refused: bytes = b"nothing"
    error: Exception = field(default_factory=lambda: RuntimeError("refused"))
    loads: list[tuple[str, bytes]] = field(default_factory=list)
    tarballs: list[Path] = field(default_factory=list)

    def load(self, name: str, version: str, tarball: str) -> str:
        content = Path(tarball).read_bytes()
        self.tarballs.append(Path(tarball))
        if content == self.refused:
            raise self.error
        self.loads.append((name, content))
        return NAME


@pytest.fixture
def package(tmp_path: Path) -> Package:
    tarball = tmp_path / "whole.tgz"
    tarball.write_bytes(b"the whole package")
    return Package(name=NAME, version="1.2.3", tarball=tarball)


@pytest.fixture
def cache(tmp_path: Path) -> Cache | None:
    return open_cache(tmp_path / "cache")


@pytest.fixture(autouse=True)
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The copies that were built; their content is the names of their submodules."""
    built: list[str] = []

    def pruned(tarball: Path, submodules: frozenset[str]) -> bytes:
        built.append("+".join(sorted(submodules)))
        return built[-1].encode()

    monkeypatch.setattr(pruning, "pruned", pruned)
    return built


def _unprunable(tarball: Path, submodules: frozenset[str]) -> bytes:
    raise pruning.Unprunable("another layout")


def _unreadable(tarball: Path, submodules: frozenset[str]) -> bytes:
    raise OSError("gone")


def test_the_first_copy_takes_the_name_of_the_package(package: Package, cache: Cache) -> None:
    kernel = Kernel()
    assembly = Assembly(package, cache)

    assembly.provide(frozenset({"vpc", "subnet"}), kernel.load)

    assert kernel.loads == [(NAME, b"subnet+vpc")]
    assert not assembly.lacks(frozenset({"vpc"}))
    assert assembly.lacks(frozenset({"vpc", "alb"}))


def test_each_later_copy_holds_what_was_loaded_before_and_has_its_own_name(
    package: Package, cache: Cache
) -> None:
    kernel = Kernel()
    assembly = Assembly(package, cache)

    for submodule in ("vpc", "alb", "route"):
        assembly.provide(frozenset({submodule}), kernel.load)

    assert kernel.loads == [
        (NAME, b"vpc"),
        ("@holdfast/late-1", b"alb+vpc"),
        ("@holdfast/late-2", b"alb+route+vpc"),
    ]


def test_a_copy_is_built_once_for_all_processes(package: Package, cache: Cache, builds: list[str]) -> None:
    for _ in range(2):
        Assembly(package, cache).provide(frozenset({"vpc"}), Kernel().load)

    assert builds == ["vpc"]


def test_another_content_of_the_package_is_another_copy(
    package: Package, cache: Cache, builds: list[str]
) -> None:
    Assembly(package, cache).provide(frozenset({"vpc"}), Kernel().load)
    package.tarball.write_bytes(b"the whole PACKAGE")
    Assembly(package, cache).provide(frozenset({"vpc"}), Kernel().load)

    assert builds == ["vpc", "vpc"]


def test_without_a_cache_the_copy_is_built_for_this_once_and_removed(package: Package) -> None:
    kernel = Kernel()

    Assembly(package, None).provide(frozenset({"vpc"}), kernel.load)

    assert kernel.loads == [(NAME, b"vpc")]
    assert not kernel.tarballs[0].exists()


def test_a_cache_that_turns_out_to_be_full_is_done_without(
    package: Package, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Cache, key: str, content: bytes) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Cache, "store", full)
    kernel = Kernel()
    Assembly(package, cache).provide(frozenset({"vpc"}), kernel.load)

    assert kernel.loads == [(NAME, b"vpc")]


@pytest.mark.parametrize("obstacle", [_unprunable, _unreadable])
def test_what_cannot_be_pruned_is_loaded_whole_and_then_lacks_nothing(
    package: Package,
    cache: Cache,
    monkeypatch: pytest.MonkeyPatch,
    obstacle: Callable[[Path, frozenset[str]], bytes],
) -> None:
    monkeypatch.setattr(pruning, "pruned", obstacle)
    kernel = Kernel()
    assembly = Assembly(package, cache)

    assembly.provide(frozenset({"vpc"}), kernel.load)

    assert kernel.loads == [(NAME, b"the whole package")]
    assert not assembly.lacks(frozenset({"anything"}))


def test_a_copy_that_the_kernel_refuses_is_replaced_by_the_whole_package(
    package: Package, cache: Cache
) -> None:
    kernel = Kernel(refused=b"vpc")

    Assembly(package, cache).provide(frozenset({"vpc"}), kernel.load)

    assert kernel.loads == [(NAME, b"the whole package")]


def test_what_the_kernel_has_against_the_whole_package_is_reported_as_it_is(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "pruned", _unprunable)
    kernel = Kernel(refused=b"the whole package", error=RuntimeError("not a tarball"))

    with pytest.raises(RuntimeError, match="not a tarball"):
        Assembly(package, None).provide(frozenset({"vpc"}), kernel.load)


def test_a_kernel_that_loads_something_else_is_not_trusted(package: Package) -> None:
    def load(name: str, version: str, tarball: str) -> str:
        return "@acme/something-else"

    with pytest.raises(RuntimeError, match=r"must load @acme/provider-cloud, got @acme/something-else.*=0"):
        Assembly(package, None).provide(frozenset({"vpc"}), load)
