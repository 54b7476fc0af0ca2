"""Rows 37 to 43 and 52 to 60: disks, clocks, credentials, health, names, secrets, programs."""

import json
import random
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.faults.lab.cloud import Cloud
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import Request, asks, by_terraform, lock, puts
from tests.faults.lab.proxy import Answer, Rule
from tests.faults.lab.scenarios import (
    CANARY,
    FIRST,
    PLAIN,
    PLAIN_SECOND,
    SECOND,
    app,
    data,
    impossible,
    parameter,
    patience,
    stack,
)
from tests.faults.lab.surroundings import fill, small_disk, wrap
from tests.faults.lab.world import DEPLOY, World

from holdfast_orchestrator.engine.workdir import workdir_of

KILLED = 137
CHANGES = asks("PutParameter|DeleteParameter")


def test_row_37_a_disk_that_is_full_before_the_apply_stops_the_deploy_in_time(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    with small_disk(world.cache, "1m"):
        fill(world.cache)

        ended = world.holdfast(*DEPLOY)

        assert_safe(world, ended, code=1)
        assert not world.proxy.seen(CHANGES)
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_39_no_deploy_begins_without_its_journal(world: World) -> None:
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)
    before = world.state()
    runs = world.cache / "runs"
    with small_disk(runs, "16k"):
        fill(runs)

        ended = world.holdfast(*DEPLOY)

        assert_safe(world, ended, code=1)
        assert "journal" in ended.text
        assert world.state() == before


def journal_of(world: World) -> Path:
    (file,) = (world.cache / "runs").glob("*/shop.jsonl")
    return file


def test_row_40_a_torn_last_entry_of_the_journal_is_dropped(world: World) -> None:
    world.begin(FIRST)
    killed = world.deploy(SECOND, HOLDFAST_CRASH_AT="applying:after")
    with journal_of(world).open("ab") as file:
        file.write(b'{"seq": 99, "pha')

    resumed = world.resume()

    assert killed.code == KILLED, str(killed)
    assert_safe(world, resumed, code={0, 5})


def test_row_40_a_journal_that_was_changed_in_the_middle_is_not_believed(world: World) -> None:
    world.begin(FIRST)
    killed = world.deploy(SECOND, HOLDFAST_CRASH_AT="applying:before")
    journal = journal_of(world)
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"T", b"S", 1)
    journal.write_bytes(b"".join(lines))
    world.proxy.log.clear()

    resumed = world.resume()

    assert killed.code == KILLED, str(killed)
    assert resumed.code == 6, str(resumed)
    assert not world.proxy.seen(CHANGES)


def test_row_41_credentials_that_expire_during_the_apply_are_waited_for(world: World) -> None:
    world.begin(FIRST)

    def expired(_request: Request) -> bool:
        return bool(world.proxy.seen(puts("changed")))

    world.proxy.add(Rule(what=expired, fault=Answer(400, "ExpiredToken", "The security token is expired")))
    ended = world.deploy(SECOND)

    resumed = world.resume()

    assert ended.code in {1, 6}, str(ended)
    assert_safe(world, resumed, code={0, 5})
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_42_throttling_is_no_reason_to_roll_back(world: World) -> None:
    world.begin(FIRST)
    chance = random.Random(42)

    def unlucky(request: Request) -> bool:
        return bool(request.action) and chance.random() < 0.3

    throttled = world.proxy.add(
        Rule(what=by_terraform(unlucky), fault=Answer(400, "ThrottlingException", "Rate exceeded"), times=12)
    )

    ended = world.deploy(patience(SECOND, 10))

    assert throttled.hits
    assert_safe(world, ended, code=0)


def test_row_42_a_call_that_is_throttled_for_good_ends_bounded(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Answer(400, "ThrottlingException", "Rate exceeded")))

    ended = world.deploy(patience(SECOND, 2))

    assert_safe(world, ended, code={1, 5})
    assert {name for _, name in world.cloud.objects()} >= {"/shop/kept", "/shop/changed"}


def test_row_43_a_clock_the_store_complains_of_once_is_no_obstacle(world: World) -> None:
    world.begin(PLAIN)
    skewed = world.proxy.add(Rule(what=lock("PUT"), fault=Answer(403, "RequestTimeTooSkewed"), times=1))

    ended = world.deploy(PLAIN_SECOND)

    assert skewed.hits == 1
    assert_safe(world, ended, code=0)


HOSTILE_NAMES = (
    "../x",
    "a/b",
    "-rf",
    "nul\0l",
    "new\nline",
    "\x1b[31mred",
    "\u202eltr",
    "x" * 300,
    ".",
    "..",
    "a..b",
    "~root",
    "$(id)",
)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=[ascii(name)[1:20] for name in HOSTILE_NAMES])
def test_row_54_a_hostile_stack_name_is_refused_before_any_path_is_made_of_it(
    world: World, name: str
) -> None:
    manifest = {
        "version": "0.21.0",
        "stacks": {name: {"workingDirectory": ".", "synthesizedStackPath": "s.json"}},
    }
    text = (
        "import json, os, pathlib\n"
        "out = pathlib.Path(os.environ['CDKTF_OUTDIR']); out.mkdir(exist_ok=True)\n"
        f"(out / 's.json').write_text('{{}}')\n(out / 'manifest.json').write_text({json.dumps(manifest)!r})\n"
    )
    (world.folder / "app.py").write_text(text)
    before = sorted(world.folder.parent.rglob("*"))

    ended = world.holdfast("deploy", "--yes")

    assert_safe(world, ended, code=64)
    assert "\x1b" not in ended.text
    assert "\u202e" not in ended.text
    made = {path.name for path in set(world.folder.parent.rglob("*")) - set(before)}
    assert name not in made


def test_row_54_two_names_that_differ_in_case_alone_do_not_share_a_folder(world: World) -> None:
    world.write({"shop": stack(data("a")), "Shop": stack(data("b"))})

    ended = world.deploy()

    assert_safe(world, ended, code=64)


@pytest.mark.parametrize("where", ["shard", "output", "runs"])
def test_row_55_a_planted_link_is_not_followed(world: World, where: str) -> None:
    world.write(PLAIN)
    first = world.deploy()
    (shard,) = (world.cache / "work").glob("*/shop")
    elsewhere = world.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    output = workdir_of(shard.parent, shard.name) / "output"
    planted = {"shard": shard, "output": output, "runs": world.cache / "runs"}[where]
    if planted.exists():
        shutil.rmtree(planted)
    planted.symlink_to(elsewhere, target_is_directory=True)

    ended = world.deploy(PLAIN_SECOND)

    assert first.code == 0, str(first)
    assert [path.name for path in elsewhere.iterdir()] == ["mine"], str(ended)
    assert_safe(world, ended, code={0, 1})


def secret_version(*, failing: bool) -> Any:
    holds = parameter("secret", CANARY, type="SecureString", after="changed")
    ends = [impossible(after="secret")] if failing else []
    output = {"leak": {"value": "${aws_ssm_parameter.secret.value}", "sensitive": True}}
    return app(parameter("kept"), parameter("changed", "2"), holds, *ends, output=output)


@pytest.mark.parametrize("failing", [False, True], ids=["committed", "rolled back"])
def test_row_56_a_secret_is_in_nothing_a_person_or_a_log_can_read(world: World, *, failing: bool) -> None:
    world.begin(FIRST)
    world.write(secret_version(failing=failing))
    lines: list[bytes] = []
    watching = threading.Event()

    def watch() -> None:
        while not watching.wait(0.05):
            for pid in world.processes(""):
                try:
                    lines.append(Path(f"/proc/{pid}/cmdline").read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    ended = world.holdfast(*DEPLOY, "--events", "events.jsonl", "--verbose")
    watching.set()
    watcher.join()

    if failing:
        assert ended.code in {5, 6}, str(ended)
    else:
        assert_safe(world, ended, code=0)
    assert CANARY not in ended.text
    assert CANARY not in (world.folder / "events.jsonl").read_text()
    assert not any(CANARY.encode() in line for line in lines)
    open_to_others = [
        path
        for path in [*world.cache.rglob("*")]
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert not [path for path in open_to_others if CANARY.encode() in path.read_bytes()]
    for words in (("runs", "--json"), ("audit", "--json"), ("show", newest(world), "--json")):
        assert CANARY not in world.holdfast(*words).text
    assert_no_plain_secret(world.cloud)


def newest(world: World) -> str:
    return world.newest_run()


def assert_no_plain_secret(cloud: Cloud) -> None:
    readable = ("/runs/", "/audit/", "/leases/", "/states/")
    for key in cloud.listing("_holdfast/"):
        if any(place in f"/{key}" for place in readable) and "unredacted" not in key and "full" not in key:
            assert CANARY.encode() not in cloud.get(key), key


def test_row_57_an_app_that_never_ends_is_ended_with_its_children_by_ctrl_c(world: World) -> None:
    (world.folder / "app.py").write_text(
        "import subprocess, time\nsubprocess.Popen(['sleep', '3600'])\n"
        "open('begun', 'w').close()\ntime.sleep(3600)\n"
    )
    started = world.start(*DEPLOY)
    world.wait_until((world.folder / "begun").exists, "the app")

    started.send(signal.SIGINT)
    ended = started.wait()

    assert_safe(world, ended, code=130)
    world.wait_until(lambda: not world.processes("sleep"), "the app's children to end")


def test_row_57_an_app_cannot_make_us_read_outside_its_output(world: World) -> None:
    secret = world.folder / "secret.json"
    secret.write_text(CANARY)
    manifest = {
        "version": "1",
        "stacks": {"shop": {"workingDirectory": ".", "synthesizedStackPath": "../secret.json"}},
    }
    (world.folder / "app.py").write_text(
        "import os, pathlib\nout = pathlib.Path(os.environ['CDKTF_OUTDIR']); out.mkdir(exist_ok=True)\n"
        f"(out / 'manifest.json').write_text({json.dumps(manifest)!r})\n"
    )

    ended = world.deploy()

    assert_safe(world, ended, code=64)


def test_row_58_a_state_of_ten_megabytes_is_deployed_backed_up_and_taken_back(world: World) -> None:
    big = [data(f"big{number}", "x" * 250_000) for number in range(22)]
    world.write(app(data("kept"), *big))
    first = world.deploy()

    ended = world.deploy(app(data("kept", "2"), *big))

    assert first.code == 0, str(first)
    assert_safe(world, ended, code=0)
    assert len(world.cloud.get(world.state_key())) > 10_000_000
    sizes = [
        len(world.cloud.get(key)) for key in world.cloud.listing("_holdfast/backups/") if "meta" not in key
    ]
    assert max(sizes) > 10_000_000


NOISE = """#!/bin/sh
case "$1" in
  plan|apply)
    echo 'this is no JSON'
    echo '{"type": "from_the_future", "@level": "info", "@message": "?", "hook": []}'
    echo '{"type": 7}'
    echo '[]'
    head -c 3000000 /dev/zero | tr '\\0' 'x'
    echo
    printf '\\377\\376\\000\\n'
    ;;
esac
exec "%s" "$@"
"""


OLD = """#!/bin/sh
[ "$1" = version ] || exit 9
echo "Terraform v1.5.7"
"""


def test_row_59_what_terraform_says_and_nobody_understands_does_no_harm(world: World) -> None:
    world.begin(PLAIN)
    wrap(world, NOISE)

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code=0)
    assert {one["name"] for one in world.state()["resources"]} == {"kept", "changed", "fresh"}


def test_row_60_a_terraform_that_is_too_old_is_refused_before_planning(world: World) -> None:
    world.begin(PLAIN)
    wrap(world, OLD)
    world.proxy.log.clear()

    ended = world.deploy(PLAIN_SECOND, HOLDFAST_ENGINE=str(world.folder / "wrapped" / "terraform"))

    assert_safe(world, ended, code=1)
    assert "1.5.7" in ended.text
    assert not world.proxy.seen(lock("PUT"))


def test_row_60_a_provider_that_is_not_the_locked_one_is_refused_before_planning(world: World) -> None:
    world.begin(FIRST)
    lock_file = world.folder / ".terraform.lock.hcl"
    text = lock_file.read_text()
    wrong = "".join(
        "A" if letter.isalnum() else letter for letter in "0123456789abcdef0123456789abcdef0123456789a"
    )
    lines = [
        f'    "h1:{wrong}=",' if '"h1:' in line else line for line in text.splitlines() if '"zh:' not in line
    ]
    lock_file.write_text("\n".join(lines) + "\n")
    world.proxy.log.clear()

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=1)
    assert not world.proxy.seen(CHANGES)
