"""Objects that one state takes over from another, as a new document with the next serial.

The addresses stay as they are. What an object's instance says it depends on is kept where the receiving state
has it too. The state that gives forgets them (`state_edits.forget_in_state`). Pure.
"""

import uuid
from collections.abc import Collection
from copy import deepcopy
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.state_edits import find_resource


def with_objects(target: Document | None, source: Document, addresses: Collection[str]) -> dict[str, Any]:
    """Return the state that gains: with the objects that `source` has at these addresses.

    A state that does not exist yet begins with a lineage of its own.
    """
    edited: dict[str, Any] = deepcopy(dict(target)) if target is not None else _empty(source)
    edited["serial"] = int(edited["serial"]) + 1
    resources: list[dict[str, Any]] = edited["resources"]
    for address, resource, instance in managed(source):
        if address in addresses:
            _resource_like(resources, resource)["instances"].append(deepcopy(dict(instance)))
    declared = {configuration_address(address) for address, _, _ in managed(edited)}
    for _, _, instance in managed(edited):
        if "dependencies" in instance and isinstance(instance, dict):
            instance["dependencies"] = [
                each for each in instance["dependencies"] if each in declared or each.startswith("data.")
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


def _resource_like(resources: list[dict[str, Any]], like: Document) -> dict[str, Any]:
    resource = find_resource(resources, like)
    if resource is None:
        resource = {**deepcopy(dict(like)), "instances": []}
        resources.append(resource)
    return resource
