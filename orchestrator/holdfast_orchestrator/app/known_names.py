"""Which environments and services an app has, where its own text proves it: told before the app is run.

Only an app as `holdfast init` writes it is judged: `python -m PACKAGE`, whose `__main__` calls the building
blocks' `main` and nothing else. Its environments are the files in `environments/`. Its services are those
that `@service` and `@shared` name, if every stack of the package is registered with such a decorator, and
nothing else can make one. Of any other app nothing is known here, and nothing is refused.
"""

import ast
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.app.selection import Selection
from holdfast_orchestrator.errors import UsageError, nearest

_APP = re.compile(r"python3? -m (\w+)")
_MAIN = """
import sys
from holdfast_constructs.project import main
if __name__ == "__main__":
    sys.exit(main(__package__))
"""
_REGISTERING = frozenset({"service", "shared"})
# What may be imported without another stack coming from it.
_HARMLESS = frozenset({"cdktf", "constructs", "holdfast_constructs", *sys.stdlib_module_names}).difference(
    {"importlib", "runpy", "pkgutil"}
)
_RUNNING_TEXT = frozenset({"__import__", "exec", "eval"})
_PROVIDERS = "cdktf_cdktf_provider_"
_STACKS = frozenset({"ServiceStack", "TerraformStack"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """What is known of an app: its environments, and its services (None: not known).

    A service per tenant is there as `orders` and `orders-*`, because only the settings say which tenants
    there are. `everywhere` says that each environment has a stack for certain.
    """

    environments: tuple[str, ...]
    services: frozenset[str] | None
    everywhere: bool

    def refuse(self, selection: Selection) -> None:
        """Raise UsageError for what a selection asks for and the app does not have for certain."""
        for name in selection.environments:
            if name not in self.environments:
                raise _unknown("environment", "--env", name, self.environments)
        for name in selection.services if self.services is not None else ():
            if not any(fnmatchcase(name, each) for each in self.services or ()):
                raise _unknown("service", "--service", name, self.services or ())
        if not selection.environments and self._spans_several(selection):
            raise UsageError(
                f"this is about {len(self.environments)} environments: {', '.join(self.environments)}",
                next_step=f"name what is meant, for example: holdfast … --env {self.environments[0]}",
            )

    def _spans_several(self, selection: Selection) -> bool:
        is_narrowed = bool(selection.services or selection.stacks)
        return (
            selection.one_environment and self.everywhere and len(self.environments) > 1 and not is_narrowed
        )


def known_names(project: ProjectFile, environ: Mapping[str, str]) -> KnownNames | None:
    """Return what the text of an app proves of its names; None where it proves nothing."""
    app = _APP.fullmatch(project.app.strip())
    # With this variable Python does not look for the package in the folder of the app.
    if app is None or environ.get("PYTHONSAFEPATH"):
        return None
    package = project.folder / app[1]
    if not _is_main(package / "__main__.py"):
        return None
    folder = project.folder / (environ.get("HOLDFAST_ENVIRONMENTS") or "environments")
    environments = tuple(sorted(file.stem for file in folder.glob("*.toml")))
    if not environments:
        return None
    registry = _registry(package)
    return KnownNames(
        environments=environments,
        services=None if registry is None else frozenset(registry),
        everywhere=registry is not None and True in registry.values(),
    )


def _unknown(what: str, option: str, name: str, names: Collection[str]) -> UsageError:
    meant, quoted = nearest(name, names), shlex.quote(name)
    made = f"holdfast new env {quoted}" if option == "--env" else f"holdfast new service {quoted}"
    return UsageError(
        f"{option} {name!r}: the app has no such {what}; there are: {', '.join(sorted(names))}",
        next_step=made if meant is None else f"if you mean it: holdfast … {option} {meant}",
    )


def _is_main(file: Path) -> bool:
    tree = _parsed(file)
    if tree is None:
        return False
    if tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant):
        tree.body = tree.body[1:]
    return ast.dump(tree) == ast.dump(ast.parse(_MAIN))


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return None


def _registry(package: Path) -> dict[str, bool] | None:
    """Return each service that the stacks of a package are registered as, and whether it is everywhere.

    None where a stack may come from anything else.
    """
    found: dict[str, bool] = {}
    for file in sorted(package.rglob("*.py")):
        tree = _parsed(file)
        if tree is None:
            return None
        if file.name == "__main__.py":
            continue
        module = _Module.of(tree, package.name)
        if any(map(module.may_make_another, ast.walk(tree))):
            return None
        for name, everywhere, per_tenant in module.decorators.values():
            found[name] = everywhere
            if per_tenant:
                found[f"{name}-*"] = False
    return found


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of stacks: the registering functions that it imports, and where it decorates with them.

    `decorators` are the services by the node of the function's name, each with whether it is everywhere, and
    whether it may be one per tenant.
    """

    package: str
    imported: frozenset[str]
    decorators: Mapping[ast.expr, tuple[str, bool, bool]]

    @classmethod
    def of(cls, tree: ast.Module, package: str) -> "_Module":
        froms = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
        imported = {each.name for node in froms for each in node.names} & _REGISTERING
        classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        every = [each for node in classes for each in node.decorator_list]
        return cls(package, frozenset(imported), dict(_decorating(every, imported)))

    def may_make_another(self, node: ast.AST) -> bool:
        """Whether a stack that no decorator names may come from this node."""
        match node:
            case ast.Import() | ast.ImportFrom():
                return not self._is_harmless(node)
            case ast.ClassDef(bases=bases, decorator_list=decorators):
                registered = any(
                    isinstance(each, ast.Call) and each.func in self.decorators for each in decorators
                )
                return any(map(_names_a_stack, bases)) and not registered
            case ast.Call(func=ast.Attribute(attr=name)) if name in _REGISTERING:
                return True
            case ast.Call(func=function):
                return _names_a_stack(function)
            case ast.Name(id=name):
                return name in self.imported | _RUNNING_TEXT and node not in self.decorators
        return False

    def _is_harmless(self, node: ast.Import | ast.ImportFrom) -> bool:
        if any(
            each.name == "*" or (each.asname and each.name in _STACKS | _REGISTERING) for each in node.names
        ):
            return False
        if isinstance(node, ast.Import):
            return all(self._is_known(each.name) for each in node.names)
        return node.level > 0 or self._is_known(node.module or "")

    def _is_known(self, module: str) -> bool:
        first = module.partition(".")[0]
        return first in _HARMLESS or first == self.package or first.startswith(_PROVIDERS)


def _decorating(
    decorators: Iterable[ast.expr], imported: Collection[str]
) -> Iterator[tuple[ast.expr, tuple[str, bool, bool]]]:
    for decorator in decorators:
        match decorator:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name))], keywords=keywords):
                if kind in imported:
                    is_everywhere = kind == "shared" and not keywords
                    yield decorator.func, (name, is_everywhere, kind == "service" and bool(keywords))


def _names_a_stack(node: ast.expr) -> bool:
    return getattr(node, "id", getattr(node, "attr", None)) in _STACKS
