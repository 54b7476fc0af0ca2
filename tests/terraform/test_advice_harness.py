"""Each state that ends in advice is built, and every command that is printed is run, as it is, in a copy.

A command gets further where it ends well, or where the corrected app can be deployed after it. Of `next`,
what begins with `--` is added to the command that was run, and what a command says when there is no terminal
(`… --yes`) is followed too. Placeholders stand for what only a person knows; the runbook says what.
"""

import dataclasses
import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.advice_states import STATES, Ran, State

if TYPE_CHECKING:
    from tests.terraform.conftest import App

COMMAND = re.compile(r"holdfast ([a-z]+(?: [^`;,()\n]*)?)")
OPTION = re.compile(r"(?<![\w-])(--[a-z-]+(?: (?!-)[^\s`;,()]+)?)")
# What a person puts in, as the runbook says: named there, and not to be run.
PLACEHOLDERS = ("ADDRESS", "SNAPSHOT", "WHEN", "COPY", "DIR", "ID", "NUMBER")
# They change nothing, so that nothing has to be better afterwards.
LOOKS = ("runs", "show", "list", "plan", "doctor", "audit", "state backups", "state unlock", "state pull")
FOLLOWED_AT_MOST = 4


@dataclass(frozen=True)
class Copy:
    """Everything of a state: the app's folder, the cache of this machine, and each version in the bucket."""

    app: "App"
    folder: Path
    objects: tuple[tuple[str, dict[str, Any]], ...]

    @classmethod
    def of(cls, app: "App", folder: Path) -> "Copy":
        for name, place in places(app):
            shutil.copytree(place, folder / name, symlinks=True)
        return cls(app, folder, tuple(stored(app)))

    def restore(self) -> dict[str, str]:
        """Make it so again; returns what each version in the bucket is called now."""
        for name, place in places(self.app):
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.folder / name, place, symlinks=True)
        empty(self.app)
        names: dict[str, str] = {}
        for version, each in self.objects:
            if "Body" in each:
                put = self.app.s3.put_object(Bucket=self.app.bucket, **each)
                names[version] = put.get("VersionId", "null")
            else:
                self.app.s3.delete_object(Bucket=self.app.bucket, Key=each["Key"])
        return names


def places(app: "App") -> tuple[tuple[str, Path], ...]:
    return (("app", app.folder), ("cache", Path(app.environ["HOLDFAST_CACHE_DIR"])))


def versions(app: "App") -> list[dict[str, Any]]:
    """Every version in the bucket, the oldest of each key first."""
    listed = app.s3.list_object_versions(Bucket=app.bucket)
    found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
    return sorted(found, key=lambda one: (one["LastModified"], one["IsLatest"]))


def stored(app: "App") -> Iterator[tuple[str, dict[str, Any]]]:
    for each in versions(app):
        if "Size" not in each:
            yield each["VersionId"], {"Key": each["Key"]}
            continue
        known = {"VersionId": each["VersionId"]} if each["VersionId"] != "null" else {}
        found = app.s3.get_object(Bucket=app.bucket, Key=each["Key"], **known)
        body = found["Body"].read()
        yield each["VersionId"], {"Key": each["Key"], "Body": body, "Metadata": found["Metadata"]}


def empty(app: "App") -> None:
    for each in versions(app):
        app.s3.delete_object(Bucket=app.bucket, Key=each["Key"], VersionId=each["VersionId"])


@pytest.fixture
def app(plain_app: "App", tmp_path: Path) -> "App":
    """An app with a cache of its own, which can be copied."""
    cache = tmp_path / "machine"
    cache.mkdir()
    return dataclasses.replace(plain_app, environ={**plain_app.environ, "HOLDFAST_CACHE_DIR": str(cache)})


def advice(ran: Ran) -> list[str]:
    """The next steps that a command gave, in its document or on the screen."""
    try:
        document = json.loads(ran.stdout)
    except ValueError:
        return re.findall(r"^ *next:? +(.*)$", ran.stdout + ran.stderr, re.MULTILINE)
    shards = document.get("shards", [])
    told = [shard["next_step"] for shard in shards if isinstance(shard, dict) and shard.get("next_step")]
    return [*told, *([document["next_step"]] if document.get("next_step") else [])]


def ways(step: str, ran: Ran) -> list[list[list[str]]]:
    """The ways a next step names, each one command, or several one after another (`…; then: …`).

    Options alone are added to the command that was run.
    """
    found: list[list[list[str]]] = []
    end = 0
    for match in COMMAND.finditer(step):
        words = shlex.split(match[1].strip().rstrip("."))
        follows = "then" in step[end : match.start()]
        end = match.end()
        if any(word.endswith(PLACEHOLDERS) for word in words):
            continue
        if follows and found:
            found[-1].append(words)
        else:
            found.append([words])
    if not found and (options := OPTION.findall(step)):
        given = [word for word in ran.args[3:] if word not in ("--json", "--yes")]
        found = [[[*given, *(word for option in options for word in shlex.split(option))]]]
    return found


def follow(app: "App", words: list[str]) -> Ran:
    """Run a command; where it wants to ask and there is no terminal, what it names instead."""
    ran = app.run(*words)
    for _ in range(FOLLOWED_AT_MOST):
        if ran.returncode != 64 or "there is no terminal" not in ran.stdout + ran.stderr:
            break
        (step,) = advice(ran)
        ((words,),) = ways(step, ran)
        ran = app.run(*words)
    return ran


def renamed(word: str, names: Mapping[str, str]) -> str:
    """A word of a command; a version of an object has another name in a copy of the bucket."""
    head, is_version, version = word.partition("?versionId=")
    return f"{head}{is_version}{names.get(version, version)}"


def only_looks(words: list[str]) -> bool:
    name = " ".join(word for word in words if not word.startswith("-"))
    return any(name.startswith(look) for look in LOOKS) and "--confirm" not in words


def cases() -> list[Any]:
    return [
        pytest.param(state, id=name, marks=() if state.quick else pytest.mark.long)
        for name, state in STATES.items()
    ]


@pytest.mark.parametrize("state", cases())
def test_every_command_that_is_printed_gets_further(app: "App", tmp_path: Path, state: State) -> None:
    ran = state.build(app)
    said = ran.stdout + ran.stderr
    assert ran.returncode == state.code, said
    if state.outcome is not None:
        assert state.outcome.value in {shard["outcome"] for shard in json.loads(ran.stdout)["shards"]}, said
    told = [way for step in advice(ran) for way in ways(step, ran)]
    assert told, f"nothing to do was said: {said}"
    copy = Copy.of(app, tmp_path / "copy")

    for way in told:
        names = copy.restore()
        state.correct(app)
        for words in way:
            followed = follow(app, [renamed(word, names) for word in words])
            assert followed.returncode in (0, 1, 2, 5), f"{words}: {followed}"
            assert followed.returncode in (0, 2) or not only_looks(words), f"{words}: {followed}"
        if way[-1][0] == "destroy":
            assert followed.returncode == 0, f"{way}: {followed}"
        elif not only_looks(way[-1]):
            ended = app.run("deploy", "--yes")
            assert ended.returncode == 0, f"after {way}, {followed}: {ended}"
