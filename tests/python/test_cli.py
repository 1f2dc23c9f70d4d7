"""`secval check`, `secval test` and `secval limiter`, as a shell calls them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid

import pytest
from conftest import ROOT

import secval
from secval import cli

POLICY = str(ROOT / "examples" / "bookings" / "secval.toml")
HOST = ("-H", "Host: localhost")


def run(capsys, *arguments):
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_check_lists_every_operation(capsys):
    code, out, err = run(capsys, "check", POLICY)
    assert (code, err) == (0, "")
    assert "POST /v1/login" in out
    assert "login 5/minute; 20/hour by address" in out
    assert "10.20.0.0/16" in out
    assert "hidden" in out
    assert "everything else is refused" in out


def test_check_for_programs(capsys):
    code, out, _ = run(capsys, "check", "--json", POLICY)
    operations = json.loads(out)
    assert code == 0
    assert len(operations) >= 8
    assert {"GET", "POST", "PATCH", "DELETE"} == {o["method"] for o in operations}


@pytest.fixture
def faulty(tmp_path):
    (tmp_path / "openapi.yaml").write_text(
        "openapi: 3.1.0\n"
        "info: {title: t, version: '1'}\n"
        "servers: [{url: https://api.test}]\n"
        "paths:\n"
        "  /a:\n"
        "    get:\n"
        "      unheard: 1\n"
        "      responses: {'200': {description: ok}}\n"
    )
    path = tmp_path / "secval.toml"
    path.write_text('version = 1\nsurprise = 2\n[api]\nopenapi = "openapi.yaml"\n')
    return path


def test_check_reports_all_faults_with_their_places(capsys, faulty):
    code, out, err = run(capsys, "check", str(faulty))
    assert (code, out) == (1, "")
    assert "openapi.yaml:7: /paths/~1a/get/unheard: " in err
    assert "secval.toml:2: /surprise: " in err
    assert err.endswith("2 faults\n")


def test_faults_for_programs(capsys, faulty):
    code, out, _ = run(capsys, "check", "--json", str(faulty))
    faults = json.loads(out)
    assert code == 1
    assert {(fault["pointer"], fault["line"]) for fault in faults} == {
        ("/paths/~1a/get/unheard", 7),
        ("/surprise", 2),
    }


def test_a_request_that_passes(capsys, tmp_path):
    body = tmp_path / "login.json"
    body.write_text('{"email": "ada@example.com", "password": "correct horse"}')
    code, out, _ = run(capsys, "test", POLICY, "POST", "/v1/login", *HOST, "--body", str(body))
    assert code == 0
    assert out.startswith("allowed\n")
    assert "POST /login" in out


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (("GET", "/v1/nothing", *HOST), "404 route.unknown"),
        (("GET", "/v1/rooms?x=1", *HOST), "400 param.undeclared"),
        (("GET", "/v1/../admin", *HOST), "400 target.dot_segment"),
        (("GET", "/v1/rooms", "-H", "Host: evil.example"), "421 host.unknown"),
        (
            ("GET", "/v1/admin/report?month=2026-01", *HOST, "--peer", "192.0.2.1"),
            "404 route.unknown",
        ),
        (("GET", "/v1/rooms", *HOST, "--scheme", "https"), "403 scheme.not_allowed"),
    ],
)
def test_a_request_that_does_not(capsys, arguments, reason):
    code, out, _ = run(capsys, "test", POLICY, *arguments)
    assert code == 1
    assert out.startswith(f"refused {reason}\n")


def test_the_verdict_for_programs(capsys, tmp_path):
    body = tmp_path / "login.json"
    body.write_text('{"email": "ada@example.com", "password": "hunter2", "undeclared_name": 1}')
    code, out, _ = run(
        capsys, "test", "--json", POLICY, "POST", "/v1/login", *HOST, "--body", str(body)
    )
    verdict = json.loads(out)
    assert code == 1
    assert (verdict["status"], verdict["reason"]) == (422, "schema.violation")
    # Neither a submitted value nor an undeclared name is repeated.
    assert "hunter2" not in out
    assert "undeclared_name" not in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("check",),
        ("test", POLICY, "GET"),
        ("test", POLICY, "GET", "/", "-H", "no colon"),
        ("x",),
        ("limiter",),
        ("limiter", "inspect"),
        ("limiter", "x", "name"),
    ],
)
def test_a_command_that_is_none(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err != ""


def test_what_is_tried_is_not_counted_elsewhere(capsys, tmp_path):
    shutil.copytree(ROOT / "examples" / "bookings", tmp_path, dirs_exist_ok=True)
    policy = tmp_path / "secval.toml"
    policy.write_text(policy.read_text().replace("shared = false", 'shared = "auto"'))
    for command in (("check", str(policy)), ("test", str(policy), "GET", "/v1/rooms", *HOST)):
        code, out, _ = run(capsys, *command)
        assert code == 0
        if command[0] == "check":
            name = out.split("in the table ")[1].split()[0]
    code, out, err = run(capsys, "limiter", "inspect", name)
    assert (code, out) == (1, "")
    assert "no shared table of that name" in err


linux = pytest.mark.skipif(sys.platform != "linux", reason="shared tables are Linux's")


@linux
def test_a_shared_table(capsys):
    name = f"pytest-{uuid.uuid4()}"
    limiter = secval.Limiter("3/hour; 100/day", capacity=64, shared=name)
    try:
        assert [bool(limiter.hit("k")) for _ in range(5)] == [True, True, True, False, False]
        limiter.ban("bad", 60)
        code, out, err = run(capsys, "limiter", "inspect", name)
        assert (code, err) == (0, "")
        rows = [line.split() for line in out.splitlines()]
        for row in (["bans", "1"], ["3/hour", "1"], ["100/day", "1"], ["denied", "2"]):
            assert row in rows
        assert ["capacity", "64"] in rows
        code, out, _ = run(capsys, "limiter", "inspect", "--json", name)
        found = json.loads(out)
        assert (code, found["denied"], found["live"]) == (0, 2, 3)
        assert {"quota": "3/hour", "live": 1} in found["quotas"]
    finally:
        code, out, err = run(capsys, "limiter", "remove", name)
    assert (code, out, err) == (0, "", "")
    for action in ("inspect", "remove"):
        code, out, err = run(capsys, "limiter", action, name)
        assert (code, out) == (1, "")
        assert "no shared table of that name" in err


def test_as_a_process():
    command = [sys.executable, "-m", "secval", "test", POLICY, "GET", "/v1/rooms"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("allowed\n")
