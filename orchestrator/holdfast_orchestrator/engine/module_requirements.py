"""Which versions of providers the files of modules require.

Terraform holds a module's constraints against the providers that it installs, and not against one that it
attaches to: those are looked at here. What is not understood counts as a requirement that nothing fits.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from holdfast_orchestrator.engine.lockfile import Locks
from holdfast_orchestrator.engine.modules import ModulesUnknownError, laid_out_modules
from holdfast_orchestrator.engine.providers import Requirement, full_source
from holdfast_orchestrator.terraform.hcl import HclText
from holdfast_orchestrator.terraform.json_values import mapping_of, named, text_of
from holdfast_orchestrator.terraform.provider_blocks import required_providers

_ENTRY = re.compile(r'([\w-]+)\s*=\s*(?:\{([^{}]*)\}|"([^"\n]*)")')
_FIELD = re.compile(r'\b(source|version)\s*=\s*"([^"\n]*)"')
_NOT_UNDERSTOOD = "?"


def modules_allow(workdir: Path, locks: Locks, registry: str) -> bool:
    """Say whether the modules of a folder surely allow the locked version of each provider that is locked."""
    try:
        return all(
            required.allows(locks[required.source].version)
            for module in laid_out_modules(workdir)
            for name, content in module.texts
            for required in requirements_in(name, content, registry)
            if required.source in locks or required.constraint == _NOT_UNDERSTOOD
        )
    except (ModulesUnknownError, ValueError, KeyError):
        return False


def requirements_in(name: str, content: bytes, registry: str) -> Iterator[Requirement]:
    """Yield what a file requires. Raises ValueError for JSON that is none."""
    entries = _json(content) if name.endswith(".json") else _hcl(HclText(content.decode(errors="replace")))
    for local_name, source, version in entries:
        yield Requirement(full_source(source or local_name, registry), version)


def _json(content: bytes) -> Iterator[tuple[str, str, str]]:
    document = mapping_of(json.loads(content))
    for name, entry in required_providers(document).items():
        yield name, text_of(entry.get("source")), text_of(entry.get("version"))
    for name, body in named(document.get("provider")):
        yield name, "", text_of(mapping_of(body).get("version"))


def _hcl(hcl: HclText) -> Iterator[tuple[str, str, str]]:
    for block in hcl.blocks("required_providers"):
        for name, body, version in _ENTRY.findall(block.body):
            fields = dict(_FIELD.findall(body))
            yield name, fields.get("source", ""), fields.get("version", version)
        if _ENTRY.sub("", block.body).strip(" \t\r\n,"):
            yield _NOT_UNDERSTOOD, "", _NOT_UNDERSTOOD
    for block in hcl.blocks("provider"):
        if block.has("version"):
            yield block.label, "", block.text("version") or _NOT_UNDERSTOOD
