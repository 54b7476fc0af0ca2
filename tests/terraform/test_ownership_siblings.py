"""What a sibling shard or another app has: nobody takes, deletes or forgets it for them."""

import json
from pathlib import Path

import pytest
from tests.support.shards import (
    ACCOUNT,
    REGION,
    Shards,
    Stack,
    another,
    parameter,
    refuses_the_same,
    stack,
    topic,
)

from holdfast_orchestrator.deploy.run_context import DeployPolicy

pytestmark = pytest.mark.long


def _copy_object(warm_app: Shards, source: str, target: str, kind: str) -> None:
    """Write what one state says of a type into another, as a hand-made state or a restore may."""
    s3 = warm_app.client("s3")
    states = {}
    for name in (source, target):
        key = f"{name}/{ACCOUNT}/{REGION}/dev/terraform.tfstate"
        states[name] = key, json.loads(s3.get_object(Bucket=warm_app.bucket, Key=key)["Body"].read())
    key, state = states[target]
    state["resources"] += [one for one in states[source][1]["resources"] if one["type"] == kind]
    state["serial"] += 1
    s3.put_object(Bucket=warm_app.bucket, Key=key, Body=json.dumps(state).encode())


def test_a_sibling_that_keeps_an_object_is_not_robbed_of_it(
    warm_app: Shards, name: str, taken: Stack
) -> None:
    """What was B2: b's failing second version took a's topic, and its rollback deleted it."""
    warm_app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b"), topic(name), taken))

    result = refuses_the_same(warm_app, "b")

    b = result.results["b"]
    assert (b.outcome.value, b.exit_code) == ("blocked", 4)
    assert "aws_sns_topic.t: a manages this object already" in str(b.reason)
    assert warm_app.owned() == {"a": ["aws_sns_topic.t"], "b": ["aws_ssm_parameter.p"]}
    assert name in warm_app.topics()
    assert warm_app.client("ssm").get_parameter(Name=f"{name}-taken")["Parameter"]["Value"] == "theirs"


def test_two_shards_that_would_both_make_an_object_in_one_run(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name)), b=stack(topic(name, at="mine")))

    outcomes = warm_app.outcomes()

    assert sorted(outcomes.values()) == ["blocked", "committed"]
    assert len(warm_app.owned()) == 1
    assert name in warm_app.topics()


def test_another_apps_object_is_refused_and_named(
    warm_app: Shards, providers: Shards, tmp_path: Path, name: str
) -> None:
    other = another(providers, tmp_path / "other", warm_app.bucket, project="other")
    warm_app.write(a=stack(topic(name)))
    assert warm_app.outcomes() == {"a": "committed"}
    other.write(b=stack(topic(name), topic(f"{name}x", at="x")))

    result = refuses_the_same(other, "b")

    assert result.exit_code == 4
    assert "aws_sns_topic.t: stack a of app app manages this object already" in str(
        result.results["b"].reason
    )
    assert warm_app.owned() == {"a": ["aws_sns_topic.t"]}
    assert warm_app.topics() & {name, f"{name}x"} == {name}


def test_what_both_have_is_let_go_of_by_whoever_deletes(warm_app: Shards, name: str) -> None:
    """Put-off deletes, destroys and retired stacks; a state that was written by hand made the twins."""
    both = [topic(name)]
    warm_app.write(
        a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")), c=stack(parameter(f"{name}c"))
    )
    assert set(warm_app.outcomes().values()) == {"committed"}
    _copy_object(warm_app, "a", "b", "aws_sns_topic")
    _copy_object(warm_app, "a", "c", "aws_sns_topic")
    warm_app.write(
        a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")), c=stack(parameter(f"{name}c"))
    )

    put_off = warm_app.outcomes(policy=DeployPolicy(rebaseline=True), stack=["b"])
    told = list(warm_app.told)
    warm_app.write(a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    retired = warm_app.destroy_retired("c", policy=DeployPolicy(rebaseline=True))

    assert put_off == {"b": "committed"}
    assert any("aws_sns_topic.t" in each and "only forgotten" in each for each in told), told
    assert retired.is_good, retired
    assert retired.shards[0].destroyed == 1, "its own parameter"
    assert warm_app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in warm_app.topics()


def test_a_destroy_lets_go_of_what_another_state_has(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert set(warm_app.outcomes().values()) == {"committed"}
    _copy_object(warm_app, "a", "b", "aws_sns_topic")

    result = warm_app.destroy(stack=["b"], policy=DeployPolicy(rebaseline=True))

    assert result.is_good, result
    assert warm_app.owned() == {"a": ["aws_sns_topic.t"]}
    assert name in warm_app.topics()


def test_a_destroy_beside_a_state_that_cannot_be_read_deletes_nothing(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert set(warm_app.outcomes().values()) == {"committed"}
    key = f"b/{ACCOUNT}/{REGION}/dev/terraform.tfstate"
    warm_app.client("s3").put_object(Bucket=warm_app.bucket, Key=key, Body=b"{broken")

    result = warm_app.destroy(stack=["a"])

    assert result.exit_code == 6
    assert f"{key} cannot be read" in str(result.shards[0].reason)
    assert name in warm_app.topics()


def test_twins_of_one_object_under_two_types_are_one(warm_app: Shards, name: str) -> None:
    s3 = warm_app.client("s3")
    s3.create_bucket(Bucket=f"b-{name}", CreateBucketConfiguration={"LocationConstraint": REGION})
    older = {"aws_s3_bucket_object": {"o": {"bucket": f"b-{name}", "key": "k", "content": "a's"}}}
    newer = {"aws_s3_object": {"o": {"bucket": f"b-{name}", "key": "./k", "content": "b's"}}}
    warm_app.write(a=stack(older), b=stack(parameter(f"{name}b")))
    assert set(warm_app.outcomes().values()) == {"committed"}
    warm_app.write(a=stack(older), b=stack(parameter(f"{name}b"), newer))

    assert warm_app.outcomes() == {"a": "unchanged", "b": "blocked"}

    assert s3.get_object(Bucket=f"b-{name}", Key="k")["Body"].read() == b"a's"


def test_the_same_name_in_two_regions_is_two_objects(warm_app: Shards, name: str) -> None:
    west = {
        "aws": [
            *stack()["provider"]["aws"],
            {**stack()["provider"]["aws"][0], "alias": "us", "region": "us-east-1"},
        ]
    }
    there = {"aws_sns_topic": {"t": {"name": name, "provider": "aws.us"}}}
    b = stack(there, parameter(f"{name}b"))
    warm_app.write(a=stack(topic(name)), b={**b, "provider": west})
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(topic(name)), b={**stack(parameter(f"{name}b")), "provider": west})

    assert warm_app.outcomes() == {"a": "unchanged", "b": "committed"}

    assert name in warm_app.topics(), "that of a"
    assert name not in warm_app.topics(region="us-east-1"), "b's own was deleted"
