"""Promotion is one conditional write; artifacts are what their names say."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.stores import AnswersLost

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.artifact import Artifact, artifact_key, keep_artifact, read_artifact
from holdfast_orchestrator.record.last_good import (
    LastGood,
    PinnedInput,
    earlier,
    last_good_key,
    promote,
    read_last_good,
)
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.state_file import Recorded

FOLDER = "orders/123456789012/eu-west-1/prod"
TABLE = TrackedObject(
    identity=Identity("aws_dynamodb_table", "orders"),
    address="aws_dynamodb_table.orders",
    provider='provider["registry.terraform.io/hashicorp/aws"]',
    stateful=True,
    id="orders",
)
GOOD = LastGood(
    generation=1,
    run="01JD6ZT3V9M2B8Q4K7X5N1C0RG",
    artifact="a" * 64,
    state=Recorded("lineage", 7, "b" * 64),
    state_version="v1",
    outputs_sha256="c" * 64,
    inputs={"network-prod-eu-west-1": PinnedInput(generation=3, outputs_sha256="d" * 64)},
    index=IdentityIndex((TABLE,)),
    residual="e" * 64,
    health=({"name": "api", "kind": "http", "status": 200},),
    actor=Actor(kind="github", name="jane", host="runner", link="https://example.org", aws="arn"),
    git="0f1e2d3c",
    at=datetime(2026, 11, 21, 7, 0, tzinfo=UTC),
)
ARTIFACT = Artifact(
    configuration=b'{"resource": {"x": "\xc3\xa9"}}',
    lock=b'provider "registry.terraform.io/hashicorp/aws" {}\n',
    engine="terraform 1.11.4",
    providers={"registry.terraform.io/hashicorp/aws": "5.100.0"},
)


def test_what_was_promoted_is_read_back(store: DurableStore) -> None:
    assert read_last_good(store, FOLDER) is None

    promote(store, FOLDER, GOOD, after=None)

    found = read_last_good(store, FOLDER)
    assert found is not None
    assert found.record == GOOD


def test_each_promotion_is_the_next_generation_and_the_earlier_ones_are_kept(store: DurableStore) -> None:
    first = promote(store, FOLDER, GOOD, after=None)
    second = promote(store, FOLDER, replace(GOOD, run="R2"), after=first)
    promote(store, FOLDER, replace(GOOD, run="R3"), after=second)

    assert [(good.generation, good.run) for good in earlier(store, FOLDER)] == [
        (3, "R3"),
        (2, "R2"),
        (1, GOOD.run),
    ]


def test_a_promotion_over_somebody_elses_needs_a_person(store: DurableStore) -> None:
    first = promote(store, FOLDER, GOOD, after=None)
    promote(store, FOLDER, replace(GOOD, run="R2"), after=first)

    with pytest.raises(NeedsPersonError, match="run R2 promoted"):
        promote(store, FOLDER, replace(GOOD, run="R3"), after=first)
    with pytest.raises(NeedsPersonError, match="run R2 promoted"):
        promote(store, FOLDER, replace(GOOD, run="R3"), after=None)


def test_a_promotion_whose_answer_was_lost_counts() -> None:
    store = AnswersLost()

    first = promote(store, FOLDER, GOOD, after=None)
    promote(store, FOLDER, GOOD, after=first)

    found = read_last_good(store, FOLDER)
    assert found is not None
    assert found.record.generation == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'{"schema":"holdfast/last-good/v1"}', b'{"schema":"v9"}'])
def test_a_damaged_record_is_never_taken_for_none(store: DurableStore, body: bytes) -> None:
    store.create(last_good_key(FOLDER), body)

    with pytest.raises(NeedsPersonError, match="last-good"):
        read_last_good(store, FOLDER)


@pytest.mark.parametrize("artifact", [ARTIFACT, replace(ARTIFACT, lock=None, providers={})])
def test_an_artifact_is_read_back_byte_for_byte(store: DurableStore, artifact: Artifact) -> None:
    name = keep_artifact(store, artifact)

    found = read_artifact(store, name)

    assert found == artifact
    assert found.sha256 == name


def test_the_same_artifact_is_one_object(store: DurableStore) -> None:
    keep_artifact(store, replace(ARTIFACT, providers={"a": "1", "b": "2"}))
    keep_artifact(store, replace(ARTIFACT, providers={"b": "2", "a": "1"}))

    assert len(list(store.list("_holdfast/artifacts/"))) == 1


def test_an_artifact_that_was_changed_is_not_gone_back_to_until_the_right_one_is_kept_again(
    store: DurableStore,
) -> None:
    store.create(artifact_key(ARTIFACT.sha256), replace(ARTIFACT, engine="other").body)

    with pytest.raises(NeedsPersonError, match="not what its name says"):
        read_artifact(store, ARTIFACT.sha256)
    keep_artifact(store, ARTIFACT)
    assert read_artifact(store, ARTIFACT.sha256).configuration == ARTIFACT.configuration


def test_a_missing_artifact_is_named(store: DurableStore) -> None:
    with pytest.raises(NeedsPersonError, match="0000"):
        read_artifact(store, "0" * 64)
