"""Facts in, advice out. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast_orchestrator.advice import thresholds as at
from holdfast_orchestrator.advice.cut import Cut, best_cut
from holdfast_orchestrator.advice.facts import Advice, Effect, Merge, Part, ShardFacts, Split
from holdfast_orchestrator.advice.history import History
from holdfast_orchestrator.advice.inside import Groups
from holdfast_orchestrator.advice.steps import merge_steps, split_steps
from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.priority import BASE_SECONDS, SECONDS_PER_RESOURCE


def advise(facts: Sequence[ShardFacts], history: History, graph: Graph) -> Advice:
    """Return which of these shards to split and which to merge; `graph` is that of the whole app."""
    splits = tuple(found for known in facts if (found := split_of(known, history)) is not None)
    whole = [known for known in facts if known.name not in {split.shard for split in splits}]
    return Advice(
        shards=tuple(known.name for known in facts),
        runs=len(history.records),
        since=history.since,
        splits=splits,
        merges=tuple(_merges(whole, history, graph)),
    )


def reasons_to_split(known: ShardFacts, history: History) -> tuple[str, ...]:
    """Return why a cut is worth looking for, in words; nothing where it is not."""
    size, seconds, changes = len(known.objects), history.seconds(known.name), history.changes(known.name)
    found = []
    if size >= at.SPLIT_RESOURCES:
        found.append(f"it holds {size} objects")
    if seconds is not None and seconds >= at.SPLIT_SECONDS and changes >= at.KNOWN_CHANGES:
        looked = history.looked(known.name)
        found.append(f"a deploy takes {seconds:.0f} s, and {changes} of {looked} runs changed it")
    if known.plan_seconds is not None and known.plan_seconds >= at.SPLIT_PLAN_SECONDS:
        found.append(f"a plan takes {known.plan_seconds:.0f} s")
    return tuple(found)


def split_of(known: ShardFacts, history: History) -> Split | None:
    """Return how to split a shard, None where it is better left as it is.

    Whole constructs are parted where that can be done; only else what is below them.
    """
    why = reasons_to_split(known, history)
    if not why or known.inside is None:
        return None
    for groups in known.inside.levels():
        cut = _cut(known, groups)
        if cut is not None:
            return _split(known, history, groups, cut=cut, why=why)
    return None


def _cut(known: ShardFacts, groups: Groups) -> Cut | None:
    sizes = Counter(groups.group_of[one.block] for one in known.objects if one.block in groups.group_of)
    weights = {group: sizes[group] for group in groups.groups}
    least = max(at.PART_RESOURCES, at.PART_SHARE * sizes.total())
    cut = best_cut(weights, groups.arrows, least=least)
    return cut if cut is not None and cut.crossing <= at.MOST_CROSSING else None


def _split(
    known: ShardFacts, history: History, groups: Groups, *, cut: Cut, why: tuple[str, ...]
) -> Split | None:
    """The advice to cut there, None where most of the earlier changes concerned both parts."""
    upstream, downstream = _parts(known, history, groups, cut=cut)
    changes = sum(bool(change & groups.group_of.keys()) for change in known.changes)
    if changes >= at.KNOWN_CHANGES and upstream.alone + downstream.alone < at.ALONE_SHARE * changes:
        return None
    moves, stays = sorted((upstream, downstream), key=lambda part: (part.stateful, len(part.objects)))
    moves_first = moves is upstream or not cut.crossing
    return Split(
        shard=known.name,
        why=why,
        stays=stays,
        moves=moves,
        moves_first=moves_first,
        crossing=_crossing(groups, cut),
        changes=changes,
        effect=_split_effect(known, history, (upstream, downstream), changes=changes, apart=not cut.crossing),
        steps=split_steps(known.shard, moves, moves_first=moves_first, crossing=cut.crossing),
    )


def _parts(known: ShardFacts, history: History, groups: Groups, *, cut: Cut) -> tuple[Part, Part]:
    seconds, _ = _seconds(known, history)
    touched = [{groups.group_of[one] for one in change if one in groups.group_of} for change in known.changes]

    def part(names: frozenset[str]) -> Part:
        objects = tuple(one for one in known.objects if groups.group_of.get(one.block) in names)
        share = len(objects) / len(known.objects)
        return Part(
            constructs=tuple(sorted(names)),
            objects=objects,
            alone=sum(bool(change) and change <= names for change in touched),
            seconds=BASE_SECONDS + max(0.0, seconds - BASE_SECONDS) * share,
        )

    return part(cut.upstream), part(cut.downstream)


def _crossing(groups: Groups, cut: Cut) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (start, end)
            for start, end in groups.references
            if groups.group_of[start] in cut.downstream and groups.group_of[end] in cut.upstream
        )
    )


def _split_effect(
    known: ShardFacts, history: History, parts: tuple[Part, Part], *, changes: int, apart: bool
) -> Effect:
    """A change to one part deploys that part; one to both deploys both, at once where they are `apart`."""
    before, measured = _seconds(known, history)
    took = [part.seconds for part in parts]
    if changes:
        often = [part.alone / changes for part in parts]
    else:
        often = [len(part.objects) / sum(len(one.objects) for one in parts) for part in parts]
    together = max(took) if apart else sum(took)
    alone = sum(share * seconds for share, seconds in zip(often, took, strict=True))
    return Effect(
        objects_before=len(known.objects),
        objects_after=max(len(part.objects) for part in parts),
        seconds_before=before,
        seconds_after=alone + (1 - sum(often)) * together,
        measured=measured,
    )


def _seconds(known: ShardFacts, history: History) -> tuple[float, bool]:
    """How long a deploy takes, and whether that was measured."""
    measured = history.seconds(known.name)
    if measured is not None:
        return measured, True
    return BASE_SECONDS + SECONDS_PER_RESOURCE * len(known.objects), False


@dataclass(frozen=True, slots=True)
class _Pair:
    upstream: ShardFacts
    downstream: ShardFacts
    runs: int

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(sorted(self.downstream.reads[self.upstream.name]))


def _merges(facts: Sequence[ShardFacts], history: History, graph: Graph) -> Iterator[Merge]:
    """The best pairs, each shard in one at most: two merged ones are judged anew by later runs."""
    taken: set[str] = set()
    ranked = sorted(
        _pairs(facts, history, graph),
        key=lambda pair: (-pair.runs, -len(pair.outputs), pair.upstream.name, pair.downstream.name),
    )
    for pair in ranked:
        names = {pair.upstream.name, pair.downstream.name}
        if not names & taken:
            taken |= names
            yield _merge(pair, history)


def _pairs(facts: Sequence[ShardFacts], history: History, graph: Graph) -> Iterator[_Pair]:
    by_name: Mapping[str, ShardFacts] = {known.name: known for known in facts}
    for downstream in facts:
        for name in sorted(downstream.reads.keys() & by_name.keys()):
            upstream = by_name[name]
            together = history.together((upstream.name, downstream.name))
            if (
                together.always
                and together.both >= at.MERGE_RUNS
                and _alike(upstream, downstream)
                and _fit(upstream, downstream)
                and not _leads_around(upstream.name, downstream.name, graph)
            ):
                yield _Pair(upstream, downstream, together.both)


def _alike(one: ShardFacts, other: ShardFacts) -> bool:
    """Whether one stack can hold both: the same place, and the same credentials for it."""
    return _place(one) == _place(other)


def _place(known: ShardFacts) -> tuple[str | None, ...]:
    shard = known.shard
    bucket = (shard.state.bucket, shard.state.region, shard.state.kms_key_id)
    return (shard.environment, shard.account, shard.region, shard.cloud, shard.role_arn, *bucket)


def _fit(one: ShardFacts, other: ShardFacts) -> bool:
    """Whether both are small, nothing is protected (that is kept apart on purpose), no address is twice."""
    both = (one, other)
    return (
        all(0 < len(known.objects) <= at.MERGE_RESOURCES for known in both)
        and all(known.inside is not None and not known.shard.protected for known in both)
        and not _addresses(one) & _addresses(other)
    )


def _addresses(known: ShardFacts) -> set[str]:
    declared: Iterable[str] = () if known.inside is None else known.inside.paths
    return {*declared, *(one.block for one in known.objects)}


def _leads_around(upstream: str, downstream: str, graph: Graph) -> bool:
    """Whether a third shard lies between them: merged, they would depend on each other in a circle."""
    others = [name for name in graph.dependencies[downstream] if name != upstream]
    return upstream in graph.upstreams(others)


def _merge(pair: _Pair, history: History) -> Merge:
    both = (pair.upstream, pair.downstream)
    seconds = [_seconds(known, history) for known in both]
    before = sum(took for took, _ in seconds)
    sizes = [len(known.objects) for known in both]
    return Merge(
        shard=pair.downstream.name,
        into=pair.upstream.name,
        outputs=pair.outputs,
        runs=pair.runs,
        effect=Effect(
            objects_before=max(sizes),
            objects_after=sum(sizes),
            seconds_before=before,
            seconds_after=max(0.0, before - BASE_SECONDS),
            measured=all(measured for _, measured in seconds),
        ),
        steps=merge_steps(pair.downstream.shard, pair.upstream.shard, pair.downstream.objects),
    )
