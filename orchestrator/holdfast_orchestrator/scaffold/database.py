"""`holdfast new database`: a database for a web service that is there, or one in a stack of its own."""

import ast
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.errors import SettingsError, UsageError
from holdfast_orchestrator.scaffold.layout import Layout, check_name, settings_path
from holdfast_orchestrator.scaffold.template import template_text
from holdfast_orchestrator.scaffold.writing import Draft, Written
from holdfast_orchestrator.system.private_files import read_source

_BY_HAND = "connect it by hand, as docs/constructs.md says of connect_to"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a service's stack is changed: lines from 1, and the attribute that has its WebService."""

    imports: ast.ImportFrom
    annotation: ast.Name
    after: int
    service: str
    indent: str


def write_database(folder: Path, name: str) -> Written:
    """Give the web service `name` a database, or write a stack with one where there is no such service.

    Raises UsageError for a name that cannot be used, a service that has a database, and one whose stack is
    not as `holdfast new service` writes it; SettingsError for a project of another kind.
    """
    check_name("a database", name)
    layout = Layout.read(folder)
    module = name.replace("-", "_")
    if keyword.iskeyword(module):
        raise UsageError(f"{name!r} is a word of Python's own", next_step="choose another name")
    path = (layout.stacks / f"{module}.py").as_posix()
    having = [each for each in layout.environments if name in layout.settings(each).get("services", {})]
    if (folder / path).exists() or having:
        return _of_a_service(layout, name, path, having)
    return _of_its_own(layout, name, path)


def _of_its_own(layout: Layout, name: str, path: str) -> Written:
    class_name = "".join(part.capitalize() for part in name.split("-"))
    text = template_text("database.py.txt")
    for old, new in (("@name@", name), ("@class@", class_name), ("@package@", layout.package)):
        text = text.replace(old, new)
    tables = {settings_path(each): _table(name) for each in layout.environments}
    return Draft(layout.folder, {path: text}, tables).write(_next_steps(layout.environments[0], name, name))


def _of_a_service(layout: Layout, name: str, path: str, having: list[str]) -> Written:
    owners = [each for each in having if "database" in layout.settings(each)["services"][name]]
    if owners:
        raise UsageError(
            f"nothing was written, because {settings_path(owners[0])} has [services.{name}.database] already",
            next_step="choose another name, or change that table",
        )
    if not having:
        raise UsageError(
            f"nothing was written, because {path} is there and no environment has [services.{name}]",
            next_step=f"add [services.{name}] to an environment first, or choose another name",
        )
    if not (layout.folder / layout.stacks / "data.py").is_file():
        raise UsageError(
            f"nothing was written, because the project has no {layout.stacks / 'data.py'} for databases",
            next_step="copy it from a project that `holdfast init` wrote, or choose another name",
        )
    changed = _connected(layout, name, path)
    tables = {settings_path(each): _table(name) for each in having}
    steps = _next_steps(having[0], name, f"data, network and {name}")
    return Draft(layout.folder, {}, tables, {path: changed}).write(steps)


def _next_steps(environment: str, name: str, stacks: str) -> tuple[str, ...]:
    return (
        f"choose class and storage_gib of [services.{name}.database] in each environment",
        f"pytest --snapshot-update, and read what it wrote of {stacks}",
        f"holdfast plan --env {environment}",
        f"holdfast deploy --env {environment}",
    )


def _table(name: str) -> str:
    lines = ("", f"[services.{name}.database]", 'class = "db.t4g.medium"', "storage_gib = 20")
    return "\n".join(lines) + "\n"


def _connected(layout: Layout, name: str, path: str) -> str:
    """Return the text of a service's stack with the database in it."""
    file = layout.folder / path
    try:
        text = read_source(file).decode()
        tree = ast.parse(text)
    except (OSError, UnicodeError) as error:
        raise SettingsError.unreadable(file, error) from error
    except SyntaxError as error:
        raise SettingsError(f"{file} is not Python: {error}", next_step="correct it") from None
    place = _found(tree, name)
    if place is None:
        raise UsageError(
            f"nothing was written, because {path} has no class with @service({name!r}), `settings: Service`"
            " and one WebService",
            next_step=_BY_HAND,
        )
    return _changed(text, place, {"name": name, "package": layout.package})


def _found(tree: ast.Module, name: str) -> _Place | None:
    """Return where to change a stack as `holdfast new service` writes it; None in one of another shape."""
    imports = [each for each in tree.body if _imports_service(each)]
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef) and _is_service(each, name)]
    if len(imports) != 1 or len(classes) != 1:
        return None
    for function in classes[0].body:
        match function:
            case ast.FunctionDef(
                name="__init__", args=ast.arguments(args=[*_, ast.arg(annotation=annotation)])
            ):
                services = [each for each in function.body if _web_service(each) is not None]
                if len(services) != 1 or not isinstance(annotation, ast.Name) or annotation.id != "Service":
                    return None
                attribute = _web_service(services[0]) or ""
                after, column = services[0].end_lineno or 0, services[0].col_offset
                only = imports[0]
                assert isinstance(only, ast.ImportFrom)  # noqa: S101 - as _imports_service has seen
                return _Place(
                    imports=only,
                    annotation=annotation,
                    after=after,
                    service=attribute,
                    indent=" " * column,
                )
    return None


def _imports_service(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(
            module="holdfast_constructs.settings", names=[ast.alias(name="Service", asname=None)]
        ):
            return node.lineno == node.end_lineno
    return False


def _is_service(node: ast.ClassDef, name: str) -> bool:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="service"), args=[ast.Constant(value=value)], keywords=[]):
                return bool(value == name)
    return False


def _web_service(node: ast.stmt) -> str | None:
    """Return the attribute that a statement assigns a WebService to."""
    match node:
        case ast.Assign(
            targets=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)],
            value=ast.Call(func=ast.Name(id="WebService")),
        ):
            return attribute
    return None


def _changed(text: str, place: _Place, words: Mapping[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    name, package = words["name"], words["package"]
    call = f'self.{place.service}.connect_to(site.stack(Data).databases["{name}"], user="{user_of(name)}")'
    lines.insert(place.after, f"{place.indent}{call}\n")
    row, column = place.annotation.lineno - 1, place.annotation.col_offset
    # The column counts bytes, and what is before it may be other letters than ASCII.
    before = lines[row].encode()[:column].decode()
    lines[row] = f"{before}Database{lines[row][len(before) :]}"
    lines[place.imports.lineno - 1] = "from holdfast_constructs.settings import DatabaseService\n"
    imported = f"from {package}.data import Data\n"
    if imported not in lines:
        lines.insert(_sorted_place(lines, place.imports.lineno, package, imported), imported)
    return "".join(lines)


def _sorted_place(lines: list[str], after: int, package: str, imported: str) -> int:
    """Return the index of the line before which an import of the package is in order."""
    index = after
    own = re.compile(rf"from {re.escape(package)}\b")
    while index < len(lines) and own.match(lines[index]) and lines[index] < imported:
        index += 1
    return index


def user_of(name: str) -> str:
    """Return the user of PostgreSQL that a service logs in as: its name has no hyphens."""
    return name.replace("-", "_")
