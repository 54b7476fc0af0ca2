"""What of the last good deployment is held against a new one."""

from types import SimpleNamespace
from typing import Any

from holdfast_orchestrator.deploy.attempt import Attempt, Before
from holdfast_orchestrator.deploy.desk import Policy
from holdfast_orchestrator.deploy.proof import to_keep
from holdfast_orchestrator.rollback.identities import Identity, IdentityIndex, TrackedObject, index_state
from holdfast_orchestrator.rollback.stateful import Protection
from holdfast_orchestrator.testing import FrozenClock


def state(kind: str, **attributes: dict[str, Any]) -> dict[str, Any]:
    resources = [
        {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": each}]}
        for name, each in attributes.items()
    ]
    return {"version": 4, "lineage": "L", "serial": 1, "outputs": {}, "resources": resources}


def attempt_at(document: dict[str, Any], **known: Any) -> Attempt:
    return Attempt(
        run="R",
        verb="deploy",
        policy=Policy(),
        artifact="",
        configuration={},
        before=Before(snapshot=None, index=index_state(document, protection=Protection())),
        kept=None,
        began=FrozenClock().now(),
        **known,
    )


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
