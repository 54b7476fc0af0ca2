"""One local cloud for the whole session, and plain moto beside it: both hand out boto3 clients."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from tests.support.gaps import Clients

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.system.runtime import real_runtime

# What plain moto does not know it answers with 500: nothing gets better by asking again.
_ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


@pytest.fixture(scope="session")
def local_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    runtime = real_runtime()
    cloud = LocalCloud(tmp_path_factory.mktemp("project"), runtime)
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    environ = local_environ(endpoint)
    try:
        yield lambda service: runtime.aws.client(service, region="eu-west-1", environ=environ)
    finally:
        cloud.down()


@pytest.fixture(scope="session")
def moto_clients() -> Iterator[Clients]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Any: the stubs know a client by the literal name of its service only.
    session: Any = boto3.Session("local", "local", region_name="eu-west-1")
    try:
        yield lambda service: session.client(service, endpoint_url=f"http://{host}:{port}", config=_ONCE)
    finally:
        server.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test of a `Gaps` is made for each of its probes."""
    if "probe" in metafunc.fixturenames and metafunc.cls is not None:
        metafunc.parametrize("probe", metafunc.cls.probes, ids=lambda probe: probe.__name__)
