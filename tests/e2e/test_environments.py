"""Every environment of two platforms, whole: deployed on one local cloud, and planned empty. Real Terraform.

What a profile chooses (standby, protection, NAT for each zone, what the firewall does) is created here as it
would be in AWS, and read again. The environments are those of this repository and production of
docs/examples/parcels, with the account of the local cloud and with zones that exist there. All are deployed
once, at the same time: most of it is waiting for ALBs and databases. The tests run in the order written.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import example

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import ACCOUNT, local_environ, towards_local
from holdfast_orchestrator.system.runtime import real_runtime

# The first deploy of all of them is in the time of the first test.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
ENVIRONMENTS = ("local", "dev", "staging", "prod")
STATE_BUCKETS = {
    "local": "holdfast-state-local",
    "dev": "example-holdfast-state-dev",
    "staging": "example-holdfast-state-staging",
    "prod": "example-holdfast-state-prod",
}
SERVICES = {"network", "edge", "data", "storefront", "orders"}
# Everything that a firewall takes.
FIREWALL = """
mode = "block"
allow_addresses = ["203.0.113.0/24", "192.0.2.0/24", "2001:db8::/32"]
block_addresses = ["198.51.100.7"]

[[firewall.exceptions]]
rules = ["SizeRestrictions_BODY"]
host = "www.local.holdfast.test"
path = "/upload*"
because = "pictures of the goods, whose sizes the shop checks"

[[firewall.exceptions]]
rules = ["SizeRestrictions_BODY", "SQLi_BODY"]
path = "/import"
because = "the format of the wholesalers"

[[firewall.rate_limits]]
name = "login"
requests = 100
host = "www.local.holdfast.test"
path = "/login*"
"""
PARCELS = ROOT / "docs" / "examples" / "parcels"
PARCELS_SERVICES = {"network", "edge", "data", "storefront", "api", "tracking", "labels"}
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class App:
    """An app in a folder of its own, deployed to the cloud at `endpoint`."""

    folder: Path
    environments: Sequence[str]
    endpoint: str

    def outcomes(self, command: str, *words: str) -> dict[str, str]:
        """Run a command for all environments; return how it ended for each shard."""
        chosen = [word for name in self.environments for word in ("--env", name)]
        done = subprocess.run(
            [HOLDFAST, command, *chosen, *words, "--json"],
            cwd=self.folder,
            env=towards_local(os.environ, self.endpoint),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stderr}"
        return {shard["name"]: shard["outcome"] for shard in json.loads(done.stdout)["shards"]}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), real_runtime())
    endpoint = cloud.up(buckets=(*STATE_BUCKETS.values(), "parcels-state")).endpoint
    assert endpoint is not None
    yield endpoint
    cloud.down()


@pytest.fixture(scope="module")
def clients(endpoint: str) -> Clients:
    aws = real_runtime().aws
    return lambda service: aws.client(service, region="eu-west-1", environ=local_environ(endpoint))


def new_zone(clients: Clients, domain: str) -> str:
    made = clients("route53").create_hosted_zone(Name=domain, CallerReference=domain)["HostedZone"]["Id"]
    return str(made).removeprefix("/hostedzone/")


def replaced(text: str, pattern: str, value: str) -> str:
    """Return settings with another value in the only place that the pattern's first group leads to."""
    changed, times = re.subn(rf'({pattern} ?= ?)"[^"]+"', rf'\1"{value}"', text, flags=re.MULTILINE)
    assert times == 1, f"{pattern} is there {times} times"
    return changed


def settings(clients: Clients, name: str) -> str:
    """The settings of an environment, in the account of the local cloud and with a zone that exists there."""
    text = replaced(example(name), "^account", ACCOUNT)
    if name == "local":
        text = text.replace('mode = "count"', FIREWALL)
    domain = tomllib.loads(text)["domain"]
    return replaced(text, "^zone_id", new_zone(clients, domain)) if "zone_id" in text else text


@pytest.fixture(scope="module")
def shop(endpoint: str, clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(ROOT / "cdktf.json", folder)
    (folder / "environments").mkdir()
    for name in ENVIRONMENTS:
        (folder / "environments" / f"{name}.toml").write_text(settings(clients, name), encoding="utf-8")
    return App(folder, ENVIRONMENTS, endpoint)


@pytest.fixture(scope="module")
def parcels(endpoint: str, clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = Path(shutil.copytree(PARCELS, tmp_path_factory.mktemp("parcels") / "parcels"))
    file = folder / "parcels" / "environments.py"
    before, production, after = file.read_text(encoding="utf-8").partition("PROD = ")
    after = replaced(replaced(after, "account", ACCOUNT), "zone_id", new_zone(clients, "parcels.example"))
    file.write_text(before + production + after, encoding="utf-8")
    return App(folder, ["prod"], endpoint)


def of_all(command: str, apps: Sequence[App], *words: str) -> dict[str, str]:
    """Run a command in all apps at the same time; return how it ended for each shard."""
    with ThreadPoolExecutor() as pool:
        ended = pool.map(lambda app: app.outcomes(command, *words), apps)
        # Both apps have a network in production: in regions of their own.
        return {name: outcome for outcomes in ended for name, outcome in outcomes.items()}


@pytest.fixture(scope="module")
def first_deploy(shop: App, parcels: App) -> dict[str, str]:
    return of_all("deploy", (shop, parcels), "--yes")


def test_every_shard_of_every_environment_is_committed(first_deploy: dict[str, str]) -> None:
    assert set(first_deploy.values()) == {"committed"}
    assert len(first_deploy) == len(SERVICES) * len(ENVIRONMENTS) + len(PARCELS_SERVICES)


def test_a_plan_right_after_the_deploy_finds_no_difference_in_any_shard(
    first_deploy: dict[str, str], shop: App, parcels: App
) -> None:
    planned = of_all("plan", (shop, parcels), "--refresh")

    assert planned == dict.fromkeys(first_deploy, "unchanged")


def test_a_second_deploy_changes_nothing(first_deploy: dict[str, str], shop: App, parcels: App) -> None:
    second = of_all("deploy", (shop, parcels), "--yes")

    assert second == dict.fromkeys(first_deploy, "unchanged")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_state_is_exactly_at_its_key_and_nothing_else_is(
    environment: str, first_deploy: dict[str, str], clients: Clients
) -> None:
    listing = clients("s3").list_objects_v2(Bucket=STATE_BUCKETS[environment])["Contents"]

    keys = {item["Key"] for item in listing if not item["Key"].startswith("_holdfast/")}

    assert keys == {f"{name}/{ACCOUNT}/eu-west-1/{environment}/terraform.tfstate" for name in SERVICES}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_apply_left_a_backup_that_names_lineage_and_serial(
    environment: str, first_deploy: dict[str, str], clients: Clients
) -> None:
    listing = clients("s3").list_objects_v2(Bucket=STATE_BUCKETS[environment], Prefix="_holdfast/")[
        "Contents"
    ]

    for item in listing:
        if "/backups/" in item["Key"]:
            assert re.search(r"/[0-9a-f-]{36}/\d+-[0-9a-f]{64}\.json$", item["Key"]), item["Key"]


def test_the_firewall_has_the_exceptions_the_limits_and_the_addresses_of_the_settings(
    first_deploy: dict[str, str], clients: Clients
) -> None:
    waf = clients("wafv2")
    acls = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    (acl,) = [each for each in acls if "-local-" in each["Name"]]
    written = waf.get_web_acl(Scope="REGIONAL", Name=acl["Name"], Id=acl["Id"])["WebACL"]
    rules = {rule["Name"]: rule for rule in sorted(written["Rules"], key=lambda rule: rule["Priority"])}

    assert [*rules][:4] == ["BlockedAddresses", "AllowedAddresses", "RateLimit-login", "RateLimit"]
    assert [*rules][-2:] == ["SizeRestrictions_BODY-Elsewhere", "SQLi_BODY-Elsewhere"]
    assert rules["RateLimit"]["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    label, *passed = rules["SizeRestrictions_BODY-Elsewhere"]["Statement"]["AndStatement"]["Statements"]
    assert label["LabelMatchStatement"]["Key"] == "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
    assert len(passed) == 2
    assert len(waf.list_ip_sets(Scope="REGIONAL")["IPSets"]) == 3
