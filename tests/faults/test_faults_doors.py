"""Rows 71 to 79: disks, listeners, limits and traps, at every door of ours to the machine."""

import os
import resource
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks
from tests.faults.lab.scenarios import PLAIN, PLAIN_SECOND
from tests.faults.lab.surroundings import fill, small_disk, wrap
from tests.faults.lab.world import DEPLOY, HOLDFAST, World

CHANGES = asks("PutParameter|DeleteParameter")
FULL = "/dev/full"


def shell(world: World, line: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line of a shell; `$H` is holdfast."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=world.folder,
        env={**world.environ(**environ), "H": str(HOLDFAST)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_row_71_no_listener_changes_how_a_command_ends(world: World) -> None:
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)

    planned = shell(world, f'"$H" plan --detailed-exitcode --events {FULL} --markdown {FULL} >{FULL}')
    deployed = shell(world, f'"$H" deploy --yes --json --events {FULL} >{FULL}')
    silent = shell(world, f'"$H" deploy --yes >{FULL} 2>{FULL}')
    closed = shell(world, '"$H" deploy --yes --json >&- 2>&-')

    assert planned.returncode == 2, planned.stderr
    assert [planned.stderr.count(word) for word in ("standard output", "--markdown")] == [1, 1]
    assert deployed.returncode == 0, deployed.stderr
    assert deployed.stderr.count("--events /dev/full gets no more events") == 1
    assert (silent.returncode, closed.returncode) == (0, 0)
    for ended in (planned, deployed, silent, closed):
        assert "Traceback" not in ended.stderr
        assert "defect" not in ended.stderr
    assert {one["name"] for one in world.state()["resources"]} == {"kept", "changed", "fresh"}


ANSWERS = (
    "list",
    "graph",
    "runs --json",
    "show RUN",
    "audit",
    "doctor",
    "ci matrix",
    "state backups shop",
    "output",
    "--help",
    "deploy --help",
    "--version",
)


def test_row_71_commands_that_only_answer_end_as_they_would(world: World) -> None:
    world.begin(PLAIN)
    for words in ANSWERS:
        line = words.replace("RUN", world.newest_run())

        heard = shell(world, f'"$H" {line}')
        unheard = shell(world, f'"$H" {line} >{FULL}')

        assert unheard.returncode == heard.returncode, f"{line}: {unheard.stderr}"
        assert "Traceback" not in unheard.stderr, line


def test_row_71_half_a_state_is_not_given_out_as_a_whole_one(world: World) -> None:
    world.begin(PLAIN)

    ended = shell(world, f'"$H" state pull shop >{FULL}')

    assert ended.returncode == 1
    assert "--out" in ended.stderr


def test_row_72_a_full_temporary_folder_is_named_before_anything_is_applied(world: World) -> None:
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)
    temporary = world.folder / "temporary"
    with small_disk(temporary, "1m"):
        fill(temporary)
        world.proxy.log.clear()

        planned = world.holdfast("plan", "--detailed-exitcode", TMPDIR=str(temporary))
        ended = world.deploy(TMPDIR=str(temporary))

        assert planned.code == 2, str(planned)
        assert_safe(world, ended, code=1)
        assert str(temporary) in ended.text
        assert "TMPDIR" in ended.text
        assert not world.proxy.seen(CHANGES)
    assert_safe(world, world.deploy(TMPDIR=str(temporary)), code=0)


def limited(world: World, *words: str, **limits: int) -> "subprocess.CompletedProcess[str]":
    """Run holdfast with such limits: `RLIMIT_AS=…`."""

    def limit() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return subprocess.run(
        [str(HOLDFAST), *words],
        cwd=world.folder,
        env=world.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=limit,
    )


MIB = 2**20


def test_row_73_too_little_memory_or_too_few_files_is_a_reason_and_no_defect(cold_world: World) -> None:
    world = cold_world
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)

    for limits in (
        {"RLIMIT_AS": 300 * MIB},
        {"RLIMIT_AS": 600 * MIB},
        {"RLIMIT_NOFILE": 10},
        {"RLIMIT_NOFILE": 11},
    ):
        for words in (("plan",), DEPLOY):
            ended = limited(world, *words, **limits)

            said = ended.stdout + ended.stderr
            assert ended.returncode == 1, f"{words} {limits}: {said}"
            assert any(word in said for word in ("memory", "threads", "open files")), said
            assert "defect" not in said
            assert "Traceback" not in said
    assert_safe(world, world.deploy(), code=0)


def test_row_74_terraforms_settings_of_the_caller_reach_no_call(cold_world: World) -> None:
    world = cold_world
    nowhere = str(world.folder / "nowhere" / "at" / "all")
    world.extra.update(
        TF_CLI_ARGS="-destroy -input=false",
        TF_CLI_ARGS_version="-no-such-option",
        TF_CLI_ARGS_init="-backend=false",
        TF_WORKSPACE="other",
        TF_DATA_DIR=nowhere,
        TF_REATTACH_PROVIDERS="{]",
        TF_PLUGIN_CACHE_DIR=nowhere,
        TF_CLI_CONFIG_FILE=nowhere,
        TF_LOG_PATH=nowhere,
        TF_STATE_PERSIST_INTERVAL="never",
        TF_INPUT="1",
        TF_IN_AUTOMATION="",
        CHECKPOINT_DISABLE="",
    )
    world.write(PLAIN)

    examined = world.holdfast("doctor", "--json")
    first = world.deploy()
    second = world.deploy(PLAIN_SECOND)
    locked = world.holdfast("plan", "--detailed-exitcode", "--refresh")

    engine = next(check for check in examined.document["checks"] if check["name"] == "engine")
    assert engine["status"] == "ok", str(examined)
    assert_safe(world, first, code=0)
    assert_safe(world, second, code=0)
    assert locked.code == 0, str(locked)
    assert {one["name"] for one in world.state()["resources"]} == {"kept", "changed", "fresh"}


def test_row_75_a_crash_of_terraform_while_it_plans_is_no_plan_with_changes(world: World) -> None:
    """Go ends with the code 2 that stands for changes."""
    world.begin(PLAIN)
    crash = (
        '#!/bin/sh\n[ "$1" = plan ] && { echo "fatal error: out of memory" >&2; exit 2; }\nexec "%s" "$@"\n'
    )
    wrap(world, crash)
    world.write(PLAIN_SECOND)

    planned = world.holdfast("plan", "--detailed-exitcode")
    ended = world.deploy()

    assert planned.code == 1, str(planned)
    assert "out of memory" in planned.text
    assert_safe(world, ended, code=1)
    assert "out of memory" in ended.text


def lock_file(world: World) -> Path:
    return world.folder / ".holdfast" / "synth.lock"


PLACES: dict[str, tuple[Callable[[World], Path], int]] = {
    ".holdfast": (lambda world: world.folder / ".holdfast", 1),
    "synth.lock": (lock_file, 1),
    "cdktf.out": (lambda world: world.folder / "cdktf.out", 64),
    "lock.hcl": (lambda world: world.folder / ".terraform.lock.hcl", 64),
    "cache": (lambda world: world.cache, 1),
    "work": (lambda world: world.cache / "work", 1),
    "runs": (lambda world: world.cache / "runs", 1),
    "locks": (lambda world: next((world.cache / "work").glob("*/shop.lock")), 1),
    "local": (lambda world: world.folder / ".holdfast" / "local", 1),
}


def test_row_76_a_trap_in_the_place_of_anything_of_ours_is_named_and_left_alone(world: World) -> None:
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)
    assert world.holdfast("plan").code == 0
    elsewhere = world.folder.parent / "elsewhere"
    elsewhere.mkdir()
    victim = world.folder.parent / "victim"
    victim.write_text("somebody's only copy")
    for name, (place_in, code) in PLACES.items():
        place = place_in(world)
        kept = place.with_name(f"{place.name}.kept")
        if place.exists():
            place.rename(kept)
        is_folder = kept.is_dir() or name == "local"
        place.symlink_to(elsewhere if is_folder else victim)
        words = ("local", "status") if name == "local" else DEPLOY

        ended = world.holdfast(*words)

        assert ended.code == code, f"{name}: {ended}"
        assert place.name in ended.text, f"{name}: {ended}"
        assert "symbolic link" in ended.text, f"{name}: {ended}"
        assert place.is_symlink()
        place.unlink()
        if kept.exists():
            kept.rename(place)
    assert victim.read_text() == "somebody's only copy"
    assert not list(elsewhere.iterdir())
    assert_safe(world, world.deploy(), code=0)


def test_row_76_pipes_links_and_bombs_in_what_is_read_or_named_are_one_error(world: World) -> None:
    world.begin(PLAIN)
    victim = world.folder / "victim"
    victim.write_text("mine")
    (world.folder / "linked").symlink_to(victim)
    os.mkfifo(world.folder / "pipe")
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    app = world.folder / "app.py"
    fine = app.read_text()
    traps = {
        "cdk.tf.json is a pipe": "os.remove(p); os.mkfifo(p)",
        "cdk.tf.json is a bomb": f"open(p, 'w').write({deep!r})",
        "cdk.tf.json is huge": "open(p, 'r+').truncate(1 << 30)",
        "manifest.json is a pipe": "os.remove(m); os.mkfifo(m)",
        "manifest.json is a link": "os.rename(m, m + '2'); os.symlink(m + '2', m)",
        "holdfast.json is a pipe": "os.mkfifo(h)",
        "holdfast.json is a link": "os.symlink('/etc/passwd', h)",
        "holdfast.json is a bomb": f"open(h, 'w').write({deep!r})",
        "cdktf.out becomes a link": "os.rename(o, o + '2'); os.symlink(o + '2', o)",
    }
    for name, code in traps.items():
        shell(world, "rm -rf cdktf.out cdktf.out2")
        places = "o = os.environ['CDKTF_OUTDIR']; m = o + '/manifest.json'; h = o + '/holdfast.json'\n"
        app.write_text(f"{fine}\n{places}p = o + '/stacks/shop/cdk.tf.json'\n{code}\n")

        ended = world.holdfast("plan")

        assert ended.code in {1, 64}, f"{name}: {ended}"
        assert "defect" not in ended.text, f"{name}: {ended}"
    shell(world, "rm -rf cdktf.out cdktf.out2")
    app.write_text(fine)
    for option in ("--events", "--markdown", "--out"):
        for trap in ("linked", "pipe"):
            refused = world.holdfast("plan", option, trap)

            assert refused.code == 64, f"{option} {trap}: {refused}"
            assert trap in refused.text
    assert victim.read_text() == "mine"
    assert stat.S_ISFIFO((world.folder / "pipe").stat().st_mode)
