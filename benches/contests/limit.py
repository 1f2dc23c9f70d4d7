"""How often: one hit, allowed, on a key that is hot and on one of many."""

from __future__ import annotations

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
EDGE = "admits up to twice the limit at a window's edge"
UNBOUNDED = "memory grows with every hit"


def _deques() -> Callable[[str], bool]:
    """The plain-Python sliding window: exact, behind a lock, one timestamp kept a hit."""
    windows: dict[str, deque[float]] = defaultdict(deque)
    lock = threading.Lock()

    def hit(key: str) -> bool:
        with lock:
            now, window = time.monotonic(), windows[key]
            while window and window[0] <= now - 1:
                window.popleft()
            if len(window) >= LIMIT:
                return False
            window.append(now)
            return True

    return hit


def _limits(strategy: str) -> Callable[[str], bool]:
    from limits import RateLimitItemPerSecond, storage, strategies

    limiter = getattr(strategies, strategy)(storage.MemoryStorage())
    item = RateLimitItemPerSecond(LIMIT)
    return lambda key: limiter.hit(item, key)


def _rust_py(capacity: int) -> Callable[[str], bool]:
    from rust_py_rate_limit import RateLimiter

    limiter = RateLimiter(limit=LIMIT, window_seconds=1, algorithm="sliding", max_keys=capacity)
    return limiter.allow


def _hits(key: str, title: str, keys: list[str]) -> Contest:
    ours = secval.Limiter(f"{LIMIT}/second", capacity=max(65_536, 2 * len(keys)))
    per = min(len(keys), 1000)

    def turn(hit: Callable[[str], Any]) -> Callable[[], bool]:
        if len(keys) == 1:
            only = keys[0]
            return lambda: bool(hit(only))
        turns: Iterator[str] = cycle(keys)

        def run() -> bool:
            allowed = True
            for _ in range(per):
                allowed &= bool(hit(next(turns)))
            return allowed

        return run

    race = Entry("secval.Limiter.hit", turn(ours.hit))
    race.add("dict and deque under a lock", lambda: turn(_deques()), "baseline", UNBOUNDED)
    race.add(
        "limits, moving window",
        lambda: turn(_limits("MovingWindowRateLimiter")),
        "baseline",
        UNBOUNDED,
    )
    race.add(
        "limits, sliding window counter",
        lambda: turn(_limits("SlidingWindowCounterRateLimiter")),
        note=EDGE,
    )
    race.add("rust-py-rate-limit, sliding", lambda: turn(_rust_py(2 * len(keys))), note=EDGE)
    return race.contest(key, title, per=per)


def hot(_: Inputs) -> Contest:
    """One client that calls again and again."""
    return _hits("limit.hot", "one hit on one key", ["198.51.100.7"])


def many(inputs: Inputs) -> Contest:
    """A hundred thousand clients in turn."""
    return _hits("limit.many", "one hit on one of 100,000 keys, in turn", inputs.addresses(100_000))


CONTESTS = (hot, many)
