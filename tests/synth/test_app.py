"""`python -m holdfast_stacks` as cdktf and the orchestrator start it: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.example_settings import ENVIRONMENTS, example

PROJECT = Path(__file__).resolve().parents[2]
PROD = example("prod")
APP = json.loads((PROJECT / "cdktf.json").read_bytes())["app"].split()


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    stdout: str
    stderr: str
    files: dict[str, bytes]

    def stacks(self) -> list[str]:
        return sorted(json.loads(self.files["manifest.json"])["stacks"])


Start = Callable[..., Run]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Run the app in the project's folder, with these variables and none that happen to be set."""

    def run(**environ: str) -> Run:
        outdir = tmp_path_factory.mktemp("app") / "cdktf.out"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "CDKTF_"))
        }
        done = subprocess.run(
            [sys.executable, *APP[1:]],
            cwd=PROJECT,
            env=inherited | {"CDKTF_OUTDIR": str(outdir)} | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        files = [file for file in outdir.rglob("*") if file.is_file()]
        return Run(
            done.returncode,
            done.stdout,
            done.stderr,
            {file.relative_to(outdir).as_posix(): file.read_bytes() for file in files},
        )

    return run


@pytest.fixture(scope="module")
def everything(start: Start) -> Run:
    run = start()
    assert run.code == 0, run.stderr
    return run


@pytest.fixture
def folder_with(tmp_path: Path) -> Callable[..., str]:
    """Write production's settings with some of their text replaced; return the folder."""

    def write(*edits: tuple[str, str]) -> str:
        text = PROD
        for old, new in edits:
            assert old in text, f"{old!r} is not in environments/prod.toml"
            text = text.replace(old, new)
        (tmp_path / "prod.toml").write_text(text, encoding="utf-8")
        return str(tmp_path)

    return write


def test_without_further_words_every_environment_is_synthesized(everything: Run) -> None:
    names = {
        f"{service}-{file.stem}-eu-west-1"
        for service in ("data", "edge", "network", "orders", "storefront")
        for file in ENVIRONMENTS.glob("*.toml")
    }

    assert names <= set(everything.stacks())
    assert sorted(json.loads(everything.files["holdfast.json"])["shards"]) == everything.stacks()
    assert everything.stderr == ""


def test_only_the_environments_asked_for_are_read_and_synthesized(
    start: Start, folder_with: Callable[..., str]
) -> None:
    folder = Path(folder_with())
    (folder / "broken.toml").write_text("account = [", encoding="utf-8")

    run = start(HOLDFAST_ENV="prod", HOLDFAST_ENVIRONMENTS=str(folder))

    assert run.code == 0, run.stderr
    assert {name.split("-")[1] for name in run.stacks()} == {"prod"}


def test_a_service_is_kept_with_what_it_refers_to_and_none_of_them_looks_different(
    start: Start, everything: Run
) -> None:
    run = start(HOLDFAST_ENV="prod", HOLDFAST_SERVICE="storefront")

    stacks = ["edge-prod-eu-west-1", "network-prod-eu-west-1", "storefront-prod-eu-west-1"]
    assert run.stacks() == stacks
    assert sorted(json.loads(run.files["holdfast.json"])["shards"]) == stacks
    configurations = {name: content for name, content in run.files.items() if name.startswith("stacks/")}
    assert configurations == {
        f"stacks/{name}/cdk.tf.json": everything.files[f"stacks/{name}/cdk.tf.json"] for name in stacks
    }
    for manifest, key in (("manifest.json", "stacks"), ("holdfast.json", "shards")):
        kept, full = json.loads(run.files[manifest])[key], json.loads(everything.files[manifest])[key]
        assert kept == {name: full[name] for name in stacks}


def test_a_service_is_known_by_its_decorator(everything: Run) -> None:
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - loads jsii

    services = {
        shard["service"] for shard in json.loads(everything.files["holdfast.json"])["shards"].values()
    }

    assert services == set(registrations("holdfast_stacks"))


def test_every_resource_can_be_traced_to_a_line_of_a_stack(everything: Run) -> None:
    shards = json.loads(everything.files["holdfast.json"])["shards"]
    sources = shards["orders-prod-eu-west-1"]["sources"]

    files = {source["file"] for source in sources.values()}

    assert sources
    assert files == {"stacks/holdfast_stacks/orders.py"}


def test_what_must_not_be_lost_is_named_in_prod(everything: Run) -> None:
    shards = json.loads(everything.files["holdfast.json"])["shards"]

    protected = {name: shard["protected"] for name, shard in shards.items() if shard["environment"] == "prod"}

    assert any(address.startswith("aws_db_instance.") for address in protected["data-prod-eu-west-1"])
    assert any(address.startswith("aws_kms_key.") for address in protected["data-prod-eu-west-1"])
    assert any(address.startswith("aws_kms_key.") for address in protected["network-prod-eu-west-1"])


@pytest.mark.long
def test_the_same_bytes_come_out_of_the_stock_bindings(start: Start, everything: Run) -> None:
    stock = start(HOLDFAST_FAST_BINDINGS="0")

    assert stock.code == 0, stock.stderr
    assert sorted(stock.files) == sorted(everything.files)
    assert [name for name, content in everything.files.items() if stock.files[name] != content] == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            ("min_tasks = 3", "min_tasks = 1"),
            ["services.orders.min_tasks", "got      1", "2-5000 in production"],
        ),
        (("zones = 3", "zones = 1"), ["network.zones", "got      1 (eu-west-1a)", "2-6 zones"]),
        (("rate_limit", "rate_limt"), ["firewall.rate_limt", "did you mean rate_limit?"]),
        (("[network]", "[network"), ["is not TOML", "at column 9"]),
    ],
    ids=["a single task", "a single zone", "an unknown key", "broken TOML"],
)
def test_wrong_settings_end_with_64_and_a_message(
    start: Start, folder_with: Callable[..., str], edit: tuple[str, str], told: list[str]
) -> None:
    run = start(HOLDFAST_ENVIRONMENTS=folder_with(edit))

    assert run.code == 64
    assert run.stdout == ""
    assert run.files == {}
    assert "Traceback" not in run.stderr
    assert "prod.toml:" in run.stderr
    assert all(text in run.stderr for text in told), run.stderr


def test_all_problems_are_told_together(start: Start, folder_with: Callable[..., str]) -> None:
    run = start(
        HOLDFAST_ENVIRONMENTS=folder_with(("zones = 3", "zones = 0"), ("rate_limit = 2000", "rate_limit = 9"))
    )

    assert run.code == 64
    assert run.stderr.startswith("holdfast: the settings have 2 problems\n\n")
    assert "network.zones" in run.stderr
    assert "firewall.rate_limit" in run.stderr


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"HOLDFAST_ENV": "prd"}, ["has no environment 'prd'", "did you mean prod?"]),
        ({"HOLDFAST_SERVICE": "order"}, ["HOLDFAST_SERVICE", "'order'", "did you mean orders?"]),
        ({"HOLDFAST_ENVIRONMENTS": "nowhere"}, ["nowhere is no folder", "HOLDFAST_ENVIRONMENTS"]),
    ],
    ids=["environment", "service", "folder"],
)
def test_what_does_not_exist_ends_with_64_and_what_does(
    start: Start, environ: dict[str, str], told: list[str]
) -> None:
    run = start(**environ)

    assert run.code == 64
    assert "Traceback" not in run.stderr
    assert all(text in run.stderr for text in told), run.stderr


def test_a_service_no_environment_has_is_told(start: Start, folder_with: Callable[..., str]) -> None:
    orders = PROD[PROD.index("[services.orders]") :]

    run = start(HOLDFAST_ENVIRONMENTS=folder_with((orders, "")), HOLDFAST_SERVICE="orders")

    assert run.code == 64
    assert "names a service that no environment asked for has" in run.stderr


def test_what_a_construct_refuses_ends_with_64_too(start: Start, folder_with: Callable[..., str]) -> None:
    folder = folder_with(('nat = "per_az"', 'nat = "per_az"\nprivate_endpoints = ["logs", "logs"]'))

    run = start(HOLDFAST_ENVIRONMENTS=folder)

    assert run.code == 64
    assert "Traceback" not in run.stderr
    assert "private_endpoints" in run.stderr


def test_a_second_region_has_stacks_and_a_domain_of_its_own(
    start: Start, folder_with: Callable[..., str]
) -> None:
    folder = folder_with(
        ('regions = ["eu-west-1"]', 'regions = ["eu-west-1", "eu-central-1"]'),
        ("[gateway]", '[network.regions.eu-central-1]\ncidr = "10.41.0.0/16"\n\n[gateway]'),
    )

    run = start(HOLDFAST_ENVIRONMENTS=folder)

    assert run.code == 0, run.stderr
    shards = json.loads(run.files["holdfast.json"])["shards"]
    assert {shard["region"] for shard in shards.values()} == {"eu-west-1", "eu-central-1"}
    assert len(shards) == 10
    assert len({shard["state"]["key"] for shard in shards.values()}) == 10
    away = run.files["stacks/storefront-prod-eu-central-1/cdk.tf.json"]
    assert b"www.eu-central-1.example.com" in away
    assert b"www.example.com" in run.files["stacks/storefront-prod-eu-west-1/cdk.tf.json"]
