"""What queues, topics, buckets, secrets, caches and repositories refuse, and what each error says."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cdktf import App
from cdktf_cdktf_provider_aws.iam_role import IamRole

from holdfast_constructs import (
    Bucket,
    Cache,
    ConstructError,
    Generated,
    HoldfastApp,
    Image,
    Key,
    Parameter,
    Queue,
    Repository,
    Secret,
    SecretValue,
    ServiceStack,
    Topic,
)
from holdfast_constructs.testing import sample_target

ALIAS = "arn:aws:kms:eu-west-1:210987654321:alias/x"
KEY = "arn:aws:kms:eu-west-1:210987654321:key/x"
SECRET = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:x-a1b2c3"
CACHE = "arn:aws:elasticache:eu-west-1:210987654321:replicationgroup:x"
TOKEN = "${aws_x.y.arn}"
NETWORK = SimpleNamespace(
    vpc_id="vpc-1",
    vpc_cidr="10.0.0.0/16",
    zones=("eu-west-1a", "eu-west-1b"),
    public_subnet_ids=["subnet-1", "subnet-2"],
    private_subnet_ids=["subnet-1", "subnet-2"],
    isolated_subnet_ids=["subnet-1", "subnet-2"],
)
ONE_ZONE = SimpleNamespace(**{**vars(NETWORK), "zones": ("eu-west-1a",)})

Build = Callable[[ServiceStack], Any]


def queue(**given: Any) -> Build:
    return lambda stack: Queue(stack, "q", **given)


def topic(**given: Any) -> Build:
    return lambda stack: Topic(stack, "t", **({"key": KEY} | given))


def bucket(**given: Any) -> Build:
    return lambda stack: Bucket(stack, "b", **({"key": None} | given))


def secret(**given: Any) -> Build:
    return lambda stack: Secret(stack, "s", **({"key": KEY} | given))


def cache(**given: Any) -> Build:
    standard: dict[str, Any] = {"network": NETWORK, "key": KEY, "logs_key": KEY}
    return lambda stack: Cache(stack, "c", **(standard | given))


def repository(**given: Any) -> Build:
    return lambda stack: Repository(stack, "r", **({"key": None} | given))


def twice(build: Build, *calls: str, **given: Any) -> Build:
    """Call a method of a part two times with the same."""

    def run(stack: ServiceStack) -> None:
        part = build(stack)
        role = IamRole(stack, "role", name="role", assume_role_policy="{}")
        for call in calls:
            getattr(part, call)(role, **given)

    return run


def subscribed(topics: dict[str, Any], queues: dict[str, Any], times: int = 1, **given: Any) -> Build:
    def run(stack: ServiceStack) -> None:
        source, target = topic(**topics)(stack), queue(**queues)(stack)
        for _ in range(times):
            source.subscribe(target, **given)

    return run


def delivered(part: Build) -> Build:
    """Let a service deliver to a part whose key is for data."""
    return lambda stack: part(stack).allow_service("x", "sns.amazonaws.com", source_arn="arn:x")


def logged_into_a_key(stack: ServiceStack) -> None:
    logs = Bucket(stack, "logs", key=KEY)
    Bucket(stack, "b", key=None, access_logs=logs)


def keyed(part: Callable[..., Build]) -> Build:
    return lambda stack: delivered(part(key=Key(stack, "k", purpose="data")))(stack)


def allowed_twice(stack: ServiceStack) -> None:
    part = queue()(stack)
    for rule in "ab":
        part.allow_service("x", "events.amazonaws.com", source_arn=f"arn:{rule}")


def logged_elsewhere(stack: ServiceStack) -> None:
    target = sample_target(region="eu-central-1", zones=("eu-central-1a", "eu-central-1b"))
    logs = Bucket(ServiceStack(App.of(stack), "logs", target), "logs", key=None)
    bucket(access_logs=logs)(stack)


FIFO = {"fifo": True}
REFUSED: dict[str, tuple[Build, str]] = {
    "a queue that hides messages for less than no time": (queue(visibility_seconds=-1), "visibility_seconds"),
    "a queue that hides messages for over 12 hours": (queue(visibility_seconds=43_201), "0-43,200"),
    "a queue that delays for over 15 minutes": (queue(delay_seconds=901), "delay_seconds must be 0-900"),
    "a queue that holds a consumer for over 20 seconds": (
        queue(wait_seconds=21),
        "wait_seconds must be 0-20",
    ),
    "a queue that never tries": (queue(max_receives=0), "max_receives must be 1-1,000"),
    "a queue that tries too often": (queue(max_receives=1001), "max_receives must be 1-1,000"),
    "a queue that keeps nothing": (queue(retention_days=0), "retention_days must be 1-13"),
    "a queue whose dead letters are gone as they come": (queue(retention_days=14), "leave time to read it"),
    "a standard queue that knows equal messages": (queue(deduplicate_by_content=True), "only a FIFO queue"),
    "a standard queue with limits for groups": (queue(high_throughput=True), "only a FIFO queue"),
    "a queue with the alias of a key": (queue(key=ALIAS), "policies do not follow aliases"),
    "a queue with what is no key": (queue(key="alias/x"), "key must be an ARN"),
    "a queue with the ARN of another thing": (queue(key=SECRET), "key must be an ARN"),
    "a queue with a name that AWS refuses": (lambda stack: Queue(stack, "q_1"), "a construct's id"),
    "a queue of AWS's services with a key that lets none in": (keyed(queue), "purpose 'messages'"),
    "a topic of AWS's services with a key that lets none in": (keyed(topic), "purpose 'messages'"),
    "somebody's queue by its name": (
        lambda _: Queue.import_("jobs"),
        "arn must be an ARN such as arn:aws:sqs",
    ),
    "somebody's queue by a reference without its URL": (lambda _: Queue.import_(TOKEN), "give them too"),
    "a queue as a user": (lambda stack: queue()(stack).access_for("me"), "a queue has no users"),
    "a queue granted twice": (
        twice(queue(), "grant_send", "grant_send"),
        "granted send-to-shop-q-queue already",
    ),
    "a standard topic that knows equal messages": (topic(deduplicate_by_content=True), "only a FIFO topic"),
    "a topic without order for a queue with": (subscribed({}, FIFO), "keeps no order"),
    "a subscription twice": (subscribed({}, {}, times=2), "subscribes to shop-t-topic already"),
    "a filter by nothing": (subscribed({}, {}, attributes={"kind": []}), "at most 5 attributes"),
    "a filter by too much": (
        subscribed({}, {}, attributes={name: ["x"] for name in "abcdef"}),
        "at most 5 attributes",
    ),
    "somebody's topic by the ARN of a queue": (
        lambda _: Topic.import_("arn:aws:sqs:eu-west-1:210987654321:q"),
        "an ARN such as arn:aws:sns",
    ),
    "users of a cache that differ in capital letters": (
        cache(users={"app": "on ~* +@all", "App": "on ~* +@all"}),
        "differ in more than capital letters",
    ),
    "somebody's topic by a reference without a name": (lambda _: Topic.import_(TOKEN), "give a name"),
    "two permissions of one name in a queue": (
        allowed_twice,
        "has another statement AllowX already",
    ),
    "a topic with a name for people that is too long": (
        topic(display_name="x" * 101),
        "display_name must be at most 100 characters",
    ),
    "a topic as a user": (lambda stack: topic()(stack).access_for("me"), "a topic has no users"),
    "a bucket whose objects go before they come": (bucket(expire_days=0), "expire_days must be at least 1"),
    "a bucket that keeps no old version": (bucket(old_version_days=0), "old_version_days must be at least 1"),
    "a bucket that ends uploads at once": (bucket(unfinished_days=0), "unfinished_days must be at least 1"),
    "a bucket with the alias of a key": (bucket(key=ALIAS), "policies do not follow aliases"),
    "access logs in a bucket with a key": (logged_into_a_key, "give the bucket for logs key=None"),
    "access logs in another region": (logged_elsewhere, "S3 writes access logs to no other"),
    "permission for the ARN of a role": (
        lambda stack: queue()(stack).grant_send("arn:aws:iam::210987654321:role/x"),
        "who is granted send-to-shop-q-queue must be a service",
    ),
    "a prefix with a wildcard": (twice(bucket(), "grant_read", prefix="a*"), "without * and ?"),
    "a prefix that begins with a slash": (twice(bucket(), "grant_read", prefix="/a"), "prefix must be"),
    "a prefix longer than a key": (twice(bucket(), "grant_write", prefix="a" * 1025), "prefix must be"),
    "somebody's bucket by its name": (lambda _: Bucket.import_("data"), "an ARN such as arn:aws:s3"),
    "somebody's bucket by a reference without a name": (lambda _: Bucket.import_(TOKEN), "give a name"),
    "a bucket as a user": (lambda stack: bucket()(stack).access_for("me"), "a bucket has no users"),
    "a secret written down": (secret(reference="hunter2"), "reference of a secret"),
    "a secret with two values": (secret(reference=TOKEN, generate=Generated()), "remove one of the two"),
    "a secret that is gone too soon": (secret(recovery_days=6), "recovery_days must be 7-30"),
    "a secret that is gone at once where data is kept": (
        secret(recovery_days=0),
        "recovery_days must be 7-30",
    ),
    "a secret that is kept too long": (secret(recovery_days=31), "recovery_days must be 7-30"),
    "somebody's secret without the end of its ARN": (
        lambda _: Secret.import_(SECRET.removesuffix("-a1b2c3")),
        "six characters that Secrets Manager adds",
    ),
    "a password that can be guessed": (lambda _: Generated(length=15), "length must be 16-4,096"),
    "a password longer than AWS makes one": (lambda _: Generated(length=4097), "length must be 16-4,096"),
    "a value before the first": (lambda _: Generated(version=0), "version must be at least 1"),
    "fields beside a plain value": (lambda _: Generated(fields={"a": "b"}), "add json_key"),
    "a field in place of the value": (
        lambda _: Generated(json_key="a", fields={"a": "b"}),
        "json_key must be none of fields",
    ),
    "a key with a colon": (lambda stack: secret()(stack).value("a:b"), "json_key must be"),
    "the ARN of a part of a secret": (lambda _: Secret.of(f"{SECRET}:password::"), "give the part after it"),
    "a secret by its name": (lambda _: Secret.of("stripe"), "an ARN such as arn:aws:secretsmanager"),
    "somebody's secret by a reference without a name": (lambda _: Secret.import_(TOKEN), "give a name"),
    "a secret as a user": (lambda stack: secret()(stack).access_for("me"), "a secret has no users"),
    "a part of a parameter": (lambda _: SecretValue(arn="x", store="ssm", json_key="a"), "it has no keys"),
    "an empty parameter": (lambda stack: Parameter(stack, "p", value=""), "value must be a text of 1-4,096"),
    "a parameter over 4 KB": (lambda stack: Parameter(stack, "p", value="x" * 4097), "4,097 bytes"),
    "a secret in a parameter": (
        lambda stack: Parameter(stack, "p", value="postgres://app:hunter2@db/x"),
        "a URL with a password",
    ),
    "a parameter by its name": (lambda _: Parameter.of("/flags"), "an ARN such as arn:aws:ssm"),
    "somebody's parameter by a reference": (lambda _: Parameter.import_(TOKEN), "give a name"),
    "a cache without a replica in production": (cache(replicas=0), "replicas in prod must be 1-5"),
    "a cache with six replicas": (cache(replicas=6), "replicas must be 0-5"),
    "a cache in one zone": (cache(network=ONE_ZONE), "cache c"),
    "a cache of an unknown version": (cache(engine_version="6.2"), "a version of Valkey: 7.2, 8.0, 8.1"),
    "a cache on a node of a database": (cache(node_type="db.t4g.small"), "node_type must be"),
    "a cache on a node with disks": (cache(node_type="cache.r6gd.xlarge"), "without data tiering"),
    "a cache with snapshots for ever": (cache(snapshot_days=36), "snapshot_days must be 0-35"),
    "a cache that nobody logs in to": (cache(users={}), "at least one user"),
    "a cache with the user of everybody": (cache(users={"default": "on"}), "not 'default'"),
    "a cache with a user that AWS refuses": (cache(users={"a--b": "on"}), "single hyphens"),
    "a cache with a user who may nothing": (cache(users={"a": " "}), "an access string such as"),
    "a cache as a user it does not have": (lambda stack: cache()(stack).access_for("me"), "one of app"),
    "a cache of two users as nobody": (
        lambda stack: cache(users={"a": "on", "b": "on"})(stack).access_for(None),
        "one of a, b",
    ),
    "somebody's cache by a reference": (
        lambda _: Cache.import_(TOKEN, host="x", security_group_id="sg-1", user_ids=("a",)),
        "the ARN of a replication group",
    ),
    "a repository that empties itself at once": (
        repository(untagged_days=0),
        "untagged_days must be at least 1",
    ),
    "a repository that keeps no image": (repository(keep_images=0), "keep_images must be at least 1"),
    "a repository for half an account": (repository(pull_accounts=["1234"]), "of 12 digits"),
    "somebody's repository by its URL": (lambda _: Repository.import_("1.dkr.ecr/x"), "an ARN such as"),
    "an image of a repository without a digest": (
        lambda stack: Image.of(repository()(stack)),
        "needs a digest or a tag",
    ),
    "an image of a repository with both": (
        lambda stack: Image.of(repository()(stack), digest="x", tag="y"),
        "needs a digest or a tag",
    ),
    "an image of a repository with a broken digest": (
        lambda stack: Image.of(repository()(stack), digest="sha256:abc"),
        "an image by digest",
    ),
}


@pytest.mark.parametrize(("build", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_at_construction_and_said_why(build: Build, words: str) -> None:
    stack = ServiceStack(HoldfastApp(), "shop", sample_target())

    with pytest.raises(ConstructError) as raised:
        build(stack)

    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_may_be_gone_at_once_where_nothing_is_kept() -> None:
    stack = ServiceStack(HoldfastApp(), "shop", sample_target(production=False, delete_protection=False))

    assert secret(recovery_days=0)(stack).name == "shop-s-secret"
