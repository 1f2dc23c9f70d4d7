"""How often: one hit, allowed, on a key that is hot and on one of many.

Every contender has seen every key before it is timed, and is called in a loop over some keys, so that what is
measured is hits of known keys. `a dict increment in a function` limits nothing: it is what a call of Python costs that
looks up one key, and what the limiter is held against.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict, deque
from itertools import cycle
from typing import TYPE_CHECKING, Any

import secval
from contests.contest import Contest, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contests.inputs import Inputs

# So high that no hit is refused while it is measured: refusals are another, cheaper path.
LIMIT = 10_000_000
# Keys in one turn of a contender.
PER = 1000
EDGE = "admits up to twice the limit at a window's edge"
UNBOUNDED = "memory grows with every hit"
NO_LIMIT = "limits nothing: the yardstick"


def _increments() -> Callable[[str], Any]:
    counts: dict[str, int] = {}

    def hit(key: str) -> bool:
        counts[key] = counts.get(key, 0) + 1
        return True

    return hit


def _deques(seconds: int) -> Callable[[str], Any]:
    """The plain-Python sliding window: exact, behind a lock, one timestamp kept a hit."""
    windows: dict[str, deque[float]] = defaultdict(deque)
    lock = threading.Lock()

    def hit(key: str) -> bool:
        with lock:
            now, window = time.monotonic(), windows[key]
            while window and window[0] <= now - seconds:
                window.popleft()
            if len(window) >= LIMIT:
                return False
            window.append(now)
            return True

    return hit


def _limits(strategy: str, seconds: int) -> Callable[[str], Any]:
    from limits import RateLimitItemPerSecond, storage, strategies

    limiter = getattr(strategies, strategy)(storage.MemoryStorage())
    item = RateLimitItemPerSecond(LIMIT, seconds)
    return lambda key: limiter.hit(item, key)


def _rust_py(seconds: int, capacity: int) -> Callable[[str], Any]:
    from rust_py_rate_limit import RateLimiter

    limiter = RateLimiter(
        limit=LIMIT, window_seconds=seconds, algorithm="sliding", max_keys=capacity
    )
    return limiter.allow


def _turn(hit: Callable[[str], Any], keys: list[str]) -> Callable[[], bool]:
    """Hits of the next keys, all of which have been hit before: in another order, or a `dict` finds them in a row."""
    for key in keys:
        hit(key)
    keys = random.Random(len(keys)).sample(keys, len(keys)) if len(keys) > 1 else keys * PER
    parts: Iterator[list[str]] = cycle(
        [keys[start : start + PER] for start in range(0, len(keys), PER)]
    )

    def run() -> bool:
        allowed = None
        for key in next(parts):
            allowed = hit(key)
        return bool(allowed)

    return run


def _hits(key: str, title: str, keys: list[str], seconds: int, *, large: bool = False) -> Contest:
    capacity = max(65_536, len(keys))
    ours = secval.Limiter(f"{LIMIT}/{seconds}second", capacity=capacity)
    race = Entry("secval.Limiter.hit", _turn(ours.hit, keys))
    race.add(
        "a dict increment in a function", lambda: _turn(_increments(), keys), "yardstick", NO_LIMIT
    )
    race.add(
        "rust-py-rate-limit, sliding",
        lambda: _turn(_rust_py(seconds, 2 * capacity), keys),
        note=EDGE,
    )
    if large:
        return race.contest(key, title, per=PER)
    race.add(
        "dict and deque under a lock", lambda: _turn(_deques(seconds), keys), "baseline", UNBOUNDED
    )
    race.add(
        "limits, moving window",
        lambda: _turn(_limits("MovingWindowRateLimiter", seconds), keys),
        "baseline",
        UNBOUNDED,
    )
    race.add(
        "limits, sliding window counter",
        lambda: _turn(_limits("SlidingWindowCounterRateLimiter", seconds), keys),
        note=EDGE,
    )
    return race.contest(key, title, per=PER)


def hot(inputs: Inputs) -> Contest:
    """One client that calls again and again; the window is short, since some keep every hit of it."""
    return _hits("limit.hot", "one hit on one key", inputs.addresses(1), 1)


def many(inputs: Inputs) -> Contest:
    """A hundred thousand clients, in no order."""
    keys = inputs.addresses(100_000)
    return _hits("limit.many", "one hit on one of 100,000 keys", keys, 60)


def million(inputs: Inputs) -> Contest:
    """A million clients, in no order: what is looked up comes from memory. The slower ones are left out."""
    keys = inputs.addresses(1_000_000)
    return _hits("limit.million", "one hit on one of 1,000,000 keys", keys, 60, large=True)


CONTESTS = (hot, many, million)
