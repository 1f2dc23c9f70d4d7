"""`secval.loads` and `secval.Limits`: the cases that Rust reads too, `json.loads` as the oracle, and what Python adds."""

from __future__ import annotations

import array
import copy
import gc
import json
import math
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secval
from secval import JSONError, Limits, UsageError, loads

CASES = Path(__file__).resolve().parents[1] / "data" / "json"


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file."""
    read: list[dict[str, Any]] = json.loads((CASES / name).read_text("utf-8"))
    return read


def case_bytes(case: dict[str, Any]) -> bytes:
    """The text of a case as bytes."""
    return bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()


def case_limits(case: dict[str, Any]) -> Limits:
    """The ceilings of a case."""
    return Limits(**case.get("limits", {}))


def assert_same(found: object, expected: object) -> None:
    """Equal, and of exactly the same types all the way down; without recursion."""
    todo: list[tuple[object, object]] = [(found, expected)]
    while todo:
        left, right = todo.pop()
        assert type(left) is type(right)
        if isinstance(left, dict) and isinstance(right, dict):
            assert list(left) == list(right)
            todo.extend((left[name], right[name]) for name in right)
            todo.extend(zip(left, right, strict=True))
        elif isinstance(left, list) and isinstance(right, list):
            assert len(left) == len(right)
            todo.extend(zip(left, right, strict=True))
        else:
            # A float's repr tells -0.0 from 0.0, and no two doubles have the same.
            assert repr(left) == repr(right)


def read_like_json(text: bytes) -> Any:
    """`json.loads`, where the file does not go over Python's own limit on digits."""
    return json.loads(text)


def refusal(text: object, limits: Limits | None = None) -> JSONError:
    """The error that a text ends in."""
    with pytest.raises(JSONError) as caught:
        loads(text, limits=limits or Limits())  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("case", cases("refused.json"), ids=lambda case: case["reason"])
def test_every_refusal_has_its_reason_and_place(case: dict[str, Any]) -> None:
    text = case_bytes(case)
    inputs: list[object] = [text, bytearray(text), memoryview(text)]
    if "text" in case:
        inputs.append(case["text"])
    for given_text in inputs:
        error = refusal(given_text, case_limits(case))
        found = {
            "reason": error.code,
            "offset": error.offset,
            "pos": error.pos,
            "line": error.line,
            "column": error.column,
            "pointer": error.pointer,
        }
        assert found == {key: case[key] for key in found}
        assert (error.lineno, error.colno) == (error.line, error.column)
        assert error.msg in str(error)
        assert f"line {error.line} column {error.column}" in str(error)


@pytest.mark.parametrize("case", cases("accepted.json"), ids=lambda case: case["text"][:20])
def test_what_is_json_is_read_as_json_reads_it(case: dict[str, Any]) -> None:
    text = case_bytes(case)
    expected = read_like_json(text)
    for given_text in (text, bytearray(text), memoryview(text), case["text"]):
        assert_same(loads(given_text, limits=case_limits(case)), expected)


def test_the_suite_is_read_as_json_reads_it(suite: Callable[[str], Path]) -> None:
    refused = []
    for path in sorted(suite("json-test-suite/test_parsing").glob("*.json")):
        text = path.read_bytes()
        if path.name.startswith("y"):
            try:
                assert_same(loads(text), json.loads(text))
                assert_same(loads(text.decode()), json.loads(text))
            except JSONError as error:
                refused.append((path.name, error.code))
        elif path.name.startswith("n"):
            refusal(text)
        else:
            try:
                assert_same(loads(text), json.loads(text))
            except JSONError:
                continue
    assert refused == [
        ("y_object_duplicated_key.json", "json.duplicate_key"),
        ("y_object_duplicated_key_and_value.json", "json.duplicate_key"),
    ]


def test_real_payloads_are_read_as_json_reads_them(suite: Callable[[str], Path]) -> None:
    paths = sorted(suite("github-webhooks").glob("*.json"))
    assert len(paths) > 50
    for path in paths:
        text = path.read_bytes()
        assert_same(loads(text), json.loads(text))
        assert_same(loads(text.decode()), json.loads(text))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=12), inner, max_size=20
        )
    ),
    max_leaves=60,
)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 0, 3]))
def test_what_json_writes_is_read_back(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert_same(loads(text), value)
    assert_same(loads(text.encode()), value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused_in_place(text: bytes | str) -> None:
    fault = None
    try:
        assert_same(loads(text), json.loads(text))
    except JSONError as error:
        fault = error
    if fault is not None:
        size = len(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        assert 0 <= fault.offset <= size
        assert 0 <= fault.pos <= len(text)


def test_pos_is_an_index_into_the_str() -> None:
    text = '["é😀",\n "ü", x]'
    error = refusal(text)
    assert text[error.pos] == "x"
    assert text.encode()[error.offset : error.offset + 1] == b"x"
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    theirs = caught.value
    assert (error.pos, error.lineno, error.colno) == (theirs.pos, theirs.lineno, theirs.colno)


def test_lone_surrogates_in_a_str() -> None:
    text = '{"é": ["😀\ud800"]}'
    error = refusal(text)
    assert error.code == "json.surrogate"
    assert text[error.pos] == "\ud800"
    assert (error.line, error.column, error.pointer) == (1, 10, "/é/0")
    # In that order they are two characters of a str, and not the one that UTF-8 would spell.
    assert refusal('"\ud83d\ude00"').code == "json.surrogate"


def test_a_str_is_no_encoding() -> None:
    assert (refusal('"\0a"').code, refusal('"\0a"').offset) == ("json.control", 1)
    assert (refusal("\0").code, refusal("[\0]").offset) == ("json.expected_value", 1)
    assert refusal(b'"\0a\0"\0').code == "json.utf16"
    assert refusal("\ufeff[]").code == "json.bom"


def test_other_types_are_type_errors() -> None:
    for text in (None, 1, ["[]"], {"a": 1}, object()):
        with pytest.raises(TypeError, match="expected str or a bytes-like object"):
            loads(text)  # type: ignore[arg-type]
    released = memoryview(b"[]")
    released.release()
    with pytest.raises(ValueError, match="released"):
        loads(released)
    with pytest.raises(TypeError):
        loads("[]", Limits())  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        loads("[]", limits={"max_depth": 1})  # type: ignore[arg-type]


def test_other_buffers() -> None:
    class Bytes(bytes):
        """A subclass may not change what is read."""

        def decode(self, *_: object, **__: object) -> str:
            return "[2]"

    class Str(str):
        __slots__ = ()

        def encode(self, *_: object, **__: object) -> bytes:
            return b"[2]"

    for text in (
        Bytes(b"[1]"),
        Str("[1]"),
        array.array("B", b"[1]"),
        memoryview(b"x[1]x")[1:4],
        memoryview(b"[.1.].")[::2],
    ):
        assert loads(text) == [1]  # type: ignore[arg-type]
    assert refusal(Str("[\ud800]")).code == "json.surrogate"


def test_results_are_ordinary_and_independent() -> None:
    text = b'[{"a": {"b": [1, "x"]}}, {"a": {"b": [1, "x"]}}]'
    first, second = loads(text)
    first["a"]["b"].append(2)
    first["a"]["c"] = None
    del first["a"]
    assert second == {"a": {"b": [1, "x"]}}
    assert loads(text)[0] == second
    assert gc.is_tracked(loads(b"[[1]]"))
    assert sys.getrefcount(loads(b'{"q": "not interned, one owner"}')["q"]) <= 2


def test_integers_are_exact_and_floats_stay_floats() -> None:
    assert loads(b"1" + b"0" * 400) == 10**400
    for text in ("9" * 1024, "-" + "7" * 1023, "-9223372036854775809", "18446744073709551615"):
        assert loads(text) == int(text)
        assert type(loads(text)) is int
    long = "3" * 20_000
    sys_limit = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(0)
        assert loads(long, limits=Limits(max_number_chars=30_000)) == int(long)
    finally:
        sys.set_int_max_str_digits(sys_limit)
    assert type(loads("1.0")) is float
    assert math.copysign(1, loads("-0.0")) == -1
    assert loads("-0") == 0
    assert type(loads("-0")) is int


def test_numbers_have_a_ceiling_that_no_caller_can_lift() -> None:
    most = 2**18
    with pytest.raises(UsageError, match=f"max_number_chars is an int from 1 to {most}"):
        Limits(max_number_chars=most + 1)
    limits = Limits(max_number_chars=most)
    digits = "1" + "0" * (most - 2) + "7"
    found = loads(digits, limits=limits)
    assert found % 10**20 == 7
    assert found // 10 ** (most - 1) == 1
    with pytest.raises(JSONError) as caught:
        loads(digits + "0", limits=limits)
    assert caught.value.code == "json.number_chars"


@pytest.mark.parametrize("name", ["max_depth", "max_bytes", "max_nodes", "max_members"])
def test_ceilings_are_ints_that_a_text_can_reach(name: str) -> None:
    wrong: Any
    for wrong in (-1, 2**32, 10**30):
        with pytest.raises(UsageError, match=f"{name} is an int from"):
            Limits(**{name: wrong})
    for wrong in (True, 1.0, "1"):
        with pytest.raises(TypeError, match=f"{name} is an int, not"):
            Limits(**{name: wrong})
    assert getattr(Limits(**{name: 2**32 - 1}), name) == 2**32 - 1


def test_limits_are_values() -> None:
    limits = Limits(max_depth=3, max_bytes=10)
    assert limits == Limits(max_depth=3, max_bytes=10) != Limits()
    assert hash(limits) == hash(copy.copy(limits))
    assert pickle.loads(pickle.dumps(limits)) == limits
    assert repr(Limits()) == (
        "Limits(max_depth=64, max_bytes=None, max_nodes=None, max_members=None,"
        " max_string_bytes=None, max_number_chars=1024)"
    )
    assert eval(repr(limits), {"Limits": Limits}) == limits
    with pytest.raises(AttributeError):
        limits.max_depth = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        Limits(3)  # type: ignore[call-arg]
    for name in ("max_depth", "max_number_chars"):
        with pytest.raises(TypeError, match=f"{name} is an int, not NoneType"):
            Limits(**{name: None})  # type: ignore[arg-type]


def test_an_error_keeps_nothing_of_the_text() -> None:
    text = b'{"name": "' + b"x" * 1000 + b'", oops}'
    before = sys.getrefcount(text)
    try:
        loads(text)
    except JSONError as caught:
        error = caught
    assert sys.getrefcount(text) == before
    assert "x" * 10 not in str(error) + repr(error.args)
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.pos, again.pointer) == (error.code, error.pos, error.pointer)
    assert isinstance(error, ValueError)
    assert isinstance(error, secval.SecvalError)


def test_a_repeated_name_is_not_in_the_message() -> None:
    error = refusal(b'{"hunter2": 1, "hunter2": 2}')
    assert error.pointer == "/hunter2"
    assert "hunter2" not in str(error)


def test_many_threads() -> None:
    text = json.dumps(
        [{"id": n, "name": f"n{n}", "tags": ["a", "b"]} for n in range(3000)]
    ).encode()
    expected = json.loads(text)
    failures: list[object] = []

    def work() -> None:
        for _ in range(5):
            if loads(text) != expected:
                failures.append("differs")
            try:
                loads(text[:-1])
            except JSONError as error:
                if error.code != "json.truncated":
                    failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_depth_on_a_small_stack() -> None:
    results: list[object] = []

    def work() -> None:
        deep = b"[" * 100_000 + b"]" * 100_000
        results.append(refusal(deep).code)
        value = loads(deep, limits=Limits(max_depth=100_000))
        depth = 1
        while value:
            value = value[0]
            depth += 1
        results.append(depth)

    threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert results == ["json.depth", 100_000]
