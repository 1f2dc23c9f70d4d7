"""Python values judged as documents: what `Schema` makes of `dict`, `list`, `float`, `Decimal` and of what JSON cannot say."""

from __future__ import annotations

import collections
import decimal
import enum
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secval import Schema

ANYTHING = Schema(True)


def kind(value: object) -> str:
    """The type of a value, as a schema sees it; `number` only for what is no `integer`."""
    names = ("null", "boolean", "integer", "number", "string", "array", "object")
    return next(name for name in names if Schema({"type": name}).is_valid(value))


def fault(value: object) -> tuple[str, str]:
    """Code and pointer of the one violation of a value that JSON cannot say."""
    (violation,) = ANYTHING.check(value)
    assert violation.keyword == "json"
    assert not ANYTHING.is_valid(value)
    return violation.code, violation.pointer


class Colour(enum.StrEnum):
    """A `str` that has methods of its own."""

    RED = "red"

    def __str__(self) -> str:
        return "blue"


class Loud(int):
    """An `int` that lies about itself."""

    def __repr__(self) -> str:
        return "7"

    __str__ = __repr__

    def bit_length(self) -> int:
        return 1

    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "integer"),
        (10**400, "integer"),
        (-(2**63), "integer"),
        (1.0, "integer"),
        (1.5, "number"),
        (1e300, "integer"),
        (decimal.Decimal("1.50"), "number"),
        (decimal.Decimal("1E+3"), "integer"),
        (Colour.RED, "string"),
        ("{}", "string"),
        ([1], "array"),
        ((1, 2), "array"),
        ({"a": 1}, "object"),
        (collections.OrderedDict(a=1), "object"),
        (collections.defaultdict(list), "object"),
        (enum.IntEnum("N", "ONE").ONE, "integer"),  # type: ignore[attr-defined]
    ],
)
def test_types(value: object, expected: str) -> None:
    assert kind(value) == expected


def test_subclasses_are_what_they_hold() -> None:
    assert Schema({"const": "red"}).is_valid(Colour.RED)
    assert Schema({"const": 10**30}).is_valid(Loud(10**30))
    assert not Schema({"const": 7}).is_valid(Loud(10**30))
    assert Schema({"const": 5}).is_valid(Loud(5))

    class Hidden(dict[str, Any]):
        """A `dict` that shows nothing."""

        def items(self) -> Any:
            return iter(())

        def __iter__(self) -> Any:
            return iter(())

        def __len__(self) -> int:
            return 0

    assert not Schema({"maxProperties": 0}).is_valid(Hidden(a=1))


def test_numbers_are_exact() -> None:
    assert Schema({"const": 0.1}).is_valid(0.1)
    assert Schema({"multipleOf": 0.01}).is_valid(decimal.Decimal("19.99"))
    assert not Schema({"maximum": 9007199254740992}).is_valid(9007199254740993)
    assert Schema({"const": 10**400}).is_valid(10**400)
    assert not Schema({"const": 10**400}).is_valid(10**400 + 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), ("json.number_range", "")),
        ([1, float("inf")], ("json.number_range", "/1")),
        ({"a": {"b": decimal.Decimal("NaN")}}, ("json.number_range", "/a/b")),
        ({"a": decimal.Decimal("1E+400")}, ("json.number_range", "/a")),
        (["\ud800"], ("json.surrogate", "/0")),
        ({"x": {"\ud800": 1}}, ("json.surrogate", "/x")),
        ([10**5000], ("json.number_chars", "/0")),
        ([10**1025], ("json.number_chars", "/0")),
        ([10**1024 - 1, 10**1024], ("json.number_chars", "/1")),
    ],
)
def test_what_json_cannot_say_is_a_violation_with_its_place(
    value: object, expected: tuple[str, str]
) -> None:
    assert fault(value) == expected


def test_depth_and_cycles() -> None:
    deep: list[Any] = []
    for _ in range(63):
        deep = [deep]
    assert ANYTHING.is_valid(deep)
    assert fault([deep]) == ("json.depth", "/0" * 64)
    cycle: dict[str, Any] = {}
    cycle["me"] = cycle
    assert fault(cycle) == ("json.depth", "/me" * 64)


@pytest.mark.parametrize("value", [{1: 2}, {None: 1}, {b"a": 1}])
def test_names_are_str(value: object) -> None:
    with pytest.raises(TypeError, match="member names are str, not"):
        ANYTHING.is_valid(value)


@pytest.mark.parametrize("value", [{1, 2}, object(), 1j, [{"a": range(3)}], ...])
def test_other_types_are_type_errors(value: object) -> None:
    with pytest.raises(TypeError, match="JSON has no value for an object of type"):
        ANYTHING.check(value)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=6
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_a_value_is_judged_as_its_text_is(value: Any) -> None:
    same = Schema({"const": value}) if not isinstance(value, bool) else Schema({"enum": [value]})
    text = json.dumps(value).encode()
    assert same.is_valid(value)
    assert same.is_valid(text)
    assert not same.is_valid([value])
