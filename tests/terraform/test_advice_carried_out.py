"""The steps of an advice, carried out word for word with a real Terraform: no object is lost or made anew."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_orchestrator.engine import lockfile

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ROOT = Path(__file__).resolve().parents[2]
# Like `plain_app`, but a stack may say which providers it requires.
APP = ROOT / "tests" / "fixtures" / "fault_app" / "app.py"
API, MAIL = 40, 25
NEW = "mail"
READ = "${data.terraform_remote_state.mail.outputs.first}"
PROVIDER = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": True,
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of resource, the argument that takes a text, and the attribute it can be read from."""

    name: str
    argument: str
    attribute: str
    provider: Mapping[str, Any]

    def stack(self, own: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
        return {"resource": {self.name: own}, **self.provider, **sections}

    def objects(self, stack: str, construct: str, count: int) -> dict[str, Any]:
        return {
            f"{construct}_{number}": {
                "//": {"metadata": {"path": f"{stack}/{construct}/{number}"}},
                self.argument: f"{construct}-{number}",
            }
            for number in range(count)
        }

    def one_stack(self) -> dict[str, Any]:
        """A large stack, in which `api` refers to `mail` once."""
        api, mail = self.objects("big", "api", API), self.objects("big", "mail", MAIL)
        api["api_0"][self.argument] = f"${{{self.name}.mail_0.{self.attribute}}}-0"
        return {"big": self.stack(api | mail)}

    def two_stacks(self) -> dict[str, Any]:
        """The same with `mail` in a stack of its own."""
        api, mail = self.objects("big", "api", API), self.objects("mail", "mail", MAIL)
        api["api_0"][self.argument] = f"{READ}-0"
        output = {"first": {"value": f"${{{self.name}.mail_0.{self.attribute}}}"}}
        return {
            "mail": self.stack(mail, output=output),
            "big": self.stack(api, dependencies=["mail"]),
        }


BUILTIN = Kind(name="terraform_data", argument="input", attribute="output", provider={})
TOPICS = Kind(
    name="aws_sns_topic",
    argument="name",
    attribute="name",
    provider={
        "provider": {"aws": [PROVIDER]},
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
    },
)


def ids(app: "App", *services: str) -> dict[str, str]:
    """The id of each object, by its name."""
    return {
        resource["name"]: resource["instances"][0]["attributes"]["id"]
        for service in services
        for resource in app.state(service)["resources"]
        if resource["mode"] == "managed"
    }


def carry_out(app: "App", steps: Iterable[Mapping[str, Any]]) -> str:
    """Do what the steps say; returns what the last one printed."""
    said = ""
    for step in steps:
        assert step["into"] is None
        said = "".join(perform(app, command.replace("NEW", NEW)) for command in step["commands"]) or said
    return said


def perform(app: "App", command: str) -> str:
    program, *words = shlex.split(command)
    agreed = ["--yes"] if words[0] == "deploy" else []
    argv = app.argv(*words, *agreed) if program == "holdfast" else (program, *words)
    ran = subprocess.run(
        argv,
        cwd=app.folder,
        env={"PATH": os.environ["PATH"], **app.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(BUILTIN, id="what cannot be imported", marks=pytest.mark.long),
        pytest.param(TOPICS, id="what can be imported", marks=pytest.mark.long),
    ],
)
def test_a_split_loses_nothing_and_makes_nothing_anew(plain_app: "App", kind: Kind) -> None:
    shutil.copy(APP, plain_app.folder)
    shutil.copy(ROOT / lockfile.NAME, plain_app.folder)
    plain_app.write(kind.one_stack())
    perform(plain_app, "holdfast deploy")
    before = ids(plain_app, "big")
    (split,) = json.loads(plain_app.run("advise", "--json").stdout)["splits"]
    steps = split["steps"]

    carry_out(plain_app, steps[:2])
    plain_app.write(kind.two_stacks())
    said = carry_out(plain_app, steps[2:])

    assert "holdfast move big NEW --env dev --yes" in [one for step in steps for one in step["commands"]]
    assert (split["moves"]["constructs"], len(split["crossing"])) == (["mail"], 1)
    assert len(ids(plain_app, "mail")) == MAIL
    assert ids(plain_app, "big", "mail") == before
    assert ("unchanged: mail" in said, "unchanged: big" in said) == (True, True), said


def small(*, changed: int, merged: bool = False) -> dict[str, Any]:
    """`orders` reads from `data`; or nothing is left in it, and `data` holds the objects of both."""
    data, orders = BUILTIN.objects("data", "jobs", 3), BUILTIN.objects("orders", "api", 3)
    data["jobs_0"]["input"] = f"{changed}"
    read = "data.terraform_remote_state.data.outputs.first"
    orders["api_0"]["input"] = "${terraform_data.jobs_0.output}" if merged else f"${{{read}}}"
    output = {"first": {"value": "${terraform_data.jobs_0.output}"}}
    if merged:
        return {"data": BUILTIN.stack(data | orders, output=output), "orders": {}}
    return {
        "data": BUILTIN.stack(data, output=output),
        "orders": BUILTIN.stack(orders, dependencies=["data"]),
    }


@pytest.mark.long
def test_a_merge_loses_nothing_and_makes_nothing_anew(plain_app: "App") -> None:
    shutil.copy(APP, plain_app.folder)
    for changed in range(5):
        plain_app.write(small(changed=changed))
        perform(plain_app, "holdfast deploy")
    before = ids(plain_app, "data", "orders")
    (merge,) = json.loads(plain_app.run("advise", "--json").stdout)["merges"]
    steps = merge["steps"]

    carry_out(plain_app, steps[:2])
    plain_app.write(small(changed=4, merged=True))
    carry_out(plain_app, steps[2:])

    assert (merge["shard"], merge["into"], merge["outputs"]) == ("orders", "data", ["first"])
    assert ids(plain_app, "data") == before
    assert ids(plain_app, "orders") == {}
    plain_app.write({"data": small(changed=4, merged=True)["data"]})
    planned = json.loads(plain_app.run("plan", "--json", "--refresh").stdout)
    assert (planned["has_changes"], planned["retired"]) == (False, [])
