"""Real payloads against a policy made of their real schemas: all pass, and what is changed is judged as its schema says.

The oracle of a changed payload is the `jsonschema` package: pure Python, and nobody's fast path.
"""

from __future__ import annotations

import copy
import http.client
import json
import random
import socket
import subprocess
import sys
import time

import jsonschema
import pytest
from conftest import ROOT, need

import secval

HEADERS = [("Host", "127.0.0.1"), ("Content-Type", "application/json")]


def documents():
    folder = need("github-webhooks")
    for path in sorted(folder.glob("*.schema.json")):
        name = path.name.removesuffix(".schema.json")
        yield name, (folder / f"{name}.json").read_bytes(), json.loads(path.read_text())


def as_openapi(schemas):
    """One operation a payload. Each schema's definitions go on standing in it, so its references are longer."""
    paths = {}
    for name, schema in schemas.items():
        path = f"/webhooks/{name}"
        place = (
            f"#/paths/{path.replace('/', '~1')}/post/requestBody/content/application~1json/schema"
        )
        own = json.loads(json.dumps(schema).replace('"#/definitions/', f'"{place}/definitions/'))
        body = {"required": True, "content": {"application/json": {"schema": own}}}
        paths[path] = {
            "post": {"requestBody": body, "responses": {"204": {"description": "taken"}}}
        }
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "http://json-schema.org/draft-07/schema#",
        "info": {"title": "webhooks", "version": "1"},
        "servers": [{"url": "http://127.0.0.1"}],
        "paths": paths,
    }


@pytest.fixture(scope="module")
def payloads():
    return {name: (text, schema) for name, text, schema in documents()}


@pytest.fixture(scope="module")
def policy(payloads, tmp_path_factory):
    path = tmp_path_factory.mktemp("webhooks") / "openapi.json"
    path.write_text(
        json.dumps(as_openapi({name: schema for name, (_, schema) in payloads.items()}))
    )
    return path


@pytest.fixture(scope="module")
def gate(policy):
    return secval.Gate.from_openapi(policy)


def ask(gate, name, body):
    return gate.judge("POST", f"/webhooks/{name}", HEADERS, body, peer="192.0.2.1", scheme="http")


def test_all_pass(gate, payloads):
    assert len(payloads) > 40
    for name, (text, _) in payloads.items():
        verdict = ask(gate, name, text)
        assert verdict.reason is None, (name, verdict.problem())
        assert verdict.json == json.loads(text)
        assert verdict.raw == text


def test_another_ones_payload_is_judged_by_the_schema_of_the_address(gate, payloads):
    names = sorted(payloads)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        text, schema = payloads[other][0], payloads[name][1]
        valid = jsonschema.Draft7Validator(schema).is_valid(json.loads(text))
        assert (ask(gate, name, text).reason is None) == valid, (name, other)


def test_cut_in_half(gate, payloads):
    for name, (text, _) in payloads.items():
        assert ask(gate, name, text[: len(text) // 2]).reason == "json.truncated", name


def spelled(text):
    """The same name in escapes."""
    return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'


def test_one_member_twice(gate, payloads):
    for name, (text, _) in payloads.items():
        document = json.loads(text)
        first = next(iter(document))
        for again in (json.dumps(first), spelled(first)):
            body = text.rstrip()[:-1] + f",{again}:null}}".encode()
            verdict = ask(gate, name, body)
            assert verdict.reason == "json.duplicate_key", name


def containers(value):
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from containers(item)


RETYPED = [None, True, 0, -1.5, "text", [], {}, [1], {"a": 1}]


def test_one_member_retyped_added_or_dropped(gate, payloads):
    choice = random.Random(20260601)
    disagreements, refused = [], 0
    for name, (text, schema) in payloads.items():
        validator = jsonschema.Draft7Validator(
            schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
        )
        for round_ in range(12):
            document = json.loads(text)
            target = choice.choice([c for c in containers(document) if c])
            key = choice.choice(sorted(target))
            kind = ("retype", "add", "drop")[round_ % 3]
            if kind == "retype":
                target[key] = copy.deepcopy(choice.choice(RETYPED))
            elif kind == "add":
                target["x_new"] = 1
            else:
                del target[key]
            verdict = ask(gate, name, json.dumps(document).encode())
            valid = validator.is_valid(document)
            if (verdict.reason is None) != valid:
                disagreements.append((name, kind, key, verdict.problem()))
            if verdict.reason is not None:
                refused += 1
                assert verdict.reason == "schema.violation"
    assert disagreements == []
    assert refused > 100


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


APP = """
import json, secval
gate = secval.Gate.from_openapi({policy!r})
async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    assert secval.current().json == json.loads(body)
    await send({{"type": "http.response.start", "status": 204, "headers": []}})
    await send({{"type": "http.response.body", "body": b""}})
app = secval.asgi.GateMiddleware(app, gate)
"""


@pytest.fixture
def server(policy, tmp_path):
    (tmp_path / "guarded.py").write_text(APP.format(policy=str(policy)))
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "guarded:app", "--app-dir", str(tmp_path)]
    command += ["--port", str(port), "--no-proxy-headers", "--lifespan", "off"]
    command += ["--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server has ended"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_over_real_http(server, payloads):
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=60)
    headers = {"Content-Type": "application/json"}

    def send(name, body):
        connection.request("POST", f"/webhooks/{name}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content)["reason"] if content else None

    for name, (text, _) in payloads.items():
        assert send(name, text) == (204, None), name
        assert send(name, text[: len(text) // 2]) == (400, "json.truncated"), name
        twice = text.rstrip()[:-1] + b',"sender":null}'
        assert send(name, twice) == (400, "json.duplicate_key"), name
    connection.close()
