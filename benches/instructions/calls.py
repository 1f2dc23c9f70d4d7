"""Whole calls from Python, as often as asked: `calls.py NAME COUNT`; without arguments the names are listed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import secval
from contests.inputs import ORDER_SCHEMA, Inputs

Call = Callable[[], Any]

INPUTS = Inputs()
(BODY,) = INPUTS.orders(2000, 1)


def loads() -> Call:
    """Text to objects."""
    return lambda: secval.loads(BODY)


def is_valid() -> Call:
    """Text against a schema."""
    schema = secval.Schema(ORDER_SCHEMA)
    return lambda: schema.is_valid(BODY)


def schema_loads() -> Call:
    """Both at once."""
    schema = secval.Schema(ORDER_SCHEMA)
    return lambda: schema.loads(BODY)


def hit() -> Call:
    """One hit on a hot key; the clock stands still."""
    from secval.testing import ManualClock

    limiter = secval.Limiter("1000000/minute", clock=ManualClock())
    return lambda: limiter.hit("198.51.100.7")


def checks() -> Call:
    """One question to each of the plain checks."""
    listed, between = secval.AllowList({"EUR", "USD"}), secval.Range(min=1, max=999)
    addresses = secval.IPSet(INPUTS.prefixes(1000))
    return lambda: ("EUR" in listed, 500 in between, "198.51.100.7" in addresses)


def judge() -> Call:
    """A POST through the gate, and its objects."""
    from contests.gate import AGENT, guarded
    from secval.testing import ManualClock

    gate = guarded(clock=ManualClock())
    headers = [*AGENT, ("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]

    def call() -> Any:
        return gate.judge("POST", "/v1/orders", headers, BODY, peer="198.51.100.7").json

    return call


def judge_get() -> Call:
    """A GET through the gate, and its parameters."""
    from contests.gate import AGENT, guarded
    from secval.testing import ManualClock

    gate = guarded(clock=ManualClock())
    target = "/v1/orders?limit=20&currency=EUR"
    return lambda: gate.judge("GET", target, AGENT, peer="198.51.100.7").params


CALLS = {
    "call.loads": loads,
    "call.schema_is_valid": is_valid,
    "call.schema_loads": schema_loads,
    "call.limiter_hit": hit,
    "call.checks": checks,
    "call.gate_post": judge,
    "call.gate_get": judge_get,
}


def main() -> None:
    """Runs one of them."""
    if len(sys.argv) == 1:
        print("\n".join(CALLS))
        return
    call = CALLS[sys.argv[1]]()
    # A collection walks whatever has been imported, not what the call made.
    gc.disable()
    for _ in range(int(sys.argv[2])):
        call()


if __name__ == "__main__":
    main()
