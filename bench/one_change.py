"""One stack of many objects: its first deploy, and one changed object, against plain `terraform apply`.

    python bench/one_change.py [--objects 400] [--firsts 3] [--changes 5]

Half of the objects are SSM parameters, of which each second one refers to a topic; the rest are topics and
IAM roles. Holdfast plans, gates, backs up, applies, verifies and records, its synth included (an app that
writes its stack in milliseconds). Plain Terraform runs `apply -auto-approve -parallelism=10` in a folder that
was initialized before, and verifies nothing. Each has a local cloud and a state bucket of its own; they take
turns, and another one begins each time. Ratios are medians of the ratios of each turn.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safety
from measure import HOLDFAST, Case, Sample, attempt, table

from holdfast_orchestrator.engine.cli_config import FILE, VARIABLE
from holdfast_orchestrator.local.environment import STATE_BUCKET

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    ],
}


def stack(name: str, objects: int, version: str) -> dict[str, Any]:
    """The stack; `version` is the value of the one parameter that changes."""
    quarter = objects // 4
    parameters = {f"p{n:04}": _parameter(name, n, quarter) for n in range(2 * quarter)}
    parameters["p0001"]["value"] = version
    return {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
        "provider": {"aws": [safety.PROVIDER]},
        "resource": {
            "aws_ssm_parameter": parameters,
            "aws_sns_topic": {f"t{n:04}": {"name": f"{name}-topic-{n:04}"} for n in range(quarter)},
            "aws_iam_role": {
                f"r{n:04}": {"name": f"{name}-role-{n:04}", "assume_role_policy": json.dumps(TRUST)}
                for n in range(quarter)
            },
        },
    }


def _parameter(name: str, number: int, topics: int) -> dict[str, str]:
    value = f"${{aws_sns_topic.t{number // 2 % topics:04}.arn}}" if number % 2 == 0 else "constant"
    return {"name": f"/{name}/parameter-{number:04}", "type": "String", "value": value}


@dataclass
class Ours:
    """Holdfast, in a place of its own."""

    place: safety.Place

    def deploy(self, objects: int, version: str, *words: str) -> Sample:
        """Deploy the stack in this version."""
        stacks = {"warm": stack("warm", 4, "warm")}
        if objects:
            stacks["big"] = stack("big", objects, version)
        (self.place.folder / "stacks.json").write_text(json.dumps(stacks))
        environ = {**self.place.runtime.environ, "HOLDFAST_CACHE_DIR": str(self.place.runtime.cache)}
        return attempt((HOLDFAST, "deploy", "--yes", *words), environ, cwd=self.place.folder)


@dataclass
class Plain:
    """Terraform alone, in a place of its own; it takes the provider from where Holdfast found it."""

    place: safety.Place
    cache: Path

    def init(self) -> None:
        """Prepare the folder: backend and provider."""
        self._write(stack("big", 4, "warm"))
        self._run("init", "-input=false")

    def deploy(self, objects: int, version: str) -> Sample:
        """Apply the stack in this version."""
        self._write(stack("big", objects, version))
        return self._run("apply", "-auto-approve", "-input=false", "-parallelism=10")

    @property
    def _folder(self) -> Path:
        return self.place.folder / "plain"

    def _write(self, wanted: dict[str, Any]) -> None:
        backend = {"bucket": STATE_BUCKET, "key": "plain/terraform.tfstate", "region": "eu-west-1"}
        switches = dict.fromkeys(safety.BACKEND_SWITCHES, True)
        wanted["terraform"]["backend"] = {"s3": {**backend, "encrypt": True, **switches}}
        self._folder.mkdir(exist_ok=True)
        (self._folder / "main.tf.json").write_text(json.dumps(wanted))

    def _run(self, *words: str) -> Sample:
        config = min(self.cache.rglob(FILE))
        environ = {**self.place.runtime.environ, "TF_IN_AUTOMATION": "1", VARIABLE: str(config)}
        return attempt(("terraform", *words), environ, cwd=self._folder)


@contextmanager
def both() -> Iterator[tuple[Ours, Plain]]:
    """Both in places of their own, ready to deploy: caches are warm, the provider is installed."""
    with safety.place() as our_place, safety.place() as plain_place:
        ours, plain = Ours(our_place), Plain(plain_place, our_place.runtime.cache)
        ours.deploy(0, "")
        plain.init()
        yield ours, plain


Turn = dict[str, Sample]


def take_turns(ways: Mapping[str, Callable[[], Sample]], number: int) -> Turn:
    """Measure each way once; another one begins each time."""
    titles = list(ways)
    first = number % len(titles)
    return {title: ways[title]() for title in (*titles[first:], *titles[:first])}


def measure(objects: int, firsts: int, changes: int) -> tuple[list[Turn], list[Turn]]:
    """The turns of first deploys, and those of one change, which follow the last of them."""
    first, changed = list[Turn](), list[Turn]()
    for number in range(firsts):
        with both() as (ours, plain):
            ways = {
                "plain": partial(plain.deploy, objects, "first"),
                "ours": partial(ours.deploy, objects, "first"),
            }
            first.append(take_turns(ways, number))
            if number == firsts - 1:
                changed += [_changed(ours, plain, objects, turn) for turn in range(changes)]
    return first, changed


def _changed(ours: Ours, plain: Plain, objects: int, turn: int) -> Turn:
    ways = {
        "plain": partial(plain.deploy, objects, f"turn {turn}"),
        "ours": partial(ours.deploy, objects, f"turn {turn}"),
        "full": partial(ours.deploy, objects, f"turn {turn}, in full", "--full-verify"),
    }
    return take_turns(ways, turn)


TITLES = {
    "plain": "plain `terraform apply -parallelism=10`",
    "ours": "`holdfast deploy`, verified",
    "full": "the same with `--full-verify`",
}


def report(what: str, turns: list[Turn]) -> str:
    """A table of one kind of turns, and the ratios of each turn: of the time, and of the work."""
    cases = [Case(TITLES[way], tuple(turn[way] for turn in turns)) for way in TITLES if way in turns[0]]
    ways = [way for way in turns[0] if way != "plain"]
    ratios = (f"{TITLES[way]}: {_ratios(turns, way)}" for way in ways)
    return "\n\n".join((table(what, cases), *ratios))


def _ratios(turns: list[Turn], way: str) -> str:
    seconds = [turn[way].seconds / turn["plain"].seconds for turn in turns]
    cpu = [turn[way].cpu_seconds / turn["plain"].cpu_seconds for turn in turns]
    return f"{_spread(seconds)} plain Terraform's time, {_spread(cpu)} its CPU time without the cloud's"


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=400, help="objects of the stack (default: 400)")
    parser.add_argument("--firsts", type=int, default=3, help="first deploys of each (default: 3)")
    parser.add_argument("--changes", type=int, default=5, help="changes of one object (default: 5)")
    given = parser.parse_args()
    first, changed = measure(given.objects, given.firsts, given.changes)
    print(report(f"{given.objects} objects, first deploy", first))
    if changed:
        print(report(f"{given.objects} objects, one changed", changed))


if __name__ == "__main__":
    main()
