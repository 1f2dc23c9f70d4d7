"""Text against a schema: is it valid, and what are its objects?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import secval
from contests.contest import Contest, Entry
from contests.inputs import ORDER_SCHEMA
from contests.parse import DUPLICATES, no_duplicates, reject_constant

if TYPE_CHECKING:
    from contests.inputs import Inputs

Validate = Callable[[Any], Any]

# Peers that read JSON by themselves keep whatever they make of it; those that do not are given a parser.
STRICT = json.JSONDecoder(object_pairs_hook=no_duplicates, parse_constant=reject_constant)


def strict(text: bytes) -> Any:
    """The standard library's parser, made as strict as it can be."""
    return STRICT.decode(text.decode())


def jsonschema(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """jsonschema, formats asserted."""
    from jsonschema.validators import validator_for

    cls = validator_for(schema)
    return cls(schema, format_checker=cls.FORMAT_CHECKER).is_valid


def jsonschema_rs(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """The Rust one, formats asserted."""
    from jsonschema_rs import validator_for

    return validator_for(schema, validate_formats=True).is_valid


def fastjsonschema(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Compiled to Python."""
    from fastjsonschema import JsonSchemaValueException
    from fastjsonschema import compile as build

    validate = build(schema)

    def is_valid(value: Any) -> bool:
        try:
            validate(value)
        except JsonSchemaValueException:
            return False
        return True

    return is_valid


def orjson() -> Callable[[bytes], Any]:
    """Lets repeated names pass."""
    from orjson import loads

    return loads


def jiter() -> Callable[[bytes], Any]:
    """Refuses repeated names."""
    from jiter import from_json

    return lambda text: from_json(text, catch_duplicate_keys=True, allow_inf_nan=False)


def _both(
    texts: list[bytes], parse: Callable[[bytes], Any], judges: list[Callable[[Any], bool]]
) -> Callable[[], int]:
    """How many of the texts are valid."""
    pairs = list(zip(texts, judges, strict=True))

    def run() -> int:
        valid = 0
        for text, judge in pairs:
            valid += judge(parse(text))
        return valid

    return run


def _judged(
    key: str, title: str, texts: list[bytes], schemas: list[dict[str, Any]], valid: int
) -> Contest:
    """How many are valid: no objects are asked for, though most must make them."""

    def each(
        make: Callable[[dict[str, Any]], Callable[[Any], bool]],
    ) -> list[Callable[[Any], bool]]:
        built: dict[int, Callable[[Any], bool]] = {}
        return [built.setdefault(id(schema), make(schema)) for schema in schemas]

    ours = each(lambda schema: secval.Schema(schema).is_valid)
    pairs = list(zip(texts, ours, strict=True))

    def count() -> int:
        valid = 0
        for text, judge in pairs:
            valid += judge(text)
        return valid

    race = Entry("secval.Schema.is_valid", count)

    race.add("json + hook + jsonschema", lambda: _both(texts, strict, each(jsonschema)), "baseline")
    race.add(
        "json + hook + fastjsonschema",
        lambda: _both(texts, strict, each(fastjsonschema)),
        "baseline",
    )
    race.add("jiter + jsonschema-rs", lambda: _both(texts, jiter(), each(jsonschema_rs)))
    race.add(
        "orjson + jsonschema-rs",
        lambda: _both(texts, orjson(), each(jsonschema_rs)),
        note=DUPLICATES,
    )
    if schemas[0] is ORDER_SCHEMA:
        race.add(
            "pydantic.validate_json", lambda: _pydantic(texts), note=f"its own model; {DUPLICATES}"
        )
        race.add("msgspec, typed", lambda: _msgspec(texts), note=f"its own model; {DUPLICATES}")
    return race.contest(key, title, per=len(texts), expect=lambda found: found == valid)


def _msgspec(texts: list[bytes]) -> Callable[[], int]:
    from contests.models import msgspec_decoder

    decode = msgspec_decoder()

    def run() -> int:
        for text in texts:
            decode(text)
        return len(texts)

    return run


def _pydantic(texts: list[bytes]) -> Callable[[], int]:
    from contests.models import pydantic_order

    validate = pydantic_order().model_validate_json

    def run() -> int:
        for text in texts:
            validate(text)
        return len(texts)

    return run


def order_1k(inputs: Inputs) -> Contest:
    """A small body."""
    texts = inputs.orders(1000, 1)
    title = f"is it valid? An order of {len(texts[0]):,} bytes"
    return _judged("schema.order_1k", title, texts, [ORDER_SCHEMA], 1)


def order_10k(inputs: Inputs) -> Contest:
    """A usual body."""
    texts = inputs.orders(10_000, 1)
    title = f"is it valid? An order of {len(texts[0]):,} bytes"
    return _judged("schema.order_10k", title, texts, [ORDER_SCHEMA], 1)


def webhooks(inputs: Inputs) -> Contest | None:
    """Many real bodies, each with its own schema, one after the other."""
    if not inputs.webhooks:
        return None
    chosen = inputs.dice("webhooks").sample(inputs.webhooks, min(40, len(inputs.webhooks)))
    texts, schemas = [text for _, text, _ in chosen], [schema for _, _, schema in chosen]
    title = f"are they valid? {len(texts)} real webhooks with their schemas, a mean of {sum(map(len, texts)) // len(texts):,} bytes"
    return _judged("schema.webhooks", title, texts, schemas, len(texts))


def refused(inputs: Inputs) -> Contest:
    """A body whose last member violates the schema."""
    order = inputs.order(10_000)
    order["lines"][-1]["quantity"] = 1000
    text = json.dumps(order).encode()
    race = Entry("secval.Schema.is_valid", _one(secval.Schema(ORDER_SCHEMA).is_valid, text))

    judges = {
        "json + hook + jsonschema": jsonschema,
        "json + hook + fastjsonschema": fastjsonschema,
    }
    for name, make in judges.items():
        race.add(name, lambda make=make: _parsed(strict, make(ORDER_SCHEMA), text), "baseline")
    race.add("jiter + jsonschema-rs", lambda: _parsed(jiter(), jsonschema_rs(ORDER_SCHEMA), text))
    race.add(
        "orjson + jsonschema-rs",
        lambda: _parsed(orjson(), jsonschema_rs(ORDER_SCHEMA), text),
        note=DUPLICATES,
    )
    title = f"is it valid? No, by the last of {len(text):,} bytes"
    return race.contest("schema.refused", title, expect=lambda found: found is False)


def _one(judge: Callable[[Any], bool], text: bytes) -> Callable[[], bool]:
    return lambda: judge(text)


def _parsed(
    parse: Callable[[bytes], Any], judge: Callable[[Any], bool], text: bytes
) -> Callable[[], bool]:
    return lambda: judge(parse(text))


def loads(inputs: Inputs) -> Contest:
    """What a request handler wants: the objects, if they are valid."""
    (text,) = inputs.orders(10_000, 1)
    expected = json.loads(text)

    def after(parse: Callable[[bytes], Any], judge: Callable[[Any], bool]) -> Callable[[], Any]:
        def run() -> Any:
            value = parse(text)
            return value if judge(value) else None

        return run

    ours = secval.Schema(ORDER_SCHEMA).loads
    race = Entry("secval.Schema.loads", lambda: ours(text))

    race.add(
        "json + hook + jsonschema", lambda: after(strict, jsonschema(ORDER_SCHEMA)), "baseline"
    )
    race.add(
        "json + hook + fastjsonschema",
        lambda: after(strict, fastjsonschema(ORDER_SCHEMA)),
        "baseline",
    )
    race.add("jiter + jsonschema-rs", lambda: after(jiter(), jsonschema_rs(ORDER_SCHEMA)))
    race.add(
        "orjson + jsonschema-rs",
        lambda: after(orjson(), jsonschema_rs(ORDER_SCHEMA)),
        note=DUPLICATES,
    )
    title = f"the objects, if valid: an order of {len(text):,} bytes"
    return race.contest("schema.loads", title, expect=lambda found: found == expected)


CONTESTS = (order_1k, order_10k, webhooks, refused, loads)
