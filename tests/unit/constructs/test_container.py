import json
from typing import Any

import pytest

from holdfast_constructs.compute._container import Container
from holdfast_constructs.compute._container_rules import check_environment
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.plain import Plain

SECRET = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:stripe-a1B2c3"


def _container(**changes: Any) -> Container:
    fields: dict[str, Any] = {
        "name": "api",
        "image": "web:1",
        "port": 8080,
        "user": "65532",
        "stop_seconds": 60,
        "log_group": "/holdfast/prod/orders/api",
        "region": "eu-west-1",
    }
    return Container(**(fields | changes))


def _definition(**changes: Any) -> dict[str, Any]:
    [definition] = json.loads(_container(**changes).definitions())
    assert isinstance(definition, dict)
    return definition


def test_it_can_neither_write_its_image_nor_gain_rights() -> None:
    definition = _definition()

    assert definition["readonlyRootFilesystem"] is True
    assert definition["privileged"] is False
    assert definition["user"] == "65532"
    assert definition["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}}


def test_only_tmp_can_be_written() -> None:
    definition = _definition()

    assert definition["mountPoints"] == [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}]


def test_a_slow_log_does_not_hold_it_up() -> None:
    definition = _definition()

    assert definition["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/holdfast/prod/orders/api",
            "awslogs-region": "eu-west-1",
            "awslogs-stream-prefix": "api",
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def test_the_order_variables_are_given_in_changes_nothing() -> None:
    one = _container(environment={"A": "1", "B": "2"}, secrets={"X_KEY": SECRET, "C_KEY": SECRET})
    other = _container(environment={"B": "2", "A": "1"}, secrets={"C_KEY": SECRET, "X_KEY": SECRET})

    assert one.definitions() == other.definitions()


def test_what_looks_like_an_expression_reaches_the_program_as_it_is_written() -> None:
    definition = _definition(environment={"FORMAT": "${level} %{if}"})

    assert definition["environment"] == [{"name": "FORMAT", "value": "$${level} %%{if}"}]


def test_a_reference_made_by_cdktf_stays_one() -> None:
    definition = _definition(environment={"HOST": "${TfToken[TOKEN.1]}"})

    assert definition["environment"] == [{"name": "HOST", "value": "${TfToken[TOKEN.1]}"}]


@pytest.mark.parametrize("user", ["0", "root", "0:0", "root:65532", ""])
def test_root_is_refused(user: str) -> None:
    with pytest.raises(ConstructError, match="user must be a user that is not root"):
        _container(user=user)


@pytest.mark.parametrize("seconds", [29, 121])
def test_a_stop_that_cuts_off_requests_or_that_fargate_cuts_short_is_refused(seconds: int) -> None:
    with pytest.raises(ConstructError, match=rf"stop_seconds must be 30 .* to 120, got {seconds}"):
        _container(stop_seconds=seconds)


def test_a_name_that_secrets_go_by_is_refused_without_its_value() -> None:
    with pytest.raises(
        ConstructError, match=r"DB_PASSWORD is called like a secret; keep it in Secrets.*Plain\("
    ) as refused:
        check_environment({"DB_PASSWORD": "hunter2"}, ())

    assert "hunter2" not in str(refused.value)


def test_a_value_with_the_form_of_a_secret_is_refused_without_showing_it() -> None:
    value = "postgres://app:hunter2@db:5432/orders"

    with pytest.raises(
        ConstructError, match="environment variable SETTING holds a URL with a pass"
    ) as refused:
        check_environment({"SETTING": value}, ())

    assert value not in str(refused.value)


def test_a_text_that_somebody_says_is_no_secret_reaches_the_program_as_it_is() -> None:
    password = Plain("hunter2", because="the password of the demo, which everybody knows")

    definition = _definition(environment={"DEMO_PASSWORD": password})

    assert definition["environment"] == [{"name": "DEMO_PASSWORD", "value": "hunter2"}]


@pytest.mark.parametrize(
    "value", ["https://example.com:8443/path", "info", "10.0.0.1", "user@example.com", ""]
)
def test_an_ordinary_value_is_taken(value: str) -> None:
    definition = _definition(environment={"SETTING": value})

    assert definition["environment"] == [{"name": "SETTING", "value": value}]


def test_a_variable_that_is_plain_and_secret_at_once_is_refused() -> None:
    with pytest.raises(ConstructError, match="STRIPE is both in environment and in secrets"):
        _container(environment={"STRIPE": "x"}, secrets={"STRIPE": SECRET})


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", ""])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ConstructError, match="an environment variable's name must be"):
        _container(environment={name: "x"})


@pytest.mark.parametrize("value", ["hunter2", "arn:aws:s3:::bucket", "arn:aws:iam::210987654321:role/x"])
def test_a_secret_that_is_no_arn_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConstructError, match=r"secrets\['STRIPE'\] must be the ARN") as refused:
        _container(secrets={"STRIPE": value})

    assert value not in str(refused.value)
