"""A shard's folder: private, fresh, and never reached through a link or a clever name."""

import os
import stat
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.workdir import (
    LEVELS_ABOVE,
    errored_state,
    prepare,
    tree_of,
    work_root,
    workdir_of,
)
from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, SettingsError
from holdfast_orchestrator.testing import refusing_runtime

FILES = {"cdk.tf.json": b"{}"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "work", "orders-prod-eu-west-1", FILES)

    assert folder == workdir_of(tmp_path / "work", "orders-prod-eu-west-1")
    assert (folder / "cdk.tf.json").read_bytes() == b"{}"
    assert (mode(folder), mode(folder.parent), mode(folder / "cdk.tf.json")) == (0o700, 0o700, 0o600)


def test_projects_do_not_share_folders(tmp_path: Path) -> None:
    runtime = refusing_runtime(cache=tmp_path / "cache")

    first, second = work_root(runtime, tmp_path / "a"), work_root(runtime, tmp_path / "b")

    assert first != second
    assert first.parent == second.parent == tmp_path / "cache" / "work"


def test_what_an_earlier_run_left_is_gone_but_for_what_can_be_used_again(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", FILES)
    for stale in ("evil.tf", "plan.tfplan", "terraform.tfstate", ".hidden.tf"):
        (folder / stale).write_text("x")
    (folder / "modules").mkdir()
    (folder / "modules" / "main.tf").write_text("x")
    (folder / ".terraform").mkdir()
    (folder / ".terraform" / "kept").write_text("x")

    prepare(tmp_path, "orders", {"cdk.tf.json": b'{"new": 1}'})

    assert sorted(path.name for path in folder.iterdir()) == [".terraform", "cdk.tf.json", "output"]
    assert (folder / "cdk.tf.json").read_bytes() == b'{"new": 1}'
    assert (folder / ".terraform" / "kept").exists()


def test_a_folder_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir(mode=0o755)

    folder = prepare(tmp_path, "orders", FILES)

    assert mode(folder) == 0o700


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "",
        "a/b",
        "/etc",
        "a\\b\x00",
        "a\nb",
        "-rf",
        ".terraform",
        "é",
        "a" * 201,
        "a b",
    ],
)
def test_hostile_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="a shard or file name must be"):
        prepare(tmp_path / "work", name, FILES)
    with pytest.raises(SettingsError, match="a shard or file name must be"):
        prepare(tmp_path / "work", "orders", {name: b""})

    assert not (tmp_path / "work").exists()


def test_a_shards_folder_that_is_a_link_is_refused_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (target / "precious").write_text("x")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "orders").symlink_to(target)

    with pytest.raises(HoldfastError, match="must be a folder of yours and no link"):
        prepare(tmp_path / "work", "orders", FILES)

    assert [path.name for path in target.iterdir()] == ["precious"]
    assert mode(target) == 0o755


def test_a_root_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "work").symlink_to(tmp_path / "target")

    with pytest.raises(HoldfastError, match="no link"):
        prepare(tmp_path / "work", "orders", FILES)


@pytest.mark.parametrize(
    "name", ["cdk.tf.json", ".terraform", ".terraform.lock.hcl", "errored.tfstate", ".holdfast-init"]
)
def test_links_inside_are_removed_and_never_written_through(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    folder = prepare(tmp_path / "work", "orders", FILES)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside if name == ".terraform" else outside / "precious")

    prepare(tmp_path / "work", "orders", FILES)

    assert not (folder / name).is_symlink()
    assert (outside / "precious").read_text() == "x"


def test_a_link_in_place_of_the_output_folder_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    folder = prepare(tmp_path / "work", "orders", FILES)
    (folder / "output").rmdir()
    (folder / "output").symlink_to(outside)

    prepare(tmp_path / "work", "orders", FILES)

    assert not (folder / "output").is_symlink()
    assert (outside / "precious").exists()


def test_only_the_newest_outputs_are_kept(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", FILES)
    for number in range(125):
        path = folder / "output" / f"{number:03}-plan.jsonl"
        path.write_text("")
        os.utime(path, (number, number))

    prepare(tmp_path, "orders", FILES)

    kept = sorted(path.name for path in (folder / "output").iterdir())
    assert kept[0] == "005-plan.jsonl"
    assert len(kept) == 120


def test_a_state_that_could_not_be_saved_is_never_removed_and_stops_everything(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", FILES)
    (folder / "errored.tfstate").write_text("{}")
    (folder / "plan.tfplan").write_text("x")

    with pytest.raises(NeedsPersonError) as refusal:
        prepare(tmp_path, "orders", FILES)

    assert errored_state(folder) == folder / "errored.tfstate"
    assert (folder / "plan.tfplan").exists()
    assert f"-chdir={folder} state push errored.tfstate" in str(refusal.value)


def test_what_lies_above_a_shards_folder_is_that_shards_own(tmp_path: Path) -> None:
    first, second = (prepare(tmp_path / "work", name, FILES) for name in ("orders", "billing"))

    assert tree_of(first) == tmp_path / "work" / "orders"
    assert tree_of(tmp_path / "elsewhere") == tmp_path / "elsewhere"
    above = first.joinpath(*[".."] * LEVELS_ABOVE).resolve()
    assert above == tmp_path / "work" / "orders" / "up"
    assert not second.is_relative_to(above)
    assert [part.name for part in (first, first.parent, first.parent.parent)] == [
        "orders",
        "stacks",
        "cdktf.out",
    ]


def test_what_was_placed_in_the_tree_stays_and_nothing_else(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", FILES)
    app = folder.parents[2]
    (app / "templates").mkdir()
    (app / "stale").mkdir()
    for name in ("templates/x.txt", "templates/old.txt", "stale/y.txt"):
        (app / name).write_text("x")
    (app / "templates" / "link").symlink_to("/etc")

    prepare(tmp_path, "orders", FILES, placed=[app / "templates" / "x.txt"])

    assert [path.name for path in app.iterdir() if path.name != "cdktf.out"] == ["templates"]
    assert [path.name for path in (app / "templates").iterdir()] == ["x.txt"]


def test_a_state_that_an_older_layout_could_not_save_is_found(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "errored.tfstate").write_text("{}")

    with pytest.raises(NeedsPersonError, match="could not save its state"):
        prepare(tmp_path, "orders", FILES)

    assert errored_state(workdir_of(tmp_path, "orders")) is not None


def test_a_file_must_not_take_the_place_of_what_an_engine_leaves(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"must not be called 'errored\.tfstate'"):
        prepare(tmp_path / "work", "orders", {"errored.tfstate": b""})

    assert not (tmp_path / "work").exists()
