"""What the modules of a shard need of its providers: words for the schema, and a folder of their own or none.

A provider process that shards share runs in an empty folder, so it must never be given a path that is
relative to a shard's folder. That cannot be excluded where a module has a provisioner, builds paths, has
types of other providers, or names a file in an argument that the AWS provider opens.
"""

from pathlib import Path

from holdfast_orchestrator.engine.modules import laid_out_modules
from holdfast_orchestrator.engine.warm.schema_filter import words_in
from holdfast_orchestrator.terraform.hcl import HclText
from holdfast_orchestrator.terraform.provider_files import FILE_ARGUMENTS, FILE_TYPES, is_known

_TYPED = ("resource", "data", "ephemeral")
# Every call of a module has a `source`; the types in which it is a file have their own names.
_OWN_FOLDER = (
    frozenset({"abspath", "file", "path", "pathexpand", "provisioner"})
    | (FILE_ARGUMENTS - {"source"})
    | FILE_TYPES
)


def words_of_modules(workdir: Path) -> frozenset[str]:
    """Return every word of the modules that a folder was initialized with. Raises ModulesUnknownError."""
    return frozenset(
        word
        for module in laid_out_modules(workdir)
        for _, content in module.texts
        for word in words_in(content)
    )


def need_no_folder(workdir: Path) -> bool:
    """Say whether nothing in the modules can be meant relative to a folder. Raises ModulesUnknownError."""
    return all(
        needs_no_folder(name, content)
        for module in laid_out_modules(workdir)
        for name, content in module.texts
    )


def needs_no_folder(name: str, content: bytes) -> bool:
    """Say whether nothing in a module's file can be meant relative to a folder."""
    if name.endswith(".json") or words_in(content) & _OWN_FOLDER:
        return False
    hcl = HclText(content.decode(errors="replace"))
    return all(is_known(block.label) for kind in _TYPED for block in hcl.blocks(kind))
