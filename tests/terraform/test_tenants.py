"""A service of two tenants: each is deployed alone, and one that leaves is taken down beside the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.local_app import LocalApp, local_app

from holdfast_orchestrator.local.environment import STATE_BUCKET

ACME, GLOBEX = "mailbox-acme-local-eu-west-1", "mailbox-globex-local-eu-west-1"
ANSWERS = "answers-local-eu-west-1"
GLOBEX_TABLE = "\n[services.mailbox.tenants.globex]\n"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LocalApp]:
    with local_app("mailbox_app", tmp_path) as app:
        yield app


def parameters(app: LocalApp) -> dict[str, tuple[str, str | None]]:
    """The value of each parameter, and the tenant whose tag it has."""
    ssm = app.client("ssm")
    found = {}
    for each in ssm.describe_parameters()["Parameters"]:
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=each["Name"])["TagList"]
        tenant = {tag["Key"]: tag["Value"] for tag in tags}.get("Tenant")
        found[each["Name"]] = (ssm.get_parameter(Name=each["Name"])["Parameter"]["Value"], tenant)
    return found


def state(app: LocalApp, service: str) -> bytes:
    key = f"{service}/123456789012/eu-west-1/local/terraform.tfstate"
    return bytes(app.client("s3").get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read())


@pytest.mark.long
def test_each_tenant_is_deployed_and_one_that_leaves_is_taken_down_alone(app: LocalApp) -> None:
    alone = app.outcomes("deploy", "--yes", "--service", "mailbox-acme")
    assert GLOBEX not in alone
    assert alone[ACME] == "committed"
    assert app.outcomes("deploy", "--yes", "--service", "mailbox")[GLOBEX] == "committed"
    assert app.outcomes("deploy", "--yes") == {
        ANSWERS: "committed",
        ACME: "unchanged",
        GLOBEX: "unchanged",
    }

    both = parameters(app)
    assert both["/mailbox-acme/local/address"] == ("acme@mail.test", "acme")
    assert both["/mailbox-globex/local/address"] == ("post@mail.test", "globex")
    assert both["/answers/local/address"] == ("answers@mail.test", None)
    assert set(app.outcomes("plan", "--refresh").values()) == {"unchanged"}

    settings = app.folder / "environments" / "local.toml"
    text = settings.read_text(encoding="utf-8")
    assert GLOBEX_TABLE in text
    settings.write_text(text.replace(GLOBEX_TABLE, ""), encoding="utf-8")
    kept = state(app, "mailbox-acme")

    told = app.run("plan")
    assert f"to take it down: holdfast destroy --env local --retired {GLOBEX}" in told
    assert app.outcomes("deploy", "--yes") == {ANSWERS: "unchanged", ACME: "unchanged"}
    assert parameters(app) == both

    assert app.outcomes("destroy", "--yes", "--retired", GLOBEX) == {GLOBEX: "committed"}

    left = {name: each for name, each in both.items() if "globex" not in name}
    assert parameters(app) == left
    assert state(app, "mailbox-acme") == kept
    assert set(app.outcomes("plan", "--refresh").values()) == {"unchanged"}
