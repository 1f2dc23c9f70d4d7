"""Text to Python objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import secval
from contests.contest import Contest, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.inputs import Inputs

DUPLICATES = "repeated names pass"


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The usual `object_pairs_hook`."""
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "repeated name"
        raise ValueError(message)
    return found


def reject_constant(name: str) -> None:
    """The usual `parse_constant`: NaN and Infinity are no JSON."""
    raise ValueError(name)


def _race(key: str, title: str, text: bytes) -> Contest:
    def jiter() -> Callable[[], Any]:
        from jiter import from_json

        return lambda: from_json(text, catch_duplicate_keys=True, allow_inf_nan=False)

    def orjson() -> Callable[[], Any]:
        from orjson import loads

        return lambda: loads(text)

    def msgspec() -> Callable[[], Any]:
        from msgspec.json import Decoder

        decode = Decoder().decode
        return lambda: decode(text)

    strict = json.JSONDecoder(object_pairs_hook=no_duplicates, parse_constant=reject_constant)
    race = Entry("secval.loads", lambda: secval.loads(text))
    race.add("json + duplicate hook", lambda: lambda: strict.decode(text.decode()), "baseline")
    race.add("json.loads", lambda: lambda: json.loads(text), "baseline", DUPLICATES)
    race.add("jiter, duplicates caught", jiter)
    race.add("orjson.loads", orjson, note=DUPLICATES)
    race.add("msgspec.json.Decoder", msgspec, note=DUPLICATES)
    expected = json.loads(text)
    return race.contest(key, title, expect=lambda found: found == expected)


def order_1k(inputs: Inputs) -> Contest:
    """A small body."""
    (text,) = inputs.orders(1000, 1)
    return _race("parse.order_1k", f"strict JSON to objects, an order of {len(text):,} bytes", text)


def order_10k(inputs: Inputs) -> Contest:
    """A usual body."""
    (text,) = inputs.orders(10_000, 1)
    return _race(
        "parse.order_10k", f"strict JSON to objects, an order of {len(text):,} bytes", text
    )


def webhook(inputs: Inputs) -> Contest | None:
    """A real body."""
    if not inputs.webhooks:
        return None
    usual = [text for _, text, _ in inputs.webhooks if 8000 <= len(text) <= 16_000]
    text = inputs.dice("webhook").choice(usual)
    return _race(
        "parse.webhook", f"strict JSON to objects, a real webhook of {len(text):,} bytes", text
    )


CONTESTS = (order_1k, order_10k, webhook)
