import json
from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from tests.support.statements import conditions, granted
from tests.synth.conftest import Site

from holdfast_constructs import Generated, HoldfastApp, Key, Parameter, Secret, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
STRIPE = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:stripe-a1b2c3"
FLAGS = "arn:aws:ssm:eu-west-1:210987654321:parameter/flags"


def _stack(app: HoldfastApp, **changes: Any) -> ServiceStack:
    return ServiceStack(app, "orders", sample_target(**changes))


def _secret(app: HoldfastApp, *, target: dict[str, Any] | None = None, **given: Any) -> Secret:
    stack = _stack(app, **target or {})
    return Secret(stack, "api-stripe", key=Key(stack, "key", purpose="data"), **given)


def _synthesized(synthesize: Synthesize, **given: Any) -> Template:
    return synthesize(lambda app: _secret(app, **given))["orders"]


def test_a_secret_is_encrypted_with_the_key_and_its_name_is_not_taken_for_an_arn(
    synthesize: Synthesize,
) -> None:
    orders = _synthesized(synthesize)

    [key] = orders.resources("aws_kms_key")
    orders.has_resource(
        "aws_secretsmanager_secret", name="orders/prod/api/stripe", kms_key_id=f"${{{key}.arn}}"
    )
    orders.has_no_resource("aws_secretsmanager_secret_version")


@pytest.mark.parametrize(("kept", "days"), [(True, 30), (False, 0)])
def test_a_deleted_secret_can_be_restored_where_data_is_kept(
    synthesize: Synthesize, *, kept: bool, days: int
) -> None:
    synthesis = synthesize(lambda app: _secret(app, target={"delete_protection": kept, "production": kept}))

    synthesis["orders"].has_resource("aws_secretsmanager_secret", recovery_window_in_days=days)
    (shard,) = synthesis.manifest["shards"].values()
    assert len([each for each in shard["protected"] if "secret" in each]) == int(kept)


def test_a_generated_value_is_handed_on_without_being_written_anywhere(synthesize: Synthesize) -> None:
    orders = _synthesized(synthesize, generate=Generated(version=2))

    ephemeral = orders.configuration["ephemeral"]["aws_secretsmanager_random_password"]
    [(name, arguments)] = ephemeral.items()
    assert arguments == {
        "password_length": 32,
        "exclude_punctuation": True,
        "require_each_included_type": True,
    }
    version = orders.resource("aws_secretsmanager_secret_version", secret_string_wo_version=2)
    reference = f"ephemeral.aws_secretsmanager_random_password.{name}.random_password"
    assert version["secret_string_wo"] == f"${{{reference}}}"
    assert "secret_string" not in version
    assert orders.configuration["terraform"]["required_version"] == ">= 1.11.0"


def test_a_generated_value_may_be_a_part_of_json(synthesize: Synthesize) -> None:
    generate = Generated(json_key="password", fields={"user": 'a"${b}'}, punctuation=True)
    orders = _synthesized(synthesize, generate=generate)

    written = orders.resource("aws_secretsmanager_secret_version")["secret_string_wo"]
    assert written.startswith('${jsonencode({"user" = "a\\"$${b}", "password" = ephemeral.')
    [arguments] = orders.configuration["ephemeral"]["aws_secretsmanager_random_password"].values()
    assert arguments["exclude_characters"] == "\"'@/\\"


def test_a_value_may_come_from_an_ephemeral_variable(synthesize: Synthesize) -> None:
    orders = _synthesized(synthesize, reference="${var.stripe}", reference_version=3)

    orders.has_resource(
        "aws_secretsmanager_secret_version", secret_string_wo="${var.stripe}", secret_string_wo_version=3
    )


def test_a_reader_reads_with_this_key_alone(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        secret = _secret(app)
        secret.grant_read(IamRole(secret, "role", name="role", assume_role_policy="{}"))

    orders = synthesize(build)["orders"]

    reader = granted(orders, "read-orders-api-stripe-secret")
    [key] = orders.resources("aws_kms_key")
    assert reader["Read"]["actions"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert reader["UseKey"]["resources"] == [f"${{{key}.arn}}"]
    assert conditions(reader["UseKey"]) == {"kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com"]}


def _started(on_site: Callable[..., Synthesis], secrets: Callable[[Site], dict[str, Any]]) -> Any:
    template = on_site(lambda site: site.service(secrets=secrets(site)))["orders"]
    [task] = template.resources("aws_ecs_task_definition").values()
    [container] = json.loads(task["container_definitions"])
    return {each["name"]: each["valueFrom"] for each in container["secrets"]}, granted(template, "start")


def test_a_service_is_started_with_a_part_of_a_secret_by_reference(on_site: Callable[..., Synthesis]) -> None:
    def secrets(site: Site) -> dict[str, Any]:
        stack = ServiceStack(site.app, "vault", site.target)
        key = Key(stack, "key", purpose="data")
        secret, other = Secret(stack, "stripe", key=key), Secret(stack, "other", key=key)
        flags = Parameter(stack, "flags", value="on")
        return {
            "KEY": secret.value("key"),
            "WHOLE": secret.value(),
            "OTHER": other.value(),
            "FLAGS": flags.value(),
        }

    values, start = _started(on_site, secrets)

    assert values["KEY"] == f"{values['WHOLE']}:key::"
    assert sorted(start["FetchSecrets"]["resources"]) == sorted([values["WHOLE"], values["OTHER"]])
    assert start["FetchParameters"]["resources"] == [values["FLAGS"]]
    # A plain text needs no key, and opens none.
    assert conditions(start["DecryptSecrets"]) == {
        "kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com"]
    }
    assert "key/*" not in start["DecryptSecrets"]["resources"][0]


def test_only_the_keys_of_the_secrets_are_used_where_all_are_known(on_site: Callable[..., Synthesis]) -> None:
    key = "arn:aws:kms:eu-west-1:210987654321:key/1"
    known = {
        "KEY": Secret.of(STRIPE, json_key="key", key=key),
        "FLAGS": Parameter.of(FLAGS, key=key),
    }

    values, narrow = _started(on_site, lambda _: known)
    _, wide = _started(on_site, lambda _: known | {"OTHER": f"{STRIPE.replace('stripe', 'other')}:x::"})

    assert values == {"KEY": f"{STRIPE}:key::", "FLAGS": FLAGS}
    assert narrow["DecryptSecrets"]["resources"] == [key]
    assert wide["DecryptSecrets"]["resources"] == ["arn:aws:kms:eu-west-1:210987654321:key/*"]


def test_a_service_with_plain_parameters_alone_uses_no_key(on_site: Callable[..., Synthesis]) -> None:
    def secrets(site: Site) -> dict[str, Any]:
        return {"FLAGS": Parameter(ServiceStack(site.app, "vault", site.target), "flags", value="on").value()}

    _, start = _started(on_site, secrets)

    assert "DecryptSecrets" not in start


def test_a_key_of_two_secrets_is_named_once(on_site: Callable[..., Synthesis]) -> None:
    def secrets(site: Site) -> dict[str, Any]:
        stack = ServiceStack(site.app, "vault", site.target)
        key = Key(stack, "key", purpose="data")
        return {name: Secret(stack, name.lower(), key=key).value() for name in ("ONE", "TWO")}

    _, start = _started(on_site, secrets)

    assert len(start["FetchSecrets"]["resources"]) == 2
    assert len(start["DecryptSecrets"]["resources"]) == 1


def test_the_password_of_a_database_is_a_part_of_its_secret(on_site: Callable[..., Synthesis]) -> None:
    values, start = _started(on_site, lambda site: {"DB": site.database().secret_value("password")})

    assert values["DB"].endswith(":password::")
    assert start["FetchSecrets"]["resources"] == [values["DB"].removesuffix(":password::")]
    assert "key/*" not in start["DecryptSecrets"]["resources"][0]


def test_a_secret_of_somebody_else_is_granted_by_its_arn(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        role = IamRole(_stack(app), "role", name="role", assume_role_policy="{}")
        Secret.import_(STRIPE).grant_read(role)
        Parameter.import_(FLAGS).grant_read(role)

    orders = synthesize(build)["orders"]

    assert granted(orders, "read-stripe-secret")["Read"]["resources"] == [STRIPE]
    assert granted(orders, "read-flags-parameter")["Read"]["resources"] == [FLAGS]


def test_a_parameter_is_plain_text_at_a_path(synthesize: Synthesize) -> None:
    orders = synthesize(lambda app: Parameter(_stack(app), "flags", value="on"))["orders"]

    orders.has_resource("aws_ssm_parameter", name="/orders/prod/flags", type="String", value="on")
