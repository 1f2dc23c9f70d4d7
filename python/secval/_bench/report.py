"""What was measured: kept as JSON, shown as a table, held against a budget and an earlier run.

Nothing here measures.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Budget", "Measured", "Report", "faults", "read_report", "table"]

# Of the JSON; another number cannot be compared.
FORMAT: Final = 1


@dataclass(frozen=True)
class Measured:
    """One request.

    Attributes:
        verdict: `allowed`, or the reason of its refusal.
        median_us: Microseconds of one call.
        p99_us: Ninety-nine of a hundred calls took no longer.
        ratio: To the calibration loop, the median over the rounds.
        ratio_low: The tenth percentile of the rounds.
        ratio_high: The ninetieth.
    """

    verdict: str
    median_us: float
    p99_us: float
    ratio: float
    ratio_low: float
    ratio_high: float

    @classmethod
    def of(cls, verdict: str, turns: Sequence[Sequence[int]], loop: Sequence[float]) -> Measured:
        """Of the nanoseconds of each call, a list a round, and the loop's median in each round."""
        calls = [one for turn in turns for one in turn]
        ratios = [statistics.median(turn) / base for turn, base in zip(turns, loop, strict=True)]
        return cls(
            verdict,
            median_us=statistics.median(calls) / 1000,
            p99_us=percentile(calls, 99) / 1000,
            ratio=statistics.median(ratios),
            ratio_low=percentile(ratios, 10),
            ratio_high=percentile(ratios, 90),
        )


@dataclass(frozen=True)
class Report:
    """A run.

    Attributes:
        machine: Where, and by which Python.
        calibration_us: Microseconds of the calibration loop, the median.
        requests: By name.
    """

    machine: str
    calibration_us: float
    requests: Mapping[str, Measured]

    def to_json(self) -> str:
        """For a file, which `read_report` reads."""
        found = {"format": FORMAT, "secval": metadata.version("secval"), **asdict(self)}
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Budget:
    """What a request may cost.

    Attributes:
        ratio: To the calibration loop; None: any.
        micros: Microseconds, the median; None: any.
        tolerance: Percent that a ratio may be above an earlier run's.
    """

    ratio: float | None = None
    micros: float | None = None
    tolerance: float = 10.0


def read_report(path: Path) -> Report:
    """A report that was written.

    Raises:
        ValueError: It is none, or of another format.
        OSError: The file cannot be read.
    """
    found: Any = json.loads(path.read_bytes())
    raw = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if raw.get("format") != FORMAT:
        message = "no report of `secval bench --json` of this version"
        raise ValueError(message)
    try:
        kept: dict[str, dict[str, Any]] = raw["requests"]
        requests = {name: Measured(**one) for name, one in kept.items()}
        return Report(raw["machine"], raw["calibration_us"], requests)
    except (AttributeError, KeyError, TypeError) as error:
        message = "a damaged report"
        raise ValueError(message) from error


def faults(
    found: Report,
    budget: Budget,
    *,
    base: Report | None = None,
    own: Mapping[str, float | None] | None = None,
) -> list[str]:
    """Why a run fails; empty if it does not.

    Args:
        found: The run.
        budget: For all requests.
        base: An earlier run. A request is slower than it was only if its ratio rose by more than the tolerance and
            its spread lies wholly above the earlier one; one that is judged differently or gone is a fault too.
        own: Ratios for single requests, in place of the budget's.
    """
    lines: list[str] = []
    for name, one in found.requests.items():
        ratio = (own or {}).get(name) or budget.ratio
        if ratio is not None and one.ratio > ratio:
            lines.append(f"{name}: ratio {one.ratio:.2f} is over its budget of {ratio:g}")
        if budget.micros is not None and one.median_us > budget.micros:
            lines.append(f"{name}: {one.median_us:.1f} µs is over the budget of {budget.micros:g}")
    if base is not None:
        lines += _slower(found, base, budget.tolerance)
    return lines


def _slower(found: Report, base: Report, tolerance: float) -> Iterable[str]:
    for name, then in base.requests.items():
        now = found.requests.get(name)
        if now is None:
            yield f"{name}: was measured before, and is not now"
        elif now.verdict != then.verdict:
            yield f"{name}: was {then.verdict}, is {now.verdict}"
        elif now.ratio > then.ratio * (1 + tolerance / 100) and now.ratio_low > then.ratio_high:
            change = 100 * (now.ratio / then.ratio - 1)
            yield f"{name}: ratio {then.ratio:.2f} -> {now.ratio:.2f} ({change:+.0f} %)"


def table(found: Report, base: Report | None = None) -> Iterable[Sequence[str]]:
    """Rows, the head first: ratios before times."""
    head = ("request", "verdict", "ratio", "(spread)", "median", "99 %")
    yield (*head, "before") if base else head
    for name, one in found.requests.items():
        row = (
            name,
            one.verdict,
            f"{one.ratio:.2f}",
            f"({one.ratio_low:.2f}-{one.ratio_high:.2f})",
            f"{one.median_us:.1f} µs",
            f"{one.p99_us:.1f} µs",
        )
        then = base.requests.get(name) if base else None
        yield (*row, f"{then.ratio:.2f}" if then else "new") if base else row


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent lie, the nearest one that occurred."""
    ordered = sorted(values)
    return ordered[round(percent / 100 * (len(ordered) - 1))]
