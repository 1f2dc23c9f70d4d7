"""The gate's cases, the same files that the core reads: `tests/data/gate/`."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, need

import secval
from secval.testing import ManualClock

FOLDER = ROOT / "tests" / "data" / "gate"
FILES = sorted(FOLDER.glob("*.json"))
# 2026-06-01T00:00:00Z, as in tests/rust/gate/harness.rs.
HARNESS = (ROOT / "tests" / "rust" / "gate" / "harness.rs").read_text()


def now():
    """The time at which the core's tests stand."""
    found = re.search(r"NOW: \(u64, u64\) = \(([0-9_]+), ([0-9_]+)\)", HARNESS)
    return int(found[1]) / 1000, int(found[2]) / 1000


def make_gate(policy):
    monotonic, wall = now()
    clock = ManualClock(monotonic)
    clock.set_wall(wall)
    if isinstance(policy, str):
        return secval.Gate.from_file(FOLDER / policy, clock=clock)
    document = need(policy["document"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secval.toml"
        lines = "\n".join(policy["config"])
        path.write_text(f"version = 1\napi.openapi = {json.dumps(str(document))}\n{lines}\n")
        return secval.Gate.from_file(path, clock=clock)


def body_of(value):
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    if "json" in value:
        return json.dumps(value["json"], ensure_ascii=False, separators=(",", ":")).encode()
    if "repeat" in value:
        text, times = value["repeat"]
        return text.encode() * times
    return bytes.fromhex(value["hex"])


class Asked:
    """One request of a case."""

    def __init__(self, defaults, own):
        both = {**defaults, **own}
        base = [] if own.get("bare") else defaults.get("headers", [])
        pairs = [*base, *own.get("headers", [])]
        self.method = both["method"]
        target = both.get("target")
        self.target = None if target is None else target.encode("latin-1")
        self.headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in pairs]
        self.body = body_of(both.get("body"))
        self.around = {
            "peer": both.get("peer"),
            "scheme": both.get("scheme", "https"),
            "path": both.get("path"),
            "query": both.get("query", "").encode("latin-1"),
            "http_version": both.get("version", "1.1"),
            "websocket": both.get("websocket", False),
        }

    def whole(self, gate):
        return gate.judge(self.method, self.target, self.headers, self.body, **self.around)

    def in_pieces(self, gate, size):
        headers = list(self.headers)
        said = {name.lower() for name, _ in headers} & {b"content-length", b"transfer-encoding"}
        if self.body and not said and self.around["http_version"] != "2":
            headers.append((b"Content-Length", str(len(self.body)).encode()))
        answer = gate.head(self.method, self.target, headers, **self.around)
        if isinstance(answer, secval.Verdict):
            return answer
        assert answer.needs == "body"
        for at in range(0, len(self.body), size):
            verdict = answer.feed(self.body[at : at + size])
            if verdict is not None:
                return verdict
        return answer.finish()


def matches(expected, found):
    if expected.startswith("~"):
        return found is not None and re.search(expected[1:], found) is not None
    return expected == found


def compare(verdict, expect, label):
    reason = expect.get("reason")
    assert verdict.reason == reason, label
    assert verdict.allowed == (reason is None) == bool(verdict), label
    for name in ("status", "would_refuse", "judged", "operation", "client"):
        if name in expect:
            assert getattr(verdict, name) == expect[name], (label, name)
    if "request_id" in expect:
        assert matches(expect["request_id"], verdict.request_id), label
    if "json" in expect:
        assert verdict.json == expect["json"], label
    if "params" in expect:
        assert verdict.params == expect["params"], label
    if not verdict.judged:
        for name in ("json", "params"):
            with pytest.raises(secval.NotJudged):
                getattr(verdict, name)
    for name, expected in expect.get("headers", {}).items():
        found = [value for key, value in verdict.headers if key == name]
        assert len(found) <= 1, (label, name)
        first = found[0] if found else None
        if expected is None:
            assert first is None, (label, name)
        elif isinstance(expected, str):
            assert matches(expected, first), (label, name, first)
        else:
            assert expected["from"] <= int(first) <= expected["to"], (label, name, first)
    if reason is None:
        assert verdict.problem() == b"", label
        return
    assert verdict.raw == b"", label
    problem = json.loads(verdict.problem())
    assert problem["reason"] == reason, label
    assert problem["status"] == verdict.status, label
    assert problem["request_id"] == verdict.request_id, label
    if "errors" in expect:
        found = problem.get("errors")
        for error in found or []:
            error.pop("detail", None)
        assert found == expect["errors"], label


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [None, 1, 7], ids=["whole", "by 1", "by 7"])
def test_each_case_has_the_verdict_that_the_core_gives(path, size):
    content = json.loads(path.read_text())
    defaults = content["defaults"]
    gate = make_gate(content["policy"])
    for case in content["cases"]:
        steps = case.get("steps")
        if size is not None and case.get("whole"):
            continue
        mine = make_gate(content["policy"]) if steps else gate
        for number, step in enumerate(steps or [case]):
            if size is not None and step.get("whole"):
                continue
            asked = Asked(defaults, step["request"])
            if size is not None and len(asked.body) > 100_000 and size == 1:
                continue
            verdict = asked.whole(mine) if size is None else asked.in_pieces(mine, size)
            compare(verdict, step["expect"], f"{path.name}: {case['name']}, step {number}")
            verdict.done(verdict.status, 0)


def test_there_are_cases():
    assert len(FILES) >= 8
    assert sum(len(json.loads(path.read_text())["cases"]) for path in FILES) > 150


def test_headers_are_pairs_and_never_a_mapping():
    gate = make_gate("api/secval.toml")
    with pytest.raises(TypeError, match="mapping"):
        gate.judge("GET", "/v1/items", {"Host": "api.example.com"}, peer="192.0.2.1")


def test_a_spent_pending_says_so():
    gate = make_gate("api/secval.toml")
    headers = [("Host", "api.example.com"), ("Content-Type", "application/json")]
    headers.append(("Transfer-Encoding", "chunked"))
    pending = gate.head("POST", "/v1/items", headers, peer="192.0.2.1")
    assert isinstance(pending, secval.Pending)
    assert pending.abandon().reason == "body.incomplete"
    for again in (pending.finish, pending.abandon, lambda: pending.feed(b"x")):
        with pytest.raises(secval.UsageError):
            again()


def test_a_reload_with_a_fault_changes_nothing(tmp_path):
    document = tmp_path / "openapi.json"
    config = tmp_path / "secval.toml"
    good = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.test"}],
        "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }
    document.write_text(json.dumps(good))
    config.write_text('version = 1\n[api]\nopenapi = "openapi.json"\n')
    gate = secval.Gate.from_file(config)

    def ask(target):
        return gate.judge("GET", target, [("Host", "api.test")], peer="192.0.2.1").reason

    assert (ask("/a"), ask("/b")) == (None, "route.unknown")
    document.write_text(json.dumps({**good, "unheard": 1}))
    with pytest.raises(secval.PolicyError) as caught:
        gate.reload()
    assert [fault.pointer for fault in caught.value.faults] == ["/unheard"]
    assert (ask("/a"), ask("/b")) == (None, "route.unknown")
    good["paths"]["/b"] = good["paths"].pop("/a")
    document.write_text(json.dumps(good))
    gate.reload()
    assert (ask("/a"), ask("/b")) == ("route.unknown", None)
