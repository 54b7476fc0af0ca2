"""Objects from one state into another, as two new documents with the next serials.

The addresses stay as they are. What an object's instance says it depends on is kept where the receiving state
has it too. Pure: nothing is read or written here.
"""

import uuid
from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.state_edits import forget_in_state


def without_objects(state: Document, addresses: Collection[str]) -> dict[str, Any]:
    """The state that loses: without the objects at these addresses."""
    return forget_in_state(state, sorted(addresses))


def with_objects(target: Document | None, source: Document, addresses: Collection[str]) -> dict[str, Any]:
    """The state that gains: with the objects that `source` has at these addresses.

    A state that does not exist yet begins with a lineage of its own.
    """
    edited: dict[str, Any] = deepcopy(dict(target)) if target is not None else _empty(source)
    edited["serial"] = int(edited["serial"]) + 1
    resources: list[dict[str, Any]] = edited["resources"]
    for address, resource, instance in managed(source):
        if address in addresses:
            _resource(resources, resource)["instances"].append(deepcopy(dict(instance)))
    there = {configuration_address(address) for address, _, _ in managed(edited)}
    for _, _, instance in managed(edited):
        if "dependencies" in instance and isinstance(instance, dict):
            instance["dependencies"] = [
                each for each in instance["dependencies"] if each in there or each.startswith("data.")
            ]
    return edited


def _empty(source: Document) -> dict[str, Any]:
    return {
        "version": 4,
        "terraform_version": source.get("terraform_version", ""),
        "serial": 0,
        "lineage": str(uuid.uuid4()),
        "outputs": {},
        "resources": [],
        "check_results": None,
    }


def _resource(resources: list[dict[str, Any]], like: Mapping[str, Any]) -> dict[str, Any]:
    for resource in resources:
        if all(resource.get(name) == like.get(name) for name in ("module", "mode", "type", "name")):
            return resource
    made = {**{name: deepcopy(value) for name, value in like.items() if name != "instances"}, "instances": []}
    resources.append(made)
    return made
