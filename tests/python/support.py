"""A small API for the tests of the adapters, and the two ends of an in-process connection."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import deque

import secval
from secval.config import ApiConfig, Config, OperationConfig, RequestConfig

THING = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "size": {"type": "integer", "maximum": 10},
    },
}
JSON_BODY = {"required": True, "content": {"application/json": {"schema": THING}}}
ANY = {"200": {"description": "whatever the application says"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "http://api.test"}, {"url": "https://api.test"}],
    "paths": {
        "/things": {
            "get": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": ANY,
            },
            "post": {"requestBody": JSON_BODY, "responses": ANY},
            "put": {"requestBody": {**JSON_BODY, "required": False}, "responses": ANY},
            "delete": {"responses": ANY},
        },
        "/things/{id}": {"get": {"parameters": [ID], "responses": ANY}},
        "/café": {"get": {"responses": ANY}},
        "/monitored": {
            "post": {"requestBody": JSON_BODY, "responses": ANY},
            "get": {"responses": ANY},
        },
        "/off": {"post": {"requestBody": JSON_BODY, "responses": ANY}},
        "/old": {"get": {"responses": ANY}},
        "/admin": {"get": {"responses": ANY}},
        "/socket": {"get": {"x-secval-websocket": True, "responses": ANY}},
    },
}


def make_gate(**config) -> secval.Gate:
    """The gate of that API; `config` replaces parts of its configuration."""
    standard = {
        "api": ApiConfig(closed="requests", hosts=["api.test", "127.0.0.1"]),
        "request": RequestConfig(max_body=1000),
        "operations": {
            "* /monitored": OperationConfig(mode="monitor"),
            "* /off": OperationConfig(mode="off", reason="its requests are judged elsewhere"),
            "GET /old": OperationConfig(deprecated=dt.date(2020, 1, 1), sunset=dt.date(2100, 1, 1)),
            "GET /admin": OperationConfig(addresses=["10.0.0.0/8"]),
        },
    }
    return secval.Gate.from_openapi(DOCUMENT, config=Config(**{**standard, **config}))


GOOD = json.dumps({"name": "a lamp", "size": 3}).encode()
BAD = json.dumps({"name": "a lamp", "size": 30}).encode()


def scope(method="GET", path="/things", *, raw=..., query=b"", headers=(), kind="http", **more):
    """An ASGI scope as uvicorn makes it."""
    scope = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode() if raw is ... else raw,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"api.test"), *headers],
        "client": ("192.0.2.7", 50000),
        "server": ("192.0.2.1", 80),
    }
    if kind == "http":
        scope["method"] = method
    scope.update(more)
    return {name: value for name, value in scope.items() if value is not None}


def with_json(*headers, length=None, body=GOOD):
    """The headers of a JSON body."""
    size = str(len(body) if length is None else length).encode()
    return [(b"content-type", b"application/json"), (b"content-length", size), *headers]


CHUNKED = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]


class Server:
    """The server's end: says what it is told to, and keeps what it is sent."""

    def __init__(self, *messages):
        self.messages = deque(messages)
        self.received = 0
        self.sent = []

    async def receive(self):
        self.received += 1
        if not self.messages:
            # A server that has nothing to say waits; a test that waits has gone wrong.
            raise AssertionError("the server was asked for more than it has")
        message = self.messages.popleft()
        if isinstance(message, BaseException):
            raise message
        return message

    async def send(self, message):
        self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def headers(self):
        return self.sent[0]["headers"]

    def header(self, name):
        return [value for key, value in self.headers if key == name.encode()]

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def problem(self):
        assert self.header("content-type") == [b"application/problem+json"]
        assert self.header("content-length") == [str(len(self.body)).encode()]
        return json.loads(self.body)

    @property
    def reason(self):
        return self.problem["reason"]


def chunk(body=b"", more=False):
    return {"type": "http.request", "body": body, "more_body": more}


DISCONNECT = {"type": "http.disconnect"}


class App:
    """An application that reads its whole body and answers 200."""

    def __init__(self, headers=(), fail=None):
        self.calls = 0
        self.messages = []
        self.headers, self.fail = list(headers), fail
        self.verdict = self.seen = None

    async def __call__(self, scope, receive, send):
        self.calls += 1
        self.scope, self.verdict, self.seen = scope, scope["secval"], secval.current()
        while True:
            message = await receive()
            self.messages.append(message)
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        if self.fail:
            raise self.fail
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.messages)


def serve(app, scope, *messages):
    """One connection to an ASGI application."""
    server = Server(*messages)
    asyncio.run(app(scope, server.receive, server.send))
    return server
