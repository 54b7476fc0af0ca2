from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from tests.support.statements import conditions, granted, statements_of

from holdfast_constructs import Bucket, HoldfastApp, Key, ServiceStack, Statement
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
NAME = "shop-prod-uploads-210987654321-eu-west-1"


def _stack(app: HoldfastApp, **changes: Any) -> ServiceStack:
    return ServiceStack(app, "shop", sample_target(**changes))


def _bucket(app: HoldfastApp, **given: Any) -> Bucket:
    stack = _stack(app)
    return Bucket(stack, "uploads", **({"key": Key(stack, "key", purpose="data")} | given))


def _synthesized(synthesize: Synthesize, **given: Any) -> Template:
    return synthesize(lambda app: _bucket(app, **given))["shop"]


def test_nothing_in_a_bucket_can_be_public(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    shop.has_resource(
        "aws_s3_bucket_public_access_block",
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    shop.has_resource("aws_s3_bucket_ownership_controls", rule={"object_ownership": "BucketOwnerEnforced"})


def test_a_bucket_is_encrypted_with_the_key_and_asks_kms_seldom(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    [key] = shop.resources("aws_kms_key")
    [rule] = shop.resource("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    assert rule == {
        "apply_server_side_encryption_by_default": {
            "sse_algorithm": "aws:kms",
            "kms_master_key_id": f"${{{key}.arn}}",
        },
        "bucket_key_enabled": True,
    }


def test_a_bucket_without_a_key_on_purpose_has_that_of_s3(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize, key=None)

    [rule] = shop.resource("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    assert rule == {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}


def test_nobody_reads_or_writes_without_tls(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    [bucket] = shop.resources("aws_s3_bucket")
    refused = statements_of(shop, shop.resource("aws_s3_bucket_policy")["policy"])["EncryptedTransportOnly"]
    assert (refused["effect"], refused["actions"]) == ("Deny", ["s3:*"])
    assert refused["resources"] == [f"${{{bucket}.arn}}", f"${{{bucket}.arn}}/*"]
    assert conditions(refused) == {"aws:SecureTransport": ["false"]}


def test_overwritten_objects_and_unfinished_uploads_go_by_themselves_and_objects_do_not(
    synthesize: Synthesize,
) -> None:
    shop = _synthesized(synthesize)

    shop.has_resource("aws_s3_bucket_versioning", versioning_configuration={"status": "Enabled"})
    [rule] = shop.resource("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert rule["status"] == "Enabled"
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 90}]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 7}]
    assert {"expiration", "transition"}.isdisjoint(rule)


def test_objects_expire_and_move_where_that_is_asked_for(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize, expire_days=30, intelligent_tiering=True)

    [rule] = shop.resource("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert rule["expiration"] == [{"days": 30}]
    assert rule["transition"] == [{"days": 0, "storage_class": "INTELLIGENT_TIERING"}]


@pytest.mark.parametrize("kept", [True, False])
def test_a_bucket_is_protected_and_not_emptied_where_data_is_kept(
    synthesize: Synthesize, *, kept: bool
) -> None:
    synthesis = synthesize(
        lambda app: Bucket(_stack(app, delete_protection=kept, production=kept), "uploads", key=None)
    )

    synthesis["shop"].has_resource("aws_s3_bucket", bucket=NAME, force_destroy=not kept)
    (shard,) = synthesis.manifest["shards"].values()
    assert len(shard["protected"]) == int(kept)


def test_events_go_to_eventbridge_where_that_is_asked_for(synthesize: Synthesize) -> None:
    _synthesized(synthesize, events=True).has_resource("aws_s3_bucket_notification", eventbridge=True)
    _synthesized(synthesize).has_no_resource("aws_s3_bucket_notification")


def test_access_logs_are_let_into_their_bucket_from_this_one_alone(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        logs = Bucket(ServiceStack(app, "logs", sample_target()), "access", key=None, expire_days=365)
        _bucket(app, access_logs=logs)

    synthesis = synthesize(build)

    synthesis["shop"].has_resource("aws_s3_bucket_logging", target_prefix=f"{NAME}/")
    logs = synthesis["logs"]
    written = statements_of(logs, logs.resource("aws_s3_bucket_policy")["policy"])[
        "AllowShopProdUploads210987654321EuWest1Logs"
    ]
    [bucket] = logs.resources("aws_s3_bucket")
    assert written["actions"] == ["s3:PutObject"]
    assert written["resources"] == [f"${{{bucket}.arn}}/{NAME}/*"]
    assert written["principals"] == [{"type": "Service", "identifiers": ["logging.s3.amazonaws.com"]}]
    assert conditions(written) == {
        "aws:SourceAccount": ["210987654321"],
        "aws:SourceArn": [f"arn:aws:s3:::{NAME}"],
    }


def _permissions(synthesize: Synthesize, policy: str, grant: Callable[[Bucket, IamRole], None]) -> Any:
    def build(app: HoldfastApp) -> None:
        bucket = _bucket(app)
        grant(bucket, IamRole(bucket, "role", name="role", assume_role_policy="{}"))

    return granted(synthesize(build)["shop"], policy)


def test_a_reader_reads_and_does_not_write(synthesize: Synthesize) -> None:
    reader = _permissions(
        synthesize, "read-shop-uploads-bucket", lambda bucket, role: bucket.grant_read(role)
    )

    assert reader["Read"]["actions"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert reader["List"]["actions"] == ["s3:ListBucket"]
    assert reader["UseKey"]["actions"] == ["kms:Decrypt"]
    assert conditions(reader["UseKey"]) == {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}


def test_a_writer_writes_and_does_not_read(synthesize: Synthesize) -> None:
    writer = _permissions(
        synthesize, "write-shop-uploads-bucket", lambda bucket, role: bucket.grant_write(role)
    )

    assert set(writer) == {"Write", "UseKey"}
    assert "s3:GetObject" not in writer["Write"]["actions"]
    assert {"s3:PutObject", "s3:DeleteObject"} <= set(writer["Write"]["actions"])
    assert writer["UseKey"]["actions"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_permission_is_for_what_begins_with_a_prefix(synthesize: Synthesize) -> None:
    both = _permissions(
        synthesize,
        "read-write-shop-uploads-bucket-invoices",
        lambda bucket, role: bucket.grant_read_write(role, prefix="invoices/"),
    )

    assert [resource.rpartition("}")[2] for resource in both["ReadAndWrite"]["resources"]] == ["/invoices/*"]
    assert conditions(both["List"]) == {"s3:prefix": ["invoices/*"]}


def test_a_bucket_of_somebody_else_is_granted_by_its_arn(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = _stack(app)
        theirs = Bucket.import_("arn:aws:s3:::their-data", key="arn:aws:kms:eu-west-1:111122223333:key/1")
        theirs.grant_read(IamRole(stack, "role", name="role", assume_role_policy="{}"))
        assert theirs.access_for(None).environment == {"NAME": "their-data"}

    reader = granted(synthesize(build)["shop"], "read-their-data-bucket")

    assert reader["Read"]["resources"] == ["arn:aws:s3:::their-data/*"]
    assert conditions(reader["UseKey"]) == {"kms:ViaService": ["s3.*.amazonaws.com"]}


def test_a_bucket_known_only_after_a_deploy_is_named_by_its_arn(synthesize: Synthesize) -> None:
    seen: list[Any] = []

    def build(app: HoldfastApp) -> None:
        bucket = _bucket(app)
        imported = Bucket.import_(bucket.arn, name="uploads")
        bucket.node.find_child("bucket")
        ServiceStack.of(bucket).add_output("name", imported.bucket_name)
        seen.append(imported.name)

    output = synthesize(build)["shop"].configuration["output"]["name"]["value"]

    assert seen == ["uploads"]
    assert "split" in output


def test_a_service_of_aws_is_let_in_by_a_statement(synthesize: Synthesize) -> None:
    allowed = Statement(sid="Them", actions=("s3:PutObject",), services=("x.amazonaws.com",))

    shop = synthesize(lambda app: _bucket(app).allow(allowed))["shop"]

    assert "Them" in statements_of(shop, shop.resource("aws_s3_bucket_policy")["policy"])
