"""Every file of the orchestrator is opened through `private_files`, or the exception has a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "orchestrator" / "holdfast_orchestrator"
METHODS = frozenset({
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "touch", "symlink_to",
    "hardlink_to", "makedirs", "mkfifo", "mkdtemp", "mkstemp", "TemporaryDirectory", "TemporaryFile",
    "NamedTemporaryFile", "copy2", "copyfile", "copytree",
})  # fmt: skip
# A class or a module whose `open` or `copy` opens no file.
NO_FILES = frozenset({"RunContext", "JournalFile", "door", "opener", "copy", "contextvars"})
PACKAGED = "a file of this package"
PROC = "a file of the kernel's"
PRIVATE = "in a folder that was made a moment ago, for us alone"
ALLOWED = {
    ("system/aws_variables.py", "read_text"): PACKAGED,
    ("engine/diagnostics.py", "read_text"): PACKAGED,
    ("record/audit/athena.py", "read_text"): PACKAGED,
    ("terraform/create_semantics.py", "read_text"): PACKAGED,
    ("system/capacity.py", "read_text"): PROC,
    ("state/process_identity.py", "read_text"): PROC,
    ("system/process.py", "open"): "a new file, O_EXCL and O_NOFOLLOW",
    ("system/process.py", "TemporaryFile"): "it has no name",
    ("record/journal/local_file.py", "open"): "a folder, to be forced to the disk",
    ("cli/_streams.py", "open"): "/dev/null",
    ("engine/runner.py", "open"): "the record that was made a moment ago, O_EXCL",
    ("system/temporary_folders.py", "open"): "O_NOFOLLOW, in a private folder that was looked at",
    ("system/temporary_folders.py", "mkdtemp"): PRIVATE,
    ("system/sessions.py", "read_text"): PROC,
    ("engine/warm/folders.py", "mkdir"): PRIVATE,
    ("engine/warm/provider_process.py", "mkfifo"): PRIVATE,
    ("engine/warm/provider_process.py", "open"): PRIVATE,
    (
        "app/synth.py",
        "mkdir",
    ): "the output folder; that it is no link was looked at before, and is after the app",
    ("app/known_names.py", "read_bytes"): "a module of the app, which Python is about to run",
    ("cli/_variables.py", "read_text"): "named by the person, as `<(…)` too",
    ("deploy/work/kept_inputs.py", "read_bytes"): "an input of the app, of any size; only files are taken",
    ("inputs/kept.py", "read_bytes"): "an input of the app, of any size; only files are taken",
    ("inputs/place.py", "read_bytes"): "an input of the app, of any size; only files are taken",
    ("state_admin/sources.py", "open"): "a state that the person names, found to be a file",
    ("engine/in_memory.py", "read_bytes"): "what this process itself put there, in a shard's private folder",
    ("engine/in_memory.py", "symlink_to"): "to memory of this process, in a shard's private folder",
    ("plan/saved.py", "mkdir"): "a new folder; one that is there is looked at",
    ("scaffold/template.py", "read_text"): PACKAGED,
    ("scaffold/service.py", "read_text"): PACKAGED,
    ("scaffold/writing.py", "mkdir"): "the folder of a new project, which the person names",
    ("engine/warm/packages.py", "mkdir"): "in a shard's private folder",
    ("engine/warm/packages.py", "symlink_to"): "as Terraform does, in a shard's private folder",
}


def opened(file: Path) -> Iterator[tuple[str, int]]:
    """The calls of a file that open, make or copy one: what is called, and the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                yield "open", node.lineno
            case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in METHODS:
                named = owner.id if isinstance(owner, ast.Name) else ""
                if named not in NO_FILES:
                    yield name, node.lineno


def test_no_file_is_opened_around_the_doors() -> None:
    found: dict[tuple[str, str], list[int]] = {}
    for file in SOURCE.rglob("*.py"):
        place = file.relative_to(SOURCE).as_posix()
        if place != "system/private_files.py" and not place.startswith("local/moto_patches/"):
            for name, line in opened(file):
                found.setdefault((place, name), []).append(line)

    around = {place: lines for place, lines in found.items() if place not in ALLOWED}

    assert not around, "use holdfast_orchestrator.system.private_files, or give a reason in ALLOWED"
    assert not set(ALLOWED) - set(found), "these exceptions are not needed any more"
