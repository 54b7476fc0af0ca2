"""What has to be skipped together, whichever document says that one object depends on another."""

from typing import Any

import pytest

from holdfast_orchestrator.deploy.decisions.skipping import skipped_together

CONFIGURATION: dict[str, Any] = {
    "resource": {
        "aws_vpc": {"net": {"cidr_block": "10.0.0.0/16"}},
        "aws_subnet": {"a": {"vpc_id": "${aws_vpc.net.id}"}},
        "aws_instance": {"web": {"subnet_id": "${aws_subnet.a.id}"}, "alone": {}},
        "aws_sqs_queue": {"q": {"for_each": "${local.names}", "depends_on": ["aws_vpc.net"]}},
    }
}
PLANNED = ("aws_vpc.net", "aws_subnet.a", "aws_instance.web", "aws_instance.alone", 'aws_sqs_queue.q["x"]')


@pytest.mark.parametrize(
    ("skipped", "together"),
    [
        (["aws_vpc.net"], ["aws_instance.web", 'aws_sqs_queue.q["x"]', "aws_subnet.a", "aws_vpc.net"]),
        (["aws_subnet.a"], ["aws_instance.web", "aws_subnet.a", "aws_vpc.net"]),
        (["aws_instance.alone"], ["aws_instance.alone"]),
        (['aws_sqs_queue.q["x"]'], ['aws_sqs_queue.q["x"]', "aws_vpc.net"]),
    ],
)
def test_what_is_tied_to_a_skipped_object_is_named_with_it(skipped: list[str], together: list[str]) -> None:
    assert list(skipped_together(skipped, PLANNED, configuration=CONFIGURATION, state={})) == together


def test_the_state_knows_what_a_new_object_depends_on() -> None:
    new = {
        "mode": "managed",
        "type": "aws_sns_topic",
        "name": "new",
        "instances": [{"attributes": {"id": "new"}, "dependencies": ["aws_vpc.net"]}],
    }

    together = skipped_together(
        ["aws_sns_topic.new"],
        ["aws_vpc.net", "aws_instance.alone"],
        configuration={},
        state={"resources": [new]},
    )

    assert list(together) == ["aws_sns_topic.new", "aws_vpc.net"]
