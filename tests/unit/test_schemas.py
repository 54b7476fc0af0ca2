"""The JSON schemas kept in the repository are what the models say, and say what the models enforce."""

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = sorted((PROJECT / "environments").glob("*.toml"))
TOOL = PROJECT / "tools" / "schemas.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schemas_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema: dict[str, Any] = json.loads((PROJECT / "environments" / "schema.json").read_bytes())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_no_schema_is_stale() -> None:
    run = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr


def test_a_schema_that_is_missing_or_differs_is_stale(tool: ModuleType, tmp_path: Path) -> None:
    missing = tool.stale(tmp_path)
    for path, producer in tool.SCHEMAS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(tool.rendered(producer), encoding="utf-8")
    written = tool.stale(tmp_path)
    (tmp_path / "environments" / "schema.json").write_text("{}\n", encoding="utf-8")
    changed = tool.stale(tmp_path)

    assert missing == tuple(tool.SCHEMAS)
    assert written == ()
    assert changed == ("environments/schema.json",)


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_editors_find_the_schema_of_every_environment(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]

    assert first == "#:schema ./schema.json"


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_every_environment_fits_the_schema(file: Path, validator: jsonschema.Draft7Validator) -> None:
    document = tomllib.loads(file.read_text(encoding="utf-8"))

    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("firewall", "rate_limt"), 5),
        (("name",), "prod"),
        (("account",), "12345"),
        (("network", "zones"), 0),
        (("logs", "retention_days"), 100),
        (("services", "orders", "database", "storage_gib"), 5),
        (("services", "orders", "environment", "LOG LEVEL"), "info"),
        (("services", "orders", "secrets", "KEY"), "hunter22"),
        (("services", "orders", "cpu"), 500),
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_models_refuse(
    path: tuple[str, ...], value: object, validator: jsonschema.Draft7Validator
) -> None:
    document = tomllib.loads((PROJECT / "environments" / "prod.toml").read_text(encoding="utf-8"))
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value

    assert not validator.is_valid(document)
