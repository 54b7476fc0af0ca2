"""`--changed-since` with environments that the old revision does not have; without git, without an app."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast_orchestrator.api.app import App
from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.app.project_file import read_project_file
from holdfast_orchestrator.app.selection import Names, names_of, select
from holdfast_orchestrator.change_detection import git_diff as since
from holdfast_orchestrator.errors import SynthesisError, UsageError
from holdfast_orchestrator.testing import refusing_runtime


def shard(environment: str) -> Shard:
    key = f"orders/{environment}/terraform.tfstate"
    return Shard(
        name=f"orders-{environment}",
        directory=Path("stacks") / environment,
        configuration=b"{}",
        service="orders",
        environment=environment,
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=key, region="eu-west-1"),
    )


@dataclass
class Revisions:
    """A project now and then. Its app then fails for an environment without a file, as ours does."""

    now: Path
    then: Path
    environ: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    strict: bool = True
    broken: bool = False

    def has(self, folder: Path, *names: str, place: str = "environments") -> None:
        for name in names:
            (folder / place).mkdir(exist_ok=True)
            (folder / place / f"{name}.toml").touch()

    def synth(self, env: Names) -> Manifest:
        names = names_of(env)
        self.asked.append(names)
        place = self.then / self.environ.get("HOLDFAST_ENVIRONMENTS", "environments")
        unknown = [name for name in names if not (place / f"{name}.toml").exists()]
        if self.broken:
            raise SynthesisError("broken then")
        if self.strict and unknown:
            raise SynthesisError(f"has no environment {unknown[0]!r}")
        return Manifest(tuple(shard(name) for name in names))

    def changed(self, *env: str) -> set[str]:
        app = App(file=read_project_file(self.now), runtime=refusing_runtime(environ={}))
        return {*app.changed_since(Manifest(tuple(shard(name) for name in env)), "main", env=env)}


@pytest.fixture
def revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Revisions:
    both = Revisions(tmp_path / "now", tmp_path / "then")
    for folder in (both.now, both.then):
        folder.mkdir()
        (folder / "cdktf.json").write_text('{"app": "false"}')

    @contextmanager
    def checked_out(*_: object) -> Iterator[since.Checkout]:
        yield since.Checkout(folder=both.then, environ=both.environ)

    monkeypatch.setattr(since, "checked_out", checked_out)
    monkeypatch.setattr(App, "synth", lambda _, *, env: both.synth(env))
    return both


def test_every_shard_of_a_new_environment_is_chosen(revisions: Revisions) -> None:
    revisions.has(revisions.now, "prod", "qa")
    revisions.has(revisions.then, "prod")

    assert revisions.changed("qa") == {"orders-qa"}
    assert revisions.changed("prod", "qa") == {"orders-qa"}
    assert revisions.changed("prod") == set()
    assert revisions.asked == [("prod",), ("prod",)]


def test_a_selection_takes_what_changed_and_nothing_else(
    revisions: Revisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App(file=read_project_file(revisions.now), runtime=refusing_runtime(environ={}))
    both = Manifest((shard("dev"), shard("prod")))
    monkeypatch.setattr(App, "synth", lambda *_, **__: both)
    monkeypatch.setattr(App, "changed_since", lambda *_, **__: frozenset({"orders-prod"}))

    assert [found.name for found in app.list(select(changed_since="main"))] == ["orders-prod"]
    assert app.graph(select(changed_since="main")).order == ("orders-prod",)
    assert [found.name for wave in app.waves(select(changed_since="main")) for found in wave] == [
        "orders-prod"
    ]
    assert app.list(select(env="dev", changed_since="main")) == ()


def test_where_no_environment_is_named_the_old_app_is_asked_for_all_of_its_own(revisions: Revisions) -> None:
    revisions.has(revisions.now, "qa")

    revisions.changed()

    assert revisions.asked == [()]


def test_the_folder_of_the_settings_may_be_another(revisions: Revisions) -> None:
    revisions.environ["HOLDFAST_ENVIRONMENTS"] = "settings"
    revisions.has(revisions.now, "prod", "qa", place="settings")
    revisions.has(revisions.then, "prod", place="settings")

    assert revisions.changed("prod", "qa") == {"orders-qa"}


def test_an_app_without_files_of_environments_is_asked_for_what_was_named(revisions: Revisions) -> None:
    revisions.strict = False

    assert revisions.changed("prod") == set()
    assert revisions.asked == [("prod",)]


def test_an_app_that_fails_for_an_environment_it_had_is_refused(revisions: Revisions) -> None:
    revisions.has(revisions.now, "prod", "qa")
    revisions.has(revisions.then, "prod")
    revisions.broken = True

    with pytest.raises(UsageError, match="does not synthesize: broken then"):
        revisions.changed("prod", "qa")
