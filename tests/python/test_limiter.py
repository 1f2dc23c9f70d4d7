"""`secval.Limiter`, `Quota`, `Decision` and the manual clock, as a user meets them."""

from __future__ import annotations

import math
import pickle
import threading

import pytest

import secval
from secval.testing import ManualClock


def limiter(quotas: str, **options: int) -> tuple[secval.Limiter, ManualClock]:
    clock = ManualClock()
    return secval.Limiter(quotas, clock=clock, **options), clock


def admitted(limiter: secval.Limiter, key: str | bytes, tries: int) -> int:
    return sum(bool(limiter.hit(key)) for _ in range(tries))


def test_a_decision_says_what_is_left_and_when() -> None:
    three, clock = limiter("3/second")
    first = three.hit("alice")
    assert first
    assert (first.allowed, first.limit, first.remaining) == (True, 3, 2)
    assert (first.reset_after, first.retry_after, first.table_full) == (1.001, 0.0, False)
    clock.advance(0.25)
    assert admitted(three, "alice", 5) == 2
    refused = three.hit("alice")
    assert not refused
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after == pytest.approx(0.751)
    assert "allowed=False" in repr(refused)
    clock.advance(refused.retry_after)
    assert admitted(three, "alice", 5) == 1


@pytest.mark.parametrize("quota", ["1/ms", "5/15minute", "10/second", "50/30ms", "1000/hour"])
def test_retry_after_is_true(quota: str) -> None:
    one, clock = limiter(quota)
    limit = one.quotas[0].limit
    for _ in range(20):
        assert admitted(one, "k", limit + 3) >= 1
        refused = one.hit("k")
        assert not refused
        clock.advance(refused.retry_after - 0.001)
        assert not one.peek("k")
        clock.advance(0.001)
        assert one.peek("k")


def test_several_quotas_are_all_or_nothing() -> None:
    both, clock = limiter("2/second; 5/minute")
    seen = []
    for _ in range(5):
        seen.append(admitted(both, "k", 10))
        clock.advance(1.001)
    assert seen == [2, 2, 1, 0, 0]
    assert both.hit("k").limit == 5


def test_cost() -> None:
    ten, _ = limiter("10/second")
    assert ten.hit("k", cost=7).remaining == 3
    refused = ten.hit("k", 4)
    assert not refused
    assert refused.remaining == 3
    assert 0 < refused.retry_after < math.inf
    assert ten.hit("k", 3)
    never = ten.hit("fresh", 11)
    assert not never
    assert never.retry_after == math.inf
    with pytest.raises(secval.UsageError):
        ten.hit("k", 0)
    with pytest.raises(secval.UsageError, match="costs 1 to"):
        ten.hit("k", -1)


def test_peek_leaves_no_trace() -> None:
    one, _ = limiter("1/day")
    assert all(one.peek("k") for _ in range(10))
    assert one.peek("k").remaining == 1
    assert one.hit("k")
    assert not one.peek("k")


def test_a_str_is_its_utf8() -> None:
    one, _ = limiter("1/day")
    for text in ("", "a", "grüße", "日本", "\N{GRINNING FACE}", "x" * 100_000):
        assert one.hit(text)
        assert not one.hit(text.encode())
        assert not one.hit(bytearray(text.encode()))
    with pytest.raises(TypeError, match="a key is str or bytes, not int"):
        one.hit(7)  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        one.hit("\ud800")


def test_an_exhausted_key_stays_so_while_others_come() -> None:
    for overflow in (0, 100):
        one, _ = limiter("1/minute", capacity=100, overflow=overflow)
        assert one.hit("mine")
        newcomers = [one.hit(f"key {number}") for number in range(500)]
        assert sum(map(bool, newcomers)) >= 90
        refused = [decision for decision in newcomers if not decision]
        full = sum(decision.table_full for decision in refused)
        # The last to find a line may take over what the overflow has counted in its cells.
        assert full >= len(refused) - (overflow and 20)
        assert not one.hit("mine")
        assert not one.hit("key 0")
        stats = one.stats()
        assert stats["evicted"] == 0
        assert stats["claimed"] == stats["live"] >= 90
        assert stats["claimed"] + stats["overflowed"] >= 1 + sum(map(bool, newcomers))
        assert stats["bytes"] < 30_000


def test_memory_of_a_large_table() -> None:
    stats = secval.Limiter("1/minute", capacity=1_000_000).stats()
    assert stats["bytes"] <= 124 * 1_000_000


def test_bans() -> None:
    both, clock = limiter("5/second; 50/minute")
    assert both.banned_for("k") is None
    both.ban("k", 30)
    refused = both.hit("k")
    assert not refused
    assert refused.retry_after == both.banned_for("k") == 30.0
    assert both.hit("other")
    clock.advance(29.999)
    assert not both.peek("k")
    clock.advance(0.001)
    assert both.hit("k")
    both.ban("k", 30)
    both.unban("k")
    assert both.hit("k")
    assert both.stats()["banned"] == 1


def test_reset() -> None:
    both, _ = limiter("5/second; 50/minute")
    assert admitted(both, "k", 10) == admitted(both, "other", 10) == 5
    both.reset("k")
    assert admitted(both, "k", 10) == 5
    assert not both.hit("other")


def test_quotas_as_values() -> None:
    quotas = secval.Quota.parse("10/second; 1000/hour")
    assert quotas == [secval.Quota(10, 1000), secval.Quota(1000, 3_600_000)]
    assert [str(quota) for quota in quotas] == ["10/second", "1000/hour"]
    assert secval.Limiter(quotas).quotas == quotas
    assert secval.Limiter(tuple(quotas)).quotas == quotas
    assert secval.Limiter(quotas[0]).quotas == quotas[:1]
    assert repr(secval.Limiter(quotas)) == "Limiter('10/second; 1000/hour')"
    assert len({*quotas, secval.Quota(10, 1000)}) == 2
    assert pickle.loads(pickle.dumps(quotas)) == quotas


@pytest.mark.parametrize(
    ("quotas", "said"),
    [
        ("", "found nothing"),
        ("10", "expected `/`"),
        ("10/fortnight", "unknown unit.*byte 3"),
        ("8/5ms", "at least 6 ms"),
        ([], "admit everything"),
    ],
)
def test_wrong_quotas(quotas: str | list[secval.Quota], said: str) -> None:
    with pytest.raises(secval.UsageError, match=said):
        secval.Limiter(quotas)


def test_wrong_numbers() -> None:
    with pytest.raises(secval.UsageError, match="at least 1"):
        secval.Quota(0, 1000)
    with pytest.raises(secval.UsageError, match="capacity"):
        secval.Limiter("1/day", capacity=0)
    with pytest.raises(TypeError):
        secval.Limiter(["1/day"])  # type: ignore[list-item]
    with pytest.raises(secval.UsageError, match="back"):
        ManualClock().advance(-1)


def test_the_wall_clock_is_no_matter() -> None:
    one, clock = limiter("1/minute")
    assert one.hit("k")
    for wall in (0.0, 4e9):
        clock.set_wall(wall)
        assert not one.hit("k")
    clock.advance(60.001)
    assert clock.now() == pytest.approx(1_000_060.001)
    assert one.hit("k")


def test_threads_share_one_quota() -> None:
    many = secval.Limiter("500/hour")
    counts: list[int] = []
    work = lambda: counts.append(admitted(many, "k", 1000))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 500


def test_newcomers_in_a_flood_get_what_the_page_says() -> None:
    """docs/limiter.md: how many are refused early, by how many were counted in the overflow before."""
    cells = 40_000
    one, _ = limiter("1/hour", capacity=500, overflow=cells)
    keys = (f"key {number}" for number in range(1_000_000))
    page = [(1 / 20, 0.01), (1 / 10, 0.03), (1 / 4, 0.17), (1 / 2, 0.54)]
    for share, said in page:
        while (stats := one.stats())["overflowed"] < share * cells:
            for _ in range(50):
                one.hit(next(keys))
        # No lines are left: every newcomer is counted in the overflow.
        assert stats["live"] == stats["lines"]
        answers = [one.peek(f"newcomer {number}") for number in range(4_000)]
        refused = [answer for answer in answers if not answer]
        assert len(refused) / 4_000 == pytest.approx(said, abs=0.01 + said / 10)
        assert all(answer.table_full for answer in refused)


@pytest.mark.parametrize("quota", ["3/day", "100/day"])
def test_a_machine_that_was_started_just_now(quota: str) -> None:
    clock = ManualClock(0)
    one = secval.Limiter(quota, clock=clock)
    limit = one.quotas[0].limit
    for _ in range(5):
        clock.advance(0.001)
        assert sum(bool(one.hit("k")) for _ in range(limit + 5)) in {limit, 0}
    assert not one.hit("k")
    clock.advance(86_400 * 7 / 6 + 1)
    assert one.hit("k")


def test_while_time_stands_still_nothing_expires() -> None:
    one, clock = limiter("50/second")
    assert sum(bool(one.hit("k")) for _ in range(10_000)) == 50
    # As after a suspension: time goes on by days at once.
    clock.advance(3 * 86_400)
    assert sum(bool(one.hit("k")) for _ in range(10_000)) == 50
