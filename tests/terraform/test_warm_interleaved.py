"""Five hundred commands, three configurations, crashes: nothing arrives under another's settings."""

import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

OTHER_ACCOUNT = "111122223333"
WORKERS, COMMANDS, CRASH_SECONDS = 4, 500, 12.0
SEED = 20261125


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A provider configuration, and where what it makes must be found."""

    name: str
    region: str
    account: str | None = None

    @property
    def provider(self) -> dict[str, Any]:
        assumed = [{"role_arn": f"arn:aws:iam::{self.account}:role/deployer"}] if self.account else []
        return {
            "region": self.region,
            "skip_credentials_validation": True,
            "skip_metadata_api_check": "true",
            "max_retries": 5,
            "default_tags": [{"tags": {"Setting": self.name}}],
            **({"assume_role": assumed} if assumed else {}),
        }

    def client(self, endpoint: str, service: str) -> Any:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        make: Any = boto3.client
        if self.account:
            sts = make("sts", endpoint_url=endpoint, region_name=self.region, **keys)
            role = f"arn:aws:iam::{self.account}:role/deployer"
            given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            keys = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        return make(service, endpoint_url=endpoint, region_name=self.region, **keys)


SETTINGS = (
    Setting(name="plain", region="eu-west-1"),
    Setting(name="region", region="us-east-1"),
    Setting(name="account", region="eu-west-1", account=OTHER_ACCOUNT),
)


class Shard:
    """A shard whose one parameter gets a new value each round: plan, and apply of that plan."""

    def __init__(self, world: Any, number: int) -> None:
        self.setting = SETTINGS[number % len(SETTINGS)]
        self.name = f"shard{number}"
        self.commands = self.failures = self.round = 0
        self._world = world

    def once(self) -> None:
        self.round += 1
        parameter = {
            "name": f"/{self.name}",
            "type": "String",
            "value": f"{self.name}-{self.round}",
            # What an apply that was hit by a crash has made without its state knowing is taken over.
            "overwrite": True,
        }
        configuration = {
            "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
            "provider": {"aws": [self.setting.provider]},
            "resource": {"aws_ssm_parameter": {"p": parameter}},
        }
        terraform = self._world.terraform(self.name, configuration)
        terraform.init()
        plan = terraform.plan()
        self.commands += 2
        # A plan never fails for a crash; an apply may, and is not repeated.
        if not terraform.apply(plan.plan):
            self.failures += 1


def crash(world: Any, over: threading.Event) -> None:
    chance = random.Random(SEED)
    while not over.wait(chance.uniform(0.5, 1.5) * CRASH_SECONDS):
        if pids := world.provider_pids:
            os.kill(chance.choice(pids), signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_five_hundred_interleaved_commands_never_see_each_others_settings(
    world: Any, local_endpoint: str
) -> None:
    shards = [Shard(world, number) for number in range(WORKERS * len(SETTINGS))]
    over = threading.Event()
    crasher = threading.Thread(target=crash, args=(world, over))
    crasher.start()

    def work(worker: int) -> None:
        own = shards[worker::WORKERS]
        while sum(shard.commands for shard in own) < COMMANDS / WORKERS:
            for shard in own:
                shard.once()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    over.set()
    crasher.join()

    found = Counter[str]()
    by_name = {shard.name: shard for shard in shards}
    for setting in SETTINGS:
        client = setting.client(local_endpoint, "ssm")
        for page in client.get_paginator("describe_parameters").paginate():
            for parameter in page["Parameters"]:
                name = parameter["Name"].removeprefix("/")
                # The cloud is the whole worker's: other tests may have left something.
                if (shard := by_name.get(name)) is None:
                    continue
                tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=f"/{name}")
                assert shard.setting == setting
                assert {tag["Key"]: tag["Value"] for tag in tags["TagList"]} == {"Setting": setting.name}
                assert client.get_parameter(Name=f"/{name}")["Parameter"]["Value"].startswith(f"{name}-")
                found[setting.name] += 1
    assert sum(found.values()) == len(shards)
    assert set(found) == {setting.name for setting in SETTINGS}
    assert sum(shard.commands for shard in shards) >= COMMANDS
    assert sum(shard.failures for shard in shards) < COMMANDS / 10
