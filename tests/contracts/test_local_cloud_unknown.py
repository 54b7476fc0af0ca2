"""What the local cloud cannot answer it says in words, at once: no retries, no page of HTML."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

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


def test_an_upload_that_was_cut_short_is_refused_and_stores_nothing(
    local_clients: Callable[[str], Any],
) -> None:
    s3 = local_clients("s3")
    s3.create_bucket(Bucket="cut-short", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    address = urlsplit(
        s3.generate_presigned_url("put_object", Params={"Bucket": "cut-short", "Key": "state"})
    )
    head = (
        f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 10\r\n\r\n"
    )

    with socket.create_connection((address.hostname or "", address.port or 0)) as line:
        line.sendall(head.encode() + b"half")
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(4096), b""))

    assert b" 400 " in answer.splitlines()[0]
    assert b"<Code>IncompleteBody</Code>" in answer
    assert s3.list_objects_v2(Bucket="cut-short")["KeyCount"] == 0
