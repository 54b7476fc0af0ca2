"""Clouds for tests: one started, every other one a twin of a cloud that has what a test begins with."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from holdfast_orchestrator.local.environment import REGION, local_environ
from holdfast_orchestrator.system.runtime import real_runtime

BUCKET = "fault-states"
ROOT = Path(__file__).resolve().parents[3]

Object = tuple[str, str]
"""A resource's Terraform type and its name in the cloud."""


@dataclass(frozen=True)
class Cloud:
    """A running cloud, reached directly and not through the proxy."""

    endpoint: str
    # Of this very process: when it is stopped for the second time, its id may be somebody else's.
    handle: int
    process: "subprocess.Popen[str] | None" = None

    @classmethod
    def start(cls) -> "Cloud":
        """Start the first one, empty but for the state bucket."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.lab.forking_cloud"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout as said:
            endpoint, pid = said.readline().split()
        cloud = cls(endpoint, os.pidfd_open(int(pid)), process)
        cloud.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        cloud.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        # Every twin is spared the import of these services.
        cloud.objects()
        return cloud

    def fork(self) -> "Cloud":
        request = urllib.request.Request(f"{self.endpoint}/fork", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            twin = json.load(answer)
        return Cloud(twin["endpoint"], os.pidfd_open(twin["pid"]))

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        if self.process is not None:
            self.process.communicate()

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def ssm(self) -> Any:
        return self.client("ssm")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def client(self, service: str, *, region: str = REGION) -> Any:
        return real_runtime().aws.client(service, region=region, environ=local_environ(self.endpoint))

    def objects(self) -> frozenset[Object]:
        """Everything that is there, whoever made it."""
        return frozenset(self._objects())

    def names(self) -> set[str]:
        return {name for _, name in self._objects()}

    def _objects(self) -> Iterator[Object]:
        for page in self.ssm.get_paginator("describe_parameters").paginate():
            yield from (("aws_ssm_parameter", item["Name"]) for item in page["Parameters"])
        for name in self.dynamodb.list_tables()["TableNames"]:
            yield ("aws_dynamodb_table", name)
        for topic in self.client("sns").list_topics()["Topics"]:
            yield ("aws_sns_topic", topic["TopicArn"].rpartition(":")[2])
        for url in self.client("sqs").list_queues().get("QueueUrls", ()):
            yield ("aws_sqs_queue", url.rpartition("/")[2])

    def value(self, parameter: str) -> str:
        found: str = self.ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        return found

    def listing(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def get(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)


@dataclass
class Clouds:
    """All clouds of one worker, so that all are stopped in the end."""

    started: list[Cloud] = field(default_factory=list)

    def empty(self) -> Cloud:
        if not self.started:
            self.started.append(Cloud.start())
        return self.fork(self.started[0])

    def fork(self, cloud: Cloud) -> Cloud:
        self.started.append(cloud.fork())
        return self.started[-1]

    def stop(self) -> None:
        for cloud in self.started:
            cloud.stop()
