"""Writes connections.json: who talks to whom, on which port and with which permission.

Each connection is noted where its rules or its policy are created: `connect` for security groups, `grant_to`
and `connect_to` for permissions, and the blocks that let one AWS service call another. Notes of the same two
ends are one connection. `holdfast graph --connections` shows the file; nothing is deployed by it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from constructs import Construct

from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._provenance import Origin, origin_of

SCHEMA = "holdfast/connections/v1"
FILE_NAME = "connections.json"

Direction = Literal["in", "out"]

# What an action lets somebody do, in a word, and which way the data goes. Other actions of the same
# statements (finding a queue, using its key) say no more.
_WORDS: Mapping[str, tuple[str, tuple[Direction, ...]]] = {
    "ecr:BatchGetImage": ("pull", ("in",)),
    "ecr:PutImage": ("push", ("out",)),
    "elasticache:Connect": ("log in", ("in", "out")),
    "rds-db:connect": ("log in", ("in", "out")),
    "s3:GetObject": ("read", ("in",)),
    "s3:PutObject": ("write", ("out",)),
    "secretsmanager:GetSecretValue": ("read", ("in",)),
    "sns:Publish": ("publish", ("out",)),
    "sqs:ReceiveMessage": ("consume", ("in",)),
    "sqs:SendMessage": ("send", ("out",)),
    "ssm:GetParameter": ("read", ("in",)),
}
# A reference to an attribute of a resource, and one to the output of another stack.
_RESOURCE = re.compile(r"\$\{(aws_[a-z0-9_]+)\.([A-Za-z0-9_-]+)\.")
_OUTPUT = re.compile(r"\$\{data\.terraform_remote_state\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)\}")


@dataclass(frozen=True, slots=True)
class Outside:
    """An end that is no block of the app, such as the internet or a secret by its ARN."""

    kind: str
    name: str


End = Origin | Outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """That `client` opens a connection to `server`, or is permitted to use it; `words` say for what."""

    client: End
    server: End
    port: int | None = None
    words: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ("out",)
    hosts: tuple[str, ...] = ()


def note_connection(
    client: object,
    server: object,
    *,
    port: int | None = None,
    word: str | None = None,
    directions: tuple[Direction, ...] = ("out",),
    host: str | None = None,
) -> None:
    """Remember a connection of one block to another; what is no block is shown by its name."""
    here, there = _end(client), _end(server)
    words = () if word is None else (word,)
    hosts = () if host is None else (host,)
    inside = here if isinstance(here, Origin) else there
    if isinstance(inside, Origin):
        note = Note(client=here, server=there, port=port, words=words, directions=directions, hosts=hosts)
        inside.notes.append(note)


def note_permission(client: Construct, server: object, actions: Iterable[str]) -> None:
    """Remember what the actions of a policy let `client` do with `server`."""
    for action in actions:
        if action in _WORDS:
            word, directions = _WORDS[action]
            note_connection(client, server, word=word, directions=directions)


def write_connections(
    outdir: Path, stacks: Iterable[Construct], configurations: Mapping[str, Configuration]
) -> Path:
    """Write connections.json of an app's stacks into `outdir`, where cdktf wrote the `configurations`."""
    notes: dict[int, Note] = {}
    resources: dict[str, Origin] = {}
    for origin in filter(None, map(origin_of, stacks)):
        notes |= {id(note): note for note in origin.notes}
        resources |= origin.resources
    ends: dict[tuple[str, ...], dict[str, Any]] = {}
    for note in (*notes.values(), *_secrets(configurations, resources)):
        _add(ends, note)
    document = {"schema": SCHEMA, "connections": [_listed(ends[key]) for key in sorted(ends)]}
    file = outdir / FILE_NAME
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")
    return file


def _add(ends: dict[tuple[str, ...], dict[str, Any]], note: Note) -> None:
    client, server = _written(note.client), _written(note.server)
    if client == server:
        return
    key = (*_key(client), *_key(server))
    entry = ends.setdefault(key, {"from": client, "to": server})
    for name, values in (
        ("ports", () if note.port is None else (note.port,)),
        ("permissions", note.words),
        ("directions", note.directions),
        ("hosts", note.hosts),
    ):
        entry.setdefault(name, set()).update(values)


def _listed(entry: Mapping[str, Any]) -> dict[str, Any]:
    directions = entry["directions"]
    direction = "both" if len(directions) > 1 else next(iter(directions))
    lists = {name: sorted(entry[name]) for name in ("ports", "permissions", "hosts")}
    return {"from": entry["from"], "to": entry["to"], "direction": direction, **lists}


def _key(end: Mapping[str, Any]) -> tuple[str, str, str]:
    return (end["stack"] or "", end["id"], end["block"])


def _end(part: object) -> End:
    origin = origin_of(part) if isinstance(part, Construct) else None
    if origin is not None:
        return _block(origin)
    if isinstance(part, Outside):
        return part
    name = getattr(part, "name", None)
    return Outside(type(part).__name__, name if isinstance(name, str) else "unnamed")


def _block(origin: Origin) -> Origin:
    """The block that a person wrote: parts that the same line created are parts of it."""
    while origin.parent is not None and not origin.parent.is_stack:
        parent = origin.parent
        if (parent.file, parent.line) != (origin.file, origin.line):
            break
        origin = parent
    return origin


def _written(end: End) -> dict[str, Any]:
    if isinstance(end, Outside):
        return {"stack": None, "block": end.kind, "id": end.name}
    stack = end
    while stack.parent is not None and not stack.is_stack:
        stack = stack.parent
    kind, _, _ = end.label.partition(" ")
    return {
        "stack": stack.path.rsplit("/", 1)[-1],
        "block": kind,
        "id": end.path.removeprefix(f"{stack.path}/"),
    }


def _secrets(configurations: Mapping[str, Configuration], resources: Mapping[str, Origin]) -> Iterator[Note]:
    """Yield a note for each secret that ECS fetches for a container, read from what was written."""
    for name, configuration in configurations.items():
        tasks = configuration.document.get("resource", {}).get("aws_ecs_task_definition", {})
        for task in tasks.values():
            client = resources.get(_path(task))
            if client is None:
                continue
            for value in _fetched(task):
                server = _secret(value, name, configurations, resources)
                yield Note(client=_block(client), server=server, words=("read",), directions=("in",))


def _fetched(task: Mapping[str, Any]) -> Iterator[str]:
    try:
        containers = json.loads(task.get("container_definitions", "[]"))
    except (TypeError, ValueError):
        return
    for container in containers:
        for secret in container.get("secrets") or ():
            yield str(secret["valueFrom"])


def _secret(
    value: str, stack: str, configurations: Mapping[str, Configuration], resources: Mapping[str, Origin]
) -> End:
    """Return the block whose attribute `value` is, in its own stack or another; else what its ARN names."""
    document = configurations[stack].document
    if (output := _OUTPUT.search(value)) is not None:
        other = output[1].removeprefix("cross-stack-reference-input-")
        outputs = configurations[other].document.get("output", {}) if other in configurations else {}
        given = outputs.get(output[2], {}).get("value")
        there = Outside("Secret", output[2])
        return there if given is None else _secret(given, other, configurations, resources)
    if (reference := _RESOURCE.search(value)) is not None:
        block = document.get("resource", {}).get(reference[1], {}).get(reference[2], {})
        origin = resources.get(_path(block))
        return Outside("Secret", reference[2]) if origin is None else _block(origin)
    return _by_arn(value)


def _by_arn(arn: str) -> Outside:
    """What an ARN names; of a secret's without the JSON key and the version that may follow."""
    if (parameter := arn.partition(":parameter/")[2]) or ":ssm:" in arn:
        return Outside("Parameter", parameter or arn)
    return Outside("Secret", arn.partition(":secret:")[2].partition(":")[0] or arn)


def _path(block: Mapping[str, Any]) -> str:
    return str(block.get("//", {}).get("metadata", {}).get("path", ""))
