"""What is measured: made by this file alone from a seed, or read from the public data where that is at hand.

The seed of the figures that are compared is fixed. The held-back variant of every input comes from a random seed
that is printed: whatever is only fast on the fixed inputs shows there.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import string
from functools import cached_property
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SECVAL_DATA") or HERE.parent.parent / "shared" / "data")
FIXED_SEED = 2026

OPENAPI: dict[str, Any] = json.loads((HERE / "data" / "orders.openapi.json").read_bytes())
ORDER_SCHEMA: dict[str, Any] = OPENAPI["components"]["schemas"]["Order"]


class Inputs:
    """Inputs of one seed. Equal seeds give equal inputs, in whatever order they are asked for."""

    def __init__(self, seed: int = FIXED_SEED) -> None:
        self.seed = seed

    def dice(self, what: str) -> random.Random:
        """Dice for one purpose."""
        return random.Random(f"{self.seed}/{what}")

    def order(self, size: int, what: str = "") -> dict[str, Any]:
        """An order whose minified JSON has about `size` bytes, at least 300; valid by `ORDER_SCHEMA`."""
        dice = self.dice(f"order/{size}/{what}")
        name = _word(dice, 12)
        order: dict[str, Any] = {
            "id": dice.randrange(1, 2**53),
            "customer": {
                "name": name,
                "email": f"{_word(dice, 8)}@{_word(dice, 9)}.example",
                "vip": True,
            },
            "currency": "EUR",
            "note": f'café "au lait" für {name}',
            "lines": [],
        }
        length = len(minified(order))
        while length < size or not order["lines"]:
            line = {
                "sku": _word(dice, 10),
                "quantity": dice.randrange(1, 999),
                "price": dice.randrange(100, 999_999) / 100,
                "tags": [_word(dice, 6), "new"],
                "gift": False,
            }
            order["lines"].append(line)
            length += len(minified(line)) + 1
        return order

    def orders(self, size: int, count: int) -> list[bytes]:
        """So many different orders, minified."""
        return [minified(self.order(size, str(index))) for index in range(count)]

    def words(self, count: int, letters: int = 8) -> list[str]:
        """Different words."""
        dice = self.dice(f"words/{count}/{letters}")
        return [f"{_word(dice, letters)}{index}" for index in range(count)]

    def prefixes(self, count: int) -> list[str]:
        """IPv4 prefixes, /16 to /28, as a feed of networks has them."""
        dice = self.dice(f"prefixes/{count}")
        found: set[str] = set()
        while len(found) < count:
            network = ipaddress.ip_network(
                (dice.getrandbits(32), dice.randint(16, 28)), strict=False
            )
            found.add(str(network))
        return sorted(found)

    def addresses(self, count: int) -> list[str]:
        """IPv4 addresses."""
        dice = self.dice(f"addresses/{count}")
        return [str(ipaddress.IPv4Address(dice.getrandbits(32))) for _ in range(count)]

    def openapi(self, operations: int) -> dict[str, Any]:
        """A document with so many operations, whose bodies are orders."""
        dice = self.dice(f"openapi/{operations}")
        paths: dict[str, Any] = {}
        for index in range((operations + 1) // 2):
            item: dict[str, Any] = {
                "get": {
                    "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                    "responses": {"200": {"description": "."}},
                }
            }
            if 2 * index + 1 < operations:
                body = {"schema": {"$ref": "#/components/schemas/Order"}}
                item["post"] = {
                    "requestBody": {"required": True, "content": {"application/json": body}},
                    "responses": {"201": {"description": "."}},
                }
            paths[f"/{_word(dice, 7)}{index}/{{id}}"] = {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
                ],
                **item,
            }
        return {**OPENAPI, "paths": paths}

    def schema(self, members: int) -> tuple[dict[str, Any], bytes]:
        """A schema that declares so many members of several types, and a body that has all of them."""
        dice = self.dice(f"schema/{members}")
        kinds: list[tuple[dict[str, Any], Any]] = [
            ({"type": "string", "maxLength": 40}, _word(dice, 12)),
            ({"type": "integer", "minimum": 0}, dice.randrange(10_000)),
            ({"type": "boolean"}, True),
            ({"type": "array", "items": {"type": "number"}}, [1.5, 2.5]),
        ]
        names = [f"{_word(dice, 8)}{index}" for index in range(members)]
        chosen = {name: kinds[index % 4] for index, name in enumerate(names)}
        schema = {
            "type": "object",
            "additionalProperties": False,
            "required": names,
            "properties": {name: kind for name, (kind, _) in chosen.items()},
        }
        return schema, minified({name: value for name, (_, value) in chosen.items()})

    @cached_property
    def webhooks(self) -> list[tuple[str, bytes, dict[str, Any]]]:
        """Real bodies with their schemas, as one service sends them; empty without the data."""
        folder = DATA / "github-webhooks"
        return [
            (
                path.name.removesuffix(".schema.json"),
                path.with_name(path.name.replace(".schema.json", ".json")).read_bytes(),
                json.loads(path.read_bytes()),
            )
            for path in sorted(folder.glob("*.schema.json"))
        ]


def minified(value: Any) -> bytes:
    """JSON as clients send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _word(dice: random.Random, letters: int) -> str:
    return "".join(dice.choices(string.ascii_lowercase, k=letters))
