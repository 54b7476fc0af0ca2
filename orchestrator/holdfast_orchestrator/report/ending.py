"""The end of a run in text: which shards failed, why, where, what to do next, and a summary."""

from collections.abc import Iterator, Sequence

from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.report.rows import clock_text
from holdfast_orchestrator.report.wording import counted

_WORDS = {
    Outcome.FAILED: "failed",
    Outcome.BLOCKED: "was stopped by a gate",
    Outcome.NEEDS_HUMAN: "needs a person",
    Outcome.ROLLED_BACK: "failed and was rolled back",
    Outcome.SKIPPED: "was not brought to its end",
}
# Evidence that says of itself what it is.
_LABELS = ("where", "before")


def ending_lines(result: RunResult) -> Iterator[str]:
    """Yield what a person must know after the run; nothing if all ended well."""
    for shard in result.shards:
        yield from (f"accepted difference: {shard.label}: {use}" for use in shard.accepted)
    for shard in result.shards:
        if shard.outcome in _WORDS and not _not_begun(shard):
            yield from _shard_lines(shard)
    skipped = [shard.label for shard in result.shards if _not_begun(shard)]
    if skipped:
        yield f"not begun: {', '.join(skipped)}"
    if result.interrupted:
        yield "interrupted: running shards were left to finish, and their states are saved"


def summary_line(result: RunResult) -> str:
    """Return how a run ended in one line: shards by outcome, objects, time, and the run's name."""
    outcomes = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in result.counts.items())
    # A shard that was stopped by a gate has the counts of its plan.
    applied = [shard for shard in result.shards if shard.outcome is not Outcome.BLOCKED]
    sums = {
        what: sum(getattr(shard, what) for shard in applied) for what in ("added", "changed", "destroyed")
    }
    objects = [f"{number} {what}" for what, number in sums.items() if number]
    back = sum(shard.put_back for shard in result.shards)
    objects += [f"{counted(back, 'object')} put back"] if back else []
    unknown = any(map(_is_half_way, result.shards))
    return " · ".join(
        (
            f"{counted(len(result.shards), 'shard')}: {outcomes or 'none'}",
            *([", ".join(objects)] if objects else [] if unknown else ["no object changed"]),
            clock_text(result.seconds),
            f"run {result.run}",
        )
    )


def _is_half_way(shard: ShardResult) -> bool:
    """Whether a shard waits for a person: what was changed in it is not counted."""
    return shard.outcome in (Outcome.BLOCKED, Outcome.NEEDS_HUMAN) and shard.exit_code != GateError.exit_code


def _shard_lines(shard: ShardResult) -> Iterator[str]:
    yield f"{shard.label} {_WORDS[shard.outcome]}{_how_far(shard)}."
    if shard.reason is not None:
        yield f"  why     {shard.reason}"
    for line in _new_evidence(shard):
        label, _, text = line.partition(": ")
        yield f"  {label.ljust(7)} {text}" if label in _LABELS else f"          {line}"
    # What was rolled back is as it was before: nobody needs the state between.
    if shard.backup is not None and shard.outcome is not Outcome.ROLLED_BACK:
        yield f"  backup  {shard.backup}"
    if shard.next_step is not None:
        yield f"  next    {shard.next_step}"


def _new_evidence(shard: ShardResult) -> Sequence[str]:
    """Return the evidence without a first line that the reason has: the engine's own summary."""
    first, *others = shard.evidence or ("",)
    # In a reason that goes on, it ends without its full stop.
    is_told = bool(first) and first.removesuffix(".") in (shard.reason or "")
    return others if is_told else shard.evidence


def _not_begun(shard: ShardResult) -> bool:
    """Whether the shard was never begun; a shard that was skipped half way has a next step."""
    return shard.outcome is Outcome.SKIPPED and shard.next_step is None


def _how_far(shard: ShardResult) -> str:
    """Say whether a gate stopped a deploy before it changed anything, or a rollback."""
    if shard.outcome is not Outcome.BLOCKED:
        return ""
    return "; nothing of it was changed" if shard.exit_code == GateError.exit_code else " on its way back"
