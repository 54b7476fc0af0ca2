"""What the local cloud does not have it says in words, at once: no retries, no page of HTML."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("logs", "list_anomalies", {}),
        ("ec2", "describe_capacity_blocks", {}),
        ("rds", "describe_certificates", {}),
        ("backup", "list_frameworks", {}),
    ],
)
def test_an_unknown_operation_is_refused_in_words(
    service: str, operation: str, arguments: dict[str, Any], local_clients: Callable[[str], Any]
) -> None:
    client = local_clients(service)

    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)

    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert "the local cloud does not have it" in refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
