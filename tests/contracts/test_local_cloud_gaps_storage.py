"""The gaps of S3, and what the orchestrator relies on without a gap: conditional writes.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.

HERE = {"LocationConstraint": "eu-west-1"}


def bucket(clients: Clients, name: str) -> Any:
    s3 = clients("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    return s3


def code(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "fine"


def policy(name: str, **statement: Any) -> str:
    where = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    whole = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": where, **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


def a_tls_only_policy_lets_tls_through(clients: Clients) -> object:
    s3 = bucket(clients, "tls-only")
    s3.put_bucket_policy(
        Bucket="tls-only", Policy=policy("tls-only", Condition={"Bool": {"aws:SecureTransport": "false"}})
    )
    return code(lambda: s3.put_object(Bucket="tls-only", Key="a", Body=b"x"))


def a_policy_that_wants_a_header_refuses_writes_without_it(clients: Clients) -> object:
    s3 = bucket(clients, "sealed")
    wants = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    s3.put_bucket_policy(Bucket="sealed", Policy=policy("sealed", Action="s3:PutObject", Condition=wants))
    without = code(lambda: s3.put_object(Bucket="sealed", Key="a", Body=b"x"))
    kms = code(lambda: s3.put_object(Bucket="sealed", Key="a", Body=b"x", ServerSideEncryption="aws:kms"))
    return without, kms


def a_deny_of_another_service_is_not_ours(clients: Clients) -> object:
    s3 = bucket(clients, "logs-only")
    s3.put_bucket_policy(
        Bucket="logs-only",
        Policy=policy("logs-only", Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject"),
    )
    return code(lambda: s3.put_object(Bucket="logs-only", Key="a", Body=b"x"))


def notifications_to_eventbridge(clients: Clients) -> object:
    s3 = bucket(clients, "told")
    s3.put_bucket_notification_configuration(
        Bucket="told", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="told")


def notifications_to_eventbridge_and_a_queue(clients: Clients) -> object:
    s3 = bucket(clients, "told-twice")
    clients("sqs").create_queue(QueueName="told")
    queue = {"QueueArn": "arn:aws:sqs:eu-west-1:123456789012:told", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="told-twice",
        NotificationConfiguration={"EventBridgeConfiguration": {}, "QueueConfigurations": [queue]},
    )
    seen = s3.get_bucket_notification_configuration(Bucket="told-twice")
    return "EventBridgeConfiguration" in seen, [q["QueueArn"] for q in seen["QueueConfigurations"]]


def a_lifecycle_as_it_was_put(clients: Clients) -> object:
    s3 = bucket(clients, "ageing")
    rule = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 100}},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3},
    }
    s3.put_bucket_lifecycle_configuration(
        Bucket="ageing",
        LifecycleConfiguration={"Rules": [rule]},
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
    )
    seen = s3.get_bucket_lifecycle_configuration(Bucket="ageing")
    return seen["Rules"] == [rule], seen["TransitionDefaultMinimumObjectSize"]


def test_a_deleted_lifecycle_is_gone(local_clients: Clients) -> None:
    s3 = bucket(local_clients, "ageless")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket="ageless", LifecycleConfiguration={"Rules": [rule]})

    s3.delete_bucket_lifecycle(Bucket="ageless")

    assert (
        code(lambda: s3.get_bucket_lifecycle_configuration(Bucket="ageless"))
        == "NoSuchLifecycleConfiguration"
    )


def test_a_write_that_wants_no_object_fails_where_there_is_one(local_clients: Clients) -> None:
    s3 = bucket(local_clients, "locks")

    first = code(lambda: s3.put_object(Bucket="locks", Key="lock", Body=b"a", IfNoneMatch="*"))
    second = code(lambda: s3.put_object(Bucket="locks", Key="lock", Body=b"b", IfNoneMatch="*"))

    assert (first, second) == ("fine", "PreconditionFailed")


def test_a_write_and_a_delete_that_want_one_version_fail_on_another(local_clients: Clients) -> None:
    s3 = bucket(local_clients, "leases")
    tag = s3.put_object(Bucket="leases", Key="lease", Body=b"a")["ETag"]

    renewed = code(lambda: s3.put_object(Bucket="leases", Key="lease", Body=b"b", IfMatch=tag))
    stolen = code(lambda: s3.put_object(Bucket="leases", Key="lease", Body=b"c", IfMatch=tag))
    dropped = code(lambda: s3.delete_object(Bucket="leases", Key="lease", IfMatch=tag))

    assert (renewed, stolen, dropped) == ("fine", "PreconditionFailed", "PreconditionFailed")


def test_of_many_who_take_a_lock_at_once_exactly_one_gets_it(local_clients: Clients) -> None:
    s3 = bucket(local_clients, "race")

    with ThreadPoolExecutor(16) as pool:
        attempts = [
            pool.submit(code, lambda: s3.put_object(Bucket="race", Key="lock", Body=b"x", IfNoneMatch="*"))
            for _ in range(32)
        ]

    assert [attempt.result() for attempt in attempts].count("fine") == 1


def access_logs_into_a_bucket_for_tls_only(clients: Clients) -> object:
    s3 = bucket(clients, "logged")
    bucket(clients, "logs")
    tls_only = json.loads(policy("logs", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    write = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
    }
    tls_only["Statement"].append({**write, "Resource": "arn:aws:s3:::logs/*"})
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(tls_only))
    where = {"TargetBucket": "logs", "TargetPrefix": "a/"}
    return code(lambda: s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": where}))


def access_logs_with_a_format_of_keys(clients: Clients) -> object:
    s3 = bucket(clients, "formatted")
    bucket(clients, "formatted-logs")
    write = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
    }
    document = policy("formatted-logs", **write, Resource="arn:aws:s3:::formatted-logs/*")
    s3.put_bucket_policy(Bucket="formatted-logs", Policy=document)
    where = {
        "TargetBucket": "formatted-logs",
        "TargetPrefix": "",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
    }
    s3.put_bucket_logging(Bucket="formatted", BucketLoggingStatus={"LoggingEnabled": where})
    return s3.get_bucket_logging(Bucket="formatted")["LoggingEnabled"].get("TargetObjectKeyFormat")


def tiering_from_beginning_to_end(clients: Clients) -> object:
    s3 = bucket(clients, "tiered")
    named = {"Bucket": "tiered", "Id": "all"}
    tiering = {"Id": "all", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}
    before = code(lambda: s3.get_bucket_intelligent_tiering_configuration(**named))
    s3.put_bucket_intelligent_tiering_configuration(**named, IntelligentTieringConfiguration=tiering)
    shown = s3.get_bucket_intelligent_tiering_configuration(**named)["IntelligentTieringConfiguration"]
    s3.delete_bucket_intelligent_tiering_configuration(**named)
    return before, shown["Tierings"], code(lambda: s3.get_bucket_intelligent_tiering_configuration(**named))


PROBES: Probes = {
    access_logs_into_a_bucket_for_tls_only: ("fine", "s3_logging"),
    access_logs_with_a_format_of_keys: (
        {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
        "s3_documents",
    ),
    tiering_from_beginning_to_end: (
        ("NoSuchConfiguration", [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}], "NoSuchConfiguration"),
        "s3_documents",
    ),
    a_tls_only_policy_lets_tls_through: ("fine", "s3_policy_conditions"),
    a_policy_that_wants_a_header_refuses_writes_without_it: (
        ("403", "fine"),
        "s3_policy_conditions",
    ),
    a_deny_of_another_service_is_not_ours: ("fine", "s3_policy_conditions"),
    notifications_to_eventbridge: (True, "s3_notifications"),
    notifications_to_eventbridge_and_a_queue: (
        (True, ["arn:aws:sqs:eu-west-1:123456789012:told"]),
        "s3_notifications",
    ),
    a_lifecycle_as_it_was_put: ((True, "varies_by_storage_class"), "s3_lifecycle"),
}


class TestGaps(Gaps):
    probes = PROBES
