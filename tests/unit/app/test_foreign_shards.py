import json
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.foreign import ForeignDefaults, foreign_shards, service_part
from holdfast_orchestrator.app.manifest import Shard, Stack
from holdfast_orchestrator.app.manifest_loader import load_manifest
from holdfast_orchestrator.app.project_file import ForeignSettings
from holdfast_orchestrator.app.selection import Selection, labels
from holdfast_orchestrator.errors import SettingsError

SETTINGS = ForeignSettings(
    state_bucket="acme-state", region="eu-west-1", environment="dev", account="123456789012"
)


def stack(name: str, document: object = None, *, after: tuple[str, ...] = ()) -> Stack:
    plain = {"terraform": {"backend": {"local": {"path": f"/here/terraform.{name}.tfstate"}}}}
    return Stack(
        name=name,
        directory=Path(),
        configuration=json.dumps(plain if document is None else document).encode(),
        depends_on=after,
    )


def asked(_region: str, _cloud: str) -> str:
    return "999999999999"


def shards(
    *stacks: Stack,
    settings: ForeignSettings = SETTINGS,
    options: ForeignSettings | None = None,
    custom_endpoint: bool = False,
) -> tuple[Shard, ...]:
    defaults = ForeignDefaults(
        settings=settings,
        options=options or ForeignSettings(),
        find_account=asked,
        custom_endpoint=custom_endpoint,
    )
    return foreign_shards(stacks, defaults)


def configuration(shard: Shard) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shard.configuration)
    return document


@pytest.mark.parametrize(
    ("name", "service", "part"),
    [
        ("orders", None, "orders"),
        ("orders", "orders", "orders"),
        ("orders-db", "orders", "orders-db"),
        ("db", "orders", "orders-db"),
        ("ordersdb", "orders", "orders-ordersdb"),
    ],
)
def test_the_service_in_the_key_is_the_stack_below_the_service_of_the_app(
    name: str, service: str | None, part: str
) -> None:
    assert service_part(name, service) == part


def test_the_state_moves_to_s3_at_the_shards_key() -> None:
    (shard,) = shards(stack("web"))

    assert configuration(shard)["terraform"]["backend"] == {
        "s3": {
            "bucket": "acme-state",
            "key": "web/123456789012/eu-west-1/dev/terraform.tfstate",
            "region": "eu-west-1",
            "encrypt": True,
            "use_lockfile": True,
        }
    }


def test_what_a_stack_reads_from_another_moves_along() -> None:
    reading = {
        "data": {
            "terraform_remote_state": {
                "from-net": {"backend": "local", "config": {"path": "/here/terraform.net.tfstate"}},
                "elsewhere": {"backend": "local", "config": {"path": "/another/project.tfstate"}},
            }
        }
    }

    _, web = shards(stack("net"), stack("web", reading, after=("net",)))

    sources = configuration(web)["data"]["terraform_remote_state"]
    assert sources["from-net"]["backend"] == "s3"
    assert sources["from-net"]["config"]["key"] == "net/123456789012/eu-west-1/dev/terraform.tfstate"
    assert "use_lockfile" not in sources["from-net"]["config"]
    assert sources["elsewhere"] == reading["data"]["terraform_remote_state"]["elsewhere"]


def test_towards_an_emulator_the_backend_skips_what_only_aws_can_answer() -> None:
    (shard,) = shards(stack("web"), custom_endpoint=True)

    backend = configuration(shard)["terraform"]["backend"]["s3"]
    assert backend["use_path_style"] is True
    assert backend["skip_credentials_validation"] is True


def test_environment_local_is_the_local_cloud_unless_an_endpoint_is_given() -> None:
    local = ForeignSettings(**{**_fields(SETTINGS), "environment": "local"})

    assert shards(stack("web"), settings=local)[0].cloud == "local"
    assert shards(stack("web"), settings=local, custom_endpoint=True)[0].cloud == "aws"


def test_without_a_setting_the_account_is_whoever_is_calling() -> None:
    settings = ForeignSettings(**{**_fields(SETTINGS), "account": None})

    (shard,) = shards(stack("web"), settings=settings)

    assert shard.account == "999999999999"


@pytest.mark.parametrize("name", ["state_bucket", "region", "environment"])
def test_what_is_missing_is_named_with_both_places_to_set_it(name: str) -> None:
    settings = ForeignSettings(**{**_fields(SETTINGS), name: None})

    with pytest.raises(SettingsError) as raised:
        shards(stack("web"), settings=settings)

    assert f'"{name}"' in str(raised.value)
    assert ("--env" if name == "environment" else f"--{name.replace('_', '-')}") in str(raised.value)


def test_an_option_fills_a_gap_but_never_contradicts_a_setting() -> None:
    option = ForeignSettings(environment="prod")
    gap = ForeignSettings(**{**_fields(SETTINGS), "environment": None})

    assert shards(stack("web"), settings=gap, options=option)[0].environment == "prod"
    with pytest.raises(
        SettingsError, match=r"context\.holdfast\.environment to 'dev', and --env asks for 'prod'"
    ):
        shards(stack("web"), options=option)


CLOUD = {"organization": "acme", "workspaces": {"name": "web"}}
BACKENDS: list[tuple[dict[str, Any], str, str | None]] = [
    (
        {"backend": {"s3": {"bucket": "mine", "key": "a/b", "secret_key": "x"}}},
        "s3://mine/a/b",
        "s3://mine/a/b",
    ),
    ({"backend": {"s3": {"bucket": "mine"}}}, "s3 (mine)", None),
    ({"cloud": CLOUD}, "cloud (app.terraform.io/acme/web)", None),
    ({"cloud": [CLOUD]}, "cloud (app.terraform.io/acme/web)", None),
    ({"backend": {"remote": {**CLOUD, "hostname": "tfe.acme"}}}, "remote (tfe.acme/acme/web)", None),
    ({"backend": {"gcs": {"bucket": "mine", "prefix": "web"}}}, "gcs (mine/web)", None),
    (
        {"backend": {"azurerm": {"storage_account_name": "sa", "container_name": "c", "key": "k"}}},
        "azurerm (sa/c/k)",
        None,
    ),
    ({"backend": {"http": {"address": "https://u:p@acme.dev/web?t=1"}}}, "http (https://acme.dev/web)", None),
    ({"backend": {"pg": {"conn_str": "postgres://u:p@db"}}}, "pg", None),
    ({"backend": {"one_to_come": {"token": "x"}}}, "one_to_come", None),
]


@pytest.mark.parametrize(("terraform", "place", "source"), BACKENDS)
def test_a_backend_of_its_own_is_noted_with_its_place_and_without_its_secrets(
    terraform: dict[str, Any], place: str, source: str | None
) -> None:
    (shard,) = shards(stack("web", {"terraform": terraform}))

    assert shard.elsewhere is not None
    assert (shard.elsewhere.place, shard.elsewhere.source) == (place, source)
    assert configuration(shard)["terraform"].keys() == {"backend"}
    assert configuration(shard)["terraform"]["backend"].keys() == {"s3"}


@pytest.mark.parametrize("terraform", [terraform for terraform, _, source in BACKENDS[1:-1] if not source])
def test_what_a_stack_reads_from_another_backend_of_the_app_moves_along(terraform: dict[str, Any]) -> None:
    (kind, config) = next(iter(terraform.get("backend", {"remote": CLOUD}).items()))
    read = {"backend": kind, "config": {**config, "workspace": "x"} if kind == "gcs" else config}
    reading = {"data": {"terraform_remote_state": {"net": read}}}

    _, web = shards(stack("net", {"terraform": terraform}), stack("web", reading, after=("net",)))

    source = configuration(web)["data"]["terraform_remote_state"]["net"]
    assert source["backend"] == "s3"
    assert source["config"]["key"] == "net/123456789012/eu-west-1/dev/terraform.tfstate"


def test_of_stacks_that_share_a_local_file_each_reads_the_one_it_depends_on() -> None:
    one = {"terraform": {"backend": {"local": {"path": "one.tfstate"}}}}
    read = {"terraform_remote_state": {"x": {"backend": "local", "config": {"path": "one.tfstate"}}}}

    *_, web = shards(stack("a", one), stack("b", one), stack("web", {**one, "data": read}, after=("b",)))

    config = configuration(web)["data"]["terraform_remote_state"]["x"]["config"]
    assert config["key"] == "b/123456789012/eu-west-1/dev/terraform.tfstate"


OBJECT = {"mode": "managed", "type": "aws_sns_topic", "name": "x", "instances": [{"attributes": {"id": "x"}}]}


def local(tmp_path: Path, content: object, *, where: str = "terraform.web.tfstate") -> Shard:
    """The shard of stack `web` beside a local state file of this content (None: no file)."""
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / where).write_text(text)
    plain = stack("web", {"terraform": {"backend": {"local": {"path": str(tmp_path / where)}}}})
    defaults = ForeignDefaults(
        settings=SETTINGS, options=ForeignSettings(), find_account=asked, folder=tmp_path
    )
    (shard,) = foreign_shards((plain,), defaults)
    return shard


def state(*resources: object) -> dict[str, Any]:
    return {"version": 4, "serial": 3, "lineage": "l", "outputs": {}, "resources": list(resources)}


@pytest.mark.parametrize(
    "content",
    [None, "", " \n", state(), {"version": 4}, state({**OBJECT, "mode": "data"})],
    ids=["absent", "empty", "blank", "destroyed", "hollow", "data only"],
)
def test_a_local_file_that_manages_nothing_is_no_reason_to_stop(tmp_path: Path, content: object) -> None:
    assert local(tmp_path, content).elsewhere is None


@pytest.mark.parametrize("where", ["terraform.web.tfstate", "own-name.tfstate"])
def test_a_local_state_that_manages_something_is_noted(tmp_path: Path, where: str) -> None:
    found = local(tmp_path, state(OBJECT), where=where).elsewhere

    assert found is not None
    assert found.place == found.source == str(tmp_path / where)
    assert (found.kind, found.lineage, found.serial, found.objects) == ("local", "l", 3, 1)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        {"version": 3, "modules": []},
        {"encrypted_data": "x", "meta": {}},
        {**state(OBJECT), "lineage": ""},
    ],
)
def test_a_local_file_that_may_be_a_state_is_noted_too(tmp_path: Path, content: object) -> None:
    found = local(tmp_path, content).elsewhere

    assert found is not None
    assert found.serial is None


def test_a_stack_that_already_lies_where_it_should_is_taken_over() -> None:
    key = "web/123456789012/eu-west-1/dev/terraform.tfstate"
    own = {"terraform": {"backend": {"s3": {"bucket": "acme-state", "key": key}}}}

    assert shards(stack("web", own))[0].state.key == key


def test_a_name_that_cannot_be_part_of_a_key_is_one_in_other_letters() -> None:
    (shard,) = shards(stack("My_Stack"))

    assert shard.name == "My_Stack"
    assert shard.service == "my-stack"
    assert shard.state.key == "my-stack/123456789012/eu-west-1/dev/terraform.tfstate"


@pytest.mark.parametrize("name", ["service", "environment"])
def test_a_setting_that_cannot_be_part_of_a_key_is_named_with_one_that_can(name: str) -> None:
    settings = ForeignSettings(**{**_fields(SETTINGS), name: "My_App"})

    with pytest.raises(SettingsError, match=f"the {name} of this app must be .*, got 'My_App'") as raised:
        shards(stack("web"), settings=settings)

    assert f'"{name}": "my-app"' in str(raised.value.next_step)


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ("api", "shop-api", "shop-api"),
        ("Api", "api", "shop-api"),
        ("prod.net", "prod_net", "shop-prod-net"),
    ],
)
def test_two_stacks_that_would_get_one_key_are_refused(
    tmp_path: Path, one: str, other: str, key: str
) -> None:
    synthesized(tmp_path, {one: (), other: ()})
    settings = ForeignSettings(**{**_fields(SETTINGS), "service": "shop"})
    defaults = ForeignDefaults(settings=settings, options=ForeignSettings(), find_account=asked)

    with pytest.raises(SettingsError, match=f"'{one}' and '{other}' would share the state '{key}/"):
        load_manifest(tmp_path, defaults)


LEGAL = ("MyStack", "my_stack", "prod.network", "a.b.", "网络", "a@b:c", "x" * 200)


def test_whatever_cdktf_allows_as_a_name_is_selected_by_it(tmp_path: Path) -> None:
    synthesized(tmp_path, dict.fromkeys(LEGAL, ()))
    defaults = ForeignDefaults(settings=SETTINGS, options=ForeignSettings(), find_account=asked)

    manifest = load_manifest(tmp_path, defaults)

    assert {shard.name for shard in manifest.shards} == set(LEGAL)
    assert len({shard.state.key for shard in manifest.shards}) == len(LEGAL)
    assert labels(manifest.shards) == {name: name for name in LEGAL}
    for name in LEGAL:
        assert [shard.name for shard in Selection(stacks=(name,)).of(manifest)] == [name]


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a/b", "a\u202eb", "x" * 256])
def test_a_name_that_cannot_be_shown_or_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    document = {"stacks": {name: {"workingDirectory": ".", "synthesizedStackPath": "."}}, "version": "1"}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    defaults = ForeignDefaults(settings=SETTINGS, options=ForeignSettings(), find_account=asked)

    with pytest.raises(SettingsError, match="a stack's name must be"):
        load_manifest(tmp_path, defaults)


def test_what_a_stack_inside_another_depends_on_is_found_by_its_construct_path(tmp_path: Path) -> None:
    synthesized(tmp_path, {"outer": (), "inner": ("outer",), "web": ("outer/inner",)}, inside="outer")
    defaults = ForeignDefaults(settings=SETTINGS, options=ForeignSettings(), find_account=asked)

    assert load_manifest(tmp_path, defaults).by_name["web"].depends_on == ("inner",)


def synthesized(outdir: Path, stacks: dict[str, tuple[str, ...]], *, inside: str = "") -> None:
    """Write what cdktf writes for these stacks and their dependencies; `inner` lies in stack `inside`."""
    document: dict[str, Any] = {"version": "0.21.0", "stacks": {}}
    for name, dependencies in stacks.items():
        folder = f"stacks/{name}"
        (outdir / folder).mkdir(parents=True)
        (outdir / folder / "cdk.tf.json").write_text("{}")
        document["stacks"][name] = {
            "workingDirectory": folder,
            "synthesizedStackPath": f"{folder}/cdk.tf.json",
            "constructPath": f"{inside}/{name}" if name == "inner" else name,
            "dependencies": list(dependencies),
        }
    (outdir / "manifest.json").write_text(json.dumps(document))


def test_what_the_app_itself_wants_kept_is_protected() -> None:
    document = {
        "resource": {
            "aws_db_instance": {"db": {"deletion_protection": True}, "scratch": {}},
            "aws_s3_bucket": {"data": {"lifecycle": {"prevent_destroy": True}}},
        }
    }

    (shard,) = shards(stack("web", document))

    assert shard.protected == ("aws_db_instance.db", "aws_s3_bucket.data")


def _fields(settings: ForeignSettings) -> dict[str, str | None]:
    return {
        "state_bucket": settings.state_bucket,
        "region": settings.region,
        "service": settings.service,
        "environment": settings.environment,
        "account": settings.account,
    }
