"""The graph of shards as text, Mermaid or DOT."""

from collections.abc import Callable, Iterator, Mapping

from holdfast_orchestrator.app.graph import Graph

Render = Callable[[Graph], str]


def as_text(graph: Graph) -> str:
    """Return one line a shard, with the number of its wave; a wave can be deployed at the same time."""
    return "\n".join(_text_lines(graph))


def as_mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart; arrows lead from a shard to those that need it."""
    numbers = {name: f"s{number}" for number, name in enumerate(graph.order)}
    nodes = [f'  {numbers[name]}["{name}"]' for name in graph.order]
    edges = [f"  {numbers[start]} --> {numbers[end]}" for start, end in _edges(graph)]
    return "\n".join(["flowchart TD", *nodes, *edges])


def as_dot(graph: Graph) -> str:
    """Return a DOT digraph; arrows lead from a shard to those that need it."""
    nodes = [f'  "{name}";' for name in graph.order]
    edges = [f'  "{start}" -> "{end}";' for start, end in _edges(graph)]
    return "\n".join(["digraph holdfast {", *nodes, *edges, "}"])


RENDERINGS: Mapping[str, Render] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


def _text_lines(graph: Graph) -> Iterator[str]:
    for number, wave in enumerate(graph.waves, start=1):
        for name in wave:
            upstreams = graph.dependencies[name]
            after = f"  after {', '.join(upstreams)}" if upstreams else ""
            yield f"{number}  {name}{after}"


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    for name in graph.order:
        for upstream in sorted(graph.dependencies[name]):
            yield upstream, name
