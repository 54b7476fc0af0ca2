import io
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.events import (
    AppOutput,
    Event,
    ResourceProgress,
    RunStarted,
    ShardFinished,
    ShardPlanned,
    ShardStep,
    StateBackedUp,
)
from holdfast_orchestrator.plan.document import Action, PlanDocument, ResourceChange
from holdfast_orchestrator.plan.result import Plan, ShardPlan
from holdfast_orchestrator.report.documents import (
    as_json,
    deploy_document,
    error_document,
    graph_document,
    plan_report,
)
from holdfast_orchestrator.report.ending import ending_lines
from holdfast_orchestrator.report.graph_text import as_dot, as_mermaid, as_text
from holdfast_orchestrator.report.lines import Lines
from holdfast_orchestrator.report.markdown import plan_comment
from holdfast_orchestrator.report.plan_text import later_lines, plan_lines
from holdfast_orchestrator.report.rows import Rows
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.report.table import LiveTable
from holdfast_orchestrator.run_id import encoded
from holdfast_orchestrator.testing import FrozenClock, captured_terminal

STARTED = RunStarted(
    run="01JRUN",
    verb="deploy",
    shards=("network-dev", "orders-dev"),
    labels=("network", "orders"),
    environments=("dev",),
    accounts=("123456789012",),
    regions=("eu-west-1",),
)
STORY: tuple[Event, ...] = (
    STARTED,
    ShardStep(shard="network-dev", step="planning"),
    ShardPlanned(shard="network-dev", added=1, changed=0, destroyed=0),
    StateBackedUp(shard="network-dev", key="k", serial=41),
    ShardStep(shard="network-dev", step="applying"),
    ResourceProgress(
        shard="network-dev", address="aws_vpc.main", action="create", state="running", seconds=12
    ),
)
END = ShardFinished(shard="network-dev", outcome="committed", summary="1 added", seconds=9.2)
PLAN = Plan(
    run="01JRUN",
    environments=("dev",),
    shards=(
        ShardPlan(shard="network-dev", label="network", configuration_sha256="0", document=PlanDocument()),
        ShardPlan(
            shard="data-dev",
            label="data",
            configuration_sha256="0",
            document=PlanDocument(
                changes=(
                    ResourceChange(
                        address="aws_db_instance.db",
                        type="aws_db_instance",
                        action=Action.REPLACE,
                        before={"engine": "a"},
                        after={"engine": "b"},
                        replace_paths=("engine",),
                    ),
                )
            ),
        ),
        ShardPlan(
            shard="orders-dev",
            label="orders",
            configuration_sha256="0",
            waits_for=("data-dev",),
            waiting="waits for `data`",
        ),
        ShardPlan(shard="web-dev", label="web", configuration_sha256="0", failure="it broke\nbadly"),
    ),
)
RESULT = RunResult(
    run="01JRUN",
    verb="deploy",
    shards=(
        ShardResult(shard="network-dev", label="network", outcome=Outcome.COMMITTED, added=1, serial=2),
        ShardResult(
            shard="data-dev",
            label="data",
            outcome=Outcome.FAILED,
            reason="the apply failed: it broke",
            next_step="mend the cause",
            evidence=("it broke", "where: stacks/data.py:3 (Postgres)"),
            exit_code=1,
        ),
        ShardResult(shard="orders-dev", label="orders", outcome=Outcome.SKIPPED, reason="`data` failed"),
    ),
)


def test_events_fold_into_one_row_a_shard() -> None:
    rows = Rows()

    for event in STORY:
        rows.take(event)

    network, orders = rows.by_shard.values()
    assert rows.title == "dev · 2 shards · account 123456789012 · eu-west-1"
    assert (network.label, network.status, network.activity) == ("network", "applying", "aws_vpc.main (12 s)")
    assert (orders.status, orders.tail) == ("waiting", "")

    rows.take(END)

    assert (network.status, network.summary, network.tail) == ("✔ committed", "1 added", "backup 41 · 9 s")


def test_plain_lines_tell_each_shard_once_when_it_has_ended() -> None:
    out = io.StringIO()
    with Lines(out) as lines:
        for event in (*STORY, END):
            lines(event)

    assert out.getvalue().splitlines() == [
        "dev · 2 shards · account 123456789012 · eu-west-1 · run 01JRUN",
        "  network  ✔ committed    1 added  backup 41 · 9 s",
    ]


def test_verbose_lines_also_tell_what_the_app_printed_and_each_object() -> None:
    out = io.StringIO()
    done = ResourceProgress(shard="network-dev", address="aws_vpc.main", action="create", state="done")
    with Lines(out, verbose=True) as lines:
        for event in (AppOutput(text="a warning"), STARTED, done):
            lines(event)

    assert out.getvalue().splitlines()[0] == "a warning"
    assert "    network: create aws_vpc.main" in out.getvalue().splitlines()


def test_a_plan_names_the_outputs_that_people_declared() -> None:
    names = ("cross-stack-output-aws_vpcmain_1id", "health-web-cluster", "url")
    document = PlanDocument(changes=(), outputs=names)
    plan = ShardPlan(shard="web-dev", label="web", configuration_sha256="0", document=document)

    assert list(plan_lines(Plan(run="r", environments=("dev",), shards=(plan,))))[1:] == ["  outputs: url"]


def test_what_the_summary_of_a_shard_says_is_not_repeated_below_it() -> None:
    rows = Rows()
    rows.take(STARTED)
    detail = ("it broke", "where: stacks/data.py:3")

    rows.take(ShardFinished(shard="network-dev", outcome="failed", summary="failed: it broke", detail=detail))

    assert rows.by_shard["network-dev"].lines == ("where: stacks/data.py:3",)


@pytest.mark.parametrize("color", [True, False])
def test_the_live_table_ends_with_a_row_a_shard(*, color: bool) -> None:
    terminal = captured_terminal(is_tty=True, color=color)

    with LiveTable(terminal, FrozenClock()) as table:
        for event in (*STORY, END):
            table(event)

    shown = terminal.out.getvalue()  # type: ignore[attr-defined]
    assert "committed" in shown
    assert "backup 41 · 9 s" in shown
    assert ("\x1b[32m" in shown) == color


def test_a_plan_reads_losses_first_and_the_unchanged_in_one_line() -> None:
    assert list(plan_lines(PLAN)) == [
        "! data: aws_db_instance.db would be replaced",
        "data  1 to add, 1 to destroy",
        "  -/+ aws_db_instance.db  (replaced because of engine)",
        '      engine: "a" → "b"',
        "orders  deferred: waits for `data`",
        "web  failed: it broke\nbadly",
        "unchanged: network",
    ]


def test_the_comment_has_losses_on_top_and_details_folded() -> None:
    comment = plan_comment(PLAN)

    lines = comment.splitlines()
    assert lines[:4] == [
        "<!-- holdfast plan dev -->",
        "### dev: 2 of 4 shards change",
        "",
        "- **data-dev: aws_db_instance.db would be replaced**",
    ]
    assert "- unchanged: `network`" in lines
    assert "<details><summary>data</summary>" in lines


def test_a_comment_that_would_be_refused_for_its_length_goes_without_details() -> None:
    changes = tuple(
        ResourceChange(address=f"aws_sqs_queue.{number:0200}", type="aws_sqs_queue", action=Action.CREATE)
        for number in range(400)
    )
    long = ShardPlan(shard="a", label="a", configuration_sha256="0", document=PlanDocument(changes=changes))

    comment = plan_comment(Plan(run="r", environments=("dev",), shards=(long,)))

    assert len(comment) < 60_000
    assert "too long to be shown" in comment
    assert "`a` 400 to add" in comment


def test_the_ending_says_what_why_where_and_what_next() -> None:
    assert list(ending_lines(RESULT)) == [
        "data failed.",
        "  why     the apply failed: it broke",
        "  where   stacks/data.py:3 (Postgres)",
        "  next    mend the cause",
        "not begun: orders",
    ]


def test_a_shard_that_was_rolled_back_names_what_runs_now_and_no_backup() -> None:
    shard = ShardResult(
        shard="web-dev",
        label="web",
        outcome=Outcome.ROLLED_BACK,
        reason="it never became healthy",
        evidence=("before: deploy 01J by jane@laptop",),
        backup="_holdfast/backups/web/1.json",
    )

    assert list(ending_lines(RunResult(run="r", verb="deploy", shards=(shard,)))) == [
        "web failed and was rolled back.",
        "  why     it never became healthy",
        "  before  deploy 01J by jane@laptop",
    ]


def test_evidence_that_says_more_than_the_reason_is_told() -> None:
    data = replace(RESULT.shards[1], evidence=("it broke: the disk is full", "it broke"))
    shown = list(ending_lines(RunResult(run="r", verb="deploy", shards=(data,))))

    assert shown[1:4] == [
        "  why     the apply failed: it broke",
        "          it broke: the disk is full",
        "          it broke",
    ]


def test_a_run_that_went_well_needs_no_last_words() -> None:
    good = RunResult(run="r", verb="deploy", shards=RESULT.shards[:1])

    assert list(ending_lines(good)) == []


@pytest.mark.parametrize(
    ("codes", "interrupted", "code"),
    [
        ((0, 0), False, 0),
        ((0,), True, 130),
        ((64,), False, 64),
        ((0, 3), False, 1),
        ((7, 64), False, 7),
        ((5, 4), False, 5),
        ((1, 5), False, 1),
        ((1, 5), True, 130),
        ((1, 6), True, 6),
    ],
)
def test_the_gravest_end_of_a_shard_is_the_exit_code_and_0_means_that_all_is_well(
    codes: tuple[int, ...], *, interrupted: bool, code: int
) -> None:
    shards = tuple(
        ShardResult(
            shard=str(number),
            label=str(number),
            outcome=Outcome.FAILED if code else Outcome.COMMITTED,
            exit_code=code,
        )
        for number, code in enumerate(codes)
    )

    assert RunResult(run="r", verb="deploy", shards=shards, interrupted=interrupted).exit_code == code


def test_only_a_gate_before_the_deploy_has_changed_nothing() -> None:
    held, stuck = (
        ShardResult(shard=name, label=name, outcome=Outcome.BLOCKED, exit_code=code)
        for name, code in (("held", 4), ("stuck", 6))
    )

    assert list(ending_lines(RunResult(run="r", verb="deploy", shards=(held, stuck)))) == [
        "held was stopped by a gate; nothing of it was changed.",
        "stuck was stopped by a gate on its way back.",
    ]


def test_results_are_found_by_shard_name_and_by_label() -> None:
    assert RESULT.outcome["data"] is RESULT.outcome["data-dev"] is Outcome.FAILED
    assert RESULT.exit_code == 1


GRAPH = Graph({"network": (), "data": ("network",), "orders": ("data", "network")})


def test_the_graph_as_text_numbers_what_can_go_at_once() -> None:
    assert as_text(GRAPH) == "1  network\n2  data  after network\n3  orders  after data, network"


def test_the_graph_as_mermaid_and_dot_has_every_arrow() -> None:
    assert as_mermaid(GRAPH).count("-->") == as_dot(GRAPH).count("->") == 3
    assert '  "network" -> "orders";' in as_dot(GRAPH).splitlines()


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("plan.v1.json", as_json(plan_report(PLAN))),
        ("deploy.v1.json", as_json(deploy_document(RESULT))),
        ("graph.v1.json", as_json(graph_document(GRAPH))),
        ("error.v1.json", as_json(error_document(GateError("no", next_step="yes")))),
        ("event.v1.json", STARTED.to_json()),
    ],
)
def test_every_document_is_valid_by_its_published_schema(name: str, document: dict[str, Any]) -> None:
    schema = SCHEMAS[name]()
    printed = json.loads(json.dumps(document))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(printed, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**printed, "schema": "another/v1"}, schema)


def test_documents_may_grow_within_v1() -> None:
    document = json.loads(json.dumps(as_json(deploy_document(RESULT))))

    jsonschema.validate({**document, "invented_later": True}, SCHEMAS["deploy.v1.json"]())


def test_names_of_runs_sort_by_time() -> None:
    early, late = encoded(1_000, 2**80 - 1), encoded(1_001, 0)

    assert early < late
    assert len(early) == len(late) == 26


@pytest.mark.parametrize(
    "planned", [None, ShardPlanned(shard="network-dev", added=0, changed=0, destroyed=0)]
)
def test_no_progress_is_shown_before_it_is_known_of_how_many(planned: Event | None) -> None:
    rows = Rows()
    for event in (STARTED, planned, ShardStep(shard="network-dev", step="applying")):
        if event is not None:
            rows.take(event)

    assert rows.by_shard["network-dev"].progress == ""


def test_a_plan_is_asked_for_with_the_shards_that_are_planned_later() -> None:
    shown = "\n".join(later_lines(PLAN))

    assert "orders reads what others create, and cannot be planned yet." in shown
    assert "Your yes is for it too" in shown
    assert list(later_lines(replace(PLAN, shards=PLAN.shards[:2]))) == []


@pytest.mark.parametrize(("changed", "heading"), [(1, "1 of 1 shard changes"), (2, "2 of 2 shards change")])
def test_the_heading_of_a_comment_counts_in_english(changed: int, heading: str) -> None:
    plan = replace(PLAN, shards=PLAN.shards[1 : 1 + changed])

    assert plan_comment(plan).splitlines()[1] == f"### dev: {heading}"
