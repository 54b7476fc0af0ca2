import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_constructs._bindings import settings

ADDED = ("JSII_NODE", "NODE_OPTIONS", "JSII_RUNTIME_PACKAGE_CACHE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT")
SILENCE = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ADDED, SILENCE, "HOLDFAST_FAST_BINDINGS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("value", "expected"), [(None, True), ("1", True), ("", True), ("0", False)])
def test_the_fast_way_is_on_unless_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, value: str | None, *, expected: bool
) -> None:
    if value is not None:
        monkeypatch.setenv("HOLDFAST_FAST_BINDINGS", value)

    assert settings.enabled() is expected


def test_the_cache_lies_below_xdg_cache_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert settings.cache_directory() == tmp_path / "holdfast" / "bindings"


@pytest.mark.parametrize("value", [None, "", "relative/path"])
def test_the_cache_lies_below_the_home_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert settings.cache_directory() == tmp_path / ".cache" / "holdfast" / "bindings"


def test_jsii_gets_a_node_of_its_own_that_runs(tmp_path: Path) -> None:
    with settings.node_environment(tmp_path):
        node = os.environ["JSII_NODE"]

    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("v24.")
    assert Path(node).is_relative_to(sys.prefix)


def test_options_for_our_node_are_not_given_to_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JSII_NODE", "/usr/bin/node")

    with settings.node_environment(tmp_path):
        assert "NODE_OPTIONS" not in os.environ


def test_jsii_keeps_unpacked_packages_in_the_cache(tmp_path: Path) -> None:
    with settings.node_environment(tmp_path):
        assert os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] == str(tmp_path)
        assert "JSII_RUNTIME_PACKAGE_CACHE" not in os.environ


def test_jsii_keeps_nothing_where_there_is_no_cache() -> None:
    with settings.node_environment(None):
        assert os.environ["JSII_RUNTIME_PACKAGE_CACHE"] == "disabled"


def test_what_the_user_has_set_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = {
        "JSII_NODE": "mine",
        "NODE_OPTIONS": "mine",
        SILENCE: "mine",
        "JSII_RUNTIME_PACKAGE_CACHE": "disabled",
    }
    for name, value in mine.items():
        monkeypatch.setenv(name, value)

    with settings.node_environment(tmp_path):
        assert {name: os.environ[name] for name in mine} == mine
        assert "JSII_RUNTIME_PACKAGE_CACHE_ROOT" not in os.environ


def test_the_environment_is_as_before_afterwards(tmp_path: Path) -> None:
    before = dict(os.environ)

    with settings.node_environment(tmp_path):
        assert dict(os.environ) != before

    assert dict(os.environ) == before
