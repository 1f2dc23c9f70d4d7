"""The contests of `make bench`, as pytest-benchmark runs them: a group a contest, on the same inputs.

    make bench-pytest BENCH='-k parse'

Each contender has all of its rounds before the next one begins, so a machine that drifts favours one of them:
what `make bench` prints is measured in turns, and is the figure to quote. This is for whoever wants pytest-benchmark's
own means: --benchmark-compare, --benchmark-histogram, --benchmark-autosave.

SECVAL_SEED=random takes the held-back inputs (its number is printed), SECVAL_SEED=17 repeats them.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from contests import table
from contests.inputs import FIXED_SEED, Inputs

if TYPE_CHECKING:
    from contests.contest import Contender, Contest


def _seed() -> int:
    said = os.environ.get("SECVAL_SEED", "")
    return secrets.randbelow(2**32) if said == "random" else int(said or FIXED_SEED)


INPUTS = Inputs(_seed())


@cache
def _contest(key: str) -> Contest | None:
    """Verified: every contender has given the right answer."""
    return table.contest(key, INPUTS)


def _cases() -> list[Any]:
    cases: list[Any] = []
    for key in table.MAKERS:
        contest = _contest(key)
        if contest is None:
            skipped = pytest.mark.skip(reason=f"{key}: its data is not here (SECVAL_DATA)")
            cases.append(pytest.param(None, None, id=key, marks=skipped))
            continue
        cases += [pytest.param(contest, it, id=f"{key}: {it.name}") for it in contest.contenders]
        for name in contest.missing:
            skipped = pytest.mark.skip(reason=f"{name} is not installed")
            cases.append(pytest.param(None, None, id=f"{key}: {name}", marks=skipped))
    return cases


@pytest.mark.parametrize(("contest", "contender"), _cases())
def test_contender(benchmark: Any, contest: Contest, contender: Contender) -> None:
    """One contender of one contest; a call makes `per` operations."""
    per = f", {contest.per} of them a call" if contest.per > 1 else ""
    benchmark.group = f"{contest.key}: {contest.title}{per} (seed {INPUTS.seed})"
    benchmark.extra_info.update(per=contest.per, seed=INPUTS.seed, note=contender.note)
    assert contest.expect(benchmark(contender.call))  # noqa: S101 -- a test
