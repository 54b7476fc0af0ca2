"""Finds the line of code that created a resource.

cdktf's own stack traces come from JavaScript and end in the jsii runtime. So the one function all
bindings create objects through, `jsii.create`, is wrapped: each construct remembers its path and
the innermost Python frame that belongs to neither an installed package, the standard library nor
Holdfast's own constructs. That is the line a person can edit, and the construct named beside it is
the one that line asked for, not the parts it is made of.

Nothing here crosses into JavaScript: a walk over a few frames for each construct, microseconds.
"""

from dataclasses import dataclass, field
from typing import Any

import jsii
from cdktf import TerraformDataSource, TerraformResource, TerraformStack
from constructs import Construct

from holdfast_constructs.checking.callers import calling_line

_ORIGIN = "_holdfast_origin"
_INSTALLED = "_holdfast_provenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a construct: its cdktf path, and the file and line that created it.

    `resources` and `others` are those of the whole app, by their paths: resources and data sources, and all
    other constructs. `notes` are what the connections of the app are written from.
    """

    path: str
    label: str
    file: str | None = None
    line: int | None = None
    parent: "Origin | None" = None
    is_stack: bool = False
    resources: "dict[str, Origin]" = field(default_factory=dict, repr=False, compare=False)
    others: "dict[str, Construct]" = field(default_factory=dict, repr=False, compare=False)
    notes: list[Any] = field(default_factory=list, repr=False, compare=False)

    def asked_for(self) -> "Origin":
        """Return the outermost construct that the same line of code created."""
        outermost = self
        parent = self.parent
        if parent is not None and not parent.is_stack:
            outermost = parent
            while (
                outermost.parent is not None
                and not outermost.parent.is_stack
                and _same_line(outermost, outermost.parent)
            ):
                outermost = outermost.parent
        return outermost


def install() -> None:
    """Wrap `jsii.create`, once; later calls do nothing."""
    original = jsii.create
    if getattr(original, _INSTALLED, False):
        return

    def create(klass: type, obj: Any, args: list[Any] | None = None) -> Any:
        if isinstance(obj, Construct):
            _remember(obj, args or [])
        return original(klass, obj, args)

    setattr(create, _INSTALLED, True)
    jsii.create = create


def origin_of(construct: Construct) -> Origin | None:
    """Return the origin of `construct`; None for a construct of cdktf itself."""
    origin: Origin | None = getattr(construct, _ORIGIN, None)
    return origin


def _remember(obj: Construct, args: list[Any]) -> None:
    scope, name = (args[0], str(args[1])) if len(args) > 1 and isinstance(args[0], Construct) else (None, "")
    parent = origin_of(scope) if scope is not None else None
    file, line = calling_line()
    origin = Origin(
        path=f"{parent.path}/{name}" if parent is not None and parent.path else name,
        label=f'{type(obj).__name__} "{name}"',
        file=file,
        line=line,
        parent=parent,
        is_stack=isinstance(obj, TerraformStack),
        resources={} if parent is None else parent.resources,
        others={} if parent is None else parent.others,
        notes=[] if parent is None else parent.notes,
    )
    setattr(obj, _ORIGIN, origin)
    if isinstance(obj, TerraformResource | TerraformDataSource):
        origin.resources[origin.path] = origin
    else:
        origin.others[origin.path] = obj


def _same_line(first: Origin, second: Origin) -> bool:
    return (first.file, first.line) == (second.file, second.line)
