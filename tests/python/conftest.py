"""What the tests share: the public suites' data, and what becomes of a test whose data is not here.

`$SECVAL_DATA` names the folder (default: `../shared/data`, seen from the project). Without it the suites skip
and the summary says how many; with `CI=true` a missing suite is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SECVAL_DATA") or ROOT.parent / "shared" / "data")
STRICT = os.environ.get("CI") == "true"

_missing: dict[str, int] = {}


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture
def suite() -> Callable[[str], Path]:
    """The folder (or file) of a public suite: `suite("json-test-suite/test_parsing")`."""
    return need


def need(name: str) -> Path:
    """A part of the public data; without it the test that asks is skipped, or fails where nothing may skip."""
    path = DATA / name
    if path.exists():
        return path
    if STRICT:
        pytest.fail(f"$SECVAL_DATA has no {name}, and with CI=true no suite may be missing")
    _missing[name] = _missing.get(name, 0) + 1
    pytest.skip(f"$SECVAL_DATA has no {name}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missing:
        total = sum(_missing.values())
        terminalreporter.section("public suites left out")
        for name, count in sorted(_missing.items()):
            terminalreporter.line(f"{count:5} tests  {name}")
        terminalreporter.line(
            f"{total:5} tests in all; set SECVAL_DATA to the folder that has them"
        )
