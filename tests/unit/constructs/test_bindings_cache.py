import os
from pathlib import Path

import pytest

from holdfast_constructs._bindings.cache import Cache, open_cache

A_MONTH_AND_A_DAY = 31 * 24 * 3600


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    opened = open_cache(tmp_path / "bindings")
    assert opened is not None
    return opened


def test_what_was_stored_is_fetched(cache: Cache) -> None:
    stored = cache.store("key", b"content")

    assert cache.fetch("key") == stored
    assert stored.read_bytes() == b"content"


def test_another_key_finds_nothing(cache: Cache) -> None:
    cache.store("key", b"content")

    assert cache.fetch("ke") is None


def test_a_damaged_copy_is_removed_instead_of_fetched(cache: Cache) -> None:
    stored = cache.store("key", b"content")
    stored.write_bytes(b"cont")

    assert cache.fetch("key") is None
    assert not stored.exists()


def test_a_damaged_copy_does_not_hide_a_good_one(cache: Cache) -> None:
    cache.store("key", b"other").write_bytes(b"damaged")
    good = cache.store("key", b"content")

    assert cache.fetch("key") == good


def test_storing_leaves_nothing_but_the_copy(cache: Cache) -> None:
    stored = cache.store("key", b"content")
    again = cache.store("key", b"content")

    assert again == stored
    assert sorted(cache.root.iterdir()) == sorted([stored, cache.unpacked])


def test_a_full_disk_leaves_no_half_written_copy(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(aside: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        cache.store("key", b"content")

    assert list(cache.root.iterdir()) == [cache.unpacked]


def test_copies_unused_for_a_month_are_dropped_when_another_is_stored(cache: Cache) -> None:
    old, used = cache.store("old", b"old"), cache.store("used", b"used")
    for copy in (old, used):
        long_ago = copy.stat().st_mtime - A_MONTH_AND_A_DAY
        os.utime(copy, (long_ago, long_ago))

    cache.fetch("used")
    cache.store("new", b"new")

    assert not old.exists()
    assert used.exists()


def test_the_folder_is_made_for_the_user_alone(cache: Cache) -> None:
    assert cache.root.stat().st_mode & 0o077 == 0


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    assert open_cache(shared) is None


def test_a_folder_that_cannot_be_made_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert open_cache(tmp_path / "file" / "bindings") is None
    assert open_cache(None) is None
