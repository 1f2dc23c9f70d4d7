"""The benches' own arithmetic: what is read from callgrind, what is a rise, what a spread is. Nothing is measured."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module

import pytest
from conftest import ROOT

BENCHES = ROOT / "benches"
BASELINE = json.loads((BENCHES / "instructions" / "baseline.json").read_bytes())


@pytest.fixture
def module(monkeypatch):
    def load(name):
        folder, _, stem = f"{BENCHES}/{name}".rpartition("/")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, stem, raising=False)
        return import_module(stem)

    return load


# A scenario that calls `hot` (which calls itself, and a helper) and `other`.
PROFILE = """# callgrind format
version: 1
positions: line
events: Ir

ob=(1) /somewhere/scenarios
fl=(1) main.rs
fn=(1) secval_counted_region
10 5
cfn=(2) core::room::hot
calls=1 20
11 80
cfn=(3) core::room::other
calls=1 30
12 15

fl=(2) room.rs
fn=(2)
20 40
+2 10
cfn=(4) core::room::hot'2
calls=1 20
* 20
cfi=(3) helper.rs
cfn=(5) <core::room::Helper<u8, core::room::Other<T>> as core::Trait>::help
calls=2 1
23 10

fn=(4)
20 20

fl=(3)
fn=(5)
1 10

fn=(3)
30 15
"""


def test_a_profile_is_read(module):
    callgrind = module("instructions/callgrind")
    profile = callgrind._read(PROFILE)
    profile.total = sum(profile.own.values())
    assert profile.total == 100
    # With what it calls, its calls of itself once.
    assert profile.share("room::hot") == 0.8
    assert profile.share("room::other") == 0.15
    assert profile.share("Helper::help") == 0.1
    assert profile.share("nowhere") == 0
    assert profile.alone()["core::room::hot"] == 70
    assert profile.inclusive()["core::room::hot"] == 80


@pytest.mark.parametrize(
    "name, expected",
    [
        ("a::b", "a::b"),
        ("a::b<T>::c'2", "a::b::c"),
        ("<a::B<C<D>> as e::F<G>>::h", "a::B::h"),
        ("<u16>::from_str", "u16::from_str"),
        ("a::{{closure}}", "a::{{closure}}"),
    ],
)
def test_names_of_functions(module, name, expected):
    assert module("instructions/callgrind").plain(name) == expected


def test_rises_fail_and_falls_are_told(module, capsys):
    count = module("instructions/count")
    known = {"up": 1000, "a_bit": 1000, "down": 1000, "gone": 1}
    found = {"up": 1011, "a_bit": 1009, "down": 900, "new": 1}
    faults = count._differences(found, known, 1.0)
    assert sorted(fault.split(":")[0] for fault in faults) == ["gone", "new", "up"]
    assert "up: 1,000 -> 1,011 instructions (+1.10 %), more than 1 % up" in faults
    assert capsys.readouterr().out.startswith("fell: down: 1,000 -> 900 instructions (-10.00 %)")


def test_counts_of_another_compiler_do_not_compare(module, capsys):
    count = module("instructions/count")
    tools = BASELINE["tools"]
    counts = {language: dict(BASELINE[language]) for language in ("rust", "python")}
    assert count._compare(counts, BASELINE, tools) == 0
    for name in ("rustc", "profile", "machine", "cpu"):
        assert count._compare(counts, BASELINE, {**tools, name: "another"}) == 1
    # Five percent in one scenario of each language.
    capsys.readouterr()
    for language, name in (("rust", "limit.hot"), ("python", "call.loads")):
        slower = {**counts, language: {**counts[language], name: counts[language][name] * 21 // 20}}
        assert count._compare(slower, BASELINE, tools) == 1
        assert re.search(rf"^FAILED {name}: ", capsys.readouterr().out, re.MULTILINE)


def test_the_baseline_has_every_scenario():
    source = (BENCHES / "instructions" / "scenarios.rs").read_text()
    table = source[source.index("ALL: &[Scenario]") : source.index("];")]
    names = re.findall(r'^    \(\s*"([a-z_]+\.[a-z_]+)", "', table, re.MULTILINE)
    assert len(names) > 20
    assert len(names) == len(set(names))
    assert set(names) == BASELINE["rust"].keys()
    calls = (BENCHES / "instructions" / "calls.py").read_text()
    assert set(re.findall(r'^    "(call\.\w+)":', calls, re.MULTILINE)) == BASELINE["python"].keys()


def test_ratios_are_taken_round_by_round(module):
    measure = module("measure")
    # The machine was three times as slow in the second round: no ratio notices.
    times = {"ours": [10.0, 30.0, 10.0], "theirs": [20.0, 60.0, 20.0]}
    found = measure.summary(times, "ours")
    assert found["theirs"]["ratio"] == found["theirs"]["ratio_high"] == 2
    assert (found["theirs"]["ns"], found["theirs"]["ns_high"]) == (20, 60)
    assert measure.merged([times, times])["ours"] == [10, 30, 10] * 2
    assert [measure.percentile(range(11), percent) for percent in (0, 10, 50, 100)] == [0, 1, 5, 10]
