"""Times of single requests, taken in turns with a calibration loop so that a drifting machine cancels out.

In each round the loop and every request have a turn, in a fresh random order. A round's ratio is the median of the
request's calls in its turn over the median of the loop's in the same round; the figure is the median over the
rounds, and their tenth and ninetieth percentile are its spread.

The loop is `json.loads` of a fixed text of about 1,000 bytes: a ratio of 2 is twice as long as the standard
library takes to read that text, on this machine, by this Python.
"""

from __future__ import annotations

import gc
import json
import platform
import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from secval._bench.report import Measured, Report
from secval._bench.samples import ALLOWED, Sample, SampleError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from secval._core import Gate, ManualClock

__all__ = ["CALIBRATION", "Settings", "measure"]

_LINE: Final = {
    "sku": "abcdefghij",
    "quantity": 7,
    "price": 19.99,
    "tags": ["a", "b"],
    "gift": False,
}
CALIBRATION: Final = json.dumps({"id": 4711, "note": "x" * 76, "lines": [_LINE] * 10})
# A quota may have several windows, and a ban may follow; each wait ends one of them.
_WAITS: Final = 20
_RATE: Final = 429


@dataclass(frozen=True)
class Settings:
    """How long to measure.

    Attributes:
        rounds: Turns of each request.
        slice_ns: Nanoseconds of one turn: long against the clock's grain, short against the machine's moods.
        now: Reads nanoseconds.
        progress: Told of each round that begins.
    """

    rounds: int = 20
    slice_ns: int = 10_000_000
    now: Callable[[], int] = time.perf_counter_ns
    progress: Callable[[int, int], object] = lambda _round, _rounds: None


def measure(
    gate: Gate, clock: ManualClock, samples: Sequence[Sample], settings: Settings | None = None
) -> Report:
    """Times the requests.

    Args:
        gate: Made with `clock`.
        clock: Moved on whenever a quota is used up, so that the request is measured and not its refusal.
        samples: With different names.
        settings: How long.

    Raises:
        SampleError: A request is judged otherwise than it expects.
    """
    settings = settings or Settings()
    asked = [_Asked(gate, clock, sample) for sample in samples]
    for one in asked:
        one.verify()
    calls: dict[str | None, Callable[[], Any]] = {None: lambda: json.loads(CALIBRATION)}
    calls.update({one.sample.name: one.call for one in asked})
    again = {one.sample.name: one.again for one in asked}
    times: dict[str | None, list[list[int]]] = {name: [] for name in calls}
    empty = int(statistics.median(_turn(lambda: None, _always, settings)))
    order = list(calls)
    for done in range(settings.rounds):
        settings.progress(done, settings.rounds)
        random.shuffle(order)
        for name in order:
            judged = _turn(calls[name], again.get(name or "", _always), settings)
            times[name].append([max(one - empty, 1) for one in judged])
    settings.progress(settings.rounds, settings.rounds)
    loop = [statistics.median(turn) for turn in times.pop(None)]
    return Report(
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        calibration_us=statistics.median(loop) / 1000,
        requests={
            one.sample.name: Measured.of(one.sample.expect, times[one.sample.name], loop)
            for one in asked
        },
    )


def _always(_answer: Any) -> bool:
    return True


def _turn(call: Callable[[], Any], counts: Callable[[Any], bool], settings: Settings) -> list[int]:
    """Nanoseconds of each call that counts, for one turn; at least three."""
    found: list[int] = []
    now = settings.now
    collecting = gc.isenabled()
    gc.disable()
    try:
        until = now() + settings.slice_ns
        end = 0
        while end < until or len(found) < 3:  # noqa: PLR2004 -- a median of three
            start = now()
            answer = call()
            end = now()
            if counts(answer):
                found.append(end - start)
    finally:
        if collecting:
            gc.enable()
    return found


class _Asked:
    """A request, asked again and again."""

    def __init__(self, gate: Gate, clock: ManualClock, sample: Sample) -> None:
        self.sample, self._gate, self._clock = sample, gate, clock
        self._headers = list(sample.headers)
        self._websocket = sample.scheme in {"ws", "wss"}

    def call(self) -> Any:
        sample = self.sample
        return self._gate.judge(
            sample.method,
            sample.target,
            self._headers,
            sample.body,
            peer=sample.peer,
            scheme=sample.scheme,
            websocket=self._websocket,
        )

    def again(self, verdict: Any) -> bool:
        """Whether the verdict is the one to time; if a quota is used up, waits until it is not."""
        if verdict.status != _RATE or verdict.reason == self.sample.expect:
            return True
        self._wait(verdict)
        return False

    def verify(self) -> None:
        """Raises unless the request is judged as it expects."""
        verdict = self.call()
        for _ in range(_WAITS):
            if self.again(verdict):
                break
            verdict = self.call()
        found = ALLOWED if verdict.allowed else verdict.reason
        if found != self.sample.expect:
            message = f"{self.sample.name}: expected {self.sample.expect}, but it is {found}"
            raise SampleError(message)

    def _wait(self, verdict: Any) -> None:
        """The time that the refusal names; its calendar stays, so that no operation ages."""
        wall = time.time()
        after = [value for name, value in verdict.headers if name.lower() == "retry-after"]
        self._clock.advance(float(after[0]) if after else 1.0)
        self._clock.set_wall(wall)
