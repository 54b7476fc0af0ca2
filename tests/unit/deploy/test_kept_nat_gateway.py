"""The block of a NAT gateway whose delete is put off."""

from typing import Any

from holdfast_orchestrator.deploy.decisions.deferred_deletes import stage


def test_it_ignores_what_its_block_writes_and_not_values_that_it_never_wrote() -> None:
    block = {
        "subnet_id": "${aws_subnet.a.id}",
        "depends_on": ["aws_internet_gateway.i"],
        "dynamic": {"timeouts": {"for_each": [1], "content": {}}},
        "lifecycle": [{"ignore_changes": ["tags_all"]}],
    }
    change: dict[str, Any] = {
        "address": "aws_nat_gateway.n",
        "mode": "managed",
        "type": "aws_nat_gateway",
        "name": "n",
        "change": {"actions": ["delete"], "before": {"id": "nat-1"}, "after": None},
        "action_reason": "delete_because_no_resource_config",
    }

    staging = stage(
        {"resource": {}},
        plan={"format_version": "1.2", "resource_changes": [change]},
        earlier=[{"resource": {"aws_nat_gateway": {"n": block}}}],
    )

    assert staging.stage_one is not None
    kept = staging.stage_one["resource"]["aws_nat_gateway"]["n"]
    assert kept["lifecycle"] == {"ignore_changes": ["subnet_id", "tags_all", "timeouts"]}
