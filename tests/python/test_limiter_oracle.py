"""An oracle that shares nothing with the limiter but the machine's clock: a log of all that was admitted, by four
processes of two threads on one table, which are stopped and killed at whatever instant; looked at when all is over.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hitting
import pytest

import secval
from secval._core import inspect_limiter, remove_limiter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shared tables are Linux's")

# Longer, by hand: `SECVAL_ORACLE_SECONDS=60 pytest tests/python/test_limiter_oracle.py`.
SECONDS = float(os.environ.get("SECVAL_ORACLE_SECONDS", "2.5"))


class Hit(NamedTuple):
    """An admitted one: it was decided at some time between the two."""

    before: int
    after: int
    key: int
    quotas: int
    cost: int


@pytest.fixture
def name() -> Iterator[str]:
    name = f"pytest-{uuid.uuid4()}"
    yield name
    with contextlib.suppress(secval.UsageError):
        remove_limiter(name)


def hitting_processes(*arguments: str, **plan: Any) -> Any:
    command = [sys.executable, hitting.__file__, *arguments, json.dumps(plan)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def torment(name: str, folder: Path, **plan: Any) -> tuple[int, list[Hit]]:
    """How many processes were killed, and what had been admitted."""
    log = folder / "log"
    log.write_bytes(b"")
    standard = {"costs": 1, "stops": True, "seconds": SECONDS, "shared": True}
    killed = hitting_processes("torment", name, str(log), **{**standard, **plan})
    records = hitting.RECORD.iter_unpack(log.read_bytes())
    return killed, [
        Hit(before, after, key, mask, cost) for key, mask, cost, before, after in records
    ]


def fullest(hits: list[Hit], window: int) -> int:
    """The most that a window of so many nanoseconds is sure to have admitted: it begins with a hit, and counts those
    that were decided in it, wherever between their two times that was."""
    hits = sorted(hits)
    most = 0
    for index, first in enumerate(hits):
        end, count = first.before + window, 0
        for hit in hits[index:]:
            if hit.before > end:
                break
            count += hit.cost if hit.after <= end else 0
        most = max(most, count)
    return most


def broken(hits: list[Hit], quotas: list[str]) -> list[str]:
    """Every quota of a key that admitted more than its limit, in any window."""
    found = []
    for bit, text in enumerate(quotas):
        (quota,) = secval.Quota.parse(text)
        by_key = defaultdict(list)
        for hit in hits:
            if hit.quotas >> bit & 1:
                by_key[hit.key].append(hit)
        for key, of_key in by_key.items():
            most = fullest(of_key, quota.window_ms * 1_000_000)
            if most > quota.limit:
                found.append(f"key {key}: {most} of {text}")
    return found


TABLES = {
    # Few keys with lines of their own, where all meet in one word.
    "few keys": {"capacity": 5, "overflow": 0, "keys": 2, "quotas": ["5/20ms", "40/70ms"]},
    # As many as there are lines, which die and are taken all the time.
    "dying lines": {"capacity": 5, "overflow": 0, "keys": 12, "quotas": ["3/7ms", "12/30ms"]},
    # More than lines, counted in cells between.
    "overflow": {"capacity": 5, "overflow": 64, "keys": 24, "quotas": ["2/30ms", "9/110ms"]},
}


@pytest.mark.parametrize("table", TABLES)
def test_no_window_ever_holds_more(table: str, name: str, tmp_path: Path) -> None:
    plan = TABLES[table]
    killed, hits = torment(name, tmp_path, costs=2, **plan)
    assert broken(hits, plan["quotas"]) == []
    # Who is always refused keeps any promise.
    assert killed > 4 * hitting.PROCESSES
    assert len(hits) > 10 * plan["keys"]
    seen = inspect_limiter(name)
    assert table != "dying lines" or seen["evicted"] > 100, seen
    assert table != "overflow" or seen["overflowed"] > 100, seen


def test_the_oracle_finds_processes_that_count_alone(name: str, tmp_path: Path) -> None:
    _, hits = torment(name, tmp_path, **TABLES["few keys"] | {"shared": False, "seconds": 0.5})
    assert len(broken(hits, TABLES["few keys"]["quotas"])) == 4


def test_the_oracle_finds_one_too_many() -> None:
    ms = 1_000_000
    at = lambda before, after=None, cost=1: Hit(before * ms, (after or before) * ms, 0, 1, cost)
    assert broken([at(5), at(6), at(15)], ["3/10ms"]) == []
    assert broken([at(5), at(6), at(15)], ["2/10ms"]) == ["key 0: 3 of 2/10ms"]
    assert broken([at(5), at(6, cost=2), at(16)], ["3/10ms"]) == []
    # It may have been decided outside.
    assert broken([at(5, 30), at(6)], ["1/10ms"]) == []
    assert broken([at(5, 14), at(6)], ["1/10ms"]) == ["key 0: 2 of 1/10ms"]


@pytest.mark.parametrize("limit", [7, 20_000])
def test_a_killed_worker_costs_at_most_its_own_hit(limit: int, name: str, tmp_path: Path) -> None:
    """Of quotas that last longer than the test, all is admitted but what was lost with a killed thread."""
    quota, keys = f"{limit}/day", 300_000 // limit
    # So large that no eight lines are taken by chance.
    table = {"capacity": 8 * keys, "overflow": 0}
    plan = {**table, "keys": keys, "quotas": [quota], "stops": False}
    killed, hits = torment(name, tmp_path, **plan)
    admitted = [0] * keys
    for hit in hits:
        admitted[hit.key] += 1
    limiter = secval.Limiter(quota, **table, shared=name)
    for key in range(keys):
        while (decision := limiter.hit(f"key {key}")).allowed:
            admitted[key] += 1
        assert not decision.table_full
    assert len(hits) > 1_000
    assert max(admitted) <= limit
    lost = keys * limit - sum(admitted)
    assert 0 <= lost <= killed * hitting.THREADS


def test_a_flood_resets_nobody_and_refuses_as_many_newcomers_as_the_page_says(name: str) -> None:
    """docs/limiter.md, "Memory": of newcomers, (√(1+4c) - 1)² are refused with c counted before, for each cell."""
    cells = 100_000
    options = {"capacity": 200, "overflow": cells}
    limiter = secval.Limiter("1/day", **options, shared=name)
    early = [f"early {number}" for number in range(150)]
    for key in early:
        assert limiter.hit(key)
    lines = 0
    while limiter.stats()["live"] < limiter.stats()["lines"]:
        limiter.hit(f"line {lines}")
        lines += 1
    before = limiter.stats()["overflowed"]
    newcomers = cells // 2
    plan = {**options, "quota": "1/day", "early": len(early)}
    seen = hitting_processes("flood", name, newcomers=newcomers // hitting.PROCESSES, **plan)
    assert sum(process["admitted"] for process in seen) == 0, "a key that was used up is reset"
    assert not any(limiter.hit(key) for key in early)
    expected, counted = 0.0, float(before)
    for _ in range(newcomers):
        refused = (math.sqrt(1 + 4 * counted / cells) - 1) ** 2
        expected += refused
        counted += 1 - refused
    assert sum(process["refused"] for process in seen) == pytest.approx(expected, rel=0.1)
    stats = limiter.stats()
    assert stats["overflowed"] == pytest.approx(counted, rel=0.05)
    assert stats["evicted"] == 0
