"""A secret by reference gets the permission of its own service, on the ARN without a key."""

import cdktf
from cdktf import TerraformStack, TerraformVariable
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from holdfast_constructs.compute._secret_places import secret_places

LITERAL = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:x-a1b2c3"


def test_what_a_reference_is_to_decides_who_may_be_asked_for_it() -> None:
    app = cdktf.Testing.app()
    data, orders = TerraformStack(app, "data"), TerraformStack(app, "orders")
    secret = SecretsmanagerSecret(data, "stripe", name="stripe")
    flags = SsmParameter(orders, "flags", name="/flags", type="SecureString", value="x")
    found = DataAwsSsmParameter(data, "found", name="/found")
    database = DbInstance(data, "db", instance_class="db.t4g.micro")
    of_database = database.master_user_secret.get(0).secret_arn
    variable = TerraformVariable(orders, "somewhere", type="string").string_value

    given = [f"{secret.arn}:key::", secret.arn, flags.arn, found.arn, f"{of_database}:password::", variable]
    places = secret_places(orders, [*given, f"{LITERAL}:key::"])

    asked = {place.arn: place.services for place in places}
    assert sorted(asked.values()) == sorted(
        [("secretsmanager",)] * 3 + [("ssm",)] * 2 + [("secretsmanager", "ssm")]
    )
    assert asked[LITERAL] == ("secretsmanager",)
    assert not any(place.arn.endswith("::") for place in places)
