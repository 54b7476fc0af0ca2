"""Whose the state bucket is: what is taken, what is completed, and what is left as it is."""

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from holdfast_orchestrator.bootstrap.bucket import BucketPlace, Standing, StateBucketSetup
from holdfast_orchestrator.errors import GateError

ACCOUNT, REGION = "123456789012", "eu-west-1"
PLACE = BucketPlace(bucket="acme-state", region=REGION, account=ACCOUNT, environment="prod", project="shop")
WORDS = ["create it in eu-west-1", "tag it as this foundation's", "block public access", "keep versions"]


@pytest.fixture
def s3() -> Iterator[Any]:
    with moto.mock_aws():
        yield boto3.Session("testing", "testing", region_name=REGION).client("s3")


def create(s3: Any, region: str = REGION) -> None:
    s3.create_bucket(Bucket=PLACE.bucket, CreateBucketConfiguration={"LocationConstraint": region})


def tag(s3: Any, **tags: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    s3.put_bucket_tagging(Bucket=PLACE.bucket, Tagging={"TagSet": listed})


def words(setup: StateBucketSetup) -> list[str]:
    return [step.words for step in setup.look().steps]


def test_a_bucket_that_does_not_exist_is_made_and_the_same_again_does_nothing(s3: Any) -> None:
    setup = StateBucketSetup(s3, PLACE)
    before = setup.look()
    told: list[str] = []

    setup.set_up(before, told.append)

    assert before.standing is Standing.ABSENT
    assert [step.words for step in before.steps] == WORDS
    assert told == [f"state bucket acme-state: {each}" for each in WORDS]
    assert (setup.look().standing, words(setup)) == (Standing.OURS, [])
    assert s3.get_bucket_versioning(Bucket=PLACE.bucket)["Status"] == "Enabled"


@pytest.mark.parametrize("made", range(len(WORDS)))
def test_a_process_that_died_after_any_step_is_completed(s3: Any, made: int) -> None:
    setup = StateBucketSetup(s3, PLACE)
    for step in itertools.islice(setup.look().steps, made):
        step.make()

    again = setup.look()

    setup.refuse_unnamed(again, None)
    assert [step.words for step in again.steps] == WORDS[made:]
    setup.set_up(again, lambda _: None)
    assert (setup.look().standing, words(setup)) == (Standing.OURS, [])


def test_tags_that_the_bucket_has_stay(s3: Any) -> None:
    create(s3)
    tag(s3, Team="platform")
    setup = StateBucketSetup(s3, PLACE)
    sight = setup.look()

    setup.refuse_unnamed(sight, PLACE.bucket)
    setup.set_up(sight, lambda _: None)

    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=PLACE.bucket)["TagSet"]}
    assert tags == {"Team": "platform", **PLACE.proof}


@pytest.mark.parametrize(
    ("prepare", "has"),
    [
        (lambda s3: s3.put_object(Bucket="acme-state", Key="a/b", Body=b""), "objects (a/b)"),
        (lambda s3: tag(s3, Team="billing"), "tags (Team=billing)"),
        (
            lambda s3: s3.put_bucket_policy(
                Bucket="acme-state", Policy='{"Version": "2012-10-17", "Statement": []}'
            ),
            "a policy",
        ),
        (
            lambda s3: s3.put_bucket_lifecycle_configuration(
                Bucket="acme-state",
                LifecycleConfiguration={
                    "Rules": [
                        {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
                    ]
                },
            ),
            "lifecycle rules",
        ),
    ],
    ids=["objects", "tags", "policy", "rules"],
)
def test_what_nobody_proves_is_left_until_a_person_names_it(s3: Any, prepare: Any, has: str) -> None:
    create(s3)
    prepare(s3)
    setup = StateBucketSetup(s3, PLACE)
    sight = setup.look()

    assert (sight.standing, sight.has) == (Standing.OTHERS, (has,))
    for named in (None, "another-state"):
        with pytest.raises(GateError, match="was not made by this foundation: it has ") as raised:
            setup.refuse_unnamed(sight, named)
        assert raised.value.next_step is not None
        assert raised.value.next_step.endswith("holdfast bootstrap --env prod --adopt-bucket acme-state")
    setup.refuse_unnamed(sight, PLACE.bucket)


def test_an_object_that_was_deleted_counts_too(s3: Any) -> None:
    create(s3)
    s3.put_bucket_versioning(Bucket=PLACE.bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=PLACE.bucket, Key="gone", Body=b"")
    s3.delete_object(Bucket=PLACE.bucket, Key="gone")

    assert StateBucketSetup(s3, PLACE).look().standing is Standing.OTHERS


@pytest.mark.parametrize(
    "owner",
    [{"Environment": "staging", "Project": "shop"}, {"Environment": "prod", "Project": "till"}],
    ids=["environment", "project"],
)
def test_the_bucket_of_another_foundation_is_refused_by_any_name(s3: Any, owner: dict[str, str]) -> None:
    create(s3)
    tag(s3, Service="foundation", ManagedBy="holdfast", **owner)

    with pytest.raises(GateError, match=f"is of the foundation of {owner['Environment']} of project"):
        StateBucketSetup(s3, PLACE).look()


def test_a_bucket_in_another_region_is_refused(s3: Any) -> None:
    create(boto3.Session("testing", "testing", region_name="eu-central-1").client("s3"), "eu-central-1")

    with pytest.raises(GateError, match="is in eu-central-1, and the settings of prod say eu-west-1"):
        StateBucketSetup(s3, PLACE).look()


def test_the_bucket_of_another_account_is_refused_and_only_asked_with_the_owner_that_is_expected() -> None:
    client: Any = boto3.Session("testing", "testing", region_name=REGION).client("s3")
    with Stubber(client) as answers:
        answers.add_client_error(
            "head_bucket",
            "403",
            http_status_code=403,
            expected_params={"Bucket": PLACE.bucket, "ExpectedBucketOwner": ACCOUNT},
        )
        with pytest.raises(GateError, match="is not account 123456789012's"):
            StateBucketSetup(client, PLACE).look()


def test_a_name_that_another_account_has_taken_meanwhile_is_refused() -> None:
    client: Any = boto3.Session("testing", "testing", region_name=REGION).client("s3")
    setup = StateBucketSetup(client, PLACE)
    with Stubber(client) as answers:
        answers.add_client_error("head_bucket", "404", http_status_code=404)
        sight = setup.look()
        answers.add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)
        with pytest.raises(GateError, match="is taken by a bucket of another account"):
            setup.set_up(sight, lambda _: None)


def test_settings_that_a_bucket_has_are_known_by_their_types(s3: Any) -> None:
    create(s3)
    setup = StateBucketSetup(s3, PLACE)
    before = setup.settings()

    setup.set_up(setup.look(), lambda _: None)

    added = {"aws_s3_bucket_public_access_block", "aws_s3_bucket_versioning"}
    assert not added & before
    assert added <= setup.settings()
