"""Texts and schemas that were made to cost: each is answered, or refused by a ceiling, on a stack of 256 KiB.

What is bounded is the thread's own time on the processor, ten times as wide as what is promised (100 ms): a mistake in these
places takes minutes. Questions are counted in Rust.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from secval import JSONError, Limits, Schema, loads

MANY = 100_000
PROMISED = 0.1
STACK = 256 * 1024

DEEP_LISTS = "[" * MANY + "]" * MANY
DEEP_OBJECTS = '{"a":' * MANY + "1" + "}" * MANY
MEMBERS = "{" + ",".join(f'"m{n}":{n}' for n in range(MANY)) + "}"
# Names that differ in one place, as a table that looks at a few bytes would mix up.
ALIKE = "{" + ",".join(f'"{"a" * 40}{n:06}{"b" * 40}":0' for n in range(MANY)) + "}"
OBJECTS = "[" + ",".join(f'{{"n":{n},"s":"x{n}"}}' for n in range(MANY)) + "]"
RECURSIVE = Schema({"properties": {"a": {"$ref": "#"}}, "items": {"$ref": "#"}})
BRANCHING = Schema(
    {
        "oneOf": [
            {"type": "object", "properties": {"k": {"$ref": "#"}}, "required": ["k"]},
            {"type": "object", "properties": {"k": {"$ref": "#"}}, "required": ["j"]},
            {"type": "integer"},
        ]
    }
)
KINDS = Schema(
    {
        "items": {
            "oneOf": [
                {"properties": {"kind": {"const": n}}, "required": ["kind"]} for n in range(300)
            ]
        }
    }
)
UNTOLD = Schema({"items": {"oneOf": [{"required": [f"m{n}"]} for n in range(400)]}})
UNIQUE = Schema({"uniqueItems": True})
WANTING = Schema({"required": [f"x{n}" for n in range(300)], "properties": {"q": {}}})
CLOSED = Schema({"properties": {"m1": {}}}, closed=True)
NUMBERS = Schema(
    {"multipleOf": 1234567890123456789012345678901, "minimum": 5, "exclusiveMaximum": 10**300}
)
ROOT = {"$ref": "#"}


def tagged(member: str, tag: int | str, **more: Any) -> dict[str, Any]:
    """A branch that a constant chooses."""
    return {"type": "object", "required": [member], "properties": {member: {"const": tag}, **more}}


# The base and the branch lead to the same child: each level would ask twice of all that is below it.
TAGGED = {
    "a branch and its base": {
        "properties": {"a": ROOT},
        "oneOf": [tagged("k", n, a=ROOT) for n in range(3)],
    },
    "two choices": {
        "allOf": [{"oneOf": [tagged("k", n, a=ROOT) for n in range(3)]} for _ in range(2)]
    },
    "a choice and a condition": {
        "oneOf": [tagged("k", n, a=ROOT) for n in range(3)],
        "if": {"required": ["a"]},
        "then": {"properties": {"a": ROOT}},
    },
}
PREFIX = Schema({"items": ROOT, "oneOf": [{"prefixItems": [{"const": 1}, ROOT]}, {"type": "null"}]})
EXPRESSION = Schema(
    {
        "properties": {"args": {"items": ROOT}},
        "oneOf": [tagged("op", op, args={"type": "array", "items": ROOT}) for op in ("add", "not")],
    }
)
LISTED = [{"n": n, "of": [n]} for n in range(300)]
HUNDREDS = {
    "numbers": Schema({"items": {"enum": list(range(5_000))}}),
    "objects": Schema({"items": {"enum": LISTED}}),
    "objects, by the general validator": Schema(
        {"items": {"enum": LISTED}, "anyOf": [{"minItems": 1}, {}], "unevaluatedItems": False}
    ),
    "dependentSchemas": Schema(
        {"dependentSchemas": {f"m{n}": {"required": [f"m{n + 1}"]} for n in range(300)}}
    ),
    "conditions": Schema(
        {
            "allOf": [
                {"if": {"required": [f"m{n}"]}, "then": {"required": [f"m{n + 1}"]}}
                for n in range(300)
            ]
        }
    ),
    "names": Schema({"propertyNames": {"anyOf": [{"pattern": f"x{n}"} for n in range(300)]}}),
    "anyOf": Schema({"anyOf": [{"required": [f"x{n}"]} for n in range(300)]}),
    "anyOf and unevaluatedProperties": Schema(
        {"anyOf": [{"required": [f"x{n}"]} for n in range(300)], "unevaluatedProperties": False}
    ),
    "anyOf, declared": Schema(
        {"anyOf": [{"properties": {"m1": {"const": n}}} for n in range(300)]}
    ),
    "anyOf, undeclared": Schema(
        {"anyOf": [{"additionalProperties": {"minimum": n}} for n in range(1, 301)]}
    ),
    "anyOf and uniqueItems": Schema(
        {"anyOf": [{"uniqueItems": True, "not": {"minItems": n}} for n in range(300)]}
    ),
    "patterns": Schema({"oneOf": [{"pattern": f"a{{{n}}}b"} for n in range(300)]}),
    "not": Schema({"not": {"anyOf": [{"pattern": f"(a|aa)+b{n}$"} for n in range(300)]}}),
    "not, by the general validator": Schema(
        {
            "not": {
                "items": {"enum": LISTED},
                "anyOf": [{"minItems": 1}, {}],
                "unevaluatedItems": False,
            }
        }
    ),
}
# What is said of one number, or of one text, hundreds of times.
AT_ONCE = {
    "enums of numbers": Schema({"items": {"allOf": [{"enum": [n, 1]} for n in range(2, 300)]}}),
    "divisors": Schema({"items": {"allOf": [{"multipleOf": n} for n in range(1, 301)]}}),
    "bounds": Schema({"items": {"allOf": [{"minimum": n / 8} for n in range(300)]}}),
    "enums of texts": Schema({"items": {"allOf": [{"enum": [str(n), "x"]} for n in range(300)]}}),
    "patterns": Schema({"allOf": [{"pattern": f"a{{{n}}}b"} for n in range(300)]}),
    "required, if another is there": Schema(
        {"items": {"dependentRequired": {f"x{n}": [f"y{n}", "y"] for n in range(500)}}}
    ),
    "constants that choose": Schema(
        {"allOf": [{"oneOf": [tagged(f"x{n}", 1), tagged(f"x{n}", 2)]} for n in range(300)]}
    ),
}
# Its automaton is too large to be laid out.
WAYS = "(a|b)*a(a|b){200}c"
BEYOND = {"anyOf": [{"contains": {"type": "array"}}, {}], "unevaluatedItems": False}
HEAVY = {
    "of one": Schema({"pattern": WAYS}),
    "refused": Schema({"items": {"not": {"pattern": WAYS}}}),
    "refused, by the general validator": Schema({"items": {"not": {"pattern": WAYS}}, **BEYOND}),
    "of names": Schema({"items": {"patternProperties": {WAYS: False}}}),
    "of names, closed": Schema({"items": {"patternProperties": {WAYS: {}}}}, closed=True),
    "of names, by the general validator": Schema(
        {"items": {"patternProperties": {WAYS: False}}, **BEYOND}
    ),
}
TWICE = Schema({"uniqueItems": True, "items": ROOT})
MANY_DIGITS = Schema({"items": {"multipleOf": 1234567890123456789012345678901}})
# Letters in an order that does not repeat.
LETTERS = f"{random.Random(1).getrandbits(10**6):b}".translate({48: "a", 49: "b"})
PIECES = [LETTERS[n : n + 1000] for n in range(0, 10**6, 1000)]
HOSTILE_TEXTS = {
    "one text": json.dumps([LETTERS]).encode(),
    "many texts": json.dumps(PIECES).encode(),
}
HOSTILE_NAMES = {
    "one name": json.dumps([{LETTERS: 1}]).encode(),
    "many names": json.dumps([dict.fromkeys(PIECES, 1)]).encode(),
}
NOTHING_BAD = Schema(
    {"items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}
)
ROOMY = Limits(max_depth=MANY + 1, max_number_chars=2**18)


# What only the general validator can judge.
GENERAL = {
    "anyOf": [{"minItems": 1}, {}],
    "unevaluatedItems": False,
    "unevaluatedProperties": False,
}
ARABIC = json.dumps("\u0627." * 330_000, ensure_ascii=False).encode()
CHAIN = {
    **{
        f"{n}": {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}, {"required": [f"q{n}"]}]}
        for n in range(700)
    },
    "700": {"properties": {"a": {"$ref": "#/$defs/0"}}},
}
CODES = [f"{a}{b}{c}" for a in "ABCDEFGH" for b in "ABCDEFGH" for c in "ABCDEFGH"][:400]


def code(work: Callable[[], Any]) -> Callable[[], Any]:
    """The code of the error that it ends in."""

    def run() -> Any:
        try:
            work()
        except JSONError as error:
            return error.code
        return None

    return run


def nested(end: str, levels: int) -> bytes:
    return ('{"k":' * levels + end + "}" * levels).encode()


def kinds(count: int, kind: int) -> bytes:
    return ("[" + ",".join([f'{{"kind":{kind}}}'] * count) + "]").encode()


def tags(levels: int, last: int = 2) -> bytes:
    return b'{"k":1,"a":' * levels + b'{"k":%d}' % last + b"}" * levels


def tree(levels: int, width: int) -> str:
    if not levels:
        return '{"op":"not"}'
    return '{"op":"add","args":[' + ",".join([tree(levels - 1, width)] * width) + "]}"


def array(item: str, count: int = MANY) -> bytes:
    return ("[" + ",".join([item] * count) + "]").encode()


def verdict(schema: Schema, data: bytes) -> Callable[[], Any]:
    """`True`, or the first code."""

    def run() -> Any:
        told = schema.check(data, limit=1)
        assert schema.is_valid(data) == (not told)
        return told[0].code if told else True

    return run


def heavy(schema: Schema, data: bytes) -> Callable[[], Any]:
    """The codes that are told of a text that is not valid."""

    def run() -> Any:
        assert not schema.is_valid(data)
        return {violation.code for violation in schema.check(data)}

    return run


def lists(schema: Schema, text: str | bytes) -> Callable[[], Any]:
    """The keywords that are told of a text."""
    data = text.encode() if isinstance(text, str) else text
    return lambda: sorted({violation.keyword for violation in schema.check(data)})


ATTACKS: dict[str, tuple[Callable[[], Any], Any]] = {
    "levels": (code(lambda: loads(DEEP_LISTS)), "json.depth"),
    "levels of objects": (code(lambda: loads(DEEP_OBJECTS)), "json.depth"),
    "levels, allowed": (code(lambda: loads(DEEP_LISTS, limits=ROOMY)), None),
    "levels of objects, allowed": (code(lambda: loads(DEEP_OBJECTS, limits=ROOMY)), None),
    "levels under a recursive schema": (lists(RECURSIVE, DEEP_OBJECTS), ["json"]),
    "members": (lambda: len(loads(MEMBERS)), MANY),
    "members that are alike": (lambda: len(loads(ALIKE)), MANY),
    "members, one repeated": (
        code(lambda: loads(ALIKE[:-1] + "," + ALIKE[1:90] + "}")),
        "json.duplicate_key",
    ),
    "members that lack the required": (lambda: WANTING.is_valid(MEMBERS.encode()), False),
    "members that are undeclared": (lists(CLOSED, MEMBERS), ["unevaluatedProperties"]),
    "equal objects": (lists(UNIQUE, OBJECTS[:-1] + ',{"s":"x7","n":7.0}]'), ["uniqueItems"]),
    "objects that are not equal": (lists(UNIQUE, OBJECTS), []),
    "branches that lead on": (lists(BRANCHING, nested("1", 60)), []),
    "branches that lead on to a fault": (lists(BRANCHING, nested('"x"', 60)), ["oneOf", "steps"]),
    "hundreds of kinds": (lambda: KINDS.is_valid(kinds(80_000, 299)), True),
    "hundreds of kinds, and another": (lambda: KINDS.is_valid(kinds(80_000, 300)), False),
    "hundreds of branches": (
        lambda: UNTOLD.check(b"[" + b'{"m399":1},' * 40_000 + b"{}]")[0].code,
        "schema.steps",
    ),
    **{
        f"levels of {name}, closed: {closed}": (
            verdict(Schema(schema, closed=closed), tags(60)),
            True,
        )
        for name, schema in TAGGED.items()
        for closed in (False, True)
    },
    **{
        f"levels of {name}, and a fault": (verdict(Schema(schema), tags(60, 9)), "schema.one_of")
        for name, schema in TAGGED.items()
    },
    "levels of items that are told apart": (
        verdict(PREFIX, b"[1," * 60 + b"1" + b"]" * 60),
        True,
    ),
    "a tree of two": (verdict(EXPRESSION, tree(13, 2).encode()), True),
    "a tree of hundreds": (verdict(EXPRESSION, tree(2, 300).encode()), True),
    "a tree with one fault": (
        verdict(EXPRESSION, tree(13, 2).replace("not", "or", 1).encode()),
        "schema.one_of",
    ),
    "an enum of numbers": (verdict(HUNDREDS["numbers"], array("4999")), True),
    "an enum of numbers, none of it": (
        verdict(HUNDREDS["numbers"], array("4999.5")),
        "schema.enum",
    ),
    "an enum of objects": (verdict(HUNDREDS["objects"], array('{"of":[299],"n":299.0}')), True),
    "an enum of objects, none of it": (
        verdict(HUNDREDS["objects"], array('{"of":[299],"n":298}')),
        "schema.enum",
    ),
    "an enum of objects, by the general validator": (
        verdict(HUNDREDS["objects, by the general validator"], array('{"of":[299],"n":299}')),
        "schema.steps",
    ),
    "members and dependentSchemas": (
        verdict(HUNDREDS["dependentSchemas"], MEMBERS.encode()),
        True,
    ),
    "members and conditions": (verdict(HUNDREDS["conditions"], MEMBERS.encode()), True),
    "members and their names": (
        lists(HUNDREDS["names"], MEMBERS),
        ["propertyNames", "steps"],
    ),
    "members and anyOf": (verdict(HUNDREDS["anyOf"], MEMBERS.encode()), "schema.any_of"),
    "members and anyOf of one": (
        verdict(HUNDREDS["anyOf, declared"], MEMBERS.encode()),
        True,
    ),
    "members and anyOf of all": (
        verdict(HUNDREDS["anyOf, undeclared"], MEMBERS.encode()),
        "schema.any_of",
    ),
    "members and anyOf, by the general validator": (
        verdict(HUNDREDS["anyOf and unevaluatedProperties"], MEMBERS.encode()),
        "schema.any_of",
    ),
    "objects that are not equal, hundreds of times": (
        verdict(HUNDREDS["anyOf and uniqueItems"], OBJECTS.encode()),
        "schema.steps",
    ),
    "hundreds of patterns": (
        verdict(HUNDREDS["patterns"], b'"' + b"a" * 10**6 + b'"'),
        "schema.steps",
    ),
    "what has no answer is not valid by a not": (
        verdict(HUNDREDS["not"], b'"' + b"a" * 10**6 + b'"'),
        "schema.steps",
    ),
    "what has no answer is not valid by a not, by the general validator": (
        verdict(HUNDREDS["not, by the general validator"], array('{"of":[299],"n":299}')),
        "schema.steps",
    ),
    "objects that are not equal, at many levels": (
        verdict(TWICE, ("[" * 60 + OBJECTS + "]" * 60).encode()),
        True,
    ),
    "objects that are equal, below many levels": (
        verdict(TWICE, ("[0," * 60 + OBJECTS[:-1] + ',{"n":0,"s":"x0"}]' + "]" * 60).encode()),
        "schema.unique_items",
    ),
    "enums of numbers, hundreds": (verdict(AT_ONCE["enums of numbers"], array("1")), True),
    "divisors, hundreds": (verdict(AT_ONCE["divisors"], array("0", 10_000)), True),
    "divisors, hundreds, of many": (verdict(AT_ONCE["divisors"], array("0")), "schema.steps"),
    "bounds, hundreds": (verdict(AT_ONCE["bounds"], array("5e1")), True),
    "enums of texts, hundreds": (verdict(AT_ONCE["enums of texts"], array('"x"')), True),
    "patterns, hundreds at once": (
        verdict(AT_ONCE["patterns"], b'"' + b"a" * 10**4 + b'b"'),
        True,
    ),
    "patterns, hundreds at once, and a long text": (
        verdict(AT_ONCE["patterns"], b'"' + b"a" * 10**6 + b'b"'),
        "schema.steps",
    ),
    "required, if another is there": (
        verdict(AT_ONCE["required, if another is there"], array('{"y":1}')),
        True,
    ),
    "required, if all others are there": (
        verdict(
            AT_ONCE["required, if another is there"],
            array("{" + ",".join(f'"x{n}":1,"y{n}":1' for n in range(500)) + ',"y":1}', 100),
        ),
        True,
    ),
    "constants that choose, hundreds": (
        verdict(
            AT_ONCE["constants that choose"],
            json.dumps(
                {f"x{n}": 2 for n in range(300)} | {f"m{n}": n for n in range(2000)}
            ).encode(),
        ),
        True,
    ),
    "constants that choose, hundreds, among many": (
        verdict(
            AT_ONCE["constants that choose"],
            json.dumps(
                {f"x{n}": 2 for n in range(300)} | {f"m{n}": n for n in range(MANY)}
            ).encode(),
        ),
        "schema.steps",
    ),
    **{
        f"a pattern of many ways, {name}: {where}": (heavy(schema, body), {"schema.steps"})
        for name, schema in HEAVY.items()
        if name != "of one"
        for where, body in (HOSTILE_NAMES if "names" in name else HOSTILE_TEXTS).items()
    },
    "a pattern of many ways and a short text": (
        verdict(HEAVY["of one"], json.dumps(LETTERS[:2000]).encode()),
        "schema.pattern",
    ),
    "a pattern of many ways and a short text, matched": (
        verdict(HEAVY["of one"], json.dumps(f"{LETTERS[:2000]}a{LETTERS[:200]}c").encode()),
        True,
    ),
    "many divisors of many digits": (
        verdict(MANY_DIGITS, array("1234567890123456789012345678901e9")),
        True,
    ),
    "a chain of references": (
        verdict(
            Schema({"anyOf": [{"$ref": "#/$defs/0"}, {"required": ["z"]}], "$defs": CHAIN}),
            b'{"a":' * 62 + b"{}" + b"}" * 62,
        ),
        True,
    ),
    "a circle of names": (
        verdict(
            Schema(
                {
                    "$recursiveRef": "#",
                    "$recursiveAnchor": True,
                    "propertyNames": {"$recursiveRef": "#"},
                },
                dialect="2019-09",
            ),
            b'{"a":1}',
        ),
        True,
    ),
    "a fault in each item": (
        lists(Schema({"items": {"type": "string"}}), array("1", 500_000)),
        ["steps", "type"],
    ),
    "faults in each item": (
        lists(
            Schema(
                {"items": {"allOf": [{"type": ["string"], "title": f"{n}"} for n in range(100)]}}
            ),
            array("1", 500_000),
        ),
        ["steps", "type"],
    ),
    "many faults, and more than are asked for": (
        lambda: len(
            Schema({"items": {"minimum": 1}}).check(
                b"[" + b"1," * 300_000 + array("0", 50_000)[1:], limit=10_000
            )
        ),
        10_000,
    ),
    "a regular expression of many groups": (
        verdict(
            Schema({"format": "regex"}),
            json.dumps("".join(f"(?<n{n}>a)" for n in range(90_000))).encode(),
        ),
        "schema.steps",
    ),
    "a name of many scripts, hundreds of times": (
        verdict(
            Schema(
                {"not": {"anyOf": [{"format": "idn-hostname", "minLength": n} for n in range(300)]}}
            ),
            ARABIC,
        ),
        "schema.steps",
    ),
    "a name of many scripts, by the general validator": (
        verdict(
            Schema(
                {
                    "allOf": [{"format": "idn-hostname", "minLength": n} for n in range(300)],
                    **GENERAL,
                }
            ),
            ARABIC,
        ),
        "schema.steps",
    ),
    "names of many scripts, at once": (
        verdict(
            Schema({"items": {"allOf": [{"format": "idn-hostname"}] * 8}}),
            array('"\u0627\u0628.\u0627\u0628"', 90_000),
        ),
        "schema.steps",
    ),
    "an exponent and many digits": (
        verdict(MANY_DIGITS, array("1e99")),
        "schema.multiple_of",
    ),
    "an exponent and a power of two": (
        verdict(Schema({"items": {"multipleOf": 2**64}}), array("1e99")),
        True,
    ),
    "an exponent, by the general validator": (
        verdict(Schema({"items": {"multipleOf": 0.01}, **GENERAL}), array("1e300")),
        True,
    ),
    "bounds and an exponent, by the general validator": (
        verdict(
            Schema({"items": {"minimum": 0.5, "maximum": 1e301}, **GENERAL}), array("1e300", 10_000)
        ),
        True,
    ),
    "hundreds that meet at each item, closed": (
        verdict(
            Schema(
                {
                    "anyOf": [{"minItems": 0}, {"maxItems": 5}],
                    "items": {"allOf": [{"properties": {f"p{n}": {}}} for n in range(300)]},
                },
                closed=True,
            ),
            array("{}"),
        ),
        "schema.steps",
    ),
    "words of a pattern": (
        verdict(
            Schema(
                {"items": {"allOf": [{"pattern": f"^({'|'.join(CODES)}|{n})$"} for n in range(8)]}}
            ),
            array(f'"{CODES[-1]}"'),
        ),
        True,
    ),
    "chosen branches, and what each requires": (
        verdict(
            Schema(
                {
                    "items": {
                        "allOf": [
                            {
                                "oneOf": [
                                    {
                                        **tagged("t", 1),
                                        "dependentRequired": {
                                            f"x{n}": ["t"] for n in range(400 + k)
                                        },
                                    },
                                    tagged("t", 2),
                                ]
                            }
                            for k in range(20)
                        ]
                    }
                }
            ),
            array('{"t":1,"x1":1}', 60_000),
        ),
        "schema.steps",
    ),
    "chosen branches, and a long text": (
        verdict(
            Schema(
                {
                    "allOf": [
                        {
                            "oneOf": [
                                tagged(
                                    f"k{n}",
                                    1,
                                    text={"pattern": f"(ab){{{n % 9 + 1}}}[cd]", "minLength": n},
                                ),
                                tagged(f"k{n}", 2),
                            ]
                        }
                        for n in range(300)
                    ]
                }
            ),
            json.dumps({f"k{n}": 1 for n in range(300)} | {"text": "ab" * 500_000 + "c"}).encode(),
        ),
        "schema.steps",
    ),
    "hundreds of declarations, and what they leave": (
        verdict(
            Schema(
                {
                    "anyOf": [
                        {
                            "allOf": [{"properties": {f"p{n}": {}}} for n in range(300)],
                            "unevaluatedProperties": {"type": "integer"},
                        },
                        {"required": ["z"]},
                    ]
                }
            ),
            MEMBERS.encode(),
        ),
        "schema.steps",
    ),
    "hundreds of patterns of names, by the general validator": (
        verdict(
            Schema({**GENERAL, "patternProperties": {f"x{n}": {} for n in range(100)}}),
            MEMBERS.encode(),
        ),
        "schema.steps",
    ),
    "many faults": (lambda: len(NOTHING_BAD.check(array('{"a":""}', 60_000))), 100),
    "more faults than are listed": (lists(NOTHING_BAD, array("{}")), ["required", "steps"]),
    "digits": (lambda: type(loads("7" * 2**18, limits=ROOMY)), int),
    "digits beyond the ceiling": (
        code(lambda: loads("7" * (2**18 + 1), limits=ROOMY)),
        "json.number_chars",
    ),
    "digits under a schema": (lists(NUMBERS, "7" * 1024), ["exclusiveMaximum", "multipleOf"]),
    "an exponent": (lists(NUMBERS, "1" + "0" * 1000 + "e-2000000"), ["minimum", "multipleOf"]),
}


@pytest.mark.parametrize("name", list(ATTACKS))
def test_what_was_made_to_cost_is_answered_on_a_small_stack(name: str) -> None:
    work, expected = ATTACKS[name]
    done: list[tuple[Any, float]] = []

    def run() -> None:
        started = time.thread_time()
        answer = work()
        done.append((answer, time.thread_time() - started))

    before = threading.stack_size(STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    ((answer, seconds),) = done
    assert answer == expected
    assert seconds < 10 * PROMISED


def test_no_order_of_members_makes_memory_grow() -> None:
    import gc  # noqa: PLC0415 -- beside what it is for
    import resource  # noqa: PLC0415

    names = [f"name{n}" for n in range(60)]
    schema = Schema({"properties": {name: {"type": "integer"} for name in names}})
    order = random.Random(1)

    def judge(times: int) -> int:
        for _ in range(times):
            order.shuffle(names)
            text = json.dumps(dict.fromkeys(names, 1)).encode()
            assert schema.loads(text)
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    # Kilobytes; a table that learnt every order would hold 60 names a body.
    early = judge(2_000)
    assert judge(10_000) - early < 4_000


def test_integers_beyond_64_bits_cost_what_their_digits_cost() -> None:
    """Not what the longest cost: a hundred thousand short ones are read in about the time that `json` takes."""
    many = b"[" + b",".join([b"9" * 20, b"-" + b"9" * 19, b"18446744073709551615"] * 30_000) + b"]"
    expected = json.loads(many)
    begun = time.thread_time()
    assert loads(many) == expected
    assert time.thread_time() - begun < 10 * PROMISED


@pytest.mark.parametrize("keyword", ["properties", "allOf", "not", "items", "const"])
def test_deep_schemas_compile_on_a_small_stack(keyword: str) -> None:
    schema: Any = {"const": "x"}
    for _ in range(120):
        schema = {keyword: [schema] if keyword in {"allOf", "const"} else schema}
        if keyword == "properties":
            schema = {keyword: {"a": schema[keyword]}}
    made: list[bool] = []
    before = threading.stack_size(STACK // 2)
    try:
        thread = threading.Thread(target=lambda: made.append(Schema(schema).is_valid(b"1")))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert len(made) == 1


def test_sets_of_schemas_do_not_multiply() -> None:
    """As many sets of definitions may apply to one value as there are subsets of them."""
    states = {
        f"{n}": {"properties": {name: {"$ref": f"#/$defs/{n + 1}"} for name in "ab"}}
        for n in range(18)
    }
    states["18"] = {"properties": {f"p{n}": {"type": "integer"} for n in range(100)}}
    states["0"]["properties"]["a"] = {"allOf": [{"$ref": "#/$defs/0"}, {"$ref": "#/$defs/1"}]}
    begun = time.thread_time()
    schema = Schema({"$ref": "#/$defs/0", "$defs": states}, closed=True)
    assert time.thread_time() - begun < 100 * PROMISED
    assert not schema.is_valid(b'{"c":1}')
    assert schema.is_valid(b'{"a":{"b":{}}}')


def test_what_a_value_shares_is_not_unfolded_without_end() -> None:
    value: Any = 0
    for _ in range(40):
        value = [value, value]
    assert [violation.code for violation in Schema({}).check(value)] == ["json.nodes"]


def test_who_gives_up_does_not_contradict() -> None:
    schema = Schema({"allOf": [{"contains": {"required": ["n"]}}] * 100}, verify=1)
    body = b"[" + b",".join([b'{"n":1}'] * 60_000) + b"]"
    assert not schema.is_valid(body)
    assert [violation.keyword for violation in schema.check(body)] == ["steps"]
    assert schema.differences == 0
