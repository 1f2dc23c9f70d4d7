"""`secval bench`: what is judged about figures is tested on made-up ones; the clock is a counter."""

from __future__ import annotations

import json
import re
from importlib import metadata
from itertools import count

import pytest
import yaml
from conftest import ROOT

import secval
from secval import _bench, cli
from secval._bench.measure import CALIBRATION
from secval._bench.report import Measured, percentile
from secval.testing import ManualClock

POLICY = str(ROOT / "examples" / "bookings" / "secval.toml")
LOGIN = {
    "name": "login",
    "method": "POST",
    "target": "/v1/login",
    "body": {"email": "ada@example.com", "password": "correct horse"},
}
ROOMS = {"name": "rooms", "method": "GET", "target": "/v1/rooms"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def gate(clock):
    return secval.Gate.from_file(POLICY, alone=True, clock=clock)


@pytest.fixture
def written(tmp_path):
    def write(*requests):
        path = tmp_path / "requests.jsonl"
        path.write_text("".join(f"{json.dumps(it)}\n\n" for it in requests))
        return path

    return write


def run(capsys, *arguments):
    code = cli.main(("bench", POLICY, *map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


# ---- samples ----


def test_samples_get_what_a_client_adds(gate, written):
    login, rooms = _bench.read_samples(written(LOGIN, ROOMS), gate)
    assert login.body == b'{"email":"ada@example.com","password":"correct horse"}'
    assert dict(login.headers) == {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(login.body)),
    }
    assert (login.scheme, login.peer, login.expect, login.budget) == (
        "http",
        "192.0.2.1",
        "allowed",
        None,
    )
    assert dict(rooms.headers) == {"Host": "127.0.0.1"}


def test_samples_keep_what_they_say(gate, written, tmp_path):
    (tmp_path / "login.json").write_bytes(b'{ "email": 1 }')
    said = {
        "name": "x",
        "method": "POST",
        "target": "/v1/login",
        "body_file": "login.json",
        "headers": {"HOST": "127.0.0.1", "content-type": "text/plain"},
        "peer": "192.0.2.9",
        "scheme": "https",
        "expect": "body.media_type",
        "budget": 2,
    }
    [sample] = _bench.read_samples(written(said).parent, gate)
    assert sample.body == b'{ "email": 1 }'
    assert sample.headers == (
        ("HOST", "127.0.0.1"),
        ("content-type", "text/plain"),
        ("Content-Length", "14"),
    )
    assert (sample.peer, sample.scheme) == ("192.0.2.9", "https")
    assert (sample.expect, sample.budget) == ("body.media_type", 2)


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", "1: the text ends inside a value"),
        ("[]", "a request is an object"),
        ('{"name": "a", "method": "GET"}', "target is missing"),
        ('{"name": 1, "method": "GET", "target": "/"}', "name is a string"),
        ('{"name": "a", "method": "GET", "target": "/", "boddy": 1}', "'boddy' is none of"),
        ('{"name": "a", "method": "GET", "target": "/", "headers": {"a": 1}}', "of strings"),
        ('{"name": "a", "method": "GET", "target": "/", "scheme": "ftp"}', "scheme is one of"),
        ('{"name": "a", "method": "GET", "target": "/", "budget": 0}', "a ratio above 0"),
        ('{"name": "a", "method": "GET", "target": "/", "budget": true}', "a ratio above 0"),
        ('{"name": "a", "method": "GET", "target": "/", "body_file": "no"}', "cannot be read"),
        (
            '{"name": "a", "method": "GET", "target": "/", "body_file": "no", "body": 1}',
            "either body or body_file",
        ),
        ('{"name": "a", "method": "GET", "target": "/"}\n' * 2, "2: another request has the name"),
        ("", "no requests"),
    ],
)
def test_samples_that_are_none(capsys, tmp_path, line, message):
    path = tmp_path / "requests.jsonl"
    path.write_text(line)
    code, out, err = run(capsys, path)
    assert (code, out) == (2, "")
    assert message in err
    assert str(path) in err


def test_no_such_samples(capsys, tmp_path):
    code, _, err = run(capsys, tmp_path / "none.jsonl")
    assert code == 2
    assert "cannot be read" in err


def test_what_can_be_guessed_is_and_the_rest_is_named(gate):
    samples, left_out = _bench.generated(gate)
    names = {sample.name for sample in samples}
    assert "GET /rooms" in names
    assert samples[-1].name == "an unknown path"
    assert samples[-1].expect == "route.unknown"
    assert "POST /login" in left_out
    operations = {f"{it['method']} {it['template']}" for it in gate.operations()}
    assert names | {*left_out} == operations | {"an unknown path"}
    assert not names & {*left_out}


# ---- measuring ----


def ticking(step=1000):
    """A clock of which every reading is one step later."""
    ticks = count(0, step)
    return lambda: next(ticks)


def test_a_run_on_a_clock_that_only_counts(gate, clock, written):
    samples = _bench.read_samples(written(ROOMS), gate)
    seen = []
    found = _bench.measure(
        gate,
        clock,
        samples,
        _bench.Settings(
            rounds=3,
            slice_ns=20_000,
            now=ticking(),
            progress=lambda done, rounds: seen.append((done, rounds)),
        ),
    )
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    rooms = found.requests["rooms"]
    # Every call takes one step, less what an empty call takes, which is a step too.
    assert (rooms.verdict, rooms.ratio, rooms.ratio_low, rooms.ratio_high) == ("allowed", 1, 1, 1)
    assert rooms.median_us == rooms.p99_us == found.calibration_us == 0.001


def test_a_quota_is_waited_for(gate, clock, written):
    # Five a minute, twenty an hour.
    samples = _bench.read_samples(written(LOGIN), gate)
    settings = _bench.Settings(rounds=2, slice_ns=200_000, now=ticking())
    found = _bench.measure(gate, clock, samples, settings)
    assert found.requests["login"].verdict == "allowed"
    counters = gate.counters()
    assert counters["allowed"] > 100
    assert counters["refused.rate.exceeded"] > 10


@pytest.mark.parametrize(
    "change, message",
    [
        ({"expect": "route.unknown"}, "rooms: expected route.unknown, but it is allowed"),
        ({"target": "/v1/nothing"}, "rooms: expected allowed, but it is route.unknown"),
    ],
)
def test_what_is_judged_otherwise_is_not_measured(capsys, written, change, message):
    code, out, err = run(capsys, written({**ROOMS, **change}), "--budget", "100000")
    assert (code, out) == (1, "")
    assert err.strip() == message


def test_medians_and_percentiles():
    one = Measured.of("allowed", [[100, 200, 900], [300, 300, 300]], [100.0, 50.0])
    assert (one.median_us, one.p99_us) == (0.3, 0.9)
    assert (one.ratio, one.ratio_low, one.ratio_high) == (4, 2, 6)
    assert percentile([5, 1, 3], 50) == 3
    assert percentile(range(101), 99) == 99


# ---- judging ----


def report(ratio=2.0, spread=0.1, micros=10.0, verdict="allowed", name="rooms"):
    one = Measured(verdict, micros, 2 * micros, ratio, ratio - spread, ratio + spread)
    return _bench.Report("here", 5.0, {name: one})


@pytest.mark.parametrize(
    "budget, own, expected",
    [
        (_bench.Budget(), None, []),
        (_bench.Budget(ratio=2), None, []),
        (_bench.Budget(ratio=1.9), None, ["rooms: ratio 2.00 is over its budget of 1.9"]),
        (_bench.Budget(ratio=1.9), {"rooms": 2.5}, []),
        (_bench.Budget(ratio=9), {"rooms": 1.5}, ["rooms: ratio 2.00 is over its budget of 1.5"]),
        (
            _bench.Budget(ratio=1.9),
            {"rooms": None},
            ["rooms: ratio 2.00 is over its budget of 1.9"],
        ),
        (_bench.Budget(micros=10), None, []),
        (_bench.Budget(micros=9.5), None, ["rooms: 10.0 µs is over the budget of 9.5"]),
    ],
)
def test_budgets(budget, own, expected):
    assert _bench.faults(report(), budget, own=own) == expected


@pytest.mark.parametrize(
    "now, tolerance, expected",
    [
        (report(2.0), 10, []),
        (report(1.0), 10, []),
        # Above the tolerance, and clear of the spread.
        (report(2.5), 10, ["rooms: ratio 2.00 -> 2.50 (+25 %)"]),
        (report(2.5), 30, []),
        # As much above, but the spreads touch.
        (report(2.5, spread=0.45), 10, []),
        (report(verdict="route.unknown"), 10, ["rooms: was allowed, is route.unknown"]),
        (report(name="other"), 10, ["rooms: was measured before, and is not now"]),
    ],
)
def test_comparing_with_an_earlier_run(now, tolerance, expected):
    assert _bench.faults(now, _bench.Budget(tolerance=tolerance), base=report()) == expected


# ---- the command ----


def test_the_command(capsys, written, tmp_path):
    samples, out_file = written(LOGIN, ROOMS), tmp_path / "base.json"
    code, out, err = run(capsys, samples, "--rounds", "1", "--json", out_file)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == [
        "request",
        "verdict",
        "ratio",
        "(spread)",
        "median",
        "99 %",
    ]
    assert [line.split()[0] for line in lines[1:3]] == ["login", "rooms"]
    assert "a ratio of 1 is" in lines[-1]
    found = _bench.read_report(out_file)
    assert json.loads(out_file.read_text())["secval"] == metadata.version("secval")
    for one in found.requests.values():
        assert 0 < one.ratio_low <= one.ratio <= one.ratio_high
        assert 0 < one.median_us <= one.p99_us

    # A budget that nothing keeps, one that everything keeps, and an earlier run that was far slower.
    code, _, err = run(capsys, samples, "--rounds", "1", "--budget", "0.000001")
    assert code == 1
    assert err.startswith("FAILED login: ratio ")
    slow = json.loads(out_file.read_text())
    for one in slow["requests"].values():
        for name in ("ratio", "ratio_low", "ratio_high"):
            one[name] *= 1000
    out_file.write_text(json.dumps(slow))
    more = ("--budget", "1e9", "--budget-us", "1e9", "--compare", out_file)
    code, out, err = run(capsys, samples, "--rounds", "1", *more)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith("before")
    for one in slow["requests"].values():
        for name in ("ratio", "ratio_low", "ratio_high"):
            one[name] /= 1e9
    out_file.write_text(json.dumps(slow))
    code, _, err = run(capsys, samples, "--rounds", "1", *more)
    assert code == 1
    assert len(re.findall(r"^FAILED \w+: ratio .* -> ", err, re.MULTILINE)) == 2


def test_without_samples(capsys):
    code, out, err = run(capsys, "--rounds", "1")
    assert (code, err) == (0, "")
    assert "an unknown path" in out
    assert "not guessed, give samples for them: " in out
    assert "POST /login" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--budget", "0"),
        ("--budget", "-1"),
        ("--budget", "inf"),
        ("--budget", "x"),
        ("--budget-us", "nan"),
        ("--rounds", "0"),
        ("--compare", "there/is/none.json"),
        ("--compare", POLICY),
        ("--compare", str(ROOT / "benches" / "data" / "orders.openapi.json")),
        ("one.jsonl", "two.jsonl"),
    ],
)
def test_usage(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        run(capsys, *arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err != ""


def test_a_policy_with_faults(capsys, tmp_path):
    path = tmp_path / "secval.toml"
    path.write_text("version = 1\nsurprise = 2\n")
    assert cli.main(("bench", str(path))) == 1
    assert "surprise" in capsys.readouterr().err


def test_the_loop_is_what_the_page_says():
    assert 990 <= len(CALIBRATION) <= 1010


# ---- the page ----

PAGE = (ROOT / "docs" / "bench.md").read_text()


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]


def test_the_samples_of_the_page_are_read(gate, tmp_path):
    (tmp_path / "requests.jsonl").write_text(block("json"))
    (tmp_path / "plan.json").write_text("{}")
    samples = _bench.read_samples(tmp_path, gate)
    assert [sample.name for sample in samples] == ["book", "upload", "a scanner"]
    assert [sample.budget for sample in samples] == [None, 20, None]


def test_the_page_names_every_option_and_no_other(capsys):
    with pytest.raises(SystemExit):
        cli.main(("bench", "--help"))
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    start = PAGE.index("## Options")
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE[start : PAGE.index("## In CI")])) == options


def test_the_workflow_of_the_page_calls_what_there_is(tmp_path, monkeypatch):
    (tmp_path / "base.json").write_text(report().to_json())
    monkeypatch.chdir(tmp_path)
    steps = yaml.safe_load(block("yaml"))["jobs"]["bench"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps)
    called = [line.split() for line in commands.splitlines() if line.startswith("secval bench")]
    assert len(called) == 2
    options = [cli._parser().parse_args(arguments) for _, *arguments in called]
    assert [it.compare is not None for it in options] == [False, True]
