"""Shards with modules: warm, unchanged while nothing in them is another, refused in Terraform's own words.

Real Terraform with the real AWS provider, attached through the gateway.
"""

import dataclasses
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.shards import Shards, Stack, stack
from tests.support.tiny_mirror import AWS, TINY, mirror

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.engine.warm.client import WarmProviders

OUTER = """
variable "name" {}
module "inner" {
  source = "./inner"
  name   = var.name
}
"""
INNER = """
variable "name" {}
resource "aws_ssm_parameter" "p" {
  name  = "/${var.name}"
  type  = "String"
  value = "%s"
}
"""
TOPIC = 'resource "aws_sns_topic" "t" {\n  name = var.name\n}\n'


def write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def calling(source: str, **arguments: str) -> Stack:
    """A stack of nothing but a module."""
    made = {**stack(), "module": {"m": {"source": source, **arguments}}}
    del made["resource"]
    return made


def skipped(app: Shards) -> dict[str, bool]:
    return {each.shard: each.skipped for each in app.deploy().shards}


def committed(app: Shards, *, stack: str = "") -> set[str]:
    """The shards that a deploy committed; it must not fail."""
    result = app.deploy(stack=stack or ())
    assert result.exit_code == 0, [(each.reason, each.evidence) for each in result.shards]
    return {each.shard for each in result.shards if each.outcome.value == "committed"}


def processes(app: Shards) -> set[int]:
    tools: Any = app.project.tools
    stats = tools.warm.stats()
    return {each["pid"] for pool in stats["pools"] for each in pool}


def parameter(app: Shards, name: str) -> str:
    answer = app.client("ssm").get_parameter(Name=f"/{name}")
    return str(answer["Parameter"]["Value"])


def test_shards_with_a_nested_module_share_a_provider_and_follow_every_change_of_its_files(
    warm_app: Shards, name: str
) -> None:
    write(warm_app.folder, {"mod/main.tf": OUTER, "mod/inner/main.tf": INNER % "1"})
    names = {"one": f"{name}-1", "two": f"{name}-2"}
    both = {each: calling("../../../mod", name=value) for each, value in names.items()}
    warm_app.write(**both)
    earlier = processes(warm_app)
    assert committed(warm_app) == {*names}
    before = processes(warm_app)
    assert len(before - earlier) <= 1
    assert skipped(warm_app) == dict.fromkeys(names, True)

    write(warm_app.folder, {"mod/inner/main.tf": INNER % "2", "mod/inner/topic.tf": TOPIC})
    assert committed(warm_app) == {*names}
    assert parameter(warm_app, names["two"]) == "2"
    assert skipped(warm_app) == dict.fromkeys(names, True)

    # A module that `init` has not seen yet.
    write(warm_app.folder, {"mod/more/main.tf": INNER % "3"})
    more = 'module "more" {\n  source = "./more"\n  name   = "${var.name}-more"\n}\n'
    write(warm_app.folder, {"mod/main.tf": OUTER + more})
    assert committed(warm_app, stack="one") == {"one"}
    assert parameter(warm_app, f"{names['one']}-more") == "3"

    # Nothing but the state names the types that are to go.
    nothing = both["one"].copy()
    del nothing["module"]
    warm_app.write(one=nothing, two=both["two"])
    assert committed(warm_app, stack="one") == {"one"}
    assert "one" not in warm_app.owned()
    assert processes(warm_app) == before
    assert warm_app.told == []


def test_a_module_that_reads_a_file_of_its_own_has_a_provider_in_its_shards_folder(
    warm_app: Shards, name: str
) -> None:
    module = {
        "resource": {
            "aws_s3_bucket": {"b": {"bucket": "${var.name}"}},
            "aws_s3_object": {
                "o": {"bucket": "${aws_s3_bucket.b.id}", "key": "o", "source": "${path.module}/text.txt"}
            },
        },
        "variable": {"name": {}},
    }
    # Beside the app, in the repository that holds both.
    (warm_app.folder.parent / ".git").mkdir()
    folder = warm_app.folder.parent / "modules" / "object"
    write(folder, {"main.tf.json": json.dumps(module), "text.txt": "1"})
    bucket = f"bucket-of-{name}"
    warm_app.write(shop=calling("../../../../modules/object", name=bucket))
    assert committed(warm_app) == {"shop"}
    assert skipped(warm_app) == {"shop": True}

    def content() -> bytes:
        body: bytes = warm_app.client("s3").get_object(Bucket=bucket, Key="o")["Body"].read()
        return body

    assert content() == b"1"
    write(
        folder,
        {"text.txt": "2", "more.tf": 'output "x" {\n  value = filemd5("${path.module}/text.txt")\n}\n'},
    )
    assert skipped(warm_app) == {"shop": False}
    assert warm_app.told == []


def repository(folder: Path, text: str) -> str:
    """Commit a module to a git repository, and return its source, pinned to that commit."""
    write(folder, {"main.tf": text})
    who = ("-c", "user.name=n", "-c", "user.email=e@example.com")
    git: Callable[..., str] = lambda *words: subprocess.run(  # noqa: E731
        ("git", "-C", str(folder), *who, *words), check=True, capture_output=True, text=True
    ).stdout.strip()
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "m")
    return f"git::file://{folder}?ref={git('rev-parse', 'HEAD')}"


def test_a_fetched_module_is_unchanged_while_it_is_pinned_and_reads_nothing_that_may_change(
    warm_app: Shards, name: str, tmp_path: Path
) -> None:
    settled = repository(tmp_path / "settled", INNER % "1")
    reading = repository(tmp_path / "reading", INNER % "1" + 'data "aws_availability_zones" "z" {}\n')
    warm_app.write(
        settled=calling(settled, name=f"{name}-1"),
        floating=calling(settled.partition("?")[0], name=f"{name}-2"),
        reading=calling(reading, name=f"{name}-3"),
    )
    assert committed(warm_app) == {"settled", "floating", "reading"}

    planned = warm_app.project.plan(explain=True)

    reasons = {each.shard: [str(reason) for reason in each.reasons] for each in planned.shards}
    assert reasons["settled"] == []
    assert "which is not pinned to one version, tag or commit" in reasons["floating"][0]
    assert reasons["reading"] == [
        "its module m reads aws_availability_zones, which may say something else by now"
    ]


def configuration(module: Path, **more: Any) -> dict[str, Any]:
    return {**calling(str(module)), **more}


def test_a_module_that_allows_no_locked_version_is_refused_by_init_as_without_warm_providers(
    world: Any, tmp_path: Path
) -> None:
    write(tmp_path / "mod", {"main.tf": 'terraform {\n  required_providers {\n    aws = ">= 6.0"\n  }\n}\n'})
    refusals = []
    for name, warm in (("cold", False), ("warm", True)):
        with pytest.raises(CommandFailedError) as refused:
            world.terraform(name, configuration(tmp_path / "mod"), warm=warm).init()
        refusals.append([each.text for each in refused.value.diagnostics if each.is_error])

    assert ">= 6.0" in " ".join(refusals[0])
    assert refusals[0] == refusals[1]


@pytest.mark.long
def test_a_type_that_is_written_with_an_escape_goes_the_ordinary_way(world: Any, tmp_path: Path) -> None:
    write(tmp_path / "mod", {"main.tf": 'resource "aws\\u005fsns_topic" "t" {\n  name = "t"\n}\n'})
    terraform = world.terraform("shard", configuration(tmp_path / "mod"))
    terraform.init()

    planned = terraform.plan().planned

    assert [change.address for change in planned] == ["module.m.aws_sns_topic.t"]
    assert len(world.told) == 1


def test_init_runs_again_only_where_a_file_of_a_module_is_another_one(world: Any, tmp_path: Path) -> None:
    write(tmp_path / "mod", {"main.tf": 'resource "aws_sns_topic" "t" {\n  name = "t"\n}\n'})

    def init() -> bool:
        skipped: bool = world.terraform("shard", configuration(tmp_path / "mod")).init().skipped
        return skipped

    listed = (
        world.terraform("shard", configuration(tmp_path / "mod")).workdir / ".terraform/modules/modules.json"
    )

    assert [init(), init()] == [False, True]
    write(tmp_path / "mod", {"more.tf": ""})
    assert [init(), init()] == [False, True]
    listed.unlink()
    assert [init(), init()] == [False, True]


@pytest.mark.long
def test_a_provider_that_only_a_module_requires_is_started_by_terraform(world: Any, tmp_path: Path) -> None:
    (world.runtime.cwd / lockfile.NAME).write_text(lockfile.render(mirror(tmp_path / "mirror")))
    environ = {
        **world.runtime.environ,
        "HOLDFAST_PROVIDER_MIRROR": str(tmp_path / "mirror"),
        "TF_DISABLE_PLUGIN_TLS": "1",
        "TINY_LOG": str(tmp_path / "applied"),
    }
    runtime = dataclasses.replace(world.runtime, environ=environ)
    own = dataclasses.replace(world, runtime=runtime, warm=WarmProviders(runtime, world.told.append))
    required = (
        'terraform {\n  required_providers {\n    tiny = {\n      source = "acme/tiny"\n    }\n  }\n}\n'
    )
    uses = 'provider "tiny" {\n  mark = "m"\n}\nresource "tiny_note" "n" {\n  text = "x"\n}\n'
    topic = {"aws_sns_topic": {"t": {"name": "beside-tiny"}}}
    write(tmp_path / "mod", {"main.tf": required + uses})
    beside = configuration(tmp_path / "mod", resource=topic)
    try:
        terraform = own.terraform("shard", beside)
        terraform.init()
        assert terraform.apply(terraform.plan().plan)
        assert not terraform.plan().changes
        assert terraform.init().skipped
        assert len(own.provider_pids) == 1
        assert set(lockfile.read(terraform.workdir)) == {AWS, TINY}
        # Another build of it is trusted from now on.
        trusted = lockfile.read(world.runtime.cwd)
        more = dataclasses.replace(trusted[TINY], hashes=(*trusted[TINY].hashes, "h1:" + "A" * 43 + "="))
        (world.runtime.cwd / lockfile.NAME).write_text(lockfile.render({**trusted, TINY: more}))
        assert not own.terraform("shard", beside).init().skipped
        assert own.terraform("shard", beside).init().skipped
    finally:
        own.warm.close()

    assert world.told == []
