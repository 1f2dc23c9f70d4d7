"""`secval.Schema`: what it accepts as schema and as data, what it tells, and that it judges as `jsonschema_rs` does.

The oracle is the package `jsonschema_rs`, in a version of its own. Generated schemas keep to patterns and formats of which
all engines think alike, and to numbers that doubles hold exactly.
"""

from __future__ import annotations

import array
import collections
import gc
import inspect
import json
import logging
import pickle
import threading
import types
import weakref
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secval
from secval import JSONError, PolicyError, Schema, UsageError, ValidationError, Violation, _log

PAYMENT = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "currency": {"enum": ["EUR", "USD"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "additionalProperties": False,
    "$defs": {
        "line": {"type": "object", "properties": {"sku": {"type": "string", "pattern": "^[A-Z]+$"}}}
    },
}


def places(violations: list[Violation] | tuple[Violation, ...]) -> list[tuple[str, str]]:
    """Pointer and keyword of each."""
    return [(violation.pointer, violation.keyword) for violation in violations]


def faults(schema: Any, **options: Any) -> list[tuple[str, str]]:
    """What is wrong with a schema: pointer and message of each fault."""
    with pytest.raises(PolicyError) as caught:
        Schema(schema, **options)
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


# ---- what data is ----


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_text_and_are_read_strictly(kind: Any) -> None:
    schema = Schema(PAYMENT)
    assert schema.is_valid(kind(b'{"amount": 12}'))
    assert not schema.is_valid(kind(b'{"amount": 0}'))
    assert not schema.is_valid(kind(b'{"amount": 1, "amount": 2}')), "a repeated name"
    assert not schema.is_valid(kind(b'{"amount": 1'))


def test_anything_else_is_a_value() -> None:
    text = Schema({"type": "string", "maxLength": 3})
    assert text.is_valid("{}"), "a str is a string"
    assert not text.is_valid(b"{}"), "bytes are a text: an object"
    assert text.is_valid(b'"{}"')
    schema = Schema(PAYMENT)
    assert schema.is_valid({"amount": 12})
    assert schema.is_valid(collections.OrderedDict(amount=12))
    assert not schema.is_valid({"amount": True}), "a bool is no integer"
    assert schema.is_valid({"amount": 12.0}), "an integer by value"
    assert not schema.is_valid({"amount": float("nan")})
    with pytest.raises(TypeError):
        schema.is_valid(object())


def test_loads_reads_str_too() -> None:
    schema = Schema(PAYMENT)
    expected = {"amount": 12, "lines": [{"sku": "A", "more": [1.5, None, True, "é"]}]}
    for text in (json.dumps(expected), json.dumps(expected).encode()):
        found = schema.loads(text)
        assert found == expected
        assert found is not schema.loads(text)
        assert found["lines"] is not schema.loads(text)["lines"]
    with pytest.raises(TypeError):
        schema.loads({"amount": 12})  # type: ignore[arg-type]


# ---- what is told ----


def test_check_lists_all_and_validate_raises_them() -> None:
    schema = Schema(PAYMENT)
    bad = {"amount": 0, "currency": "GBP", "lines": [{"sku": "A"}, {"sku": "b"}], "x": 1}
    expected = {
        ("/amount", "minimum"),
        ("/currency", "enum"),
        ("/lines/1/sku", "pattern"),
        ("", "additionalProperties"),
    }
    for data in (bad, json.dumps(bad).encode()):
        assert set(places(schema.check(data))) == expected
        assert len(schema.check(data, limit=2)) == 2
        assert schema.check(data, limit=0) == []
        assert len(schema.check(data, limit=10**30)) == 4
        for limit in (-1, True, 1.0, "1"):
            with pytest.raises(UsageError, match="limit is an int from 0 up"):
                schema.check(data, limit=limit)  # type: ignore[arg-type]
        with pytest.raises(ValidationError) as caught:
            schema.validate(data)
        assert set(places(caught.value.violations)) == expected
    with pytest.raises(ValidationError) as caught:
        schema.loads(json.dumps(bad))
    assert set(places(caught.value.violations)) == expected
    good = {"amount": 1}
    assert schema.check(good) == schema.check(b'{"amount": 1}') == []
    schema.validate(good)
    schema.validate(b'{"amount": 1}')


def test_malformed_text_is_one_violation_or_an_error() -> None:
    schema = Schema(PAYMENT)
    text = b'{"amount": 1,}'
    (violation,) = schema.check(text)
    assert (violation.pointer, violation.keyword, violation.code) == (
        "",
        "json",
        "json.trailing_comma",
    )
    for judge in (schema.validate, schema.loads):
        with pytest.raises(JSONError) as caught:
            judge(text)
        assert (caught.value.code, caught.value.offset) == ("json.trailing_comma", 13)
    with pytest.raises(JSONError) as caught:
        schema.loads(b'{"amount": 0, "amount": 0}')
    assert caught.value.code == "json.duplicate_key", (
        "that it is no JSON counts before what it says"
    )


def test_messages_say_what_the_schema_wants_and_nothing_that_was_sent() -> None:
    schema = Schema(
        {
            "required": ["id"],
            "properties": {
                "age": {"maximum": 120},
                "name": {"type": ["string", "null"], "maxLength": 5},
                "kind": {"const": "sesame"},
                "tags": {"type": "array", "minItems": 1, "uniqueItems": True},
                "when": {"format": "date"},
            },
        }
    )
    bad = {"age": 4711, "name": "a-secret", "kind": "poppy", "tags": [], "when": "secret"}
    messages = {v.keyword: v.message for v in schema.check(bad)}
    assert messages["maximum"] == "is greater than 120"
    assert messages["maxLength"] == "is longer than 5 characters"
    assert messages["required"] == 'lacks the required member "id"'
    assert messages["format"] == "is no valid date"
    assert messages["minItems"] == "has less than 1 items"
    told = " ".join(messages.values())
    for secret in ("4711", "secret", "sesame", "poppy"):
        assert secret not in told
    assert (
        Schema({"type": ["string", "null"]}).check(1)[0].message == "is not of type null or string"
    )


def test_errors_keep_no_buffer_alive() -> None:
    data = array.array("B", b'{"amount": 0, "x": 1}')
    gone = weakref.ref(data)
    with pytest.raises(ValidationError) as caught:
        Schema(PAYMENT).validate(data)
    error = caught.value
    error.__traceback__ = None
    del data, caught
    gc.collect()
    assert gone() is None
    assert len(error.violations) == 2
    assert pickle.loads(pickle.dumps(error)).violations == error.violations


def test_a_violation_is_a_value() -> None:
    (violation,) = Schema({"type": "string"}).check(1)
    same = Violation(violation.pointer, violation.keyword, violation.code, violation.message)
    assert violation == same
    assert hash(violation) == hash(same)
    assert pickle.loads(pickle.dumps(violation)) == violation
    assert "pointer" not in repr(violation), "names that the sender invented stay out of it"
    assert violation.code == "schema.type"


# ---- what a schema is ----


def test_a_schema_is_a_mapping_a_bool_or_text() -> None:
    for schema in (
        {"type": "integer"},
        types.MappingProxyType({"type": "integer"}),
        collections.OrderedDict(type="integer"),
        '{"type": "integer"}',
        b'{"type": "integer"}',
        bytearray(b'{"type": "integer"}'),
    ):
        assert Schema(schema).is_valid(1)
        assert not Schema(schema).is_valid("1")
    assert Schema(True).is_valid(None)
    assert not Schema(False).is_valid(None)
    for wrong in (1, None, ["type"], object()):
        with pytest.raises(TypeError):
            Schema(wrong)  # type: ignore[arg-type]
    with pytest.raises(JSONError):
        Schema('{"type": "integer", "type": "string"}')


def test_faults_of_a_schema_are_told_together() -> None:
    found = faults(
        {
            "properties": {
                "a": {"type": "text"},
                "b": {"pattern": "(?=x)"},
                "c": {"$ref": "#/$defs/none"},
                "d": {"format": "colour"},
                "e": {"minLength": -1},
            }
        }
    )
    pointers = {pointer for pointer, _ in found}
    assert pointers == {
        "/properties/a/type",
        "/properties/b/pattern",
        "/properties/c/$ref",
        "/properties/d/format",
        "/properties/e/minLength",
    }


def test_nothing_is_fetched() -> None:
    found = faults({"$ref": "https://example.com/schema"})
    assert any("nothing is ever fetched" in message for _, message in found)


@pytest.mark.parametrize(
    ("dialect", "schema", "valid", "invalid"),
    [
        ("draft4", {"minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ("draft4", {"type": "integer"}, 1, 1.0),
        ("draft6", {"exclusiveMinimum": 1}, 2, 1),
        ("draft7", {"if": {"type": "string"}, "then": {"maxLength": 1}}, "a", "ab"),
        ("draft7", {"items": [{"type": "null"}], "additionalItems": False}, [None], [None, 1]),
        ("2019-09", {"dependentRequired": {"a": ["b"]}}, {"b": 1}, {"a": 1}),
        ("2020-12", {"prefixItems": [{"type": "null"}], "items": False}, [None], [None, 1]),
        (None, {"prefixItems": [{"type": "null"}]}, [None], [1]),
    ],
)
def test_each_dialect_is_read_by_its_own_rules(
    dialect: Any, schema: dict[str, Any], valid: object, invalid: object
) -> None:
    compiled = Schema(schema, dialect=dialect)
    for data in (valid, json.dumps(valid).encode()):
        assert compiled.is_valid(data)
    for data in (invalid, json.dumps(invalid).encode()):
        assert not compiled.is_valid(data)


def test_a_schema_may_name_its_dialect_itself() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "minimum": 1,
        "exclusiveMinimum": True,
    }
    assert not Schema(schema).is_valid(1)
    assert not Schema(schema, dialect="2020-12").is_valid(1), "what it says itself counts"
    with pytest.raises(UsageError):
        Schema({}, dialect="draft3")  # type: ignore[arg-type]
    assert faults({"$schema": "https://example.com/mine"})


def test_a_registry_answers_references() -> None:
    registry: dict[str, Any] = {
        "https://example.com/money": {
            "type": "object",
            "required": ["currency"],
            "properties": {"of": {"$ref": "note"}},
        },
        "https://example.com/note": '{"type": "string", "maxLength": 3}',
    }
    schema = Schema(
        {"properties": {"price": {"$ref": "https://example.com/money"}}}, registry=registry
    )
    assert schema.is_valid({"price": {"currency": "EUR", "of": "abc"}})
    assert places(schema.check({"price": {}})) == [("/price", "required")]
    assert places(schema.check(b'{"price": {"currency": 1, "of": "abcd"}}')) == [
        ("/price/of", "maxLength")
    ]


def test_formats_are_asserted_unless_they_are_not() -> None:
    schema = {"format": "ipv4"}
    assert not Schema(schema).is_valid("1.2.3")
    assert Schema(schema, formats=False).is_valid("1.2.3")
    assert faults({"format": "plate"})[0][0] == "/format"
    own = Schema(
        {
            "properties": {
                "a": {"format": "plate"},
                "b": {"format": "nonce"},
                "c": {"format": "date"},
            }
        },
        formats={"plate": "^[A-Z]{1,3}$", "nonce": "any"},
    )
    assert own.is_valid({"a": "AB", "b": "anything", "c": "2024-02-29"})
    assert places(own.check({"a": "ab", "b": "", "c": "2023-02-29"})) == [
        ("/a", "format"),
        ("/c", "format"),
    ]
    assert Schema({"format": "plate"}, formats=False).is_valid("?")
    assert faults({"format": "plate"}, formats={"plate": "("})
    with pytest.raises(UsageError):
        Schema({}, formats={"plate": 1})  # type: ignore[dict-item]


def test_a_closed_schema_refuses_what_it_does_not_declare() -> None:
    schema = {
        "allOf": [{"properties": {"a": {"properties": {"b": {}}}}}, {"$ref": "#/$defs/more"}],
        "$defs": {"more": {"properties": {"c": {"type": "integer"}}}},
    }
    open_, closed = Schema(schema), Schema(schema, closed=True)
    good = {"a": {"b": 1}, "c": 1}
    assert closed.is_valid(good)
    assert closed.loads(json.dumps(good)) == good
    for bad, pointer in (({"d": 1}, ""), ({"a": {"x": 1}}, "/a")):
        for data in (bad, json.dumps(bad).encode()):
            assert open_.is_valid(data)
            assert not closed.is_valid(data)
            assert places(closed.check(data)) == [(pointer, "unevaluatedProperties")]
    both = [("/c", "type"), ("", "unevaluatedProperties")]
    assert places(closed.check({"c": "x", "d": 1})) == both, "first what is declared"


def test_explain_tells_what_runs_where() -> None:
    fused = Schema(PAYMENT).explain()
    assert fused["read"] > 0
    assert (fused["whole"], fused["arbiter"], fused["closed"]) == ({}, [], False)
    whole = Schema({"uniqueItems": True, "not": {"minItems": 3}}, closed=True).explain()
    assert (whole["whole"], whole["closed"]) == ({"uniqueItems": [""], "not": [""]}, True)
    places = Schema({"properties": {"a": {"items": {"uniqueItems": True}}}}).explain()
    assert places["whole"] == {"uniqueItems": ["/a/*"]}
    depends = Schema({"anyOf": [{"required": ["a"]}, {"minProperties": 2}]}, closed=True).explain()
    assert set(depends["whole"]) == {"anyOf", "closed"}
    arbiter = Schema({"properties": {"a": {"unevaluatedItems": False, "contains": {}}}}).explain()
    assert (arbiter["read"], arbiter["arbiter"]) == (0, ["unevaluatedItems"])


# ---- judged twice ----


def test_verify_judges_again_and_finds_no_difference() -> None:
    schema = Schema(PAYMENT, verify=1)
    for data in (b'{"amount": 1}', b'{"amount": 0}', {"amount": 1}, {"x": 1}):
        schema.is_valid(data)
    assert schema.differences == 0
    for wrong in (0, -1, True, "1/1000", 1.0):
        with pytest.raises(UsageError):
            Schema(PAYMENT, verify=wrong)  # type: ignore[arg-type]


def test_a_difference_is_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="secval"):
        _log.difference()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.secval_reason == "schema.difference"  # type: ignore[attr-defined]


def test_the_signature_is_the_documented_one() -> None:
    parameters = inspect.signature(Schema).parameters
    assert list(parameters) == ["schema", "dialect", "closed", "formats", "registry", "verify"]
    assert parameters["formats"].default is True


# ---- many threads ----


def test_one_schema_serves_many_threads() -> None:
    schema = Schema(PAYMENT, verify=3)
    # Some large enough to be read without the GIL.
    lines = [{"sku": "A" * (n % 7 + 1), "n": n} for n in range(2000)]
    good = [json.dumps({"amount": n + 1, "lines": lines[: 1 + 400 * n]}).encode() for n in range(5)]
    bad = [text[:-1] + b', "x": 1}' for text in good] + [good[4].replace(b'"A"', b'"a"', 1)]
    failed: list[str] = []

    def work(seed: int) -> None:
        for n in range(40):
            text = good[(seed + n) % len(good)]
            if schema.loads(text) != json.loads(text) or not schema.is_valid(text):
                failed.append("a good one")
            other = bad[(seed + n) % len(bad)]
            if schema.is_valid(other) or len(schema.check(other)) != 1:
                failed.append("a bad one")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert schema.differences == 0


# ---- held to an oracle ----

NAMES = st.sampled_from(["a", "b", "c", 'quo"te', "a_name_that_is_longer_than_one_block_of_bytes"])
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
LEAVES = st.sampled_from(
    [None, True, False, 0, 1, 2, -1, 1.0, 0.5, "", "a", "ab", "éé", "2020-01-01", "1.2.3.4"]
)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=4),
    max_leaves=12,
)


def one(keyword: str, said: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return said.map(lambda value: {keyword: value})


def keywords(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One keyword and what it says."""
    count = st.integers(0, 3)
    named = st.dictionaries(NAMES, below, max_size=3)
    several = st.lists(below, min_size=1, max_size=3)
    return st.one_of(
        one("type", st.sampled_from(TYPES)),
        one("type", st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)),
        one("enum", st.lists(LEAVES, min_size=1, max_size=3)),
        one("const", VALUES),
        *(
            one(name, st.sampled_from([0, 1, 1.5]))
            for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        ),
        one("multipleOf", st.sampled_from([1, 0.5, 2])),
        *(
            one(name, count)
            for name in (
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "minProperties",
                "maxProperties",
            )
        ),
        one("pattern", st.sampled_from(["^a", "b$", "é", "^$"])),
        one("format", st.sampled_from(["date", "ipv4"])),
        one("items", below),
        one("prefixItems", several),
        one("contains", below),
        one("uniqueItems", st.booleans()),
        one("properties", named),
        one(
            "patternProperties",
            st.dictionaries(st.sampled_from(["^a", "b|c", "^.$"]), below, max_size=2),
        ),
        one("additionalProperties", below),
        one("propertyNames", below),
        one("required", st.lists(NAMES, max_size=2, unique=True)),
        one(
            "dependentRequired",
            st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
        ),
        one("dependentSchemas", named),
        *(one(name, several) for name in ("allOf", "anyOf", "oneOf")),
        *(one(name, below) for name in ("not", "if", "then", "else")),
        one("unevaluatedProperties", below),
        one("unevaluatedItems", below),
        st.just({"properties": {"a": {"$ref": "#"}}}),
    )


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {keyword: said for part in parts for keyword, said in part.items()}


SCHEMAS = st.recursive(
    st.booleans() | one("type", st.sampled_from(TYPES)),
    lambda below: st.lists(keywords(below), min_size=1, max_size=3).map(merged),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(schema=SCHEMAS, values=st.lists(VALUES, min_size=4, max_size=8))
def test_generated_schemas_are_judged_as_the_oracle_does(schema: Any, values: list[Any]) -> None:
    oracle = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    ours = Schema(schema, verify=1)
    closed = Schema(schema, closed=True)
    for value in values:
        text = json.dumps(value).encode()
        expected = oracle.is_valid(value)
        # Twice: the second time the order of its members may be known.
        for data in (text, text, value):
            assert ours.is_valid(data) is expected, (schema, value)
        assert (ours.check(text) == []) is expected
        assert ours.check(value) == ours.check(text)
        if expected:
            assert ours.loads(text) == value
        else:
            with pytest.raises(ValidationError):
                ours.loads(text)
            assert not closed.is_valid(text), "a closed schema refuses more, never less"
    assert ours.differences == 0


@settings(max_examples=200, deadline=None)
@given(schema=SCHEMAS, value=VALUES)
def test_pointers_lead_to_a_value(schema: Any, value: Any) -> None:
    for violation in Schema(schema).check(json.dumps(value).encode()):
        at = value
        for token in violation.pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            at = at[int(name)] if isinstance(at, list) else at[name]


def test_secval_has_the_names() -> None:
    assert {"Schema", "Violation", "ValidationError"} <= set(secval.__all__)
