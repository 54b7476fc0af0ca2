"""The decorator of every block: what it is called with must be what its annotations say.

Only what is public of a class is checked: its constructor and its methods without an underscore. A class that
a user derives keeps its own parameters, and what it hands on to the block's constructor is checked there.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar, get_type_hints

from holdfast_constructs.checking import attributes
from holdfast_constructs.checking.calls import remember_call
from holdfast_constructs.checking.kinds import Kind, kind_of
from holdfast_constructs.checking.wording import correction, shown
from holdfast_constructs.errors import ArgumentError, ConstructError

Thing = TypeVar("Thing", bound=Callable[..., Any])

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def checked(thing: Thing) -> Thing:
    """Make a class or a function refuse arguments that are not what its annotations say.

    A class of constructs also refuses that somebody else overwrites its attributes.
    """
    if not isinstance(thing, type):
        wrapped: Thing = _checking(thing, Arguments(thing, thing.__name__))
        return wrapped
    for name, member in _members(thing).items():
        if name == "__init__" or not name.startswith("_"):
            _check_member(thing, name, member)
    attributes.guard(thing)
    return thing


class Arguments:
    """What a function may be called with; the annotations are read when it is called the first time."""

    def __init__(self, function: Callable[..., Any], name: str, *, bound: bool = False) -> None:
        self._function = function
        self._name = name
        self._is_init = function.__name__ == "__init__"
        parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
        self._skipped = 1 if bound else 0
        self._positional = [each.name for each in parameters if each.kind in _POSITIONAL]
        named = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
        self._all = [*self._positional, *named]
        self._defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
        self._required = [
            each.name for each in parameters if each.default is each.empty if each.name in self._all
        ]
        self._rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")
        self._others = next((each.name for each in parameters if each.kind is each.VAR_KEYWORD), "")
        self._kinds: dict[str, Kind] = {}

    def check(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Raise ArgumentError for an argument that is wrong, one too many, and missing ones."""
        kinds = self._kinds or self._read_kinds()
        makes_construct = self._is_init and args and attributes.is_construct(type(args[0]))
        args = args[self._skipped :]
        self._check_names(args, named)
        for number, value in enumerate(args):
            name = self._positional[number] if number < len(self._positional) else self._rest
            if not kinds[name].accepts(value):
                raise self._wrong(name, value, args)
        for name, value in named.items():
            if not kinds[name if name in kinds else self._others].accepts(value):
                raise self._wrong(name, value, args)
        if makes_construct:
            self._refuse_taken_id({**dict(zip(self._positional, args, strict=False)), **named})

    def _refuse_taken_id(self, given: Mapping[str, Any]) -> None:
        scope, id_ = given.get("scope"), given.get("id_")
        if scope is not None and isinstance(id_, str) and scope.node.try_find_child(id_) is not None:
            raise ConstructError(
                f"the id of {self._name} {id_!r} is taken: {scope.node.id or 'the app'} has one already",
                next_step="give one of the two another id",
            )

    def remember(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Note on the new construct that `args` begin with what it was called with."""
        if self._is_init and attributes.is_construct(type(args[0])):
            given = dict(zip(self._positional, args[self._skipped :], strict=False)) | dict(named)
            remember_call(args[0], self._name, given, self._defaults)

    def _check_names(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        if not self._rest and len(args) > len(self._positional):
            raise self._too_many(args)
        for name in named:
            if name not in self._kinds and not self._others:
                raise self._unknown(name, args)
        for name in self._required:
            if name not in named and name not in self._positional[: len(args)]:
                raise self._missing(args, named)

    def _read_kinds(self) -> Mapping[str, Kind]:
        hints = _hints(self._function)
        names = filter(None, (*self._all, self._rest, self._others))
        self._kinds = {name: kind_of(hints.get(name, Any)) for name in names}
        return self._kinds

    def _wrong(self, name: str, value: object, args: tuple[Any, ...]) -> ArgumentError:
        kind = self._kinds[name if name in self._kinds else self._others]
        below, innermost, wrong = kind.wrong_part(value)
        place = f"{name}{below}"
        return ArgumentError(
            f"{place} of {self._label(args)}",
            got=shown(place, wrong),
            allowed=innermost.words,
            next_step=correction(innermost, place, wrong) + _similar(innermost, wrong),
        )

    def _too_many(self, args: tuple[Any, ...]) -> ArgumentError:
        return ArgumentError(
            f"{self._label(args)} takes no more than {_words(self._positional)} without a name",
            got=shown("", args[len(self._positional)]),
            next_step="write its name before it: name=…",
        )

    def _unknown(self, name: str, args: tuple[Any, ...]) -> ArgumentError:
        return ArgumentError(
            f"{self._label(args)} has no argument {name!r}{_did_you_mean(name, self._all)}",
            listed=", ".join(self._all),
            next_step="rename or remove it",
        )

    def _missing(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> ArgumentError:
        given = {*self._positional[: len(args)], *named}
        missing = [name for name in self._required if name not in given]
        needed = "; ".join(f"{name} is {self._kinds[name].words}" for name in missing)
        return ArgumentError(
            f"{self._label(args)} needs {_words(missing)}",
            listed=needed,
            next_step=f"add {', '.join(f'{name}=…' for name in missing)}",
        )

    def _label(self, args: tuple[Any, ...]) -> str:
        """Return `WebService "api"` for a construct, and the name for anything else."""
        names = dict(zip(self._positional, args, strict=False))
        id_ = names.get("id_", names.get("service")) if self._is_init else None
        return f'{self._name} "{id_}"' if isinstance(id_, str) else self._name


def _members(thing: type) -> Mapping[str, Any]:
    """Return what a class has of its own, and what it has from classes of ours that no user sees."""
    members: dict[str, Any] = {}
    for base in reversed(thing.__mro__):
        if base is thing or (base.__module__.startswith("holdfast_constructs.") and "._" in base.__module__):
            members |= vars(base)
    return members


def _check_member(owner: type, name: str, member: Any) -> None:
    label = owner.__name__ if name == "__init__" else f"{owner.__name__}.{name}"
    if isinstance(member, classmethod):
        function = member.__func__
        setattr(owner, name, classmethod(_checking(function, Arguments(function, label, bound=True))))
    elif isinstance(member, staticmethod):
        setattr(owner, name, staticmethod(_checking(member.__func__, Arguments(member.__func__, label))))
    elif inspect.isfunction(member) and len(inspect.signature(member).parameters) > 1:
        setattr(owner, name, _checking(member, Arguments(member, label, bound=True)))


def _checking(function: Any, arguments: Arguments) -> Any:
    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        arguments.check(args, named)
        result = function(*args, **named)
        arguments.remember(args, named)
        return result

    return call


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the annotations; names that only type checkers import are looked for among the public ones."""
    import holdfast_constructs  # noqa: PLC0415 - the package that imports this module

    names: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(function, localns=names)
        except NameError as error:
            if error.name in names or error.name not in holdfast_constructs.__all__:
                return {}
            names[error.name] = getattr(holdfast_constructs, error.name)


def _similar(kind: Kind, value: object) -> str:
    allowed = kind.expects if isinstance(kind.expects, tuple) else ()
    return _did_you_mean(value, [each for each in allowed if isinstance(each, str)])


def _did_you_mean(value: object, allowed: Iterable[str]) -> str:
    close = get_close_matches(value, list(allowed), n=1, cutoff=0.6) if isinstance(value, str) else []
    return f"; did you mean {close[0]}?" if close else ""


def _words(names: list[str]) -> str:
    *most, last = names or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last
