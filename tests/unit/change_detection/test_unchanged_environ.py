"""Which variables of the environment make a difference to a configuration."""

from typing import Any

import pytest

from holdfast_orchestrator.change_detection.environment import counted

QUEUE: dict[str, Any] = {"resource": {"aws_sqs_queue": {"q": {}}}}
REQUIRED = {"terraform": {"required_providers": [{"aws": {"source": "hashicorp/aws"}}]}}


@pytest.mark.parametrize(
    ("document", "heeded"),
    [
        ({**REQUIRED, "provider": {"aws": [{"region": "eu-west-1"}]}}, False),
        ({**REQUIRED, "provider": [{"aws": {"region": "eu-west-1"}}]}, False),
        ({"resource": {"terraform_data": {"x": {}}}}, False),
        ({**QUEUE, "provider": {"aws": {"region": "eu-west-1"}}}, False),
        (REQUIRED, True),
        (QUEUE, True),
        ({**REQUIRED, "provider": {"aws": [{"profile": "x"}]}}, True),
        ({**REQUIRED, "provider": {"aws": [{"region": ""}]}}, True),
        ({**REQUIRED, "provider": {"aws": [{"region": "eu-west-1", "alias": "other"}]}}, True),
        ({**REQUIRED, "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "other"}]}}, True),
        ({**REQUIRED, "provider": {"aws": [{"region": "eu-west-1"}], "awscc": [{}]}}, True),
    ],
)
def test_the_region_of_the_environment_counts_where_a_provider_is_not_told_one(
    document: dict[str, Any],
    heeded: bool,  # noqa: FBT001
) -> None:
    environ = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    assert set(counted(document, environ)) == (set(environ) if heeded else set())


def test_what_changes_the_doing_of_providers_counts_and_who_asks_for_it_does_not() -> None:
    heeded = {
        "TF_AWS_DEFAULT_TAGS_Team": "x",
        "AWS_ENDPOINT_URL": "http://x",
        "AWS_ENDPOINT_URL_S3": "http://x",
    }
    unheeded = {"AWS_ACCESS_KEY_ID": "x", "AWS_SESSION_TOKEN": "x", "AWS_PROFILE": "x", "HTTPS_PROXY": "x"}

    found = counted(QUEUE, {**heeded, **unheeded})

    assert set(found) == set(heeded)
    assert "x" not in found.values()
