"""What `secval bench` can be told."""

from __future__ import annotations

import argparse
from pathlib import Path

from secval._bench.measure import Settings
from secval._bench.report import Budget, Report, read_report

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them to a parser that has POLICY."""
    parser.add_argument(
        "samples",
        metavar="SAMPLES",
        type=Path,
        nargs="?",
        help="requests as JSON lines, or a folder of *.jsonl (default: guessed from the policy)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures")
    parser.add_argument("--compare", metavar="FILE", type=_report, help="an earlier run's --json")
    parser.add_argument(
        "--tolerance",
        metavar="PERCENT",
        type=_above_zero,
        default=Budget().tolerance,
        help="that a ratio may be above the earlier one (default: %(default)g)",
    )
    parser.add_argument(
        "--budget",
        metavar="RATIO",
        type=_above_zero,
        help="of each request's median to the calibration loop",
    )
    parser.add_argument(
        "--budget-us", metavar="MICROSECONDS", type=_above_zero, help="of each request's median"
    )
    parser.add_argument(
        "--rounds", type=_count, default=Settings().rounds, help="(default: %(default)s)"
    )


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _report(name: str) -> Report:
    try:
        return read_report(Path(name))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise argparse.ArgumentTypeError(message) from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
