"""The quick way of calling `Limiter.hit`, held to the general one, and what it answers with."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import secval
from secval.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable


class Text(str):
    """A `str` with a hash of its own, which no key is known by."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7


# The first ones go the quick way.
CALLS: list[Callable[[secval.Limiter], Any]] = [
    lambda one: one.hit("alice"),
    lambda one: one.hit(b"alice"),
    lambda one: secval.Limiter.hit(one, "ALICE".lower()),
    lambda one: one.hit("alice", 1),
    lambda one: one.hit("alice", cost=1),
    lambda one: one.hit(key="alice"),
    lambda one: one.hit(bytearray(b"alice")),
    lambda one: one.hit(memoryview(b"alice")),
    lambda one: one.hit(Text("alice")),
]


@pytest.mark.parametrize("quotas", ["9/minute", "9/minute; 20/hour", "9/minute; 20/hour; 30/day"])
def test_every_way_of_calling_counts_the_same_key(quotas: str) -> None:
    one = secval.Limiter(quotas, clock=ManualClock())
    for left, call in zip(range(8, -1, -1), CALLS, strict=True):
        decision = call(one)
        assert (decision.allowed, decision.remaining, decision.limit) == (True, left, 9)
    for call in CALLS:
        assert not call(one)
    assert one.peek("alice").remaining == 0


@pytest.mark.parametrize("key", ["alice", "grüße", "日本", "", "x" * 1000])
def test_operators_and_hits_mean_the_same_key(key: str) -> None:
    one = secval.Limiter("1/day")
    assert one.hit(key)
    one.reset(key.encode())
    assert one.hit(key)
    one.ban(key, 60)
    assert one.banned_for(key.encode())
    assert one.hit(key).retry_after > 0
    one.unban(Text(key))
    assert one.banned_for(key) is None


def test_costs() -> None:
    one = secval.Limiter("100/day")
    left = 100
    for cost in (1, 2, 30, 10, 17, True):
        decision = one.hit("k", cost)
        left -= cost
        assert (bool(decision), decision.remaining) == (True, left)
    for cost in (101, 2**24, 2**32 - 1):
        decision = one.hit("k", cost)
        assert (bool(decision), decision.retry_after) == (False, float("inf"))
    for cost in (2**32, 2**63, 2**64, -1):
        with pytest.raises(secval.UsageError, match="costs 1 to 4294967295"):
            one.hit("k", cost)
    with pytest.raises(secval.UsageError, match="at least 1"):
        one.hit("k", 0)
    for wrong in (1.0, "1", None):
        with pytest.raises(TypeError):
            one.hit("k", wrong)  # type: ignore[arg-type]
    assert one.peek("k").remaining == left


def test_wrong_calls_are_refused_as_ever() -> None:
    one = secval.Limiter("1/day")
    for call in (
        one.hit,
        lambda: one.hit("k", 1, 2),  # type: ignore[call-arg]
        lambda: one.hit("k", of=1),  # type: ignore[call-arg]
        lambda: one.hit(7),  # type: ignore[arg-type]
        lambda: one.hit(None),  # type: ignore[arg-type]
        lambda: secval.Limiter.hit("k"),  # type: ignore[call-arg,arg-type]
        lambda: secval.Limiter.hit("k", "k"),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(UnicodeEncodeError):
        one.hit("\ud800")
    assert str(inspect.signature(secval.Limiter.hit)) == "(self, /, key, cost=1)"
    assert (secval.Limiter.hit.__doc__ or "").startswith("Counts a hit")


def test_an_answer_that_is_kept_does_not_change() -> None:
    one = secval.Limiter("1000/day", clock=ManualClock())
    kept = [one.hit("k") for _ in range(500)]
    assert [decision.remaining for decision in kept] == list(range(999, 499, -1))
    # In turns kept and dropped.
    for left in range(499, 199, -2):
        last = one.hit("k")
        one.hit("other")
        assert last.remaining == left
        one.hit("k")
        assert last.remaining == left


def test_answers_of_threads_are_their_own() -> None:
    one = secval.Limiter("1000000/day")
    wrong = []

    def run(key: str) -> None:
        for hits in range(1, 5001):
            decision = one.hit(key)
            if decision.remaining != 1_000_000 - hits:
                wrong.append((key, hits, decision))

    threads = [threading.Thread(target=run, args=(f"key {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_references_are_given_back() -> None:
    one, key = secval.Limiter("1000000/day"), "a key of its own"
    before = sys.getrefcount(key), sys.getrefcount(one), sys.getrefcount(secval.Decision)
    for _ in range(1000):
        one.hit(key)
        kept = one.hit(key)
    del kept
    after = sys.getrefcount(key), sys.getrefcount(one), sys.getrefcount(secval.Decision)
    # The type may be kept by the answers that are kept.
    assert after[:2] == before[:2]
    assert after[2] - before[2] <= 2


@pytest.mark.parametrize("seed", ["0", "17", "random"])
def test_whatever_hash_python_has(seed: str) -> None:
    code = (
        "import secval; one = secval.Limiter('2/day'); "
        "print([bool(one.hit(key)) for key in ('a', b'a', bytearray(b'a'), 'ä', 'ä'.encode(), 'ä')])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[True, True, False, True, True, False]"


def test_two_quotas_of_one_window_are_refused() -> None:
    same = [secval.Quota(1, 1000), secval.Quota(2, 1000)]
    with pytest.raises(secval.UsageError, match="two quotas have the same window"):
        secval.Limiter(same)
