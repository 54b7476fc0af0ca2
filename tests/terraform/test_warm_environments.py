"""Every stack of every environment: the same first plan through the gateway as without it.

What a stack reads of another one's state is made up here, as a text; where that does not do and Terraform
refuses, it must refuse in the same words.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.engine.terraform import Terraform

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "environments").glob("*.toml"))
# The cloud on loopback is one account, and has no metadata service.
ON_LOOPBACK = {
    "allowed_account_ids": ["123456789012"],
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "max_retries": 5,
}
_OUTPUT = re.compile(r"data\.terraform_remote_state\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)")


def synthesized(environment: str, folder: Path) -> dict[str, dict[str, Any]]:
    shutil.copy(ROOT / "cdktf.json", folder)
    shutil.copytree(ROOT / "environments", folder / "environments")
    command = [str(Path(sys.executable).with_name("holdfast")), "synth", "--env", environment]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted((folder / "cdktf.out").rglob("cdk.tf.json"))
    }


def standing_alone(configuration: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration with made-up states in place of those it reads."""
    outputs: dict[str, dict[str, Any]] = {}
    for state, output in _OUTPUT.findall(json.dumps(configuration)):
        outputs.setdefault(state, {})[output] = {"value": f"made-up-{len(output)}", "type": "string"}
    for name, block in configuration.get("data", {}).get("terraform_remote_state", {}).items():
        path = folder / f"{name}.remote.tfstate"
        state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": name, "resources": []}
        path.write_text(json.dumps({**state, "outputs": outputs.get(name, {})}))
        block.update(backend="local", config={"path": str(path)})
    for provider in configuration["provider"]["aws"]:
        provider.update(ON_LOOPBACK)
    return configuration


def outcome(terraform: Terraform) -> Any:
    terraform.init()
    try:
        document = terraform.show_plan(terraform.plan().plan)
    except CommandFailedError as error:
        return sorted((one.severity, one.summary, one.detail) for one in error.diagnostics)
    return comparable({**document, "timestamp": ""})


def comparable(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: sorted(inner, key=json.dumps) if key == "relevant_attributes" else comparable(inner)
                for key, inner in value.items()
            }
        case list():
            return [comparable(inner) for inner in value]
        case _:
            return value


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_first_plans_are_the_same_with_and_without(
    world: Any, tmp_path: Path, environment: str, record_property: Any
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    stacks = synthesized(environment, app)

    planned = 0
    for name, configuration in stacks.items():
        alone = standing_alone(configuration, tmp_path)
        plain = outcome(world.terraform(f"cold-{name}", alone, warm=False, state=name))
        attached = outcome(world.terraform(f"warm-{name}", alone, state=name))
        assert attached == plain, name
        planned += isinstance(plain, dict)

    record_property("planned", f"{planned} of {len(stacks)}")
    assert planned >= 1
    assert world.told == []
