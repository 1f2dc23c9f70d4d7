"""One line of the logger `secval` for each refusal: codes and ids, never what was submitted.

A flood of refusals must not become a flood of lines, and must not bury a rare one: each reason has a budget of
its own, and the next line after a drought says how many were left out.

    refused 422 schema.violation: POST /bookings [5f0c…]
    would refuse json.duplicate_key: POST /bookings [77ab…] (monitor)

A record also has the attributes `secval_reason`, `secval_operation`, `secval_client`, `secval_request_id`.
"""

from __future__ import annotations

import logging
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from secval._core import Gate, Verdict

__all__ = ["Budget", "difference", "record", "start"]

logger = logging.getLogger("secval")

# Lines of one reason in one second. Half would lose lines of an ordinary test run; double, times some eighty
# reasons, is more than a terminal or a log shipper likes.
_LINES = 10


class Budget:
    """So many lines of one code in one second; counts what was left out."""

    __slots__ = ("_clock", "_codes", "_lines", "_lock")

    def __init__(self, lines: int = _LINES, clock: Callable[[], float] = monotonic) -> None:
        self._lines, self._clock, self._lock = lines, clock, Lock()
        # Code to [second, lines in it, left out since the last line]: as many as there are reasons.
        self._codes: dict[str, list[int]] = {}

    def spend(self, code: str) -> int | None:
        """None when the budget is used up; otherwise how many were left out before."""
        second = int(self._clock())
        with self._lock:
            state = self._codes.setdefault(code, [second, 0, 0])
            if state[0] != second:
                state[0], state[1] = second, 0
            if state[1] >= self._lines:
                state[2] += 1
                return None
            state[1] += 1
            left_out, state[2] = state[2], 0
            return left_out


_budget = Budget()
_started = Event()


def start(gate: Gate) -> None:
    """Says once a process what an operator should know of a gate before its first request.

    Also where this is the only process: whether others are started beside it, by hand or by an orchestrator, cannot be known.
    """
    if gate.sharing_unsaid and not _started.is_set():
        _started.set()
        logger.warning(
            "quotas are counted by each process alone: N workers, or N servers, admit N times as much; write in `[rate]` "
            '`shared = "auto"` (all processes of this host count together), or `shared = false` if this is meant'
        )


def difference() -> None:
    """Says that a schema's two validators did not agree on a value: a defect of secval, and the value was refused."""
    code = "schema.difference"
    left_out = _budget.spend(code)
    if left_out is not None:
        more = f" ({left_out} more before)" if left_out else ""
        text = "%s: a value was judged in two ways, and refused; please report the schema%s"
        logger.error(text, code, more, extra={"secval_reason": code})


def record(verdict: Verdict) -> None:
    """Logs a verdict that refuses, or that would have in mode `enforce`; no other."""
    code = verdict.reason or verdict.would_refuse
    if code is None or not logger.isEnabledFor(logging.WARNING):
        return
    left_out = _budget.spend(code)
    if left_out is None:
        return
    operation, request_id = verdict.operation, verdict.request_id
    status = verdict.status
    what = f"refused {status}" if verdict.reason else "would refuse"
    more = f" ({left_out} more before)" if left_out else ""
    # A refusal that is a client's fault is a warning; one that is ours or the operator's is an error.
    level = logging.ERROR if verdict.reason and status >= 500 else logging.WARNING  # noqa: PLR2004 -- HTTP's own number
    fields = {
        "secval_reason": code,
        "secval_operation": operation,
        "secval_client": verdict.client,
        "secval_request_id": request_id,
    }
    logger.log(
        level, "%s %s: %s [%s]%s", what, code, operation or "-", request_id, more, extra=fields
    )
