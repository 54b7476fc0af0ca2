"""A double of Terraform that compares: its plan is the difference of a configuration and a state."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.support.deploy_world import FakeTerraform, FakeTools, key

from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.outcomes import ApplyOutcome, PlanOutcome
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sighting, Sightings, Verdict
from holdfast_orchestrator.terraform.reads import Reading

KIND = "aws_ssm_parameter"
PROVIDER = "registry.terraform.io/hashicorp/aws"
Attributes = dict[str, Any]


@dataclass
class DifferingTerraform(FakeTerraform):
    """Knows parameters only. Their id is their name; the block's other attributes are what may differ."""

    def plan(
        self,
        *,
        out: str = "plan.tfplan",
        destroy: bool = False,
        targets: Sequence[str] = (),
        holdings: Holdings | None = None,
        reading: Reading | None = None,
    ) -> PlanOutcome:
        self.call("verify" if out.startswith("verify") else "plan")
        configuration = json.loads(self.shard.configuration)
        if "import" in configuration:
            raise CommandFailedError("terraform plan", 1, [_not_there(configuration["import"][0]["to"])])
        wanted = {} if destroy else blocks_of(configuration)
        changes = [*differences(wanted, self._standing())]
        file = self.workdir / out
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tfstate", self.world.store.objects.get(key(self.shard.name), b"{}"))
            archive.writestr("changes", json.dumps(changes))
        return PlanOutcome(changes=bool(changes), plan=file, watched=_absent(changes, holdings))

    def show_plan(self, plan: Path) -> dict[str, Any]:
        return {"format_version": "1.2", "resource_changes": changes_in(plan)}

    def apply(self, plan: Path, *, holdings: Holdings | None = None, traceable: bool = False) -> ApplyOutcome:
        self.call(f"apply {plan.name} of {self.shard.name}")
        changes = changes_in(plan)
        standing = self._standing()
        for change in changes:
            after = change["change"]["after"]
            if after is None:
                del standing[change["name"]]
            else:
                standing[change["name"]] = after
        self.world.write_body(self.shard.name, self._state(standing))
        record = self.workdir / f"{len(self.world.calls):03}.jsonl"
        record.write_text("\n".join(json.dumps(event) for change in changes for event in _events(change)))
        return ApplyOutcome(
            code=0,
            started=len(changes),
            completed=len(changes),
            errored=0,
            created=(),
            in_doubt=(),
            diagnostics=(),
            errored_state=None,
            record=record,
            watched=_absent(changes, holdings),
        )

    def _standing(self) -> dict[str, Attributes]:
        state = json.loads(self.world.store.objects.get(key(self.shard.name), b"{}"))
        resources = state.get("resources", ())
        return {block["name"]: block["instances"][0]["attributes"] for block in resources}

    def _state(self, standing: Mapping[str, Attributes]) -> bytes:
        resources = [
            {
                "mode": "managed",
                "type": KIND,
                "name": name,
                "provider": f'provider["{PROVIDER}"]',
                "instances": [{"schema_version": 0, "attributes": attributes}],
            }
            for name, attributes in sorted(standing.items())
        ]
        state = {
            "version": 4,
            "terraform_version": "1.11.4",
            "lineage": f"lineage-of-{self.shard.name}",
            "serial": self.world.serial(self.shard.name) + 1,
            "outputs": {},
            "resources": resources,
        }
        return json.dumps(state).encode()


class DifferingTools(FakeTools):
    """Gives out the Terraform that compares."""

    def terraform(self, shard: Any, on_event: object) -> Any:
        return DifferingTerraform(self.world, shard)


def changes_in(plan: Path) -> list[dict[str, Any]]:
    """What a plan file of this double would do."""
    return cast("list[dict[str, Any]]", json.loads(zipfile.ZipFile(plan).read("changes")))


def blocks_of(configuration: Mapping[str, Any]) -> dict[str, Attributes]:
    """The attributes that each parameter of a configuration is to have."""
    parameters = configuration.get("resource", {}).get(KIND, {})
    return {
        name: {"id": block["name"], **{word: told for word, told in block.items() if word != "lifecycle"}}
        for name, block in parameters.items()
    }


def differences(wanted: Mapping[str, Attributes], standing: Mapping[str, Attributes]) -> list[dict[str, Any]]:
    """What Terraform would plan, block by block."""
    names = sorted({*wanted, *standing})
    return [
        {
            "address": f"{KIND}.{name}",
            "mode": "managed",
            "type": KIND,
            "name": name,
            "provider_name": PROVIDER,
            "change": {
                "actions": [_action(standing.get(name), wanted.get(name))],
                "before": standing.get(name),
                "after": wanted.get(name),
                "after_unknown": {},
            },
        }
        for name in names
        if standing.get(name) != wanted.get(name)
    ]


def _action(before: Attributes | None, after: Attributes | None) -> str:
    if before is None:
        return "create"
    return "delete" if after is None else "update"


def _events(change: Mapping[str, Any]) -> list[dict[str, Any]]:
    (action,) = change["change"]["actions"]
    hook = {"resource": {"addr": change["address"], "resource_type": change["type"]}, "action": action}
    before, after = change["change"]["before"], change["change"]["after"]
    start = hook if before is None else hook | {"id_key": "id", "id_value": before["id"]}
    complete = hook if after is None else hook | {"id_key": "id", "id_value": after["id"]}
    return [{"type": "apply_start", "hook": start}, {"type": "apply_complete", "hook": complete}]


def _not_there(address: str) -> Diagnostic:
    return Diagnostic(
        severity="error",
        summary="Cannot import non-existent remote object",
        detail=f'While attempting to import an existing object to "{address}", the provider detected that '
        "no object exists with the given id.",
    )


def _absent(changes: Sequence[Mapping[str, Any]], holdings: Holdings | None) -> Sightings | None:
    """Where it is asked to look before a create, nothing is there."""
    if holdings is None:
        return None
    made = [change["change"]["after"]["name"] for change in changes if change["change"]["before"] is None]
    keys = [ObjectKey(KIND, name) for name in made]
    return Sightings(
        by_key={each: Sighting(key=each, kind=each.kind, verdict=Verdict.ABSENT) for each in keys}
    )
