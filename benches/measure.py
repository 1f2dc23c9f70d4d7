"""Times of several contenders, taken in turns so that a drifting machine cancels out.

In each round every contender runs for about `SLICE` in a fresh random order, next to one that does nothing; what
nothing costs is subtracted, and each time is set against secval's of the same round. A ratio of one round has seen
one state of the machine; the median of many rounds, over several processes, is the figure, and the tenth and
ninetieth percentile of the rounds are its spread.

Time is the processor's time of this process: while others have the processor, it stands still. No contender here
waits for anything, and none has threads that work while it waits.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contests.contest import Contest

# One turn of one contender: long against the clock's grain, short against the machine's moods.
SLICE = 4_000_000  # ns
# Walked over before every cold call: more than the last level of any cache here.
TRASH = 96 << 20  # bytes

Times = dict[str, list[float]]


def nothing() -> None:
    """What every call costs that does nothing."""


def hot(contest: Contest, rounds: int, slice_ns: int = SLICE) -> Times:
    """Nanoseconds for one operation, a list by contender, one item a round: called again and again."""
    calls: dict[str, Callable[[], Any]] = {it.name: it.call for it in contest.contenders}
    calls[""] = nothing
    loops = {name: _loops(call, slice_ns) for name, call in calls.items()}
    raw: Times = {name: [] for name in calls}
    order = list(calls)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            raw[name].append(_time(calls[name], loops[name]))
    empty = statistics.median(raw.pop(""))
    return {
        name: [max(time - empty, 0.1) / contest.per for time in times]
        for name, times in raw.items()
    }


def cold(contest: Contest, rounds: int) -> Times:
    """The same for single calls after other work has driven everything out of the caches."""
    trash = bytes(TRASH)
    clock = time.process_time_ns
    reads = [clock() for _ in range(1001)]
    empty = statistics.median(late - soon for soon, late in pairwise(reads))
    times: Times = {it.name: [] for it in contest.contenders}
    contenders = list(contest.contenders)
    for _ in range(rounds):
        random.shuffle(contenders)
        for contender in contenders:
            trash.count(1)
            start = clock()
            contender.call()
            spent = max(clock() - start - empty, 0.1)
            times[contender.name].append(spent / contest.per)
    return times


def _loops(call: Callable[[], Any], slice_ns: int) -> int:
    """How often fits into a slice; at least once."""
    loops, spent = 1, 0
    while True:
        spent = int(_time(call, loops) * loops)
        if spent * 4 >= slice_ns:
            return max(1, round(loops * slice_ns / spent))
        loops *= 2


def _time(call: Callable[[], Any], loops: int) -> float:
    gc.collect(0)
    turns = range(loops)
    start = time.process_time_ns()
    for _ in turns:
        call()
    return (time.process_time_ns() - start) / loops


def summary(times: Times, reference: str) -> dict[str, dict[str, float]]:
    """Median and spread of each contender's time (ns), and of its ratio to the reference, round by round."""
    base = times[reference]
    return {
        name: {
            **_spread("ns", own),
            **_spread("ratio", [time / other for time, other in zip(own, base, strict=True)]),
        }
        for name, own in times.items()
    }


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    low, high = percentile(values, 10), percentile(values, 90)
    return {name: statistics.median(values), f"{name}_low": low, f"{name}_high": high}


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent lie, the nearest one that occurred."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def merged(parts: Sequence[Times]) -> Times:
    """The rounds of several processes."""
    return {name: [time for part in parts for time in part[name]] for name in parts[0]}
