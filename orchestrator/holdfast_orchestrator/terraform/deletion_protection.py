"""Attributes that keep an object from being deleted, and names of the snapshots that a delete leaves.

The names and values are those of the AWS and Google providers' schemas: the service, or the provider itself,
refuses to delete an object while such an attribute has its first value.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import (
    Document,
    as_list,
    blocks,
    managed,
    mapping_of,
    objects,
)

_SWITCHES: Mapping[str, Mapping[object, object]] = {
    # aws_db_instance, aws_rds_cluster, aws_docdb_cluster, aws_neptune_cluster, aws_cognito_user_pool, …
    "deletion_protection": {True: False, "ACTIVE": "INACTIVE", "ENABLED": "DISABLED"},
    # aws_dynamodb_table, aws_dsql_cluster
    "deletion_protection_enabled": {True: False},
    # aws_lb
    "enable_deletion_protection": {True: False},
    # aws_networkfirewall_firewall
    "delete_protection": {True: False},
    # aws_instance
    "disable_api_termination": {True: False},
}
_FINAL_SNAPSHOTS = ("final_snapshot_identifier", "final_snapshot_name")
_LONGEST_SNAPSHOT = 255  # characters: RDS API, DBSnapshotIdentifier


def switched_on(attributes: Mapping[str, Any]) -> dict[str, object]:
    """Return the attributes that protect an object, with the values that switch them off."""
    return {
        name: values[attributes[name]]
        for name, values in _SWITCHES.items()
        if isinstance(attributes.get(name), (bool, str)) and attributes[name] in values
    }


def renamed_snapshots(attributes: Mapping[str, Any], suffix: str) -> dict[str, object]:
    """Return the attributes that name a final snapshot, with names that end in `suffix`.

    Of an object that leaves none there are none. A name that had such an ending gets the new one instead.
    """
    if attributes.get("skip_final_snapshot") is True:
        return {}
    names = {name: attributes.get(name) for name in _FINAL_SNAPSHOTS}
    return {name: _ended(value, suffix) for name, value in names.items() if isinstance(value, str) and value}


def _ended(name: str, suffix: str) -> str:
    stem = re.sub(r"-\d{8}-\d{6}$", "", name)[: _LONGEST_SNAPSHOT - len(suffix) - 1].rstrip("-")
    return f"{stem}-{suffix}"


def prepared_arguments(state: Document, suffix: str) -> dict[str, dict[str, object]]:
    """Return by address the arguments with which the objects of a state can be destroyed, each time.

    A block gives all of its instances one argument, so those of `count` and `for_each` keep their snapshots'
    names: several would get the same.
    """
    instances = [(address, instance.get("attributes") or {}) for address, _, instance in managed(state)]
    many = Counter(configuration_address(address) for address, _ in instances)
    prepared = {}
    for address, attributes in instances:
        is_single = many[configuration_address(address)] == 1
        snapshots = renamed_snapshots(attributes, suffix) if is_single else {}
        if arguments := {**switched_on(attributes), **snapshots}:
            prepared[address] = arguments
    return prepared


def never_destroyed(configuration: Document) -> frozenset[str]:
    """Return the addresses of the resources whose lifecycle forbids every plan that destroys them."""
    return frozenset(_with_prevent_destroy(configuration))


def _with_prevent_destroy(configuration: Document) -> Iterator[str]:
    for kind, name, body in blocks(configuration, "resource"):
        rules = objects(mapping_of(body).get("lifecycle"))
        if any(rule.get("prevent_destroy") is True for rule in rules):
            yield f"{kind}.{name}"


def with_arguments(
    configuration: Document,
    arguments: Mapping[tuple[str, str], Mapping[str, object]],
    ignored: Mapping[tuple[str, str], frozenset[str]],
) -> dict[str, Any]:
    """Return a configuration in which resources have other arguments, and which ignores other differences.

    Both are by type and name of the resource. An argument that is set here is not ignored any more.
    """
    edited: dict[str, Any] = json.loads(json.dumps(configuration))
    for kind, name, body in blocks(edited, "resource"):
        resource = (kind, name)
        if not isinstance(body, dict) or (resource not in arguments and resource not in ignored):
            continue
        given = arguments.get(resource, {})
        body.update(given)
        rules = {key: value for each in objects(body.get("lifecycle")) for key, value in each.items()}
        kept = {each for each in as_list(rules.get("ignore_changes")) if each not in given and each != "all"}
        body["lifecycle"] = {**rules, "ignore_changes": sorted(kept | ignored.get(resource, frozenset()))}
    return edited


def differing(change: Document, body: Document) -> frozenset[str]:
    """Return the attributes that a planned change of one object gives another value.

    `change` is that of `terraform show -json`, `body` the resource's block: what is not known before the
    apply counts only where the block sets it.
    """
    before, after = mapping_of(change.get("before")), mapping_of(change.get("after"))
    unknown = {name for name, value in mapping_of(change.get("after_unknown")).items() if value is True}
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return frozenset(name for name in names if name not in unknown or name in body)
