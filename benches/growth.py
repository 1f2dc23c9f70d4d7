"""How cost grows: the same question on inputs of several sizes, in turns, one curve a process.

python benches/growth.py CURVE SEED      prints points, as JSON; without arguments the curves are listed
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import secval
from contests.contest import Contender, Contest
from contests.inputs import ORDER_SCHEMA, Inputs
from measure import hot

Line = dict[str, list[tuple[int, Callable[[], Any], int]]]
ROUNDS = 9


def body_size(inputs: Inputs) -> Line:
    """Bytes of a body; a line each for parsing, judging, and both with objects."""
    schema = secval.Schema(ORDER_SCHEMA)
    line: Line = {"secval.loads": [], "Schema.is_valid": [], "Schema.loads": [], "json.loads": []}
    for size in (300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000):
        (text,) = inputs.orders(size, 1)
        calls = (secval.loads, schema.is_valid, schema.loads, json.loads)
        for points, call in zip(line.values(), calls, strict=True):
            points.append((len(text), lambda call=call, text=text: call(text), 1))
    return line


def schema_size(inputs: Inputs) -> Line:
    """Members of a closed schema; the body has all of them."""
    line: Line = {"Schema.is_valid": []}
    for members in (4, 16, 64, 256, 1024, 4096):
        schema, text = inputs.schema(members)
        judge = secval.Schema(schema).is_valid
        line["Schema.is_valid"].append((members, lambda judge=judge, text=text: judge(text), 1))
    return line


def operations(inputs: Inputs) -> Line:
    """Operations of a policy; requests go to all of them in turn."""
    line: Line = {"Gate.judge, a GET": [], "Gate.judge, an unknown path": []}
    headers = [("Host", "api.example.com")]
    for count in (10, 100, 1000, 10_000):
        document = inputs.openapi(count)
        gate = secval.Gate.from_openapi(document)
        paths = [f"/v1{path.replace('{id}', '17')}?limit=5" for path in document["paths"]]
        turns: Iterator[str] = cycle(inputs.dice("turns").sample(paths, len(paths)))

        def known(gate: secval.Gate = gate, turns: Iterator[str] = turns) -> bool:
            return gate.judge("GET", next(turns), headers, peer="198.51.100.7").allowed

        def unknown(gate: secval.Gate = gate) -> bool:
            return gate.judge("GET", "/v1/nowhere/17", headers, peer="198.51.100.7").allowed

        if not known() or unknown():
            message = "a request is not judged as it should be"
            raise AssertionError(message)
        for points, call in zip(line.values(), (known, unknown), strict=True):
            points.append((count, call, 1))
    return line


def keys(inputs: Inputs) -> Line:
    """Live keys of a limiter, hit in turn."""
    line: Line = {"Limiter.hit": []}
    for count in (1, 10, 100, 1000, 10_000, 100_000, 1_000_000):
        limiter = secval.Limiter("10000000/second", capacity=max(1000, count))
        turns = cycle(inputs.addresses(count))

        def hits(limiter: secval.Limiter = limiter, turns: Iterator[str] = turns) -> None:
            for _ in range(1000):
                limiter.hit(next(turns))

        line["Limiter.hit"].append((count, hits, 1000))
    return line


def prefixes(inputs: Inputs) -> Line:
    """Prefixes of an address set, asked for addresses at random."""
    line: Line = {"address in IPSet": []}
    asked = inputs.addresses(1000)
    for count in (10, 100, 1000, 10_000, 100_000):
        found = secval.IPSet(inputs.prefixes(count))
        ask = lambda found=found: [address in found for address in asked]  # noqa: E731
        line["address in IPSet"].append((count, ask, len(asked)))
    return line


CURVES = {
    "body_size": ("bytes of the body", body_size),
    "schema_size": ("members of the schema", schema_size),
    "operations": ("operations of the policy", operations),
    "keys": ("live keys", keys),
    "prefixes": ("prefixes in the set", prefixes),
}


def main() -> None:
    """Measures one curve."""
    if len(sys.argv) == 1:
        print("\n".join(CURVES))
        return
    label, make = CURVES[sys.argv[1]]
    lines = make(Inputs(int(sys.argv[2])))
    found: dict[str, list[tuple[int, float]]] = {}
    for name, points in lines.items():
        found[name] = []
        contest = Contest("growth", name, tuple(Contender(str(x), call) for x, call, _ in points))
        times = hot(contest, ROUNDS)
        for x, _, per in points:
            found[name].append((x, statistics.median(times[str(x)]) / per))
    print(json.dumps({"label": label, "lines": found}))


if __name__ == "__main__":
    main()
