"""Only the build that the lock file has is ever attached to."""

import base64
import hashlib
import os
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.lockfile import LockedProvider
from holdfast_orchestrator.engine.mirrors import this_platform
from holdfast_orchestrator.engine.warm.packages import find_package

SOURCE = "registry.terraform.io/acme/fake"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / SOURCE / "1.0.0" / this_platform()
    folder.mkdir(parents=True)
    binary = folder / "terraform-provider-fake_v1.0.0"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    (folder / "LICENSE").write_text("free")
    return tmp_path / "mirror"


def h1(**files: str) -> str:
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items())]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


GOOD = h1(**{"LICENSE": "free", "terraform-provider-fake_v1.0.0": "#!/bin/sh\n"})


def lock(*hashes: str) -> LockedProvider:
    return LockedProvider("1.0.0", "1.0.0", hashes)


def test_the_locked_build_is_found_and_can_be_linked_into_a_shards_folder(root: Path, tmp_path: Path) -> None:
    package = find_package(SOURCE, lock("zh:00", GOOD), [tmp_path / "none", root], cache=tmp_path / "cache")

    assert package is not None
    assert package.checksum == GOOD
    package.link_into(tmp_path / "work")
    package.link_into(tmp_path / "work")
    linked = tmp_path / "work" / ".terraform" / "providers" / SOURCE / "1.0.0" / this_platform()
    assert linked.resolve() == package.folder


@pytest.mark.parametrize("hashes", [(), ("zh:00",), ("h1:AAAA",)])
def test_a_build_the_lock_file_does_not_have_is_none(
    root: Path, tmp_path: Path, hashes: tuple[str, ...]
) -> None:
    assert find_package(SOURCE, lock(*hashes), [root], cache=tmp_path / "cache") is None


def test_an_exchanged_binary_is_noticed_although_its_hash_was_kept(root: Path, tmp_path: Path) -> None:
    package = find_package(SOURCE, lock(GOOD), [root], cache=tmp_path / "cache")
    assert package is not None
    seen = package.binary.stat()
    package.binary.write_text("#!/bin/s!\n")
    os.utime(package.binary, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    assert find_package(SOURCE, lock(GOOD), [root], cache=tmp_path / "cache") is None


@pytest.mark.parametrize("damaged", [b"", b"\xff" * 64, b"ab", b"0" * 65])
def test_a_kept_hash_that_is_damaged_is_made_anew(root: Path, tmp_path: Path, damaged: bytes) -> None:
    cache = tmp_path / "cache"
    find_package(SOURCE, lock(GOOD), [root], cache=cache)
    kept = sorted((cache / "hashes").iterdir())
    good = [file.read_bytes() for file in kept]
    for file in kept:
        file.write_bytes(damaged)

    assert find_package(SOURCE, lock(GOOD), [root], cache=cache) is not None
    assert [file.read_bytes() for file in kept] == good


def test_a_file_is_read_once_for_its_hash(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_package(SOURCE, lock(GOOD), [root], cache=tmp_path / "cache")
    monkeypatch.setattr(hashlib, "file_digest", None)

    assert find_package(SOURCE, lock(GOOD), [root], cache=tmp_path / "cache") is not None
