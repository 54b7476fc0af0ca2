"""`holdfast init` and `holdfast new`: what they write, and what they refuse to write over."""

import ast
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped]

from holdfast_orchestrator import cli
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.testing import captured_terminal, refusing_runtime

if TYPE_CHECKING:
    from io import StringIO

ROOT = Path(__file__).resolve().parents[2]

Holdfast = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def holdfast(tmp_path: Path) -> Holdfast:
    """Run a command in a folder of its own; it may start no process and ask nothing of AWS."""

    def run(*words: str) -> Ran:
        terminal = captured_terminal()
        code = cli.invoke(words, refusing_runtime(cwd=tmp_path, terminal=terminal))
        out, err = cast("StringIO", terminal.out), cast("StringIO", terminal.err)
        return Ran(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def shop(holdfast: Holdfast, tmp_path: Path) -> Path:
    assert holdfast("init", "shop").code == 0
    return tmp_path / "shop"


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def settings(folder: Path, environment: str) -> dict[str, Any]:
    return tomllib.loads((folder / "environments" / f"{environment}.toml").read_text(encoding="utf-8"))


def test_a_new_project_has_its_name_in_its_settings(shop: Path) -> None:
    assert {settings(shop, name)["project"]["name"] for name in ("local", "prod")} == {"shop"}


def test_a_new_project_has_everything_and_is_called_like_its_folder(
    holdfast: Holdfast, tmp_path: Path
) -> None:
    ran = holdfast("init", "Shop_2", "--json")

    document = json.loads(ran.out)
    folder = tmp_path / "Shop_2"
    files = contents(folder)
    assert ran.code == 0
    jsonschema.validate(document, SCHEMAS["new.v1.json"]())
    assert sorted(document["created"]) == sorted(files)
    assert {"cdktf.json", ".gitignore", "tests/test_stacks.py", ".github/workflows/holdfast.yml"} <= set(
        files
    )
    assert json.loads(files["cdktf.json"])["projectId"] == "shop-2"
    assert b"plans/\n" in files[".gitignore"]
    assert f"holdfast[aws,local]=={version('holdfast')}\n".encode() in files["requirements.txt"]
    assert settings(folder, "prod")["state"]["bucket"] == "shop-2-state-prod"
    assert not [
        name for name, content in files.items() if b"holdfast_stacks" in content or b"@name@" in content
    ]


def test_the_stacks_are_those_of_the_example(shop: Path) -> None:
    example = ROOT / "stacks" / "holdfast_stacks"

    for file in example.glob("*.py"):
        text = file.read_text(encoding="utf-8").replace("holdfast_stacks", "stacks")
        assert (shop / "stacks" / file.name).read_text(encoding="utf-8") == text


def test_init_writes_nothing_where_one_file_is_there(holdfast: Holdfast, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "README.md").write_text("mine", encoding="utf-8")
    (tmp_path / "shop" / "cdktf.json").symlink_to("nowhere")

    ran = holdfast("init", "shop")

    assert ran.code == 64
    assert "has already: README.md, cdktf.json\n  next: " in ran.err
    assert contents(tmp_path / "shop") == {"README.md": b"mine"}


def test_a_service_is_a_file_and_a_table_in_each_environment(holdfast: Holdfast, shop: Path) -> None:
    before = contents(shop)

    ran = holdfast("new", "service", "gift-cards", "--project", "shop")

    after = contents(shop)
    assert ran.code == 0
    assert after.keys() - before.keys() == {"stacks/gift_cards.py"}
    assert all(after[name].startswith(content) for name, content in before.items())
    assert "wrote stacks/gift_cards.py\nadded to environments/local.toml\n" in ran.out
    text = after["stacks/gift_cards.py"].decode()
    ast.parse(text)
    assert '@service("gift-cards")\nclass GiftCards(ServiceStack):' in text
    assert "storefront" not in text.lower()
    assert settings(shop, "prod")["services"]["gift-cards"]["min_tasks"] == 2
    assert settings(shop, "local")["services"]["gift-cards"]["image"].startswith(
        "123456789012.dkr.ecr.eu-west-1"
    )


def test_a_service_with_a_database_in_one_environment(holdfast: Holdfast, shop: Path) -> None:
    ran = holdfast("new", "service", "invoices", "--database", "--env", "local", "--project", "shop")

    text = (shop / "stacks" / "invoices.py").read_text(encoding="utf-8")
    assert ran.code == 0
    assert 'site.stack(Data).databases["invoices"], user="invoices")' in text
    assert "orders" not in text.lower()
    assert settings(shop, "local")["services"]["invoices"]["database"]["storage_gib"] == 20
    assert "invoices" not in settings(shop, "prod")["services"]


def test_an_environment_is_a_copy_with_names_and_networks_of_its_own(holdfast: Holdfast, shop: Path) -> None:
    before = contents(shop)

    ran = holdfast("new", "env", "qa", "--account", "109812345678", "--project", "shop")

    qa, prod = settings(shop, "qa"), settings(shop, "prod")
    assert ran.code == 0
    assert contents(shop).keys() - before.keys() == {"environments/qa.toml"}
    assert qa["state"]["bucket"] == "shop-state-qa"
    assert qa["domain"] == f"qa.{prod['domain']}"
    assert qa["network"]["cidr"] not in {prod["network"]["cidr"], settings(shop, "local")["network"]["cidr"]}
    assert "210987654321" not in (shop / "environments" / "qa.toml").read_text(encoding="utf-8")
    assert qa["services"].keys() == prod["services"].keys()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (('"example.com"', "'example.com'"), 'does not have "example.com" in this form'),
        (("bucket = ", "buckets = "), "the settings of prod or of another environment are not valid"),
        (("10.40.0.0/16", "10.40.0.1/16"), "the settings of prod or of another environment are not valid"),
    ],
    ids=["another quote", "no bucket", "no network"],
)
def test_an_environment_that_cannot_be_copied_is_left_alone(
    holdfast: Holdfast, shop: Path, edit: tuple[str, str], told: str
) -> None:
    file = shop / "environments" / "prod.toml"
    file.write_text(file.read_text("utf-8").replace(*edit), encoding="utf-8")

    ran = holdfast("new", "env", "qa", "--project", "shop")

    assert ran.code == 64
    assert told in ran.err
    assert not (shop / "environments" / "qa.toml").exists()


def test_a_second_local_environment_says_how_its_bucket_is_made(holdfast: Holdfast, shop: Path) -> None:
    ran = holdfast("new", "env", "scratch", "--like", "local", "--project", "shop")

    assert ran.code == 0
    assert settings(shop, "scratch")["domain"] == "scratch.holdfast.test"
    assert "holdfast local up --project shop --bucket holdfast-state-scratch" in ran.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["service", "orders"], "environments/local.toml has [services.orders] already"),
        (["service", "network"], "has already: stacks/network.py"),
        (["service", "Payments"], "'Payments' cannot be the name of a service"),
        (["service", "9lives"], "beginning with a letter"),
        (["service", "class"], "a word of Python's own"),
        (["service", "payments", "--env", "prd"], "did you mean prod?"),
        (["env", "prod"], "has already: environments/prod.toml"),
        (["env", "qa", "--like", "prd"], "did you mean prod?"),
        (["env", "qa", "--account", "12"], "'12' is no AWS account"),
        (["env", "q_a"], "'q_a' cannot be the name of an environment"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_written_is_said_and_nothing_is(
    holdfast: Holdfast, shop: Path, words: list[str], told: str
) -> None:
    before = contents(shop)

    ran = holdfast("new", *words, "--project", "shop")

    assert ran.code == 64
    assert told in ran.err
    assert "next: " in ran.err
    assert contents(shop) == before


def test_a_table_that_is_there_is_not_written_twice(holdfast: Holdfast, shop: Path) -> None:
    file = shop / "environments" / "prod.toml"
    file.write_text(file.read_text("utf-8") + '\n[services.payments]\nimage = "x"\n', encoding="utf-8")
    before = contents(shop)

    ran = holdfast("new", "service", "payments", "--project", "shop")

    assert ran.code == 64
    assert "environments/prod.toml has [services.payments] already" in ran.err
    assert contents(shop) == before


@pytest.mark.parametrize("app", ["npx ts-node main.ts", "python -m elsewhere"])
def test_a_project_of_another_kind_is_told(holdfast: Holdfast, shop: Path, app: str) -> None:
    (shop / "cdktf.json").write_text(json.dumps({"app": app, "language": "python"}), encoding="utf-8")

    ran = holdfast("new", "service", "payments", "--project", "shop")

    assert ran.code == 64
    assert f"runs '{app}', which is not a package of stacks" in ran.err


def test_the_repository_itself_is_such_a_project(holdfast: Holdfast, tmp_path: Path) -> None:
    for name in ("cdktf.json", "environments/local.toml", "stacks/holdfast_stacks/__main__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    ran = holdfast("new", "service", "payments")

    text = (tmp_path / "stacks" / "holdfast_stacks" / "payments.py").read_text(encoding="utf-8")
    assert ran.code == 0
    assert "from holdfast_stacks.edge import Edge" in text


def test_the_workflow_can_be_read_and_no_deploy_of_it_is_cancelled(shop: Path) -> None:
    workflow = yaml.safe_load((shop / ".github" / "workflows" / "holdfast.yml").read_text(encoding="utf-8"))

    jobs = workflow["jobs"]
    assert {"pull_request", "push"} == set(workflow[True])  # `on` is a boolean in YAML 1.1
    assert set(jobs) == {"test", "plan", "deploy"}
    assert all("timeout-minutes" in job for job in jobs.values())
    assert jobs["deploy"]["concurrency"]["cancel-in-progress"] is False
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "holdfast deploy --env prod --yes --wait 600" in commands


def test_a_service_gets_a_database_wherever_it_runs(holdfast: Holdfast, shop: Path) -> None:
    assert holdfast("new", "service", "bill-ing", "--project", "shop").code == 0
    before = contents(shop)

    ran = holdfast("new", "database", "bill-ing", "--project", "shop", "--json")

    document = json.loads(ran.out)
    jsonschema.validate(document, SCHEMAS["new.v1.json"]())
    assert document["created"] == []
    changed = {name for name, content in contents(shop).items() if before.get(name) != content}
    assert changed == {"stacks/bill_ing.py", "environments/local.toml", "environments/prod.toml"}
    text = (shop / "stacks" / "bill_ing.py").read_text(encoding="utf-8")
    assert 'self.web.connect_to(site.stack(Data).databases["bill-ing"], user="bill_ing")' in text
    for environment in ("local", "prod"):
        assert settings(shop, environment)["services"]["bill-ing"]["database"]["storage_gib"] == 20


def test_a_database_makes_of_a_service_what_new_service_writes_with_one(
    holdfast: Holdfast, shop: Path, tmp_path: Path
) -> None:
    assert holdfast("new", "service", "billing", "--project", "shop").code == 0
    assert holdfast("new", "database", "billing", "--project", "shop").code == 0
    assert holdfast("init", "other").code == 0
    assert holdfast("new", "service", "billing", "--database", "--project", "other").code == 0

    in_two, in_one = (
        (tmp_path / folder / "stacks" / "billing.py").read_text(encoding="utf-8")
        for folder in ("shop", "other")
    )
    named = {"self.web": "self.api", '"web"': '"api"'}
    for old, new in named.items():
        in_two = in_two.replace(old, new)
    assert in_two == in_one
    assert settings(tmp_path / "shop", "prod")["services"] == settings(tmp_path / "other", "prod")["services"]


def test_a_database_of_no_service_has_a_stack_of_its_own(holdfast: Holdfast, shop: Path) -> None:
    ran = holdfast("new", "database", "reports", "--project", "shop")

    assert ran.code == 0
    assert "wrote " in ran.out
    assert "class ReportsSettings(Settings):" in (shop / "stacks" / "reports.py").read_text(encoding="utf-8")
    assert settings(shop, "local")["services"]["reports"] == {
        "database": {"class": "db.t4g.medium", "storage_gib": 20}
    }


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("orders", None, "has [services.orders.database] already"),
        ("edge", None, "no environment has [services.edge]"),
        ("storefront", ("settings: Service", "settings: object"), "and one WebService"),
        ("storefront", ("self.web = ", "web = "), "and one WebService"),
        ("storefront", ("class", "klass"), "is not Python"),
        ("Reports", None, "cannot be the name of a database"),
        ("class", None, "is a word of Python's own"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_added_is_refused_and_nothing_is_written(
    holdfast: Holdfast, shop: Path, name: str, edit: tuple[str, str] | None, said: str
) -> None:
    if edit is not None:
        file = shop / "stacks" / f"{name}.py"
        file.write_text(file.read_text(encoding="utf-8").replace(*edit), encoding="utf-8")
    before = contents(shop)

    ran = holdfast("new", "database", name, "--project", "shop")

    assert ran.code == 64
    assert said in ran.err
    assert contents(shop) == before
