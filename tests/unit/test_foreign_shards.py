import json
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.foreign import ForeignDefaults, foreign_shards, service_part
from holdfast_orchestrator.manifest import Shard, Stack, load_manifest
from holdfast_orchestrator.project_file import ForeignSettings, read_project_file

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


def test_a_stack_with_a_backend_of_its_own_is_refused_because_moving_it_would_orphan_it() -> None:
    own = {"terraform": {"backend": {"s3": {"bucket": "mine", "key": "mine.tfstate"}}}}

    with pytest.raises(SettingsError, match="declares a backend of its own"):
        shards(stack("web", own))


def test_a_stack_that_already_lies_where_it_should_is_taken_over() -> None:
    key = "web/123456789012/eu-west-1/dev/terraform.tfstate"
    own = {"terraform": {"backend": {"s3": {"bucket": "acme-state", "key": key}}}}

    assert shards(stack("web", own))[0].state.key == key


def test_a_name_that_cannot_be_part_of_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="stack 'My_Stack': service must be"):
        shards(stack("My_Stack"))


def test_two_stacks_that_would_get_one_key_are_refused(tmp_path: Path) -> None:
    document: dict[str, Any] = {"version": "0.21.0", "stacks": {}}
    for name in ("api", "shop-api"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cdk.tf.json").write_text("{}")
        document["stacks"][name] = {"workingDirectory": name, "synthesizedStackPath": f"{name}/cdk.tf.json"}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    settings = ForeignSettings(**{**_fields(SETTINGS), "service": "shop"})
    defaults = ForeignDefaults(settings=settings, options=ForeignSettings(), find_account=asked)

    with pytest.raises(SettingsError, match="'api' and 'shop-api' would share the state 'shop-api/"):
        load_manifest(tmp_path, defaults)


def test_what_the_app_itself_wants_kept_is_protected() -> None:
    document = {
        "resource": {
            "aws_db_instance": {"db": {"deletion_protection": True}, "scratch": {}},
            "aws_s3_bucket": {"data": {"lifecycle": {"prevent_destroy": True}}},
        }
    }

    (shard,) = shards(stack("web", document))

    assert shard.protected == ("aws_db_instance.db", "aws_s3_bucket.data")


def project(tmp_path: Path, document: object) -> Path:
    (tmp_path / "cdktf.json").write_text(json.dumps(document))
    return tmp_path


def test_cdktf_json_says_which_program_and_what_settings(tmp_path: Path) -> None:
    file = read_project_file(
        project(tmp_path, {"app": "python main.py", "context": {"holdfast": {"region": "eu-west-1"}}})
    )

    assert file.app == "python main.py"
    assert file.output == tmp_path / "cdktf.out"
    assert file.foreign.region == "eu-west-1"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "`app` must be the command"),
        (
            {"app": "x", "context": {"holdfast": {"buckett": "b"}}},
            "no setting 'buckett'; there are: accepted_differences, account,",
        ),
        ({"app": "x", "context": {"holdfast": {"account": 123}}}, "account must be a string, got 123"),
    ],
)
def test_a_cdktf_json_that_says_something_else_is_refused(
    tmp_path: Path, document: object, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read_project_file(project(tmp_path, document))


def test_a_folder_without_cdktf_json_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--project"):
        read_project_file(tmp_path)


def test_a_cdktf_json_that_cannot_be_read_is_wrong_settings(tmp_path: Path) -> None:
    (tmp_path / "cdktf.json").mkdir()

    with pytest.raises(SettingsError, match=r"cannot read .*cdktf\.json: Is a directory") as raised:
        read_project_file(tmp_path)

    assert raised.value.next_step == "make it a readable file"


def _fields(settings: ForeignSettings) -> dict[str, str | None]:
    return {
        "state_bucket": settings.state_bucket,
        "region": settings.region,
        "service": settings.service,
        "environment": settings.environment,
        "account": settings.account,
    }
