"""Plans of a rollback, and what the guard says of them."""

from typing import Any

from holdfast_orchestrator.deploy.decisions.guard import Bounds, Candidate, Violation, Written, judge_rollback
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.state_file import StateStamp

AWS = "registry.terraform.io/hashicorp/aws"
STAMP = StateStamp("L", 5)
WRITTEN = Written("1.11.4", {AWS: "5.100.0"})
BEFORE_HEALTH = {"health_began": False}


def known(address: str, value: str, *, stateful: bool = False) -> TrackedObject:
    identity = Identity(address.split(".", maxsplit=1)[0], value)
    return TrackedObject(identity=identity, address=address, provider="p", stateful=stateful, id=value)


def change(
    address: str, actions: list[str], *, before: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    existing = None if actions == ["create"] else {"id": "new", **(before or {})}
    inside = {"actions": actions, "before": existing, "after": fields.pop("after", {})}
    if fields.pop("importing", False):
        inside["importing"] = {"id": "x"}
    kind = address.split(".", maxsplit=1)[0]
    return {"address": address, "mode": "managed", "type": kind, "name": "x", "change": inside, **fields}


def judge(
    *changes: dict[str, Any],
    last_good: tuple[TrackedObject, ...] = (),
    created: tuple[str, ...] = (),
    touched: tuple[str, ...] | None = None,
    plan: dict[str, Any] | None = None,
    stamp: StateStamp = STAMP,
    runner: Written = WRITTEN,
    **bounds: Any,
) -> tuple[Violation, ...]:
    document = {"format_version": "1.2", "resource_changes": list(changes), **(plan or {})}
    addresses = [each["address"] for each in changes] if touched is None else touched
    return judge_rollback(
        Candidate(document, stamp, runner),
        Bounds(
            last_good=IdentityIndex(last_good),
            created=frozenset(Identity(*each.split(" ")) for each in created),
            touched=frozenset(addresses),
            prior=STAMP,
            writer=WRITTEN,
            **bounds,
        ),
    )


def rules(*changes: dict[str, Any], **arguments: Any) -> list[str]:
    return sorted({violation.rule for violation in judge(*changes, **arguments)})
