"""The union of provider blocks and provider requirements of two configurations.

An object can be planned, destroyed even, only while the provider configuration it was made with is
declared; a state can be read only by a provider at least as new as the one that wrote it.
"""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.terraform.json_values import Document, as_list, named, objects
from holdfast_orchestrator.terraform.versions import newest


@dataclass(frozen=True, slots=True)
class Union:
    """A configuration with the other's providers, and what made that impossible (empty: nothing)."""

    configuration: dict[str, Any]
    added: tuple[str, ...]
    problems: tuple[str, ...]


def union_providers(base: Document, other: Document, *, only: Collection[str] | None = None) -> Union:
    """Return `base` with every provider block and requirement that only `other` has.

    Where both declare a provider block, that of `base` stays. `only` are the provider keys (`aws`,
    `aws.west`) to take over; None takes all.
    """
    united: dict[str, Any] = deepcopy(dict(base))
    present = {key for key, _ in provider_blocks(base)}
    added = [
        (key, block)
        for key, block in provider_blocks(other)
        if key not in present and (only is None or key in only)
    ]
    for key, block in added:
        _append(united, key.partition(".")[0], block)
    names = None if only is None else {key.partition(".")[0] for key in only}
    problems = _require(united, other, names)
    return Union(united, tuple(key for key, _ in added), problems)


def provider_blocks(configuration: Document) -> Iterator[tuple[str, Document]]:
    """Each provider block with its key: `aws`, or `aws.west` where it has an alias."""
    for name, block in named(configuration.get("provider")):
        alias = block.get("alias")
        yield (f"{name}.{alias}" if alias else name), block


def required_providers(configuration: Document) -> dict[str, dict[str, Any]]:
    """The requirement of each provider by its local name; a bare version becomes an object."""
    return {
        name: dict(entry) if isinstance(entry, Mapping) else {"version": entry}
        for settings in objects(configuration.get("terraform"))
        for name, entry in named(settings.get("required_providers"))
    }


def set_required(configuration: dict[str, Any], required: Mapping[str, Any]) -> None:
    """Put provider requirements into a configuration, in place of those it has."""
    settings = [dict(each) for each in as_list(configuration.get("terraform"))] or [{}]
    for each in settings:
        each.pop("required_providers", None)
    settings[0]["required_providers"] = dict(required)
    configuration["terraform"] = settings[0] if len(settings) == 1 else settings


def _append(configuration: dict[str, Any], name: str, block: Document) -> None:
    merged: dict[str, Any] = {}
    for declared, body in (*named(configuration.get("provider")), (name, deepcopy(dict(block)))):
        merged.setdefault(declared, []).append(body)
    configuration["provider"] = merged


def _require(united: dict[str, Any], other: Document, names: Collection[str] | None) -> tuple[str, ...]:
    required, problems = required_providers(united), []
    for name, entry in required_providers(other).items():
        if name not in required:
            if names is None or name in names:
                required[name] = entry
        elif required[name].get("source") != entry.get("source"):
            problems.append(
                f"Provider {name!r} is {required[name].get('source')!r} in one version and "
                f"{entry.get('source')!r} in the other."
            )
        elif "version" in entry:
            versions = str(required[name].get("version", "")), str(entry["version"])
            required[name]["version"] = newest(*versions)
    if required:
        set_required(united, required)
    return tuple(problems)
