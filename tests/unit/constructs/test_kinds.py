"""Annotations as kinds of value: what is right is accepted, and of what is wrong the very part is named."""

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.checking.kinds import kind_of
from holdfast_constructs.checking.wording import correction, shown
from holdfast_constructs.errors import ArgumentError

Typed = tuple[Any, Any]  # an annotation, and a value that it allows
SIMPLE: st.SearchStrategy[Typed] = st.one_of(
    st.tuples(st.just(str), st.text()),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(float), st.floats() | st.integers()),
    st.tuples(st.just(Literal["a", 1]), st.sampled_from(["a", 1])),
)


def of(generic: Any, *arguments: Any) -> Any:
    """Return `generic[arguments]`, which type checkers take no values for."""
    return generic[arguments if len(arguments) > 1 else arguments[0]]


def _larger(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda each: (of(Sequence, each[0]), [each[1]])),
        inner.map(lambda each: (of(list, each[0]), (each[1], each[1]))),
        inner.map(lambda each: (of(tuple, each[0], ...), [each[1]])),
        inner.map(lambda each: (of(Mapping, str, each[0]), {"x": each[1]})),
        inner.map(lambda each: (each[0] | None, each[1])),
        inner.map(lambda each: (of(Annotated, each[0], "words"), each[1])),
        st.tuples(inner, inner).map(lambda pair: (pair[0][0] | pair[1][0], pair[1][1])),
    )


TYPED = st.recursive(SIMPLE, _larger, max_leaves=6)


def replaced(value: Any, mark: object) -> Any:
    """Return a value whose innermost part is another one."""
    if isinstance(value, list | tuple):
        return [replaced(value[0], mark), *value[1:]] if value else mark
    if isinstance(value, dict):
        return {key: replaced(each, mark) for key, each in value.items()}
    return mark


@given(TYPED)
def test_a_value_that_an_annotation_allows_is_accepted(typed: Typed) -> None:
    annotation, value = typed

    assert kind_of(annotation).accepts(value)


@given(TYPED)
def test_of_a_value_that_is_wrong_inside_the_innermost_part_is_named(typed: Typed) -> None:
    annotation, value = typed
    mark = object()
    wrong = replaced(value, mark)
    kind = kind_of(annotation)

    assert not kind.accepts(wrong)
    place, innermost, part = kind.wrong_part(wrong)
    found = wrong
    for key in place.replace("]", "").split("[")[1:]:
        found = found[key.strip("'")] if isinstance(found, dict) else found[int(key)]
    assert found is part
    assert not innermost.accepts(part)
    assert shown("port", part)
    assert correction(innermost, "port", part)


class Named(Protocol):
    name: str

    @property
    def size(self) -> int: ...


class Thing:
    def __init__(self) -> None:
        self.name = "thing"

    @property
    def size(self) -> int:
        raise AssertionError("a property of cdktf's would ask JavaScript")


Bound = TypeVar("Bound", bound=int)
Name = NewType("Name", str)


class Table(TypedDict):
    a: int


@dataclass(frozen=True)
class Inner:
    sizes: Sequence[int]


KINDS: list[tuple[Any, list[Any], list[Any]]] = [
    (Named, [Thing()], [Thing, "thing", None]),
    (Bound, [1], ["1"]),
    (Name, ["x"], [1]),
    (Table, [{"a": 1}], ["a", [("a", 1)]]),
    (Callable[[int], str], [str, len, lambda each: each], ["len"]),
    (type[int], [int], [1]),
    (Iterable[str], [["a"], ("a",), {"a"}, (each for each in "a")], ["a", b"a", 1, [1]]),
    (Sequence[str], [["a"], ("a",)], ["a", {"a"}, {"a": 1}, None, (each for each in "a")]),
    (frozenset[str], [frozenset("a")], [["a"], "a"]),
    (tuple[int, str], [(1, "a")], [[1, "a"], "a"]),
    (Inner, [Inner([1])], [Inner, {"sizes": [1]}, None]),
    (Inner | None, [None, Inner([1])], ["x", 0]),
    (int, [0, -1], [True, 1.0, "1", None, b"1"]),
    (float, [0, 1.5], [False, "1.5", None]),
    (bool, [True], [0, 1, "true", None]),
    (Any, [1, None], []),
    (typing.Final, [1], []),
    ("a name that nobody resolved", [1], []),
]


@pytest.mark.parametrize(("annotation", "right", "wrong"), KINDS, ids=[str(row[0]) for row in KINDS])
def test_kinds_of_annotation(annotation: Any, right: list[Any], wrong: list[Any]) -> None:
    assert [kind_of(annotation).accepts(value) for value in right] == [True] * len(right)
    assert [kind_of(annotation).accepts(value) for value in wrong] == [False] * len(wrong)


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """A block with a dataclass inside, and an annotation that is a text."""

    inner: Inner
    others: "Mapping[str, Inner]"
    mode: 'Literal["count", "block"]' = "count"


@pytest.mark.parametrize(
    ("given_arguments", "message"),
    [
        ({"inner": [1], "others": {}}, "inner of Outer must be an Inner, got [1] (list)"),
        ({"inner": Inner([]), "others": {"a": 1}}, "others['a'] of Outer must be an Inner, got 1 (int)"),
        ({"inner": Inner([]), "others": {}, "mode": "blok"}, "'count', 'block', got 'blok' (str)"),
        ({"inner": Inner([]), "others": {}, "mode": "blok"}, "did you mean block?"),
        ({"inner": Inner([])}, "Outer needs others; add others=…"),
        ({"iner": Inner([]), "others": {}}, "has no argument 'iner'; did you mean inner?"),
    ],
)
def test_a_dataclass_is_checked_when_it_is_made(given_arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        Outer(**given_arguments)

    assert message in str(raised.value)
    assert isinstance(raised.value, TypeError | ValueError)


class Derived(Outer):
    """A class of a user's: its own parameters are its own."""

    def __init__(self, sizes: str, *more: int, **rest: Any) -> None:
        super().__init__(inner=Inner([len(sizes), *more]), others={}, **rest)


def test_a_class_that_is_derived_keeps_its_own_parameters() -> None:
    derived = Derived([1, 2], 3, mode="block")  # type: ignore[arg-type]

    assert derived.inner.sizes == [2, 3]
    with pytest.raises(ArgumentError, match="mode of Outer"):
        Derived("", mode="other")


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (int, "8080", "write 8080, without quotes"),
        (int, 2.0, "write it without a decimal point"),
        (str, 5432, 'write "5432", in quotes'),
        (str, True, 'write it in quotes: "true" or "false"'),
        (str, ["a"], "write its one element alone"),
        (bool, "true", "write True"),
        (Sequence[str], "subnet-1", "write it in brackets, as a list: ['subnet-1']"),
        (Sequence[str] | None, "subnet-1", "write it in brackets, as a list: ['subnet-1']"),
        (int, None, "give it a value"),
        (int, len, "call it: len(…)"),
        (Inner, "x", "pass an Inner"),
    ],
)
def test_the_correction_is_what_to_write(annotation: Any, value: Any, expected: str) -> None:
    assert correction(kind_of(annotation), "port", value) == expected


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("secrets['KEY']", 12345678),
        ("environment['DB_PASSWORD']", 12345678),
        ("environment", {"DB_PASSWORD": 12345678}),
        ("environment['A']", ["AKIA" + "ABCDEFGHIJKLMNOP"]),
        ("zones", {"AKIA" + "ABCDEFGHIJKLMNOP"}),
    ],
)
def test_a_secret_is_never_shown(place: str, value: Any) -> None:
    for annotation in (str, Sequence[int], bool, int):
        text = f"{shown(place, value)} {correction(kind_of(annotation), place, value)}"
        assert "12345678" not in text
        assert "ABCDEFGH" not in text
