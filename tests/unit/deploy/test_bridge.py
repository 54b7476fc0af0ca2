"""The configuration between two versions keeps what others still read, and nothing else."""

from typing import Any

from holdfast_orchestrator.deploy.decisions.bridge import Bridge, build_bridge

OLD: dict[str, Any] = {
    "data": {"terraform_remote_state": {"up": {"backend": "s3", "config": {"key": "k"}}}},
    "locals": {"name": "x"},
    "resource": {
        "aws_sns_topic": {"t1": {"name": "one"}, "t2": {"name": "${local.name}"}, "t3": {"name": "3"}}
    },
    "output": {
        "one": {"value": "${aws_sns_topic.t1.arn}"},
        "two": {"value": "${aws_sns_topic.t2.arn}"},
        "three": {"value": "${aws_sns_topic.t3.arn}"},
        "passed": {"value": "${data.terraform_remote_state.up.outputs.x}"},
    },
}
NEW: dict[str, Any] = {
    "resource": {"aws_sns_topic": {"t1": {"name": "one"}}},
    "output": {"one": {"value": "${aws_sns_topic.t1.arn}"}},
}


def deleted(*names: str, reason: str = "delete_because_no_resource_config") -> dict[str, Any]:
    changes = [
        {
            "address": f"aws_sns_topic.{name}",
            "mode": "managed",
            "type": "aws_sns_topic",
            "action_reason": reason,
            "change": {"actions": ["delete"], "before": {"id": name, "arn": f"arn:{name}"}, "after": None},
        }
        for name in names
    ]
    return {"format_version": "1.2", "resource_changes": changes}


def bridge(*outputs: str, every: bool = False, plan: dict[str, Any] | None = None) -> Bridge | None:
    shown = deleted("t2", "t3") if plan is None else plan
    return build_bridge(NEW, plan=shown, earlier=[OLD], outputs=outputs, every_delete=every)


def test_an_output_stays_with_the_object_behind_it_and_what_that_reads() -> None:
    found = bridge("two")

    assert found is not None
    assert found.kept == ("aws_sns_topic.t2", "output two")
    assert set(found.configuration["output"]) == {"one", "two"}
    assert set(found.configuration["resource"]["aws_sns_topic"]) == {"t1", "t2"}
    assert found.configuration["resource"]["aws_sns_topic"]["t2"]["lifecycle"]["ignore_changes"] == "all"
    assert found.configuration["locals"] == {"name": "x"}


def test_all_deletes_wait_where_that_is_asked_for() -> None:
    found = bridge("three", every=True)

    assert found is not None
    assert found.objects == ("aws_sns_topic.t2", "aws_sns_topic.t3")
    assert set(found.configuration["output"]) == {"one", "three"}


def test_what_is_attached_to_an_object_that_stays_waits_with_it_and_nothing_else_does() -> None:
    """A subnet that is still used keeps its way out: the association, its route table, and the route."""
    network: dict[str, Any] = {
        "aws_vpc": {"v": {}},
        "aws_subnet": {"c": {"vpc_id": "${aws_vpc.v.id}"}, "d": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_route_table": {"c": {"vpc_id": "${aws_vpc.v.id}"}, "d": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_route": {
            "c": {"route_table_id": "${aws_route_table.c.id}"},
            "d": {"route_table_id": "${aws_route_table.d.id}"},
        },
        "aws_route_table_association": {
            "c": {"subnet_id": "${aws_subnet.c.id}", "route_table_id": "${aws_route_table.c.id}"},
            "d": {"subnet_id": "${aws_subnet.d.id}", "route_table_id": "${aws_route_table.d.id}"},
        },
    }
    kinds = ("aws_subnet", "aws_route_table", "aws_route", "aws_route_table_association")
    changes = [
        {
            "address": f"{kind}.{name}",
            "mode": "managed",
            "type": kind,
            "action_reason": "delete_because_no_resource_config",
            "change": {"actions": ["delete"], "before": {"id": name}, "after": None},
        }
        for kind in kinds
        for name in ("c", "d")
    ]

    found = build_bridge(
        {"resource": {"aws_vpc": {"v": {}}}},
        plan={"format_version": "1.2", "resource_changes": changes},
        earlier=[{"resource": network, "output": {"c": {"value": "${aws_subnet.c.id}"}}}],
        outputs={"c"},
        every_delete=False,
    )

    assert found is not None
    assert sorted(found.objects) == sorted(f"{kind}.c" for kind in kinds)


def test_an_output_that_is_handed_on_stays_with_what_it_is_read_from() -> None:
    found = bridge("passed", plan={"format_version": "1.2", "resource_changes": []})

    assert found is not None
    assert found.kept == ("output passed",)
    assert found.configuration["data"] == OLD["data"]


def test_what_no_longer_has_an_object_is_not_pretended() -> None:
    nothing = {"format_version": "1.2", "resource_changes": []}

    assert bridge("two", plan=nothing) is None
    assert bridge("nobody knows", plan=nothing) is None
    assert bridge("two", plan=deleted("t2", reason="delete_because_count_index")) is None


def test_the_same_versions_give_the_same_bridge() -> None:
    first = bridge("two")
    assert first is not None

    again = build_bridge(
        NEW, plan=deleted("t2", "t3"), earlier=[first.configuration, OLD], outputs={"two"}, every_delete=False
    )

    assert again is not None
    assert again.configuration == first.configuration
