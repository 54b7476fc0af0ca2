"""What may lie in the place of a file or a folder of ours, and what each door does about it."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system import private_files as doors
from holdfast_orchestrator.system.json_input import DEEPEST, parse_json, read_settings
from holdfast_orchestrator.system.private_files import UnsafePlaceError

VICTIM = b"somebody's only copy"
STRANGER = 54321


def link(place: Path, victim: Path) -> None:
    place.symlink_to(victim)


def dangling(place: Path, victim: Path) -> None:
    place.symlink_to(victim.with_name("nothing"))


def pipe(place: Path, _victim: Path) -> None:
    os.mkfifo(place)


def unix_socket(place: Path, _victim: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))


def folder(place: Path, _victim: Path) -> None:
    place.mkdir()


def device(place: Path, _victim: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 3))


def foreign(place: Path, _victim: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    place.write_bytes(b"planted")
    os.chown(place, STRANGER, STRANGER)


TRAPS = [link, dangling, pipe, unix_socket, folder, device, foreign]
OPENERS: list[Callable[[Path], object]] = [
    lambda path: os.close(doors.open_lock(path)),
    lambda path: os.close(doors.open_append(path)),
    lambda path: os.close(doors.open_output(path)),
    doors.read_file,
]
NAMES = ["lock", "append", "output", "read"]


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "victim"
    file.write_bytes(VICTIM)
    yield file
    assert file.read_bytes() == VICTIM
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("opener", OPENERS, ids=NAMES)
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_nothing_but_a_file_of_ours_is_opened_and_nobody_hangs(
    tmp_path: Path, victim: Path, trap: Callable[[Path, Path], None], opener: Callable[[Path], object]
) -> None:
    place = tmp_path / "place"
    trap(place, victim)

    with pytest.raises(UnsafePlaceError) as refused:
        opener(place)

    assert str(place) in refused.value.what
    assert refused.value.next_step
    assert os.path.lexists(place)


@pytest.mark.parametrize("trap", [link, dangling, pipe, unix_socket, foreign], ids=lambda trap: trap.__name__)
@pytest.mark.parametrize("write", [doors.write_private, doors.replace_file])
def test_what_is_written_anew_replaces_a_trap_and_leaves_what_it_led_to(
    tmp_path: Path,
    victim: Path,
    trap: Callable[[Path, Path], None],
    write: Callable[[Path, bytes], None],
) -> None:
    place = tmp_path / "place"
    trap(place, victim)

    write(place, b"ours")

    assert (place.read_bytes(), place.is_symlink()) == (b"ours", False)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.stat().st_uid == os.geteuid()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place", "victim"]


@pytest.mark.parametrize("trap", [link, dangling, pipe, unix_socket, foreign], ids=lambda trap: trap.__name__)
def test_a_new_file_never_takes_the_place_of_anything(
    tmp_path: Path, victim: Path, trap: Callable[[Path, Path], None]
) -> None:
    trap(tmp_path / "place", victim)

    with pytest.raises(FileExistsError):
        doors.write_new(tmp_path / "place", b"ours")


FOLDERS: list[Callable[[Path], Path]] = [
    doors.own_folder,
    doors.cache_folder_of,
    lambda path: doors.cache_folder_of(path.parent, path.name, "inner"),
    lambda path: doors.project_folder(path.parent, path.name, "inner"),
]


@pytest.mark.parametrize("make", FOLDERS, ids=["own", "cache", "in the cache", "in the project"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "file", "foreign"])
def test_nothing_but_a_folder_of_ours_is_used(
    tmp_path: Path, kind: str, make: Callable[[Path], Path]
) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "place"
    elsewhere.mkdir()
    match kind:
        case "link":
            place.symlink_to(elsewhere)
        case "dangling":
            place.symlink_to(tmp_path / "nothing")
        case "pipe":
            os.mkfifo(place)
        case "file":
            place.touch()
        case _:
            if os.geteuid() != 0:
                pytest.skip("only root gives folders away")
            place.mkdir()
            os.chown(place, STRANGER, STRANGER)

    with pytest.raises(UnsafePlaceError, match="place"):
        make(place)

    assert not list(elsewhere.iterdir())
    assert not (tmp_path / "nothing").exists()


def test_folders_of_ours_are_closed_to_others_and_what_leads_to_the_cache_may_be_a_link(
    tmp_path: Path,
) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "home").symlink_to(real)
    cache = tmp_path / "home" / "cache"
    cache.mkdir()
    cache.chmod(0o777)

    work = doors.cache_folder_of(cache, "work")

    assert stat.S_IMODE(cache.stat().st_mode) == 0o755
    assert stat.S_IMODE(work.stat().st_mode) == 0o700


def test_a_shared_folder_with_the_sticky_bit_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    doors.cache_folder_of(shared, "work")

    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


def test_the_standard_streams_and_the_null_device_may_be_named(capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("/dev/stdout", "/dev/fd/1", "/dev/null", "/dev/full"):
        descriptor = doors.open_output(Path(name))
        try:
            if name not in {"/dev/null", "/dev/full"}:
                os.write(descriptor, b"heard\n")
        finally:
            os.close(descriptor)
    assert capfd.readouterr().out == "heard\nheard\n"


def test_an_output_is_emptied_and_a_file_of_the_folders_owner_will_do(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text("of the last run, which was longer")
    if os.geteuid() == 0:
        os.chown(tmp_path, STRANGER, -1)
        os.chown(file, STRANGER, -1)

    os.close(doors.open_output(file))

    assert file.read_bytes() == b""


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 30)

    for read in (doors.read_file, doors.read_source):
        with pytest.raises(UnsafePlaceError, match="1073741824 bytes"):
            read(file)
    with pytest.raises(SettingsError, match="bytes"):
        read_settings(file)


def test_a_source_of_the_user_may_be_a_link_but_no_pipe(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "linked").symlink_to(victim)
    os.mkfifo(tmp_path / "pipe")

    assert read_settings(tmp_path / "linked", follow=True) == VICTIM
    with pytest.raises(SettingsError, match="symbolic link"):
        read_settings(tmp_path / "linked")
    with pytest.raises(SettingsError, match="named pipe"):
        read_settings(tmp_path / "pipe", follow=True)
    with pytest.raises(FileNotFoundError):
        read_settings(tmp_path / "nothing", follow=True)


@given(st.integers(1, 3000), st.booleans())
@example(depth=DEEPEST, lists=True)
@example(depth=DEEPEST + 1, lists=True)
@example(depth=DEEPEST + 1, lists=False)
def test_json_is_parsed_up_to_a_depth_and_beyond_it_is_one_error(depth: int, lists: bool) -> None:  # noqa: FBT001
    text = "[" * depth + "]" * depth if lists else '{"a":' * depth + "1" + "}" * depth

    if depth <= DEEPEST:
        assert parse_json(text) is not None
    else:
        with pytest.raises(ValueError, match="levels deep"):
            parse_json(text)
