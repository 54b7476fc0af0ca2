"""What must hold after every fault, whatever it was.

- every state parses, has a lineage, and is not older than it was;
- every object in the cloud is in exactly one state, or named in what the user was told;
- no lease and no Terraform lock of ours is left;
- no secret is anywhere a person or a log could read it;
- the exit code is the one the command line promises.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from tests.faults.lab.cloud import Cloud, Object
from tests.faults.lab.scenarios import CANARY
from tests.faults.lab.world import Ended, World

_NAMES = {
    "aws_ssm_parameter": "name",
    "aws_dynamodb_table": "name",
    "aws_sns_topic": "name",
    "aws_sqs_queue": "name",
}
_SECRET_PLACES = ("/backups/", "/artifacts/", "/unredacted/", "/full/")


def assert_safe(
    world: World,
    ended: Ended,
    *,
    code: int | Collection[int],
    told: Collection[Object] = (),
    held: bool = False,
    locked: bool = False,
) -> None:
    """Assert all of it.

    Args:
        world: where it happened.
        ended: the last command; `code` is what it must have ended with.
        code: the exit code promised, or those that are all safe where the moment of the fault decides.
        told: objects that are in no state and must be named, each, in what the command said.
        held: the shard may still be leased (a person has to decide first).
        locked: a lock that is not ours is left where it was.
    """
    problems = [
        *_about_code(ended, code),
        *_about_states(world.cloud),
        *_about_objects(world.cloud, frozenset(told), ended),
        *([] if held else _leases(world.cloud)),
        *([] if locked else _locks(world.cloud)),
        *_leaks(world, ended),
    ]
    assert not problems, "\n".join([*problems, "", str(ended)])


def violations(world: World, ended: Ended) -> list[str]:
    """The same for a campaign that knows no exit code: what is wrong, nothing if all is well."""
    return [
        *_about_states(world.cloud),
        *_about_objects(world.cloud, None, ended),
        *_leases(world.cloud),
        *_locks(world.cloud),
        *_leaks(world, ended),
    ]


def managed(cloud: Cloud) -> list[Object]:
    """Every object a state knows, deposed ones too, as often as it is known."""
    return [found for _, state in _states(cloud) for found in _objects(state)]


def _states(cloud: Cloud) -> Iterator[tuple[str, Any]]:
    for key in cloud.listing():
        if key.endswith("terraform.tfstate") and not key.startswith("_holdfast/"):
            try:
                yield key, json.loads(cloud.get(key))
            except ValueError:
                yield key, None


def _objects(state: Any) -> Iterator[Object]:
    for resource in (state or {}).get("resources", ()):
        if resource["mode"] == "managed" and resource["type"] in _NAMES:
            for instance in resource["instances"]:
                yield resource["type"], instance["attributes"][_NAMES[resource["type"]]]


def _about_code(ended: Ended, code: int | Collection[int]) -> Iterator[str]:
    promised = {code} if isinstance(code, int) else set(code)
    if ended.code not in promised:
        yield f"exit code {ended.code}, promised was {' or '.join(map(str, sorted(promised)))}"


def _about_states(cloud: Cloud) -> Iterator[str]:
    for key, state in _states(cloud):
        if not isinstance(state, dict) or state.get("version") != 4 or not state.get("lineage"):
            yield f"the state at {key} is none"


def _about_objects(cloud: Cloud, told: Collection[Object] | None, ended: Ended) -> Iterator[str]:
    known = managed(cloud)
    there = cloud.objects()
    unknown = there - set(known)
    yield from (f"{twice} is in two states" for twice in {one for one in known if known.count(one) > 1})
    if told is not None:
        yield from (f"{lost} is in no state" for lost in sorted(unknown - set(told)))
        yield from (
            f"{absent} was expected to be in no state, and is not there" for absent in set(told) - unknown
        )
    for kind, name in unknown:
        if name not in ended.text:
            yield f"({kind}, {name}) is in no state, and nobody was told"


def _leases(cloud: Cloud) -> Iterator[str]:
    for key in cloud.listing("_holdfast/leases/"):
        lease = json.loads(cloud.get(key))
        if lease["held"]:
            yield f"{key} is still held: {lease['doing']}"


def _locks(cloud: Cloud) -> Iterator[str]:
    yield from (f"{key} is left" for key in cloud.listing() if key.endswith(".tflock"))


def _leaks(world: World, ended: Ended) -> Iterator[str]:
    if CANARY in ended.text:
        yield "the canary is in what the command printed"
    for key in world.cloud.listing("_holdfast/"):
        if not any(place in f"/{key}" for place in _SECRET_PLACES) and CANARY.encode() in world.cloud.get(
            key
        ):
            yield f"the canary is in {key}"
