"""The wheel: what is in it, and what its metadata says. `tests/e2e/test_tutorial.py` installs and uses it."""

import re
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from tests.support.wheels import build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_wheel_has_its_packages_and_the_example_as_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    packages = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    example = {name for name in names if "/scaffold/example/" in name}
    assert packages == {"holdfast_bindings", "holdfast_constructs", "holdfast_orchestrator"}
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert any(name.endswith("example/stacks/orders.py") for name in example)
    assert {name.rpartition("/")[2] for name in example if "/environments/" in name} == {
        "local.toml",
        "prod.toml",
        "schema.json",
    }


def test_what_the_metadata_needs_is_split_into_extras(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist") or []

    always = {re.split(r"[ <>=;\[]", line)[0] for line in required if "extra ==" not in line}
    assert always == {"boto3", "click", "grpcio", "msgpack", "pydantic", "rich"}
    assert set(metadata.get_all("Provides-Extra") or []) == {"aws", "local", "dask"}
    assert {"cdktf", "constructs"} <= {line.split("=")[0].split("<")[0].split(">")[0] for line in required}


def test_the_metadata_is_complete_and_no_link_in_it_leads_nowhere(metadata: Message) -> None:
    text = metadata.get_payload()

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"]
    assert metadata["Keywords"]
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])
    assert isinstance(text, str)
    assert "holdfast init" in text
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]
