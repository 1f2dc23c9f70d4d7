"""`Limiter.slot`: never more at once, whatever becomes of the holders."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import secval
from secval._core import inspect_limiter, remove_limiter
from secval.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

linux = pytest.mark.skipif(sys.platform != "linux", reason="tables are shared on Linux only")


@pytest.fixture
def name() -> Iterator[str]:
    found = f"test-{uuid.uuid4().hex}"
    yield found
    with suppress(secval.UsageError):
        remove_limiter(found)


def test_a_slot_is_given_back_at_the_end() -> None:
    one = secval.Limiter(slots=2)
    with one.slot("k") as first, one.slot("k") as second:
        assert first
        assert second
        assert (first.limit, first.lease, first.retry_after) == (2, 60.0, 0.0)
        assert one.slots_taken("k") == 2
        third = one.slot("k")
        assert not third
        assert 0 < third.retry_after <= 60.001
        assert not third.table_full
        assert one.slot("other")
    assert one.slots_taken("k") == 0
    assert not first.release()
    assert not first.renew()


def test_a_slot_that_was_not_given_cannot_be_entered() -> None:
    one = secval.Limiter(slots=1, lease=5)
    with one.slot("k"):
        with (
            pytest.raises(secval.SlotsTaken, match="all slots are taken") as refused,
            one.slot("k"),
        ):
            pytest.fail("entered")
        assert 0 < refused.value.retry_after <= 5.001
        assert not refused.value.table_full
        again = pickle.loads(pickle.dumps(refused.value))
        assert str(again) == str(refused.value)
    slot = one.slot("k")
    assert slot.release()
    with pytest.raises(secval.UsageError, match="given back"), slot:
        pytest.fail("entered")


def test_given_back_whatever_happens_inside() -> None:
    one = secval.Limiter(slots=1)
    message = "inside"
    with pytest.raises(ValueError, match=message), one.slot("k"):
        raise ValueError(message)
    assert one.slots_taken("k") == 0


def test_a_slot_is_entered_once() -> None:
    one = secval.Limiter(slots=1)
    slot = one.slot("k")
    with slot:
        with pytest.raises(secval.UsageError, match="another `with` has it"), slot:
            pytest.fail("entered twice")
        assert one.slots_taken("k") == 1
    assert one.slots_taken("k") == 0


def test_a_slot_that_nobody_has_is_given_back() -> None:
    one = secval.Limiter(slots=1)
    slot = one.slot("k")
    assert slot
    del slot
    gc.collect()
    assert one.slot("k")


def test_leases() -> None:
    clock = ManualClock()
    one = secval.Limiter(slots=1, lease=2, clock=clock)
    slow = one.slot("k")
    clock.advance(2)
    assert slow.renew()
    clock.advance(1)
    refused = one.slot("k")
    assert refused.retry_after == pytest.approx(1.001)
    clock.advance(refused.retry_after)
    taken = one.slot("k")
    assert taken
    assert not slow.renew()
    assert not slow.release()
    assert one.slots_taken("k") == 1
    assert taken.release()


def test_with_and_without_quotas() -> None:
    both = secval.Limiter("3/minute", slots=2, lease=10)
    with both.slot("k"):
        assert both.hit("k").remaining == 2
    assert repr(both) == "Limiter('3/minute', slots=2, lease=10.0)"
    assert repr(secval.Limiter(slots=2)) == "Limiter(slots=2, lease=60.0)"
    assert repr(both.slot("k")) == "Slot(allowed=True, limit=2, lease=10.0, retry_after=0.0)"
    alone = secval.Limiter(slots=2)
    assert alone.quotas == []
    for call in (alone.hit, alone.peek):
        with pytest.raises(secval.UsageError, match="no quota"):
            call("k")
    hits = secval.Limiter("3/minute")
    for call in (hits.slot, hits.slots_taken):
        with pytest.raises(secval.UsageError, match="without `slots`"):
            call("k")
    with pytest.raises(secval.UsageError, match="neither quotas nor slots"):
        secval.Limiter()
    for slots, lease in ((0, 1), (1025, 1), (1, 0), (1, 1e9)):
        with pytest.raises(secval.UsageError, match="slots are 1 to 1024"):
            secval.Limiter(slots=slots, lease=lease)


def test_banned_keys_get_none() -> None:
    one = secval.Limiter(slots=2)
    one.ban("k", 30)
    assert 0 < one.slot("k").retry_after <= 30
    one.unban("k")
    assert one.slot("k")


def test_threads_and_tasks() -> None:
    one = secval.Limiter(slots=3)
    inside, most, lock = 0, 0, threading.Lock()

    def enter(change: int) -> None:
        nonlocal inside, most
        with lock:
            inside += change
            most = max(most, inside)

    def run() -> None:
        for _ in range(300):
            with suppress(secval.SlotsTaken), one.slot("k"):
                enter(1)
                time.sleep(0)
                enter(-1)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 3
    assert one.slots_taken("k") == 0

    async def task() -> bool:
        slot = one.slot("k")
        if not slot:
            return False
        with slot:
            await asyncio.sleep(0)
        return True

    async def run_all() -> list[bool]:
        return await asyncio.gather(*(task() for _ in range(10)))

    assert sum(asyncio.run(run_all())) == 3


def waited_for(one: secval.Limiter, lease: float) -> secval.Slot:
    """A slot, after as long as it says."""
    for _ in range(10):
        slot = one.slot("k")
        if slot:
            return slot
        assert slot.retry_after <= lease + 0.001
        time.sleep(slot.retry_after)
    pytest.fail("none is free")


@linux
def test_a_killed_holder_keeps_its_slot_for_its_lease(name: str) -> None:
    code = (
        "import secval, sys, time; "
        f"one = secval.Limiter(slots=2, lease=float(sys.argv[1]), shared={name!r}); "
        "slots = [one.slot('k'), one.slot('k')]; print(all(slots), flush=True); time.sleep(600)"
    )
    for lease in (600.0, 1.0):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(lease)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "True\n"
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        one = secval.Limiter(slots=2, lease=lease, shared=name)
        if lease > 1:
            refused = one.slot("k")
            assert not refused
            assert 0 < refused.retry_after <= lease + 0.001
            continue
        # Both were taken within a moment, which may be two milliseconds.
        slots = [waited_for(one, lease), waited_for(one, lease)]
        assert all(slots)
    rows = inspect_limiter(name)["quotas"]
    assert [row["quota"] for row in rows] == [
        None,
        "2 at once, for 10minute",
        "2 at once, for second",
    ]


@linux
def test_processes_that_share_a_name(name: str) -> None:
    one = secval.Limiter(slots=2, shared=name)
    code = (
        f"import secval; one = secval.Limiter(slots=2, shared={name!r}); "
        "print(bool(one.slot('k')), one.slots_taken('k'))"
    )

    def other() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout

    with one.slot("k"):
        assert other() == "True 1\n"
        with one.slot("k"):
            assert other() == "False 2\n"
    assert other() == "True 0\n"


@linux
def test_a_fork_that_python_does_not_see_gives_nothing_back() -> None:
    """`os.fork` calls who asked to be told; a fork by C does not."""
    one = secval.Limiter(slots=1, shared=True)
    with one.slot("k") as slot:
        child = ctypes.PyDLL(None).fork()
        if child == 0:
            os._exit(slot.release() or slot.renew() or bool(one.slot("k")))
        assert os.waitpid(child, 0) == (child, 0)
        assert slot.renew()
        assert one.slots_taken("k") == 1
    assert one.slots_taken("k") == 0


@linux
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_gives_nothing_back() -> None:
    one = secval.Limiter(slots=1, shared=True)
    context = multiprocessing.get_context("fork")
    with one.slot("k") as slot:

        def child() -> None:
            wrong = slot.release() or slot.renew() or bool(one.slot("k"))
            os._exit(wrong)

        process = context.Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == 0
        assert one.slots_taken("k") == 1
    assert one.slots_taken("k") == 0
