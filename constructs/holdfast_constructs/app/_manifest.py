"""Writes holdfast.json: what the orchestrator needs to know of a shard beyond cdktf's manifest.

In go the stacks as they were built and the cdk.tf.json files that cdktf has just written; out comes
one JSON document beside cdktf's own manifest.json. Addresses are read from those files, not asked of
the constructs: a resource is found by its cdktf path. The bytes depend on nothing but the app.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._provenance import Origin
from holdfast_constructs.app.target import Target

SCHEMA = "holdfast/deployment-manifest/v1"
FILE_NAME = "holdfast.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """The record of a stack; paths are cdktf construct paths, also those of `accepted` differences."""

    name: str
    service: str
    target: Target
    protected: tuple[str, ...]
    health_checks: tuple[Mapping[str, Any], ...]
    origins: Mapping[str, Origin]
    accepted: tuple[tuple[str, Mapping[str, str]], ...] = ()


def write_manifest(
    outdir: Path, shards: Iterable[ShardRecord], configurations: Mapping[str, Configuration], *, project: Path
) -> Path:
    """Write holdfast.json into `outdir`, where cdktf wrote the `configurations`; return its path.

    Source files below `project` are named relative to it.
    """
    document = {
        "schema": SCHEMA,
        "generator": f"holdfast {version('holdfast')}",
        "shards": {shard.name: _shard(shard, configurations[shard.name], project) for shard in shards},
    }
    file = outdir / FILE_NAME
    file.write_text(
        json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return file


def _shard(shard: ShardRecord, configuration: Configuration, project: Path) -> dict[str, Any]:
    target = shard.target
    addresses = _addresses(configuration.document)
    return {
        "service": target.own_name(shard.service),
        **({} if target.tenant is None else {"tenant": {"service": shard.service, "name": target.tenant}}),
        **({} if target.project is None else {"project": target.project}),
        "environment": target.environment,
        "account": target.account,
        "region": target.region,
        "state": {
            "bucket": target.state.bucket,
            "key": target.state_key(shard.service),
            "region": target.state.region,
            "kms_key_id": target.state.kms_key_id,
        },
        "cloud": "local" if target.local else "aws",
        "role_arn": target.role_arn,
        "owners": list(target.owners),
        "tags": dict(target.tags),
        "protected": sorted(addresses[path] for path in shard.protected),
        **({"keeping": dict(target.operations.keeping)} if target.operations.keeping else {}),
        "health_checks": [_overridden(check, target) for check in shard.health_checks],
        "gates": [],
        **_accepted(shard, addresses),
        "sources": {
            address: _source(shard.origins[path], project)
            for path, address in addresses.items()
            if path in shard.origins
        },
    }


def _accepted(shard: ShardRecord, addresses: Mapping[str, str]) -> dict[str, Any]:
    entries = [{"resource": addresses[path], **entry} for path, entry in shard.accepted]
    return {"accepted_differences": entries} if entries else {}


def _overridden(check: Mapping[str, Any], target: Target) -> dict[str, Any]:
    health = target.operations.health
    wanted = {**health.get(check["kind"], {}), **health.get(check["name"], {})}
    return {**check, "overrides": wanted} if wanted else dict(check)


def _addresses(document: Mapping[str, Any]) -> dict[str, str]:
    """Map the cdktf path of each resource and data source to its Terraform address."""
    found = {}
    for section, prefix in (("resource", ""), ("data", "data.")):
        for kind, blocks in document.get(section, {}).items():
            for name, block in blocks.items():
                path = block.get("//", {}).get("metadata", {}).get("path")
                if path is not None:
                    found[path] = f"{prefix}{kind}.{name}"
    return found


def _source(origin: Origin, project: Path) -> dict[str, Any]:
    asked_for = origin.asked_for()
    return {
        "path": origin.path,
        "construct": asked_for.label,
        "file": None if origin.file is None else _shown(Path(origin.file), project),
        "line": origin.line,
    }


def _shown(file: Path, project: Path) -> str:
    absolute = file if file.is_absolute() else project / file
    return (
        absolute.relative_to(project).as_posix() if absolute.is_relative_to(project) else absolute.as_posix()
    )
