"""What an engine reads is there for it, and is nowhere once the process that wrote it is dead."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_orchestrator.engine import in_memory
from holdfast_orchestrator.engine.in_memory import forget, forget_below, keep_on_disk, write_in_memory
from holdfast_orchestrator.engine.workdir import let_go, prepare
from holdfast_orchestrator.errors import NeedsPersonError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are private files")
CONTENT = b"canary0" * 100_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cdk.tf.json"


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_other_processes_read_it_and_the_disk_does_not_have_it(file: Path) -> None:
    write_in_memory(file, CONTENT)

    read = subprocess.run(["cat", str(file)], capture_output=True, check=True)
    assert read.stdout == CONTENT
    assert file.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    forget(file)
    assert not file.is_symlink()


def test_nothing_is_left_of_it_when_its_process_is_killed(file: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from holdfast_orchestrator.engine.in_memory import write_in_memory;"
        "write_in_memory(Path(sys.argv[1]), b'canary0'); print(Path(sys.argv[1]).read_text(), flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (-9, "canary0\n")
    assert not file.exists()
    write_in_memory(file, b"anew")
    assert file.read_bytes() == b"anew"
    forget(file)


def test_written_again_and_let_go_of_it_leaves_nothing_open(file: Path) -> None:
    before = open_files()
    for number in range(5):
        write_in_memory(file, str(number).encode())
        write_in_memory(file.with_name("given-000.tfvars"), b"x")
    assert file.read_bytes() == b"4"

    forget_below(file.parent)

    assert open_files() == before
    assert list(file.parent.iterdir()) == []


def test_it_is_a_private_file_where_there_is_no_such_memory(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError("too many open files")

    monkeypatch.setattr(os, "memfd_create", refuse)
    write_in_memory(file, CONTENT)

    assert not file.is_symlink()
    assert file.read_bytes() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.delattr(os, "memfd_create")
    write_in_memory(file, b"anew")
    assert file.read_bytes() == b"anew"


def test_somebody_elses_file_or_link_is_not_taken_away(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "theirs"
    target.touch()
    file.symlink_to(target)

    forget(file)
    forget_below(tmp_path)

    assert file.is_symlink()
    assert target.exists()


def test_what_a_person_will_need_is_kept_on_disk(file: Path) -> None:
    write_in_memory(file, CONTENT)
    keep_on_disk(file)

    assert not file.is_symlink()
    assert file.read_bytes() == CONTENT
    assert not in_memory._open


def test_beside_a_state_that_could_not_be_saved_the_configuration_stays(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", {"cdk.tf.json": b"{}"}, write=write_in_memory)
    (folder / "errored.tfstate").write_text("{}")

    let_go(folder)
    assert (folder / "cdk.tf.json").read_bytes() == b"{}"
    assert not (folder / "cdk.tf.json").is_symlink()

    (folder / "cdk.tf.json").unlink()
    with pytest.raises(NeedsPersonError):
        prepare(tmp_path, "orders", {"cdk.tf.json": b'{"new": 1}'})
    assert (folder / "cdk.tf.json").read_bytes() == b'{"new": 1}'


def test_a_shard_that_is_not_worked_on_any_more_has_no_configuration(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", {"cdk.tf.json": CONTENT}, write=write_in_memory)
    (folder / "plan.tfplan").touch()

    let_go(folder)

    assert sorted(path.name for path in folder.iterdir()) == ["output", "plan.tfplan"]
