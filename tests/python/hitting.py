"""Processes that hit one shared table, and are stopped and killed meanwhile: what test_limiter_oracle.py starts.

    python hitting.py torment NAME LOG PLAN    # for so long; prints how many were killed
    python hitting.py flood NAME PLAN          # newcomers and known keys by turns; prints what each process has seen

A plan is JSON. Of a torment: `capacity`, `overflow`, `quotas` (a list; each hit is charged to some of them), `keys`,
`costs` (up to so much), `stops` (whether processes are stopped too), `seconds`, `shared` (false: each process has a
table of its own, which is what the oracle must find). Of a flood: `capacity`, `overflow`, `quota`, `early` (keys that
are used up), `newcomers` (of each process).

An admitted hit is one record in the log: its key, the quotas that it was charged to (a bit each), its cost, and the
clock before and after it. It is written in one call, by a process that may be killed at any time, to a file that
outlives it.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import struct
import sys
import threading
import time
from typing import Any

import secval

PROCESSES = 4
THREADS = 2
RECORD = struct.Struct("=IIQQQ")


def clock() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def chosen(quotas: list[str]) -> list[tuple[int, str]]:
    """All choices of quotas: a bit each, and as a limiter takes them."""
    masks = range(1, 1 << len(quotas))
    of = lambda mask: [quota for bit, quota in enumerate(quotas) if mask >> bit & 1]
    return [(mask, "; ".join(of(mask))) for mask in masks]


def hit(limiters: list[tuple[int, secval.Limiter]], log: int, plan: dict[str, Any]) -> None:
    """Until the process is killed."""
    dice = random.Random()
    while True:
        key, cost = dice.randrange(plan["keys"]), dice.randint(1, plan["costs"])
        mask, limiter = dice.choice(limiters)
        before = clock()
        allowed = limiter.hit(f"key {key}", cost).allowed
        after = clock()
        if allowed:
            os.write(log, RECORD.pack(key, mask, cost, before, after))


def threads(count: int, work: Any) -> None:
    """Runs it in so many threads; one that raises ends the process."""
    sys.setswitchinterval(1e-5)
    threading.excepthook = lambda what: (sys.__excepthook__(*what[:3]), os._exit(3))
    started = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def forked(work: Any) -> int:
    """A process that does it; its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(3)
        os._exit(0)
    return child


def torment(name: str, path: str, plan: dict[str, Any]) -> int:
    options = {"capacity": plan["capacity"], "overflow": plan["overflow"]}

    def work() -> None:
        shared = name if plan["shared"] else False
        limiters = [
            (mask, secval.Limiter(quotas, **options, shared=shared))
            for mask, quotas in chosen(plan["quotas"])
        ]
        log = os.open(path, os.O_WRONLY | os.O_APPEND)
        threads(THREADS, lambda _: hit(limiters, log, plan))

    def kill(worker: int) -> None:
        os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        assert os.WIFSIGNALED(status), f"a worker ended by itself: {status}"

    dice = random.Random()
    workers = [forked(work) for _ in range(PROCESSES)]
    killed = 0
    end = time.monotonic() + plan["seconds"]
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.002, 0.016))
        index = dice.randrange(PROCESSES)
        if plan["stops"] and dice.random() < 0.5:
            os.kill(workers[index], signal.SIGSTOP)
            time.sleep(dice.uniform(0, 0.05))
            os.kill(workers[index], signal.SIGCONT)
        else:
            kill(workers[index])
            killed += 1
            workers[index] = forked(work)
    for worker in workers:
        kill(worker)
    return killed + PROCESSES


def flood(name: str, plan: dict[str, Any]) -> list[dict[str, int]]:
    """What each process has seen: newcomers that were refused at their first hit, known keys that were admitted."""
    options = {"capacity": plan["capacity"], "overflow": plan["overflow"], "shared": name}
    seen, told = os.pipe()
    # Nobody begins before it is closed: all are there.
    waiting, gun = os.pipe()

    def work(process: int) -> None:
        os.close(gun)
        os.read(waiting, 1)
        limiter = secval.Limiter(plan["quota"], **options)
        refused, admitted = itertools.count(), itertools.count()

        def come(thread: int) -> None:
            for number in range(plan["newcomers"] // THREADS):
                if not limiter.hit(f"newcomer {process} {thread} {number}"):
                    next(refused)
                if number % 10 == 0 and limiter.hit(f"early {number // 10 % plan['early']}"):
                    next(admitted)

        threads(THREADS, come)
        line = {"refused": next(refused), "admitted": next(admitted)}
        os.write(told, json.dumps(line).encode() + b"\n")

    workers = [forked(lambda process=process: work(process)) for process in range(PROCESSES)]
    os.close(gun)
    os.close(told)
    ends = [os.waitpid(worker, 0)[1] for worker in workers]
    assert not any(ends), ends
    with os.fdopen(seen) as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    what, *arguments, plan = sys.argv[1:]
    print(json.dumps({"torment": torment, "flood": flood}[what](*arguments, json.loads(plan))))
