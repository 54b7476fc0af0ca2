"""Names that an app does not have are refused before it is run, and only where its text proves it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.command_line import run_cli

from holdfast_orchestrator.api.new import init_project
from holdfast_orchestrator.app.known_names import known_names
from holdfast_orchestrator.app.project_file import read_project_file
from holdfast_orchestrator.app.selection import Selection
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import FrozenClock, captured_terminal, refusing_runtime


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    init_project(tmp_path / "shop")
    return tmp_path / "shop"


def runtime_in(shop: Path) -> Runtime:
    """A runtime in which no program can be started."""
    clock = FrozenClock(datetime(2026, 11, 30, tzinfo=UTC))
    return refusing_runtime(cwd=shop, terminal=captured_terminal(), clock=clock)


def services_of(shop: Path) -> frozenset[str] | None:
    known = known_names(read_project_file(shop), {})
    return None if known is None else known.services


@pytest.mark.parametrize(
    ("argv", "said", "next_step"),
    [
        (
            ("plan", "--env", "prd"),
            "--env 'prd': the app has no such environment; there are: local, prod",
            "if you mean it: holdfast plan --env prod",
        ),
        (("deploy", "--yes", "--env", "qa"), "no such environment", "next: holdfast new env qa"),
        (
            ("plan", "--env", "local", "--service", "storefrnt"),
            "--service 'storefrnt': the app has no such service; there are: data, edge, network, orders, st",
            "if you mean it: holdfast plan --env local --service storefront",
        ),
        (("plan",), "this is about 2 environments: local, prod", "for example: holdfast plan --env local"),
        (("destroy", "--yes"), "this is about 2 environments", "holdfast destroy --yes --env local"),
        (("synth", "--service", "zzz"), "no such service", "next: holdfast new service zzz"),
        (("list", "--env", "prd"), "no such environment", "holdfast list --env prod"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_before_anything_runs(
    shop: Path, argv: tuple[str, ...], said: str, next_step: str
) -> None:
    ran = run_cli(argv, runtime_in(shop))

    assert ran.code == 64
    assert said in ran.err
    assert next_step in ran.err


@pytest.mark.parametrize(
    "argv",
    [("plan", "--env", "prod"), ("plan", "--stack", "zzz"), ("list",), ("plan", "--service", "orders")],
)
def test_all_else_runs_the_app(shop: Path, argv: tuple[str, ...]) -> None:
    ran = run_cli(argv, runtime_in(shop))

    assert "RefusedError" in ran.err


def test_a_project_as_init_writes_it_is_known(shop: Path) -> None:
    known = known_names(read_project_file(shop), {})

    assert known is not None
    assert (known.environments, known.everywhere) == (("local", "prod"), True)
    assert known.services == frozenset({"data", "edge", "network", "orders", "storefront"})


@pytest.mark.parametrize(
    "more",
    [
        "class Other(ServiceStack):\n    pass\n",
        "def other(scope, target):\n    return ServiceStack(scope, 'other', target)\n",
        "import holdfast_constructs\nholdfast_constructs.ServiceStack(1)\n",
        "for name in ('a', 'b'):\n    service(name)(object)\n",
        "from somewhere import else_\n",
        "from holdfast_constructs import *\n",
        "from holdfast_constructs import ServiceStack as Base\n",
        "import importlib\n",
        "from holdfast_constructs import project\nproject.service('x')(object)\n",
        "NAME = 'x'\n@service(NAME)\nclass Other(ServiceStack):\n    pass\n",
        "eval('1')\n",
        "this is no Python\n",
    ],
)
def test_where_a_stack_may_come_from_elsewhere_no_service_is_refused(shop: Path, more: str) -> None:
    head = "from holdfast_constructs import ServiceStack\nfrom holdfast_constructs.project import service\n"
    (shop / "stacks" / "other.py").write_text(head + more, encoding="utf-8")

    assert services_of(shop) is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("stacks/__main__.py", "print('an app of another shape')\n"),
        ("cdktf.json", json.dumps({"app": "python main.py"})),
        ("cdktf.json", json.dumps({"app": "python -m stacks && echo"})),
        ("cdktf.json", json.dumps({"app": "python -m elsewhere"})),
    ],
)
def test_of_an_app_of_another_shape_nothing_is_known(shop: Path, file: str, text: str) -> None:
    (shop / file).write_text(text, encoding="utf-8")

    assert known_names(read_project_file(shop), {}) is None


def test_nothing_is_known_where_python_looks_elsewhere(shop: Path) -> None:
    assert known_names(read_project_file(shop), {"PYTHONSAFEPATH": "1"}) is None


def test_an_app_whose_stacks_all_have_conditions_may_be_about_one_environment(shop: Path) -> None:
    for file in (shop / "stacks").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for name in ("edge", "network"):
            text = text.replace(f'@shared("{name}")', f'@shared("{name}", when=bool)')
        file.write_text(text, encoding="utf-8")

    known = known_names(read_project_file(shop), {})

    assert known is not None
    assert not known.everywhere


def test_of_a_service_per_tenant_any_tenant_may_be_there(shop: Path) -> None:
    file = shop / "stacks" / "storefront.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('@service("storefront")', '@service("storefront", per_tenant=True)'), encoding="utf-8"
    )

    known = known_names(read_project_file(shop), {})

    assert known is not None
    known.refuse(Selection(environments=("local",), services=("storefront-acme",)))
    with pytest.raises(UsageError, match="no such service"):
        known.refuse(Selection(environments=("local",), services=("orders-acme",)))
