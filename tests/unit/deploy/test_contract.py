"""The second stage of a deploy, and what of the last good one is held against it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.attempts import attempt_at, state
from tests.support.deploy_world import Deployment, World, key, shard

from holdfast_orchestrator.deploy.decisions.deferred_deletes import Staging
from holdfast_orchestrator.deploy.phases.forward import make_deletes
from holdfast_orchestrator.deploy.phases.verification import to_keep
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject


def test_what_is_forgotten_instead_of_deleted_is_told(tmp_path: Path) -> None:
    world, topic = World(tmp_path), {"id": "arn:aws:sns:eu-west-1:1:t", "arn": "arn:aws:sns:eu-west-1:1:t"}
    document = state("aws_sns_topic", old=topic, new=topic)
    world.store.create(key("network"), json.dumps(document).encode())
    deployment = Deployment(world)
    run_context: Any = SimpleNamespace(owners=BucketOwners())
    record = SimpleNamespace(process=SimpleNamespace(boot="b"))
    lease: Any = SimpleNamespace(check=lambda: None, epoch=1, record=record)
    leased = LeasedShard(
        shard=shard("network"), run=deployment.run(), run_context=run_context, store=world.store, lease=lease
    )
    attempt = attempt_at(document, good=None)
    attempt.planning.staging = Staging(stage_one={}, put_off=("aws_sns_topic.old",))

    make_deletes(leased, attempt)

    (notice,) = (event.message for event in deployment.events if isinstance(event, Notice))
    assert "aws_sns_topic.old is the same object as one the new version has" in notice


def test_an_object_an_earlier_holdfast_recorded_by_its_id_alone_is_still_to_be_kept() -> None:
    address, there = "aws_apigatewayv2_stage.s", {"id": "$default", "name": "$default", "api_id": "a"}
    recorded = TrackedObject(
        identity=Identity("aws_apigatewayv2_stage", "$default"),
        address=address,
        provider="",
        stateful=False,
        id="$default",
    )
    good = SimpleNamespace(record=SimpleNamespace(index=IdentityIndex((recorded,))))

    kept = to_keep(attempt_at(state("aws_apigatewayv2_stage", s=there), good=good))

    assert [(known.address, known.identity.value) for known in kept] == [(address, "a|$default")]
