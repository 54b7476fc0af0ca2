"""The first service of the README is the one that `holdfast new service` writes, and it is a service."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import example

from holdfast_orchestrator.api.new import init_project, new_service
from holdfast_orchestrator.scaffold.template import EXAMPLE_PACKAGE

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def printed_in(language: str, beginning: str) -> str:
    """Return the one block of the README that begins so."""
    (block,) = re.findall(rf"```{language}\n({re.escape(beginning)}.*?)```", README, re.DOTALL)
    return str(block)


# In this repository the package is called otherwise than in a project.
PYTHON = printed_in("python", "# stacks/").replace("from stacks.", f"from {EXAMPLE_PACKAGE}.")
TOML = printed_in("toml", "# environments/local.toml")


class Copy:
    """A copy of the stacks and of environment `local`, with the service of the README in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.outdir = folder, folder / "cdktf.out"
        self.package = folder / "stacks" / "holdfast_stacks"
        shutil.copytree(ROOT / "stacks" / "holdfast_stacks", self.package)
        (self.package / "payments.py").write_text(PYTHON, encoding="utf-8")
        self.settings = folder / "environments" / "local.toml"
        self.settings.parent.mkdir()
        self.settings.write_text(example("local") + TOML, encoding="utf-8")

    def edit(self, file: Path, *edits: tuple[str, str]) -> None:
        text = file.read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def run(self) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.package.parent), *sys.path])
        asked = {"HOLDFAST_ENV": "", "HOLDFAST_SERVICE": "payments", "HOLDFAST_ENVIRONMENTS": ""}
        return subprocess.run(
            [sys.executable, "-m", "holdfast_stacks"],
            cwd=self.folder,
            env=os.environ | asked | {"CDKTF_OUTDIR": str(self.outdir), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def container(self) -> dict[str, Any]:
        stack = json.loads((self.outdir / "stacks/payments-local-eu-west-1/cdk.tf.json").read_bytes())
        (task,) = stack["resource"]["aws_ecs_task_definition"].values()
        (container,) = json.loads(task["container_definitions"])
        return dict(container)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_it_is_what_holdfast_new_writes(tmp_path: Path) -> None:
    init_project(tmp_path / "shop")

    # Another name: the example, and so the project, may have a service payments already.
    new_service("invoices", tmp_path / "shop")

    written = (tmp_path / "shop" / "stacks" / "invoices.py").read_text("utf-8")
    settings = (tmp_path / "shop" / "environments" / "local.toml").read_text("utf-8")
    table = settings[settings.index("[services.invoices]") :]
    assert f"# stacks/payments.py\n{renamed(written)}" == printed_in("python", "# stacks/")
    assert f"# environments/local.toml\n{renamed(table)}" == TOML


def renamed(text: str) -> str:
    return text.replace("invoices", "payments").replace("Invoices", "Payments")


def test_one_file_and_one_table_are_a_service_and_no_setting_of_it_is_lost(copy: Copy) -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:payments/key-a1B2c3"
    more = (
        'host = "pay"\ncpu = 512\nmemory = 1024\n\n'
        '[services.payments.environment]\nLOG_LEVEL = "info"\n\n'
        f'[services.payments.secrets]\nSTRIPE = "{secret}"\n'
    )
    copy.settings.write_text(copy.settings.read_text("utf-8") + more, encoding="utf-8")

    run = copy.run()

    assert run.returncode == 0, run.stderr
    kept = sorted(folder.name for folder in (copy.outdir / "stacks").iterdir())
    assert kept == [f"{service}-local-eu-west-1" for service in ("edge", "network", "payments")]
    assert copy.container()["environment"] == [{"name": "LOG_LEVEL", "value": "info"}]
    assert copy.container()["secrets"] == [{"name": "STRIPE", "valueFrom": secret}]


def test_a_setting_that_the_stack_does_not_read_is_an_error(copy: Copy) -> None:
    copy.edit(copy.package / "payments.py", ("            environment=settings.environment,\n", ""))
    with copy.settings.open("a", encoding="utf-8") as settings:
        settings.write('[services.payments.environment]\nLOG_LEVEL = "info"\n')

    run = copy.run()

    line = copy.settings.read_text("utf-8").count("\n") - 1
    assert run.returncode == 64
    assert f"environments/local.toml:{line}: services.payments.environment is read by no stack" in run.stderr
    assert "got      'environment'" in run.stderr
    assert (
        "allowed  a setting that a stack reads: image, cpu, memory, secrets, min_tasks, max_tasks, host"
        in run.stderr
    )
    assert (
        "next     use settings.environment in stacks/holdfast_stacks/payments.py, or remove it" in run.stderr
    )


def test_a_service_may_have_settings_of_its_own(copy: Copy) -> None:
    copy.edit(
        copy.package / "payments.py",
        (
            '@service("payments")',
            'class PaymentsSettings(Service):\n    currency: str = "EUR"\n\n\n@service("payments")',
        ),
        ("settings: Service", "settings: PaymentsSettings"),
        (
            "environment=settings.environment",
            'environment={"CURRENCY": settings.currency, **settings.environment}',
        ),
    )
    with copy.settings.open("a", encoding="utf-8") as settings:
        settings.write('currency = "CHF"\n')

    run = copy.run()

    assert run.returncode == 0, run.stderr
    assert copy.container()["environment"] == [{"name": "CURRENCY", "value": "CHF"}]


_OF_THE_REPOSITORY = re.compile(r"holdfast_stacks|[Ee]nvironments|_settings|registrations")


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_no_test_of_the_repository_turns_red(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "stacks" / "holdfast_stacks" / "payments.py").write_text(PYTHON, encoding="utf-8")
    for file in (tmp_path / "environments").glob("*.toml"):
        # Production refuses single tasks.
        table = TOML if file.stem != "prod" else TOML.replace("min_tasks = 1", "min_tasks = 2")
        file.write_text(file.read_text("utf-8") + "\n" + table, encoding="utf-8")
    sources = [str(tmp_path / name) for name in ("constructs", "stacks", "orchestrator")]
    settings = [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("test_settings*.py")]
    schemas = [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("test_schemas.py")]
    # Tests of blocks build apps of their own: a service more of this repository is none of theirs.
    synths = [
        str(file.relative_to(tmp_path))
        for file in (tmp_path / "tests" / "synth").glob("test_*.py")
        if _OF_THE_REPOSITORY.search(file.read_text("utf-8"))
    ]
    assert {"tests/synth/test_project.py", "tests/synth/test_stacks_as_reviewed.py"} <= set(synths)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not long", *synths, *settings, *schemas],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-4000:]
