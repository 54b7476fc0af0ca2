"""The local cloud answers programs and its own pages; a foreign web page gets 403, whatever it asks for."""

import http.client
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.same_origin import foreign
from holdfast_orchestrator.system.runtime import real_runtime

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20261130/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=x"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A cloud in a process of its own: in this one it would close gaps of moto that other tests look for."""
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), real_runtime())
    port = urlsplit(cloud.up().endpoint or "").port
    assert port is not None
    try:
        yield port
    finally:
        cloud.down()


def ask(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        assert "access-control-allow-origin" not in {name.lower() for name, _ in answer.getheaders()} or (
            answer.status != 403
        )
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def client(port: int, service: str, host: str = "127.0.0.1", **options: Any) -> Any:
    session: Any = boto3.Session("testing", "testing", region_name="eu-west-1")
    return session.client(service, endpoint_url=f"http://{host}:{port}", **options)


def foreigners(port: int) -> list[dict[str, str]]:
    own = f"127.0.0.1:{port}"
    return [
        {"Host": "evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Host": f"127.0.0.1.evil.example:{port}"},
        {"Host": f"localhost.evil.example:{port}"},
        {"Host": f"notlocalhost:{port}"},
        {"Host": f"evil.example@127.0.0.1:{port}"},
        {"Host": "169.254.169.254"},
        {"Host": "amazonaws.com.evil.example"},
        {"Host": ""},
        {},
        {"Host": own, "Origin": "https://evil.example"},
        {"Host": own, "Origin": "null"},
        {"Host": own, "Origin": "http://127.0.0.1:1"},
        {"Host": own, "Origin": f"http://localhost:{port}"},
        {"Host": own, "Referer": "https://evil.example/page"},
        {"Host": own, "Sec-Fetch-Site": "cross-site"},
        {"Host": own, "Sec-Fetch-Site": "same-site"},
    ]


@pytest.mark.parametrize("number", range(17))
def test_a_foreign_page_can_neither_reset_nor_use_any_service(port: int, number: int) -> None:
    headers = foreigners(port)[number]
    sqs, s3 = client(port, "sqs"), client(port, "s3")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    where = {"LocationConstraint": "eu-west-1"}
    bucket = f"kept-{number}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_object(Bucket=bucket, Key="k", Body=b"v")
    authorized = {**headers, "Authorization": SIGNED.format("s3")}

    for method in METHODS:
        assert ask(port, method, "/moto-api/reset", headers)[0] == 403
        assert ask(port, method, f"/{bucket}/k", authorized, b"other")[0] == 403
    form = {**headers, "Authorization": SIGNED.format("sqs")}
    body = f"Action=DeleteQueue&QueueUrl={queue}&Version=2012-11-05".encode()
    form["Content-Type"] = "application/x-www-form-urlencoded"
    status, said = ask(port, "POST", "/", form, body)

    assert status == 403
    assert "ForeignRequest" in said
    assert sqs.list_queues()["QueueUrls"] == [queue]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"v"


def test_its_own_page_and_the_command_line_may_reset(port: int) -> None:
    own = f"127.0.0.1:{port}"
    page = {"Host": own, "Origin": f"http://{own}", "Referer": f"http://{own}/moto-api/"}

    assert ask(port, "POST", "/moto-api/reset", {**page, "Sec-Fetch-Site": "same-origin"})[0] == 200
    assert ask(port, "POST", "/moto-api/reset", {"Host": own})[0] == 200


def test_a_bucket_is_reached_by_the_name_of_this_machine_too(port: int) -> None:
    s3 = client(port, "s3", "localhost", config=Config(s3={"addressing_style": "path"}))

    s3.create_bucket(Bucket="by-path", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    assert "by-path" in [one["Name"] for one in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:5000",
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "[::1]:80",
        "my.bucket.localhost:5000",
        "123456789012.127.0.0.1:5000",
        "bucket.s3.eu-west-1.amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
    ],
)
def test_hosts_that_are_answered(host: str) -> None:
    assert foreign({"HTTP_HOST": host}) is None
