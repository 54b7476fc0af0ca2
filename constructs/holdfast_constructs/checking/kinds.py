"""Annotations as kinds of value: each accepts a value or does not, and has words for what it accepts.

    text, number     str; int and float, of which a bool is none; cdktf's tokens count
    list, dict       any Sequence but a text, any Mapping; each part is looked at
    class            an instance; of a Protocol, anything that has its attributes
    union, literal   one of several

What has no entry here accepts everything: a check that does not know must not refuse.
"""

import inspect
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from holdfast_constructs._tokens import UNKNOWN_CLASS, is_number_token, is_resolvable

Part = tuple[str, "Kind", object]


def _no_parts(_value: Any) -> Iterable[Part]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """What an annotation allows: `words` for one, `plural` for many.

    `has_shape` looks at the value alone, `parts` gives what it is made of, each with the kind it must be of.
    `options` are the kinds of a union.
    """

    words: str
    plural: str
    has_shape: Callable[[Any], bool]
    parts: Callable[[Any], Iterable[Part]] = _no_parts
    options: tuple["Kind", ...] = ()
    expects: object = None

    def accepts(self, value: object) -> bool:
        """Whether a value is of this kind, with all its parts."""
        if self.options:
            return any(option.accepts(value) for option in self.options)
        if self.parts is _no_parts:
            return self.has_shape(value)
        return self.has_shape(value) and all(kind.accepts(part) for _, kind, part in self.parts(value))

    def wrong_part(self, value: object) -> Part:
        """Return the innermost part that is wrong in a value which is not accepted, and where it is."""
        for kind in self.options or (self,):
            if kind.has_shape(value):
                for place, inner, part in kind.parts(value):
                    if not inner.accepts(part):
                        below, innermost, wrong = inner.wrong_part(part)
                        return f"{place}{below}", innermost, wrong
        return "", self, value


ANYTHING = Kind("anything", "anything", lambda _: True)


@cache
def kind_of(annotation: Any) -> Kind:
    """Return the kind of value that an annotation allows; one that cannot be cached is not checked inside."""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin = get_origin(annotation)
    if origin is not None:
        return _kind_of_generic(origin, get_args(annotation))
    if isinstance(annotation, TypeVar):
        return kind_of(annotation.__bound__) if annotation.__bound__ is not None else ANYTHING
    if isinstance(annotation, typing.NewType):
        return kind_of(annotation.__supertype__)
    if isinstance(annotation, type):
        return _kind_of_class(annotation)
    return ANYTHING


def _kind_of_generic(origin: Any, arguments: tuple[Any, ...]) -> Kind:
    if origin in _FORMS:
        return _FORMS[origin](arguments)
    if not isinstance(origin, type) or not issubclass(origin, Iterable) or origin is abc.Iterator:
        return _kind_of_class(origin) if isinstance(origin, type) else ANYTHING
    if issubclass(origin, Mapping):
        return _mapping(*map(kind_of, arguments))
    has_fixed_length = issubclass(origin, tuple) and arguments[1:] != (...,)
    return _kind_of_class(origin) if has_fixed_length else _many(origin, kind_of(arguments[0]))


def _union(arguments: Sequence[Any]) -> Kind:
    options = [kind_of(each) for each in arguments]
    if ANYTHING in options:
        return ANYTHING
    return Kind(
        _or([option.words for option in options]),
        _or([option.plural for option in options]),
        lambda value: any(option.has_shape(value) for option in options),
        options=tuple(options),
    )


def _literal(values: tuple[Any, ...]) -> Kind:
    words = f"one of {', '.join(map(repr, values))}" if len(values) > 1 else repr(values[0])
    allowed = [(type(value), value) for value in values]
    return Kind(words, words, lambda value: (type(value), value) in allowed, expects=values)


def _many(origin: type, inner: Kind) -> Kind:
    # A tuple is written as a list by many, and a list as a tuple by some.
    shape: type | tuple[type, ...] = (list, tuple) if issubclass(origin, tuple | list) else origin

    def has_shape(value: object) -> bool:
        return isinstance(value, shape) and not isinstance(value, str | bytes | Mapping)

    def parts(values: Iterable[object]) -> Iterator[Part]:
        # What can be gone through only once is left to the one who reads it.
        if isinstance(values, abc.Collection):
            for number, value in enumerate(values):
                yield f"[{number}]", inner, value

    word = "set" if issubclass(origin, abc.Set) else "list"
    of = f" of {inner.plural}" if inner is not ANYTHING else ""
    return Kind(f"a {word}{of}", f"{word}s{of}", has_shape, parts, expects=list)


def _mapping(keys: Kind = ANYTHING, values: Kind = ANYTHING) -> Kind:
    def parts(mapping: Mapping[object, object]) -> Iterator[Part]:
        for key, value in mapping.items():
            yield f" key {key!r}", keys, key
            yield f"[{key!r}]", values, value

    of = f" of {values.plural}" if values is not ANYTHING else ""
    return Kind(f"a dict{of}", f"dicts{of}", lambda value: isinstance(value, Mapping), parts, expects=dict)


def _kind_of_class(annotation: type) -> Kind:
    if getattr(annotation, "_is_protocol", False):
        return _protocol(annotation)
    if typing.is_typeddict(annotation):
        return _mapping()
    if issubclass(annotation, str | int | float) and annotation.__module__ == "builtins":
        return _SIMPLE[annotation]
    name = annotation.__name__

    def has_shape(value: object) -> bool:
        is_unknown = type(value).__name__ == UNKNOWN_CLASS and not is_resolvable(value)
        return isinstance(value, annotation) or is_unknown

    return Kind(with_article(name), f"{name} objects", has_shape, expects=annotation)


def _protocol(protocol: type) -> Kind:
    names = sorted(_members(protocol))

    def has_shape(value: object) -> bool:
        return not isinstance(value, type) and all(_has(value, name) for name in names)

    words = f"{with_article(protocol.__name__)} (with {', '.join(names)})"
    return Kind(words, f"{protocol.__name__} objects", has_shape, expects=protocol)


def _members(protocol: type) -> Iterator[str]:
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False) and base is not typing.Protocol:
            names = {**vars(base), **getattr(base, "__annotations__", {})}
            yield from (name for name in names if not name.startswith("_"))


def _has(value: object, name: str) -> bool:
    """Whether a value has an attribute; a property is not evaluated, since cdktf's ask JavaScript."""
    kind: Any = type(value)
    of_class = _names_of(kind)
    if "__getattr__" in of_class:
        return hasattr(value, name)
    return name in of_class or name in getattr(value, "__dict__", ())


@cache
def _names_of(kind: type) -> frozenset[str]:
    return frozenset(name for base in kind.__mro__ for name in vars(base))


def _or(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}" if most else last


def with_article(name: str) -> str:
    """Return a name with the article it takes: `an Image`, `a Scale`."""
    return f"an {name}" if name[:1] in "AEIOUaeio" else f"a {name}"


def _is_int(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or is_number_token(value)


def _is_float(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SIMPLE: Mapping[Any, Kind] = {
    Any: ANYTHING,
    object: ANYTHING,
    inspect.Parameter.empty: ANYTHING,
    str: Kind("a text (str)", "texts", lambda value: isinstance(value, str), expects=str),
    int: Kind("a whole number (int)", "whole numbers", _is_int, expects=int),
    float: Kind("a number (int or float)", "numbers", _is_float, expects=float),
    bool: Kind("True or False", "True or False", lambda value: isinstance(value, bool), expects=bool),
    None: Kind("None", "None", lambda value: value is None),
    type(None): Kind("None", "None", lambda value: value is None),
    abc.Callable: Kind("a function", "functions", callable, expects=abc.Callable),
}

_FORMS: Mapping[Any, Callable[[tuple[Any, ...]], Kind]] = {
    Union: _union,
    types.UnionType: _union,
    Literal: _literal,
    typing.Annotated: lambda arguments: kind_of(arguments[0]),
    type: lambda _: Kind("a class", "classes", lambda value: isinstance(value, type), expects=type),
    abc.Callable: lambda _: _SIMPLE[abc.Callable],
}
