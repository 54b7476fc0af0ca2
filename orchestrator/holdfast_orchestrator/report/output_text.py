"""What `holdfast output` prints: the outputs of shards, for people and as a JSON document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from holdfast_orchestrator.report.wording import columns, moment
from holdfast_orchestrator.system.visible import json_text

if TYPE_CHECKING:
    from holdfast_orchestrator.record.outputs import OutputValue, ShardOutputs

HIDDEN = "(sensitive)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedOutput:
    """An output; `value` is null where it is sensitive and was not asked for."""

    value: Any
    sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardWithOutputs:
    """A shard and its outputs by name; `run` deployed them, `at` (ISO 8601, UTC) is when."""

    name: str
    environment: str
    run: str
    at: str
    outputs: Mapping[str, PrintedOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDocument:
    """`holdfast output --json`."""

    schema: Literal["holdfast/output/v1"] = "holdfast/output/v1"
    shards: tuple[ShardWithOutputs, ...]


def output_document(shards: "Sequence[ShardOutputs]", *, sensitive: bool) -> OutputDocument:
    """Return the document that shows the outputs of shards; sensitive values only where asked for."""
    return OutputDocument(
        shards=tuple(
            ShardWithOutputs(
                name=shard.shard,
                environment=shard.environment,
                run=shard.run,
                at=shard.at.isoformat(),
                outputs={
                    output.name: PrintedOutput(
                        value=output.value if sensitive or not output.sensitive else None,
                        sensitive=output.sensitive,
                    )
                    for output in shard.outputs
                },
            )
            for shard in shards
        )
    )


def output_lines(shards: "Sequence[ShardOutputs]", *, sensitive: bool) -> Iterator[str]:
    """List the outputs of each shard, without those that cdktf made for other stacks."""
    if not shards:
        yield "nothing is deployed"
    for shard in shards:
        yield f"{shard.shard}  (run {shard.run}, {moment(shard.at)})"
        own = [output for output in shard.outputs if not output.is_cross_stack]
        others = len(shard.outputs) - len(own)
        width = max((len(output.name) for output in own), default=0)
        for output in own:
            yield f"  {output.name.ljust(width)}  {_shown(output, sensitive=sensitive)}"
        if others:
            yield f"  ({others} for other stacks: --json)"
        elif not own:
            yield "  (no outputs)"


def outputs_after(shards: "Sequence[ShardOutputs]") -> Iterator[str]:
    """List the outputs that a deploy ends with; nothing for shards that have none of their own."""
    rows = [
        (shard.shard, output.name, _shown(output, sensitive=False))
        for shard in shards
        for output in shard.outputs
        if not output.is_cross_stack
    ]
    if rows:
        yield from (f"  {line}" for line in columns([("SHARD", "OUTPUT", "VALUE"), *rows]))


def _shown(output: "OutputValue", *, sensitive: bool) -> str:
    if output.sensitive and not sensitive:
        return HIDDEN
    return output.value if isinstance(output.value, str) else json_text(output.value)
