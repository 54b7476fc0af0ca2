"""What one stack tells another is shown in plans, unless it is a secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cdktf import Token
from cdktf_cdktf_provider_aws.iam_access_key import IamAccessKey
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from cdktf_cdktf_provider_aws.vpc import Vpc

from holdfast_constructs import HoldfastApp, ServiceStack
from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._outputs import show_identities
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _told(synthesize: Synthesize, value: Callable[[ServiceStack], str]) -> dict[str, Any]:
    """Return the output that a stack has for another one that uses `value` of it."""

    def build(app: HoldfastApp) -> None:
        base = ServiceStack(app, "base", sample_target())
        SnsTopic(ServiceStack(app, "user", sample_target()), "topic", display_name=value(base))

    [output] = synthesize(build)["base"].configuration["output"].values()
    assert isinstance(output, dict)
    return output


@pytest.mark.parametrize(
    "value",
    [
        lambda base: Vpc(base, "vpc", cidr_block="10.0.0.0/16").id,
        lambda base: Vpc(base, "vpc", cidr_block="10.0.0.0/16").arn,
        lambda base: Vpc(base, "vpc", cidr_block="10.0.0.0/16").cidr_block,
        lambda base: SecurityGroup(base, "group", name="web").id,
        lambda base: SsmParameter(base, "parameter", name="/a", type="SecureString", value="x").arn,
    ],
)
def test_ids_and_names_are_shown(synthesize: Synthesize, value: Callable[[ServiceStack], str]) -> None:
    assert "sensitive" not in _told(synthesize, value)


def _from_elsewhere(base: ServiceStack) -> str:
    secret = SsmParameter(base, "parameter", name="/a", type="SecureString", value="x").value
    return SnsTopic(base, "topic", display_name=secret).display_name


@pytest.mark.parametrize(
    "value",
    [
        lambda base: SsmParameter(base, "parameter", name="/a", type="SecureString", value="x").value,
        lambda base: IamAccessKey(base, "key", user="somebody").secret,
        lambda base: IamAccessKey(base, "key", user="somebody").encrypted_secret,
        lambda base: Token.as_string("${random_password.p.result}"),
        lambda base: f"{Vpc(base, 'vpc', cidr_block='10.0.0.0/16').id} and more",
        _from_elsewhere,
    ],
)
def test_what_is_secret_or_may_be_stays_hidden(
    synthesize: Synthesize, value: Callable[[ServiceStack], str]
) -> None:
    def build(app: HoldfastApp) -> None:
        base = ServiceStack(app, "base", sample_target())
        SnsTopic(ServiceStack(app, "user", sample_target()), "topic", display_name=value(base))

    outputs = synthesize(build)["base"].configuration.get("output", {})

    told = [output for output in outputs.values() if "vpc" not in output["value"]]
    assert [output["sensitive"] for output in told] == [True] * len(told)


def test_only_the_mark_of_a_reference_between_stacks_goes_and_nothing_else(tmp_path: Path) -> None:
    reference = "${aws_vpc.v.id}"
    outputs = {
        "own": {"sensitive": True, "value": reference},
        "cross-stack-output-aws_vpcvid": {"sensitive": True, "value": reference},
    }
    document = {"//": {"remark": "Ünïcode & <b>"}, "output": outputs, "resource": {}}
    # As cdktf writes an object without entries.
    text = json.dumps(document, indent=2, ensure_ascii=False).replace("{}", "{\n  }")
    (tmp_path / "cdk.tf.json").write_text(text, encoding="utf-8")

    show_identities(Configuration.read(tmp_path / "cdk.tf.json"))

    shown = (tmp_path / "cdk.tf.json").read_text(encoding="utf-8")
    assert [name for name, each in json.loads(shown)["output"].items() if each.get("sensitive")] == ["own"]
    begin = '    "cross-stack-output-aws_vpcvid": {\n'
    assert shown == text.replace(f'{begin}      "sensitive": true,\n', begin)
