"""`secval.loads` beside its peers: medians of ratios to `orjson.loads`, interleaved in one process.

Each round reads every text of a group once with every reader, texts and readers in random order; a reader's
time for a round is the sum over its texts. Ratios are taken round by round, so that what slows the machine
slows all alike. `secval.loads` refuses repeated names, NaN, lone surrogates and more than 64 levels; of the peers
only `jiter` (asked to) refuses repeated names.

    python benches/python/loads.py [--rounds N] [--data FOLDER] [--json FILE]
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import secval

Reader = Callable[[bytes], Any]


def readers() -> dict[str, Reader]:
    """The readers that are installed, by name."""
    found: dict[str, Reader] = {"secval": secval.loads, "json": json.loads}
    try:
        import orjson

        found["orjson"] = orjson.loads
    except ImportError:
        sys.exit("orjson is what all is measured by: pip install orjson")
    try:
        import jiter

        def no_duplicates(text: bytes) -> Any:
            return jiter.from_json(text, catch_duplicate_keys=True)

        found["jiter, duplicates refused"] = no_duplicates
    except ImportError:
        pass
    return found


def groups(data: Path) -> dict[str, list[bytes]]:
    """The texts of each group."""
    random_numbers = random.Random(7)
    hooks = sorted(
        path for path in data.glob("github-webhooks/*.json") if ".schema." not in path.name
    )
    payloads = [path.read_bytes() for path in hooks]
    form = {
        "email": "zoe.example@example.com",
        "password": "correct horse battery staple",
        "name": {"first": "Zoe", "last": "Quill"},
        "age": 37,
        "newsletter": True,
        "tags": ["new", "web"],
        "referrer": None,
        "ts": 1732538409,
    }
    words = ["naïve", "Zürich", "日本語のテキスト", "Ελληνικά", "emoji 😀 here", "плюс", "plain"]
    text = [
        {"id": n, "title": " ".join(random_numbers.sample(words, 4)), "body": " ".join(words * 3)}
        for n in range(20)
    ]
    numbers = [
        [
            random_numbers.random(),
            random_numbers.randrange(10**9),
            random_numbers.uniform(-1e6, 1e6),
        ]
        for n in range(22_000)
    ]
    nested: Any = {"leaf": True}
    for n in range(40):
        nested = {"level": n, "child": nested, "list": [[n], [[]]]}
    lists = [nested] * 400

    def compact(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    return {
        "mix: GitHub payloads": payloads,
        "sign-up form, 200 bytes": [compact(form)] * 20,
        "non-ASCII bodies, 9 kB": [compact(text)],
        "non-ASCII, escaped": [json.dumps(text).encode()],
        "indented payloads": [json.dumps(json.loads(p), indent=2).encode() for p in payloads[:20]],
        "1 MB of numbers": [compact(numbers)],
        "1 MB, 40 levels": [compact(lists)],
    }


def measure(texts: list[bytes], peers: dict[str, Reader], rounds: int) -> dict[str, list[int]]:
    """Nanoseconds of each reader in each round."""
    spent: dict[str, list[int]] = {name: [] for name in peers}
    names = list(peers)
    clock = time.perf_counter_ns
    for _ in range(rounds):
        round_spent = dict.fromkeys(names, 0)
        for text in random.sample(texts, len(texts)):
            random.shuffle(names)
            for name in names:
                read = peers[name]
                start = clock()
                value = read(text)
                end = clock()
                # Letting go of the result is not part of reading it.
                del value
                round_spent[name] += end - start
        for name, nanoseconds in round_spent.items():
            spent[name].append(nanoseconds)
    return spent


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("SECVAL_DATA", "../shared/data")
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    peers = readers()
    report: dict[str, dict[str, float]] = {}
    print(f"Python {sys.version.split()[0]}, gc {'on' if gc.isenabled() else 'off'}")
    print("ratios to orjson.loads, medians of rounds; lower is faster\n")
    print(
        f"{'':28}{'bytes':>10}{'orjson µs':>12}",
        *(f"{name:>27}" for name in peers if name != "orjson"),
    )
    for group, texts in groups(Path(options.data)).items():
        if not texts or options.only not in group:
            continue
        size = sum(map(len, texts))
        rounds = max(15, min(options.rounds, options.rounds * 400_000 // size))
        measure(texts, peers, 3)
        spent = measure(texts, peers, rounds)
        base = spent.pop("orjson")
        ratios = {
            name: statistics.median(x / y for x, y in zip(times, base, strict=True))
            for name, times in spent.items()
        }
        micro = statistics.median(base) / 1000 / len(texts)
        report[group] = {"orjson_us": micro, **ratios}
        print(
            f"{group:28}{size // len(texts):>10}{micro:>12.1f}",
            *(f"{r:>27.2f}" for r in ratios.values()),
        )
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
