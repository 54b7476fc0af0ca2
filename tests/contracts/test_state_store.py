"""What every state store promises; the fake passes the same suite as the bucket."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectExistsError
from holdfast_orchestrator.state.s3 import S3Store

KEY = "orders/123456789012/eu-west-1/dev/terraform.tfstate"
_numbers = itertools.count()


def location(bucket: str, *, kms: str | None = None) -> StateLocation:
    return StateLocation(bucket=bucket, key=KEY, region="eu-west-1", kms_key_id=kms)


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> DurableStore:
    if request.param == "memory":
        return MemoryStore()
    s3 = request.getfixturevalue("moto_clients")("s3")
    bucket = f"state-store-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return S3Store(s3, location(bucket), cloud="aws")


def test_nothing_lies_where_nothing_was_put(store: DurableStore) -> None:
    assert store.head(KEY) is None
    assert store.get(KEY) is None


def test_what_was_put_is_read_back(store: DurableStore) -> None:
    put = store.create(KEY, b"state")

    found = store.get(KEY)

    assert found is not None
    assert (found.body, found.head.etag, found.head.size) == (b"state", put.etag, 5)
    assert store.head(KEY) == found.head


def test_an_object_is_never_created_twice(store: DurableStore) -> None:
    store.create(KEY, b"first")

    with pytest.raises(ObjectExistsError):
        store.create(KEY, b"second")

    assert store.get(KEY).body == b"first"  # type: ignore[union-attr]


def test_only_the_object_that_was_read_is_replaced(store: DurableStore) -> None:
    first = store.create(KEY, b"first")
    store.replace(KEY, b"second", etag=first.etag)

    with pytest.raises(ObjectExistsError):
        store.replace(KEY, b"third", etag=first.etag)

    assert store.get(KEY).body == b"second"  # type: ignore[union-attr]


def test_of_many_who_create_at_once_one_wins(store: DurableStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.create(KEY, str(number).encode())
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as executor:
        won = list(executor.map(attempt, range(8)))

    assert won.count(True) == 1


def test_a_bucket_that_is_there_passes_the_check(store: DurableStore) -> None:
    store.check()


@pytest.mark.parametrize("read", [lambda store: store.get(KEY), lambda store: store.check()])
@pytest.mark.parametrize(
    ("cloud", "command"),
    [
        ("aws", "aws s3api create-bucket --bucket no-such-bucket --region eu-west-1"),
        ("local", "holdfast local up --bucket no-such-bucket"),
    ],
)
def test_a_missing_bucket_names_the_command_that_creates_it(
    moto_clients: Callable[[str], Any], read: Callable[[DurableStore], object], cloud: Any, command: str
) -> None:
    store = S3Store(moto_clients("s3"), location("no-such-bucket"), cloud=cloud)

    with pytest.raises(StateBucketError, match="'no-such-bucket' does not exist") as raised:
        read(store)

    assert command in str(raised.value)


@pytest.mark.parametrize(("kms", "algorithm"), [(None, "AES256"), ("alias/state", "aws:kms")])
def test_every_object_is_encrypted(
    moto_clients: Callable[[str], Any], kms: str | None, algorithm: str
) -> None:
    s3 = moto_clients("s3")
    bucket = f"state-store-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    S3Store(s3, location(bucket, kms=kms), cloud="aws").create(KEY, b"state")

    assert s3.head_object(Bucket=bucket, Key=KEY)["ServerSideEncryption"] == algorithm
