"""How a wrong value is written in an error, and what would correct it.

A value that is, or is called like, a secret is never written; neither is one that belongs to `secrets`.
"""

import inspect
import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any, get_args

from holdfast_constructs._secrets import known_secrets, sounds_secret
from holdfast_constructs._tokens import is_number_token, is_resolvable, is_text_token
from holdfast_constructs.checking.kinds import Kind, with_article

_LONGEST = 80
_WRITTEN = (str, int, float, bool, bytes, list, tuple, dict, set, frozenset, type(None))
_NUMBER = re.compile(r"\s*[+-]?[0-9]+\s*")


class Words(str):
    """Words that stand for a value in an error: written as they are, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(place: str, value: object) -> Words:
    """Return a value as an error writes it, with its type."""
    name = type(value).__name__
    if is_number_token(value) or is_resolvable(value):
        return Words("a token, whose value is known only after a deploy")
    if isinstance(value, type) or inspect.isroutine(value):
        return Words(f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}")
    if not isinstance(value, _WRITTEN):
        return Words(with_article(name))
    if is_secret(place, value):
        return Words(f"{with_article(name)}, not repeated here")
    return Words(_cut(repr(value)) + ("" if value is None else f" ({name})"))


def is_secret(place: str, value: object) -> bool:
    """Whether a value must not be written: by the name of its place, or by what it looks like."""
    words = re.findall(r"\w+", place)
    if "secrets" in words or any(map(sounds_secret, words)):
        return True
    if isinstance(value, Mapping):
        return any(is_secret(f"{place} {key}", each) for key, each in value.items())
    return any(known_secrets(str(value)))


def correction(kind: Kind, place: str, value: object) -> str:
    """Return what to write instead."""
    expected = [each.expects for each in kind.options or (kind,)]
    for wanted in expected:
        for is_so, words in _CORRECTIONS.get(wanted, ()) if isinstance(wanted, Hashable) else ():
            if is_so(value):
                return words.format(value="…" if is_secret(place, value) else _plain(value))
    if inspect.isroutine(value):
        return f"call it: {getattr(value, '__name__', '')}(…)"
    made = next(filter(None, map(_made_from_text, expected)), None)
    if made is not None and isinstance(value, str):
        return f"write {made}({'…' if is_secret(place, value) else repr(value)})"
    return "give it a value" if value is None else f"pass {kind.words}"


def _plain(value: object) -> str:
    return str(value).strip()[:_LONGEST]


def _made_from_text(expected: object) -> str | None:
    """Return `Image.of` for a class that has such a way from a text to an instance."""
    of = getattr(expected, "of", None)
    if not isinstance(expected, type) or not inspect.ismethod(of):
        return None
    parameters = inspect.signature(of).parameters.values()
    needed = [each.annotation for each in parameters if each.default is each.empty]
    takes_text = len(needed) == 1 and str in (needed[0], *get_args(needed[0]))
    return f"{expected.__name__}.of" if takes_text else None


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_TO_NUMBER = "write {value}, without quotes"
_CORRECTIONS: Mapping[Any, tuple[tuple[Callable[[Any], bool], str], ...]] = {
    int: (
        (is_text_token, "pass it as a number: Token.as_number(…)"),
        (is_resolvable, "pass it as a number: Token.as_number(…)"),
        (lambda value: isinstance(value, str) and bool(_NUMBER.fullmatch(value)), _TO_NUMBER),
        (_is_whole, "write it without a decimal point"),
    ),
    float: ((lambda value: isinstance(value, str) and bool(_NUMBER.fullmatch(value)), _TO_NUMBER),),
    str: (
        (is_number_token, "pass it as a text: Token.as_string(…)"),
        (is_resolvable, "pass it as a text: Token.as_string(…)"),
        (_is_bool, 'write it in quotes: "true" or "false"'),
        (_is_number, 'write "{value}", in quotes'),
        (lambda value: isinstance(value, list | tuple) and len(value) == 1, "write its one element alone"),
    ),
    bool: (
        (is_resolvable, "decide it in Python: what is built depends on it"),
        (lambda value: value in ("true", "True", 1), "write True"),
        (lambda value: value in ("false", "False", 0), "write False"),
    ),
    list: ((lambda value: isinstance(value, str), "write it in brackets, as a list: [{value!r}]"),),
}
