"""The text of `holdfast advise`."""

import json
import shlex
from collections.abc import Iterable, Iterator

from holdfast_orchestrator.advice.facts import Advice, Effect, Merge, Part, Split, Step
from holdfast_orchestrator.report.wording import counted

_MOST_REFERENCES = 5


def advice_lines(advice: Advice, *, steps: bool) -> Iterator[str]:
    """Yield the advice, with `steps` also how to carry it out."""
    if not advice.splits and not advice.merges:
        yield f"nothing to advise: {_looked_at(advice)}"
        return
    for split in advice.splits:
        yield from _split(split)
        yield from _how(split.steps, split.shard, shown=steps)
    for merge in advice.merges:
        yield from _merge(merge)
        yield from _how(merge.steps, merge.shard, shown=steps)
    yield f"{_looked_at(advice)}; nothing was changed"


def _looked_at(advice: Advice) -> str:
    since = "" if advice.since is None else f" since {advice.since:%d %b %Y}"
    return f"{counted(len(advice.shards), 'shard')} and {counted(advice.runs, 'run')}{since} were looked at"


def _split(split: Split) -> Iterator[str]:
    yield f"split {split.shard}: {'; '.join(split.why)}"
    yield from _part("moves out", split.moves, split.changes)
    yield from _part("stays", split.stays, split.changes)
    if split.crossing:
        yield f"  across     {counted(len(split.crossing), 'reference')}, each to become an output:"
        yield from (f"    {start} -> {end}" for start, end in split.crossing[:_MOST_REFERENCES])
        if len(split.crossing) > _MOST_REFERENCES:
            yield f"    and {len(split.crossing) - _MOST_REFERENCES} more"
    else:
        yield "  across     nothing: the two have nothing to do with each other"
    yield from _effect(split.effect)


def _part(word: str, part: Part, changes: int) -> Iterator[str]:
    objects = counted(len(part.objects), "object")
    alone = (
        f"; {part.alone} of {counted(changes, 'earlier change')} concerned nothing else" if changes else ""
    )
    yield f"  {word:<9}  {objects}: {', '.join(part.constructs)}{alone}"


def _merge(merge: Merge) -> Iterator[str]:
    yield f"merge {merge.shard} into {merge.into}: both changed in {merge.runs} runs, and neither alone"
    yield f"  across     {counted(len(merge.outputs), 'output')}: {', '.join(merge.outputs)}"
    yield from _effect(merge.effect)


def _effect(effect: Effect) -> Iterator[str]:
    how = "" if effect.measured else " (both estimated)"
    yield f"  time       about {effect.seconds_after:.0f} s a deploy, now {effect.seconds_before:.0f} s{how}"
    yield f"  reach      {effect.objects_after} objects at most, now {effect.objects_before}"


def _how(steps: Iterable[Step], shard: str, *, shown: bool) -> Iterator[str]:
    if not shown:
        yield f"  how        holdfast advise --stack {shlex.quote(shard)} --steps"
        yield ""
        return
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {step.what}"
        yield from (f"       {command}" for command in step.commands)
        if step.block is not None:
            yield f"     into {step.into}:"
            yield from (f"       {line}" for line in json.dumps(step.block, indent=2).splitlines())
    yield ""
