"""What things weigh: resident memory before and after making many, each kind in a process of its own.

python benches/memory.py KIND SEED      prints bytes for one, as JSON; without KIND the kinds are listed
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import secval
from contests.inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = 200_000


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def limiter_key(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One live key of a limiter with room for as many again."""
    keys = inputs.addresses(KEYS)

    def make() -> Any:
        limiter = secval.Limiter("1000/minute", capacity=KEYS)
        for key in keys:
            limiter.hit(key)
        return limiter

    return KEYS, make


def limits_key(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One key of `limits`' moving window, hit once."""
    from limits import RateLimitItemPerMinute, storage, strategies

    keys = inputs.addresses(KEYS)

    def make() -> Any:
        limiter = strategies.MovingWindowRateLimiter(storage.MemoryStorage())
        item = RateLimitItemPerMinute(1000)
        for key in keys:
            limiter.hit(item, key)
        return limiter

    return KEYS, make


def prefix(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One prefix of an address set."""
    prefixes = inputs.prefixes(100_000)
    return len(prefixes), lambda: secval.IPSet(prefixes)


def operation(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One compiled operation of a policy, half of them with bodies."""
    document = inputs.openapi(2000)
    return 2000, lambda: secval.Gate.from_openapi(document)


def schema(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One compiled schema of sixteen members, standing alone."""
    declared, _ = inputs.schema(16)
    return 500, lambda: [secval.Schema(declared) for _ in range(500)]


def request(inputs: Inputs) -> tuple[int, Callable[[], Any]]:
    """One verdict that holds a judged body of 10,000 bytes."""
    from contests.gate import AGENT, guarded

    gate = guarded()
    bodies = inputs.orders(10_000, 200)

    def judge(body: bytes) -> Any:
        headers = [*AGENT, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return gate.judge("POST", "/v1/orders", headers, body, peer="198.51.100.7")

    return 2000, lambda: [judge(bodies[index % 200]) for index in range(2000)]


KINDS = {
    "limiter key": limiter_key,
    "limits key (moving window)": limits_key,
    "address prefix": prefix,
    "compiled operation": operation,
    "compiled schema (16 members)": schema,
    "request (10 kB body, held)": request,
}


def main() -> None:
    """Weighs one kind."""
    if len(sys.argv) == 1:
        print("\n".join(KINDS))
        return
    count, make = KINDS[sys.argv[1]](Inputs(int(sys.argv[2])))
    before = resident()
    kept = make()
    print(json.dumps((resident() - before) / count))
    del kept


if __name__ == "__main__":
    main()
