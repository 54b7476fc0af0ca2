"""Who talks to whom, as text, Mermaid or DOT, and as a JSON document."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Literal

from holdfast_orchestrator.app.connections import Connection, ConnectionEnd
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.report.wording import counted

Render = Callable[[Sequence[Connection]], str]
# Where the data goes, as the client sees it.
_ARROWS: Mapping[str, str] = {"out": "-->", "in": "<--", "both": "<->"}
_MERMAID: Mapping[str, str] = {"out": "-->", "in": "-->", "both": "<-->"}
_DOT: Mapping[str, str] = {"out": "forward", "in": "forward", "both": "both"}
# With arrow, permission and kind, a line has 80 columns.
_WIDEST_NAME = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedEnd:
    """A block by its class and id in a stack; without a stack, something outside of the app."""

    stack: str | None
    block: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """What `client` may do with `server`; `direction` is where the data goes, as the client sees it."""

    client: ConnectedEnd
    server: ConnectedEnd
    direction: str
    ports: tuple[int, ...]
    permissions: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsReport:
    """`holdfast graph --connections --json`."""

    schema: Literal["holdfast/graph-connections/v1"] = "holdfast/graph-connections/v1"
    connections: tuple[ConnectionRow, ...]


def connections_document(connections: Iterable[Connection]) -> ConnectionsReport:
    """Return the document that shows `connections`."""
    rows = (
        copied(
            ConnectionRow,
            each,
            client=copied(ConnectedEnd, each.client),
            server=copied(ConnectedEnd, each.server),
        )
        for each in connections
    )
    return ConnectionsReport(connections=tuple(rows))


def as_text(connections: Sequence[Connection]) -> str:
    """Return the connections of each client below its name, in 80 columns where names allow.

    An arrow shows where the data goes: `-->` to the server, `<--` from it, `<->` both.
    """
    return "\n".join(_text_lines(connections))


def as_mermaid(connections: Sequence[Connection]) -> str:
    """Return a Mermaid flowchart with a box for each stack; arrows lead where the data goes."""
    ends = _ends(connections)
    numbers = {end: f"b{number}" for number, end in enumerate(ends)}
    lines = ["flowchart LR"]
    for number, (stack, group) in enumerate(_by_stack(ends)):
        nodes = [f'  {numbers[end]}["{_escaped(end.id)}<br/>{end.block}"]' for end in group]
        if stack is None:
            lines += nodes
        else:
            lines += [f'  subgraph g{number}["{stack}"]', *(f"  {node}" for node in nodes), "  end"]
    for each in connections:
        start, end = _ordered(each)
        label = _escaped(_label(each))
        arrow = _MERMAID[each.direction] + (f'|"{label}"|' if label else "")
        lines.append(f"  {numbers[start]} {arrow} {numbers[end]}")
    return "\n".join(lines)


def as_dot(connections: Sequence[Connection]) -> str:
    """Return a DOT digraph with a cluster for each stack; arrows lead where the data goes."""
    ends = _ends(connections)
    lines = ["digraph connections {", "  rankdir=LR;", "  node [shape=box];"]
    for number, (stack, group) in enumerate(_by_stack(ends)):
        nodes = [f'  "{_node(end)}" [label="{_quoted(end.id)}\\n{end.block}"];' for end in group]
        if stack is None:
            lines += nodes
        else:
            lines += [f"  subgraph cluster_{number} {{", f'    label="{stack}";']
            lines += [*(f"  {node}" for node in nodes), "  }"]
    for each in connections:
        start, end = _ordered(each)
        label = f'label="{_quoted(_label(each))}", dir={_DOT[each.direction]}'
        lines.append(f'  "{_node(start)}" -> "{_node(end)}" [{label}];')
    return "\n".join([*lines, "}"])


RENDERINGS: Mapping[str, Render] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


def _text_lines(connections: Sequence[Connection]) -> Iterator[str]:
    place = _common_end(each.stack for each in _ends(connections) if each.stack is not None)
    clients: dict[ConnectionEnd, list[Connection]] = {}
    for each in connections:
        clients.setdefault(each.client, []).append(each)
    widths = _widths(connections, place)
    if place:
        yield f"in {place.removeprefix('-')}"
        yield ""
    for client, group in clients.items():
        yield f"{_named(client, place)}  {client.block}"
        for each in group:
            yield from _row(each, place, widths)
        yield ""
    yield f"{counted(len(connections), 'connection')} between {counted(len(_ends(connections)), 'block')}"


def _row(connection: Connection, place: str, widths: tuple[int, int]) -> Iterator[str]:
    name, what = widths
    server = _named(connection.server, place)
    start, end = (
        f"  {_ARROWS[connection.direction]} ",
        f"{_what(connection):<{what}}  {connection.server.block}",
    )
    if len(server) > name:
        yield f"{start}{server}"
        start, server = " " * len(start), ""
    yield f"{start}{server:<{name}}  {end}"
    yield from (f"      {host}" for host in connection.hosts)


def _widths(connections: Sequence[Connection], place: str) -> tuple[int, int]:
    """The widths of the columns: a name that is wider than the first has a line of its own."""
    names = [len(_named(each.server, place)) for each in connections]
    name = max((width for width in names if width <= _WIDEST_NAME), default=_WIDEST_NAME)
    return name, max((len(_what(each)) for each in connections), default=0)


def _named(end: ConnectionEnd, place: str) -> str:
    """A block by its stack and id: `orders/api` of `orders-prod-eu-west-1` in prod-eu-west-1."""
    return end.id if end.stack is None else f"{end.stack.removesuffix(place)}/{end.id}"


def _common_end(names: Iterable[str]) -> str:
    """The words with which all names of stacks end: where the stacks are. Of a single stack none."""
    reversed_words = [name.split("-")[::-1] for name in dict.fromkeys(names)]
    if len(reversed_words) < 2:  # noqa: PLR2004 - of one name everything is common
        return ""
    shared = list(takewhile(lambda words: len(set(words)) == 1, zip(*reversed_words, strict=False)))
    # A stack keeps at least its first word.
    shortest = min(map(len, reversed_words))
    words = [each[0] for each in shared[: shortest - 1]]
    return "".join(f"-{word}" for word in reversed(words))


def _what(connection: Connection) -> str:
    words = ", ".join((*connection.permissions, *(str(port) for port in connection.ports)))
    return words or "-"


def _label(connection: Connection) -> str:
    hosts = connection.hosts[:1] if len(connection.hosts) == 1 else ()
    return ", ".join((*connection.permissions, *map(str, connection.ports), *hosts))


def _ordered(connection: Connection) -> tuple[ConnectionEnd, ConnectionEnd]:
    """From where the data goes to where."""
    ends = (connection.client, connection.server)
    return (ends[1], ends[0]) if connection.direction == "in" else ends


def _ends(connections: Iterable[Connection]) -> tuple[ConnectionEnd, ...]:
    """Every block, those of one stack together, those of none first."""
    ends = {end for each in connections for end in (each.client, each.server)}
    return tuple(sorted(ends, key=lambda end: (end.stack or "", end.block, end.id)))


def _by_stack(ends: Iterable[ConnectionEnd]) -> Iterator[tuple[str | None, tuple[ConnectionEnd, ...]]]:
    for stack, group in groupby(ends, key=lambda end: end.stack):
        yield stack, tuple(group)


def _node(end: ConnectionEnd) -> str:
    return _quoted("/".join(filter(None, (end.stack, end.block, end.id))))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;")
