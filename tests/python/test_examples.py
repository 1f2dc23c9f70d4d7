"""The bookings example: the same requests, the same verdicts, on FastAPI and on Flask; and `make run` as it is run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import ROOT

import secval

FOLDER = ROOT / "examples" / "bookings"


def test_every_request_of_make_run_has_the_verdict_that_it_should():
    command = [sys.executable, str(FOLDER / "run.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.strip().splitlines()[-1]
    assert "verdicts as expected, 0 not" in summary
    assert "json.duplicate_key" in done.stdout


ASK = """
import json, sys
sys.path.insert(0, {folder!r})
from {module} import {name} as app
requests = json.loads(sys.argv[1])
out = []
{ask}
print(json.dumps(out))
"""

FASTAPI = """
import asyncio, httpx
async def main():
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for method, target, body in requests:
            r = await client.request(method, target, json=body)
            out.append([r.status_code, r.json().get("reason") if r.status_code >= 400 else None])
asyncio.run(main())
"""

FLASK = """
client = app.test_client()
for method, target, body in requests:
    extra = {} if body is None else {"json": body}
    environ = {"REQUEST_URI": target, "REMOTE_ADDR": "127.0.0.1"}
    r = client.open(target, method=method, environ_overrides=environ, base_url="http://localhost", **extra)
    out.append([r.status_code, (r.get_json(silent=True) or {}).get("reason") if r.status_code >= 400 else None])
"""

REQUESTS = [
    ("GET", "/v1/rooms", None),
    ("GET", "/v1/rooms?guests=2", None),
    ("GET", "/v1/rooms?guests=0", None),
    ("GET", "/v1/rooms?debug=1", None),
    ("GET", "/v1/rooms/1", None),
    ("GET", "/v1/nothing", None),
    ("PUT", "/v1/rooms", None),
    ("POST", "/v1/login", {"email": "ada@example.com"}),
    ("POST", "/v1/login", {"email": "ada@example.com", "password": "x" * 9, "admin": True}),
    ("GET", "/v1/admin/report?month=2026-05", None),
]


def ask(module, name, how):
    code = ASK.format(folder=str(FOLDER), module=module, name=name, ask=how)
    command = [sys.executable, "-c", code, json.dumps(REQUESTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    "module, name, how", [("app_fastapi", "app", FASTAPI), ("app_flask", "app", FLASK)]
)
def test_one_policy_over_both(module, name, how):
    assert ask(module, name, how) == [
        [200, None],
        [200, None],
        [400, "param.schema"],
        [400, "param.undeclared"],
        [200, None],
        [404, "route.unknown"],
        [405, "route.method_unknown"],
        [422, "schema.violation"],
        [422, "schema.violation"],
        [404, "route.unknown"],
    ]


def test_its_policy_has_about_eight_operations():
    gate = secval.Gate.from_file(FOLDER / "secval.toml")
    assert len(gate.operations()) >= 8
