"""What is advised, from facts; the states, records and configurations are made up here."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.advice import thresholds as at
from holdfast_orchestrator.advice.decide import advise, split_of
from holdfast_orchestrator.advice.facts import Advice, ShardFacts, Split, Standing, Step
from holdfast_orchestrator.advice.history import History, Together
from holdfast_orchestrator.advice.inside import Inside
from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.runs import RunRecord

STARTED = datetime(2026, 11, 21, tzinfo=UTC)
NOTHING = History(())


def shard(name: str, **fields: Any) -> Shard:
    key = f"{name}/123456789012/eu-west-1/prod/terraform.tfstate"
    given: dict[str, Any] = {
        "environment": "prod",
        "account": "123456789012",
        "region": "eu-west-1",
        "state": StateLocation(bucket="states", key=key, region="eu-west-1"),
    }
    backend = {"bucket": "states", "key": key, "region": "eu-west-1", "use_lockfile": True}
    configuration = json.dumps({"terraform": {"backend": {"s3": backend}}}).encode()
    return Shard(name=name, directory=Path(), configuration=configuration, service=name, **(given | fields))


def facts(
    name: str,
    groups: dict[str, int],
    references: Iterable[tuple[str, str]] = (),
    *,
    stateful: Iterable[str] = (),
    reads: dict[str, set[str]] | None = None,
    place: dict[str, Any] | None = None,
    **known: Any,
) -> ShardFacts:
    """A shard of so many resources a group; the third of group `api` is `aws_x.<shard>_api_2`."""
    blocks = {
        group: tuple(f"aws_x.{name}_{group}_{number}" for number in range(size))
        for group, size in groups.items()
    }
    ends = frozenset((f"aws_x.{name}_{start}", f"aws_x.{name}_{end}") for start, end in references)
    return ShardFacts(
        shard=shard(name, **(place or {})),
        objects=tuple(
            Standing(
                address=address,
                stateful=group in stateful,
            )
            for group, members in blocks.items()
            for address in members
        ),
        inside=Inside({address: (group,) for group, members in blocks.items() for address in members}, ends),
        reads={upstream: frozenset(outputs) for upstream, outputs in (reads or {}).items()},
        **known,
    )


def run(
    number: int,
    outcomes: Mapping[str, str],
    *,
    seconds: Mapping[str, float] | None = None,
    command: str = "holdfast deploy",
) -> RunRecord:
    return RunRecord(
        run=f"R{number:03}",
        command=command,
        actor=Actor(kind="user", name="jane", host="laptop"),
        environments=("prod",),
        shards=tuple(outcomes),
        started=STARTED + timedelta(days=number),
        outcomes=outcomes,
        seconds=seconds or {},
    )


def runs(count: int, outcomes: Mapping[str, str], *, seconds: Mapping[str, float] | None = None) -> History:
    return History.of(run(number, outcomes, seconds=seconds) for number in range(count))


def chain(*names: str) -> Graph:
    return Graph({name: names[:position][-1:] for position, name in enumerate(names)})


def the_split(known: ShardFacts, history: History = NOTHING) -> Split:
    found = split_of(known, history)
    assert found is not None
    return found


LARGE = {"api": 40, "mail": 25}


def test_a_large_shard_is_cut_where_nothing_crosses() -> None:
    split = the_split(facts("big", LARGE))

    assert split.why == ("it holds 65 objects",)
    assert (split.moves.constructs, split.stays.constructs) == (("mail",), ("api",))
    assert split.crossing == ()
    assert (split.effect.objects_before, split.effect.objects_after) == (65, 40)
    assert split.effect.seconds_after < split.effect.seconds_before
    assert not split.effect.measured


def test_whole_constructs_are_parted_where_that_can_be_done() -> None:
    paths = {f"aws_x.a{number}": ("api", f"{number}") for number in range(40)}
    more = {f"aws_x.m{number}": ("mail", f"{number}") for number in range(25)}

    split = the_split(made_of(paths | more))
    deeper = the_split(made_of(paths | {f"aws_x.b{number}": ("api", "b") for number in range(25)}))

    assert (split.moves.constructs, split.stays.constructs) == (("mail",), ("api",))
    assert all(name.startswith("api/") for name in deeper.moves.constructs)


def made_of(paths: Mapping[str, tuple[str, ...]]) -> ShardFacts:
    objects = tuple(Standing(address=address) for address in paths)
    return ShardFacts(shard=shard("big"), objects=objects, inside=Inside(paths, frozenset()))


def test_references_across_are_named_and_say_which_part_is_deployed_first() -> None:
    split = the_split(facts("big", LARGE, [("api_0", "mail_1"), ("api_2", "mail_1")]))

    assert split.crossing == (
        ("aws_x.big_api_0", "aws_x.big_mail_1"),
        ("aws_x.big_api_2", "aws_x.big_mail_1"),
    )
    assert split.moves_first


def test_what_holds_data_stays_even_where_it_is_the_smaller_part() -> None:
    split = the_split(facts("big", LARGE, stateful=["mail"]))

    assert split.moves.constructs == ("api",)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (facts("small", {"api": 30, "mail": 20}), "nothing is large or slow"),
        (facts("big", {"api": 64, "mail": 1}), "one part would be too small"),
        (facts("big", LARGE, [("api_0", "mail_0"), ("mail_0", "api_0")]), "each needs the other"),
        (facts("big", LARGE, [(f"api_{n}", "mail_0") for n in range(11)]), "too many references cross"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_shard_is_left_as_it_is_where(known: ShardFacts, why: str) -> None:
    assert split_of(known, NOTHING) is None


def test_a_slow_shard_that_changes_often_is_split_by_what_its_deploys_took() -> None:
    known = facts("slow", {"api": 10, "mail": 10})

    split = the_split(known, runs(6, {"slow": "committed"}, seconds={"slow": 400.0}))

    assert split.why == ("a deploy takes 400 s, and 6 of 6 runs changed it",)
    assert split.effect.measured
    assert split.effect.seconds_before == 400.0
    assert split_of(known, runs(2, {"slow": "committed"}, seconds={"slow": 400.0})) is None


def test_a_slow_plan_is_a_reason() -> None:
    split = the_split(facts("slow", {"api": 10, "mail": 10}, plan_seconds=45.0))

    assert split.why == ("a plan takes 45 s",)


def changes(*groups: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(f"aws_x.big_{group}_0" for group in each.split("+")) for each in groups)


def test_parts_that_always_changed_together_are_not_cut() -> None:
    known = facts("big", LARGE, changes=changes(*["api+mail"] * 5, "api"))

    assert split_of(known, NOTHING) is None


def test_earlier_changes_say_what_a_usual_deploy_would_take() -> None:
    split = the_split(
        facts("big", LARGE, changes=changes("api", "mail", "mail", "mail", "mail")),
        runs(5, {"big": "committed"}, seconds={"big": 203.0}),
    )

    assert (split.stays.alone, split.moves.alone, split.changes) == (1, 4, 5)
    assert split.effect.seconds_after == pytest.approx(0.2 * (3 + 200 * 40 / 65) + 0.8 * (3 + 200 * 25 / 65))


def commands(steps: Iterable[Step]) -> list[str]:
    return [command for step in steps for command in step.commands]


def test_what_moves_is_handed_over_by_move() -> None:
    split = the_split(facts("big", LARGE, [("api_0", "mail_1")]))

    assert commands(split.steps) == [
        "holdfast plan --env prod --service big --stack big --refresh",
        "holdfast state pull big --out big.before.tfstate",
        "holdfast move big NEW --env prod",
        "holdfast move big NEW --env prod --yes",
        "holdfast plan --env prod --stack NEW",
        "holdfast deploy --env prod --stack NEW",
        "holdfast plan --env prod --service big --stack big",
        "holdfast deploy --env prod --service big --stack big",
        "holdfast plan --env prod --stack NEW --refresh",
        "holdfast plan --env prod --service big --stack big --refresh",
    ]
    assert any("has to show 25 objects" in step.what for step in split.steps)


def test_what_stays_is_deployed_first_where_the_part_that_moves_refers_to_it() -> None:
    split = the_split(facts("big", LARGE, [("mail_0", "api_1")]))

    deploys = [command for command in commands(split.steps) if command.startswith("holdfast deploy")]
    assert deploys == [
        "holdfast deploy --env prod --service big --stack big",
        "holdfast deploy --env prod --stack NEW",
    ]


SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 30), min_size=1)


@given(SIZES, st.sets(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12))
def test_a_split_loses_no_object_and_moves_each_by_one_step(
    sizes: dict[str, int], pairs: set[tuple[str, str]]
) -> None:
    ends = [
        (f"{one}_0", f"{other}_0") for one, other in pairs if {one, other} <= sizes.keys() and one != other
    ]
    known = facts("big", sizes, ends)

    split = split_of(known, NOTHING)

    if split is not None:
        assert sorted(one.address for part in (split.stays, split.moves) for one in part.objects) == sorted(
            one.address for one in known.objects
        )
        said = [step.what for step in split.steps if "holdfast move big NEW --env prod" in step.commands]
        assert [f"has to show {len(split.moves.objects)} objects" in each for each in said] == [True]
        assert len(split.crossing) <= at.MOST_CROSSING


SMALL = {"queue": 5}
PAIR = (facts("data", SMALL), facts("orders", SMALL, reads={"data": {"url", "arn"}}))
BOTH = {"data": "committed", "orders": "committed"}


def advised(*known: ShardFacts, history: History | None = None, graph: Graph | None = None) -> Advice:
    return advise(known, history or runs(5, BOTH), graph or chain(*(one.name for one in known)))


def test_two_small_shards_that_always_change_together_are_merged_into_the_upstream_one() -> None:
    (merge,) = advised(*PAIR).merges

    assert (merge.shard, merge.into, merge.outputs, merge.runs) == ("orders", "data", ("arn", "url"), 5)
    assert merge.effect.objects_after == 10
    assert merge.effect.seconds_before - merge.effect.seconds_after == pytest.approx(3.0)
    assert "holdfast move orders data --env prod --yes" in commands(merge.steps)
    assert commands(merge.steps)[-1] == (
        "holdfast deploy --env prod --service data --stack data --include-dependents"
    )


LARGER = facts("orders", {"queue": 16}, reads={"data": {"url"}})
ELSEWHERE = facts("orders", SMALL, reads={"data": {"url"}}, place={"account": "210987654321"})
GUARDED = facts("orders", SMALL, reads={"data": {"url"}}, place={"protected": ("aws_x.orders_queue_0",)})


@pytest.mark.parametrize(
    ("known", "history"),
    [
        pytest.param((PAIR[0], facts("orders", SMALL)), None, id="one reads nothing of the other"),
        pytest.param((PAIR[0], LARGER), None, id="one is not small"),
        pytest.param((PAIR[0], ELSEWHERE), None, id="they lie in two accounts"),
        pytest.param((PAIR[0], GUARDED), None, id="something is protected"),
        pytest.param(PAIR, runs(4, BOTH), id="there are too few runs"),
        pytest.param(
            PAIR,
            History.of([*runs(9, BOTH).records, run(10, {"data": "unchanged", "orders": "committed"})]),
            id="one changed alone once",
        ),
    ],
)
def test_shards_are_not_merged_where(known: tuple[ShardFacts, ...], history: History | None) -> None:
    assert advised(*known, history=history).merges == ()


def test_shards_with_a_third_between_them_are_not_merged() -> None:
    graph = Graph({"data": (), "cache": ("data",), "orders": ("cache", "data")})

    assert advised(*PAIR, graph=graph).merges == ()


def test_a_shard_is_in_one_merge_at_most() -> None:
    third = facts("reports", SMALL, reads={"orders": {"url"}})

    advice = advised(*PAIR, third, history=runs(5, BOTH | {"reports": "committed"}))

    assert [(merge.shard, merge.into) for merge in advice.merges] == [("orders", "data")]


def test_history_leaves_out_what_took_shards_down_and_what_nobody_knows() -> None:
    history = History.of(
        [
            run(1, BOTH),
            run(2, {"data": "committed", "orders": "skipped"}),
            run(3, BOTH, command="holdfast destroy --env prod"),
            run(4, {"data": "unchanged", "orders": "unchanged"}),
            run(5, {"data": "rolled_back", "orders": "unchanged"}),
        ]
    )

    assert history.together(("data", "orders")) == Together(both=1, either=2)
    assert (history.changes("orders"), history.looked("orders")) == (1, 3)
    assert history.since == STARTED + timedelta(days=1)


def test_a_run_in_two_buckets_is_one_run() -> None:
    history = History.of(
        [
            run(1, {"data": "committed"}, seconds={"data": 4.0}),
            run(1, {"orders": "committed"}, seconds={"orders": 6.0}),
        ]
    )

    assert len(history.records) == 1
    assert history.together(("data", "orders")) == Together(1, 1)
    assert history.seconds("orders") == 6.0


def test_everything_advised_can_be_written_as_json() -> None:
    advice = advised(*PAIR, facts("big", LARGE), history=runs(5, BOTH))

    assert advice.splits
    assert json.dumps([step.block for split in advice.splits for step in split.steps])


def test_parts_without_references_across_are_imported_before_they_are_forgotten() -> None:
    for stays, moves in (("api", "mail"), ("mail", "api")):
        split = the_split(facts("big", {stays: 40, moves: 25}))

        deploys = [command for command in commands(split.steps) if command.startswith("holdfast deploy")]
        assert deploys[0] == "holdfast deploy --env prod --stack NEW"
