"""`secval.Schema` beside `orjson.loads`: medians of ratios, interleaved in one process.

Each round reads every text of a group with every reader, texts and readers in random order; a ratio is the reader's
time for the round over the time that `orjson.loads` takes for the same texts. Cold means that the processor's caches are
filled with other memory before each single text is read. orjson checks nothing; `is_valid` and
`loads` parse strictly, refuse repeated names, assert formats and judge by the payload's own schema.

    python benches/python/schemas.py [--rounds N] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

import secval

if TYPE_CHECKING:
    from collections.abc import Callable

Case = tuple[secval.Schema, bytes]

FORM = {
    "name": "Zoe Quill",
    "email": "zoe.quill@example.com",
    "born": "1987-03-14",
    "age": 37,
    "newsletter": True,
    "tags": ["new", "web"],
    "plan": "basic",
    "referrer": "friend",
    "country": "GB",
    "visits": 12,
}
FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "email", "born", "age"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "email": {"type": "string", "format": "email"},
        "born": {"type": "string", "format": "date"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "newsletter": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 10},
        "plan": {"enum": ["basic", "pro"]},
        "referrer": {"type": "string"},
        "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "visits": {"type": "integer"},
    },
}


def webhooks(data: Path) -> list[Case]:
    """GitHub's payloads, each with its schema."""
    cases = []
    for path in sorted(data.glob("github-webhooks/*.schema.json")):
        payload = path.with_name(path.name.replace(".schema.json", ".json"))
        cases.append((secval.Schema(path.read_bytes()), payload.read_bytes()))
    return cases


READERS: dict[str, Callable[[secval.Schema, bytes], object]] = {
    "orjson.loads": lambda _, text: orjson.loads(text),
    "Schema.is_valid": lambda schema, text: schema.is_valid(text),
    "Schema.loads": lambda schema, text: schema.loads(text),
}
# More than the caches of any processor that this is likely to run on.
ELSEWHERE = bytearray(96 << 20), bytes(96 << 20)


def hot(cases: list[Case]) -> dict[str, float]:
    """The time that each reader takes for all cases."""
    taken = {}
    for name in random.sample(sorted(READERS), len(READERS)):
        reader = READERS[name]
        start = time.perf_counter()
        for schema, text in cases:
            reader(schema, text)
        taken[name] = time.perf_counter() - start
    return taken


def cold(cases: list[Case]) -> dict[str, float]:
    """The same, with the caches filled with something else before each call."""
    taken = dict.fromkeys(READERS, 0.0)
    to, of = ELSEWHERE
    for schema, text in cases:
        for name in random.sample(sorted(READERS), len(READERS)):
            reader = READERS[name]
            to[:] = of
            start = time.perf_counter()
            reader(schema, text)
            taken[name] += time.perf_counter() - start
    return taken


def measure(
    cases: list[Case], rounds: int, repeats: int, read: Callable[[list[Case]], dict[str, float]]
) -> dict[str, float]:
    """The median ratio of each reader."""
    for schema, text in cases:
        if not schema.is_valid(text):
            sys.exit("a payload does not follow its schema")
    ratios: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(rounds):
        order = cases * repeats
        random.shuffle(order)
        taken = read(order)
        for name, seconds in taken.items():
            ratios[name].append(seconds / taken["orjson.loads"])
    return {name: statistics.median(values) for name, values in ratios.items()}


def main() -> None:
    """Prints a row for each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    default = os.environ.get("SECVAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    options = parser.parse_args()
    form = json.dumps(FORM, separators=(",", ":")).encode()
    mix = webhooks(options.data)
    forms = [(secval.Schema(FORM_SCHEMA), form)]
    groups = {
        "form": (forms, 2000, hot),
        "one payload": (mix[:1], 200, hot),
        "mix": (mix, 8, hot),
        "form, cold": (forms, 20, cold),
        "mix, cold": (mix, 1, cold),
    }
    gc.disable()
    for name, (cases, repeats, read) in groups.items():
        if cases:
            row = measure(cases, options.rounds, repeats, read)
            print(
                name.ljust(12), "  ".join(f"{reader} {ratio:.2f}" for reader, ratio in row.items())
            )


if __name__ == "__main__":
    main()
