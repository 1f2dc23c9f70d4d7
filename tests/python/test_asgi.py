"""The ASGI adapter, in process: what the application receives, what the server is sent, what is recorded."""

import asyncio
import logging

import pytest
from support import (
    BAD,
    CHUNKED,
    DISCONNECT,
    DOCUMENT,
    GOOD,
    App,
    Server,
    chunk,
    make_gate,
    scope,
    serve,
    with_json,
)

import secval
from secval._log import Budget
from secval.asgi import GateMiddleware
from secval.config import AnswersConfig, ApiConfig, Config, RequestConfig


@pytest.fixture(scope="module")
def gate():
    return make_gate()


def guarded(gate, scope, *messages, app=None):
    app = app or App()
    server = serve(GateMiddleware(app, gate), scope, *messages)
    return app, server


# ---- what the application receives ----


def test_a_judged_body_is_replayed_as_one_message(gate):
    pieces = [
        chunk(GOOD[:5], more=True),
        chunk(b"", more=True),
        chunk(GOOD[5:], more=True),
        chunk(),
    ]
    app, server = guarded(gate, scope("POST", headers=CHUNKED), *pieces)
    assert app.messages == [chunk(GOOD)]
    assert (server.status, server.body) == (200, b"hello")
    assert server.received == len(pieces)


def test_the_body_is_there_parsed(gate):
    app, _ = guarded(gate, scope("POST", headers=with_json()), chunk(GOOD))
    assert app.verdict is app.seen
    assert app.verdict.json == {"name": "a lamp", "size": 3}
    assert app.verdict.raw == GOOD
    assert app.verdict.operation == "POST /things"
    assert app.verdict.client == "192.0.2.7"


def test_parameters_are_there_typed(gate):
    app, _ = guarded(gate, scope(path="/things/7"), chunk())
    assert app.verdict.params["path"] == {"id": 7}


def test_without_a_body_an_empty_one_is_received(gate):
    app, server = guarded(gate, scope())
    assert app.messages == [chunk()]
    assert server.received == 0


def test_an_optional_body_may_be_missing(gate):
    app, _ = guarded(gate, scope("PUT"))
    assert app.messages == [chunk()]
    assert app.verdict.json is None


def test_a_disconnect_after_the_body_still_arrives(gate):
    async def app(scope, receive, send):
        assert await receive() == chunk(GOOD)
        assert await receive() == DISCONNECT
        assert await receive() == DISCONNECT
        called.append(True)

    called = []
    inner = scope("POST", headers=with_json())
    server = serve(GateMiddleware(app, gate), inner, chunk(GOOD), DISCONNECT, DISCONNECT)
    assert called
    assert not server.sent


def test_the_servers_own_empty_body_is_not_a_second_one(gate):
    """Nothing was read for a request without a body, so the server still has its own `http.request`."""

    async def app(scope, receive, send):
        assert await receive() == chunk()
        assert await receive() == DISCONNECT
        called.append(True)

    called = []
    serve(GateMiddleware(app, gate), scope(), chunk(), DISCONNECT)
    assert called


def test_bytes_that_nobody_judged_never_arrive(gate):
    """A server that hands over a body on a request that said it has none."""

    async def app(scope, receive, send):
        received.extend([await receive(), await receive()])

    for messages in (
        [chunk(b"smuggled", more=True), chunk(b"more"), DISCONNECT],
        [chunk(b"smuggled"), chunk(b"more"), DISCONNECT],
    ):
        received = []
        serve(GateMiddleware(app, gate), scope(), *messages)
        assert received == [chunk(), DISCONNECT]


def test_trailers_are_no_headers(gate):
    """uvicorn with httptools adds them to the list of the scope while the body comes."""
    asked = scope("POST", headers=CHUNKED)
    head, headers = list(asked["headers"]), asked["headers"]

    async def receive():
        headers.append((b"authorization", b"nobody judged this"))
        return chunk(GOOD)

    app, server = App(), Server()
    asyncio.run(GateMiddleware(app, gate)(asked, receive, server.send))
    assert server.status == 200
    assert app.scope["headers"] == head


def test_more_body_after_the_end_is_a_disconnect(gate):
    async def app(scope, receive, send):
        received.extend([await receive(), await receive()])

    received = []
    serve(
        GateMiddleware(app, gate), scope("POST", headers=with_json()), chunk(GOOD), chunk(b"more")
    )
    assert received == [chunk(GOOD), DISCONNECT]


def test_an_application_may_leave_the_body_alone(gate):
    async def app(scope, receive, send):
        assert secval.current().json["size"] == 3
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    server = serve(GateMiddleware(app, gate), scope("POST", headers=with_json()), chunk(GOOD))
    assert server.status == 204


def test_receive_can_be_a_task(gate):
    async def app(scope, receive, send):
        assert await asyncio.create_task(receive()) == chunk(GOOD)
        assert await asyncio.create_task(receive()) == DISCONNECT

    serve(GateMiddleware(app, gate), scope("POST", headers=with_json()), chunk(GOOD), DISCONNECT)


# ---- refusals ----


@pytest.mark.parametrize(
    "request_scope, messages, status, reason",
    [
        (scope("POST", headers=with_json(body=BAD)), [chunk(BAD)], 422, "schema.violation"),
        (scope("POST", headers=with_json()), [chunk(GOOD[:-1] + b" ")], 400, "json.truncated"),
        (scope("POST", headers=with_json(length=900)), [chunk(GOOD)], 400, "body.incomplete"),
        (scope("POST", headers=with_json(length=3)), [chunk(GOOD)], 400, "body.incomplete"),
        (scope("POST", headers=with_json(length=1001)), [], 413, "body.too_large"),
        (scope("POST", headers=CHUNKED), [chunk(b" " * 600, more=True)] * 2, 413, "body.too_large"),
        (scope("POST"), [], 400, "body.missing"),
        (scope("POST", headers=CHUNKED), [chunk()], 400, "body.missing"),
        (scope("DELETE", headers=CHUNKED), [chunk(b"x", more=True)], 400, "body.undeclared"),
        (scope("DELETE", headers=with_json()), [], 400, "body.undeclared"),
        (scope(path="/nowhere"), [], 404, "route.unknown"),
        (scope("PATCH"), [], 405, "route.method_unknown"),
        (scope(path="/things/0"), [], 400, "param.schema"),
        (scope(query=b"debug=1"), [], 400, "param.undeclared"),
        (scope(path="/admin"), [], 403, "address.not_allowed"),
        (scope(path="/socket"), [], 426, "websocket.required"),
        (scope(headers=[(b"host", b"api.test")]), [], 400, "framing.host_repeated"),
        (scope(client=None), [], 400, "client.peer_missing"),
        (scope(client=("", 0)), [], 400, "client.peer_missing"),
        (scope(client=("testclient", 50000)), [], 400, "client.peer_invalid"),
        (scope(raw=None), [], 500, "target.raw_missing"),
        (scope(raw=b"/things/7"), [], 400, "target.mismatch"),
        (scope(path="/things/7", raw=b"/things%2f7"), [], 400, "target.encoding"),
    ],
)
def test_a_refusal_is_a_problem_document_and_the_application_is_not_called(
    gate, request_scope, messages, status, reason
):
    app, server = guarded(gate, request_scope, *messages)
    assert app.calls == 0
    assert (server.status, server.reason) == (status, reason)
    assert len(server.sent) == 2
    assert server.received == len(messages)
    assert all(name == name.lower() for name, _ in server.headers)


def test_a_head_is_answered_without_a_body(gate):
    server = serve(GateMiddleware(App(), gate), scope("HEAD", "/nowhere"))
    assert server.body == b""
    assert int(server.header("content-length")[0]) > 0


def test_a_refusal_says_what_would_do(gate):
    _, server = guarded(gate, scope("PATCH"))
    assert server.header("allow") == [b"DELETE, GET, HEAD, POST, PUT"]
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    _, server = guarded(gate, scope("POST", headers=headers))
    assert (server.reason, server.header("accept")) == ("media.unsupported", [b"application/json"])


# ---- a client that leaves ----


@pytest.mark.parametrize("first", [[], [chunk(GOOD[:5], more=True)]])
def test_a_client_that_leaves_is_recorded_and_nobody_is_called(gate, first):
    before = gate.counters().get("refused.body.incomplete", 0)
    app, server = guarded(gate, scope("POST", headers=with_json()), *first, DISCONNECT)
    assert app.calls == 0
    assert server.sent == []
    assert gate.counters()["refused.body.incomplete"] == before + 1


def test_in_monitor_a_client_that_leaves_reaches_nobody_either(gate):
    inner = scope("POST", "/monitored", headers=with_json())
    app, server = guarded(gate, inner, chunk(GOOD[:5], more=True), DISCONNECT)
    assert (app.calls, server.sent) == (0, [])


def test_a_broken_server_is_recorded_and_its_error_stays(gate):
    before = gate.counters().get("refused.body.incomplete", 0)
    for error in (OSError("gone"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            guarded(gate, scope("POST", headers=with_json()), chunk(GOOD[:5], more=True), error)
    assert gate.counters()["refused.body.incomplete"] == before + 2


# ---- modes ----


def test_monitor_lets_through_what_it_would_refuse(gate):
    app, server = guarded(
        gate, scope("POST", "/monitored", headers=with_json(body=BAD)), chunk(BAD)
    )
    assert server.status == 200
    assert app.messages == [chunk(BAD)]
    assert app.verdict.would_refuse == "schema.violation"
    assert not app.verdict.judged
    with pytest.raises(secval.NotJudged):
        _ = app.verdict.json


def test_monitor_streams_on_what_is_too_large(gate):
    pieces = [chunk(b"a" * 600, more=True), chunk(b"b" * 600, more=True), chunk(b"c" * 600)]
    app, server = guarded(gate, scope("POST", "/monitored", headers=CHUNKED), *pieces)
    assert server.status == 200
    assert app.body == b"a" * 600 + b"b" * 600 + b"c" * 600
    assert app.verdict.would_refuse == "body.too_large"


def test_monitor_streams_on_what_says_that_it_is_too_large(gate):
    pieces = [chunk(b"a" * 600, more=True), chunk(b"b" * 600)]
    headers = with_json(length=1200)
    app, server = guarded(gate, scope("POST", "/monitored", headers=headers), *pieces)
    assert (server.status, app.messages) == (200, pieces)


def test_monitor_never_lets_through_a_framing_fault(gate):
    headers = [*with_json(), (b"transfer-encoding", b"chunked")]
    app, server = guarded(gate, scope("POST", "/monitored", headers=headers), chunk(GOOD))
    assert (app.calls, server.reason) == (0, "framing.length_conflict")


def test_off_hands_on_the_body_as_it_comes(gate):
    pieces = [chunk(b"no", more=True), chunk(b" JSON")]
    app, server = guarded(gate, scope("POST", "/off", headers=CHUNKED), *pieces)
    assert (server.status, app.messages) == (200, pieces)
    with pytest.raises(secval.NotJudged):
        _ = app.verdict.params


# ---- the answer ----


class Done:
    """Counts what a verdict is told at the end."""

    def __init__(self, gate):
        self.gate, self.before = gate, gate.counters()

    def __call__(self):
        now = self.gate.counters()
        changed = {name: count - self.before.get(name, 0) for name, count in now.items()}
        return {name: n for name, n in changed.items() if n and name.startswith("answered")}


def test_headers_are_added_to_the_answer(gate):
    _, server = guarded(gate, scope(path="/old"), app=App([(b"x-own", b"1")]))
    assert server.header("x-own") == [b"1"]
    assert server.header("deprecation") == [b"@1577836800"]
    assert server.header("sunset") == [b"Fri, 01 Jan 2100 00:00:00 GMT"]


def test_a_header_of_the_application_stands(gate):
    _, server = guarded(gate, scope(path="/old"), app=App([(b"Sunset", b"mine")]))
    assert [value for name, value in server.headers if name.lower() == b"sunset"] == [b"mine"]


def test_the_applications_own_server_timing_is_kept():
    gate = make_gate(answers=AnswersConfig(server_timing=True))
    app = App([(b"server-timing", b"db;dur=5"), (b"server-timing", b"app;dur=7")])
    _, server = guarded(gate, scope(), app=app)
    first, second = server.header("server-timing")
    assert first == b"db;dur=5"
    assert second.startswith(b"app;dur=7, gate;dur=0.")
    assert app.headers[1] == (b"server-timing", b"app;dur=7"), "the application's list is its own"


def test_an_answer_without_headers_gets_ours(gate):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    server = serve(GateMiddleware(app, gate), scope(path="/old"))
    assert len(server.headers) == 2


def test_streams_and_extensions_pass_untouched(gate):
    messages = [
        {"type": "http.response.early_hint", "links": [b"</a>"]},
        {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")], "trailers": True},
        {"type": "http.response.body", "body": b"one", "more_body": True},
        {
            "type": "http.response.zerocopysend",
            "file": 3,
            "offset": 0,
            "count": 5,
            "more_body": True,
        },
        {"type": "http.response.pathsend", "path": "/etc/hostname"},
        {"type": "http.response.trailers", "headers": [(b"x", b"y")], "more_trailers": False},
    ]

    async def app(scope, receive, send):
        for message in messages:
            await send(message)
            assert server.sent[-1] is message, "sent at once, and as it is"

    server = Server()
    asyncio.run(GateMiddleware(app, gate)(scope(), server.receive, server.send))
    assert server.sent == messages


def test_the_record_is_closed_whatever_happens(gate):
    done = Done(gate)
    guarded(gate, scope())
    assert done() == {"answered.2xx": 1}
    done = Done(gate)
    with pytest.raises(LookupError):
        guarded(gate, scope(), app=App(fail=LookupError()))
    assert list(done().values()) == [1]
    assert "answered.2xx" not in done()


def test_current_is_over_with_the_request(gate):
    async def main():
        server = Server()
        await GateMiddleware(App(), gate)(scope(), server.receive, server.send)
        with pytest.raises(secval.UsageError, match="GateMiddleware"):
            secval.current()

    asyncio.run(main())


def test_current_is_the_requests_own(gate):
    """Many requests at once in one loop, and a handler that works in a thread."""

    async def app(scope, receive, send):
        await asyncio.sleep(0)
        verdict = await asyncio.to_thread(secval.current)
        assert verdict is scope["secval"]
        seen.add(verdict.params["path"]["id"])

    async def main():
        guarded = GateMiddleware(app, gate)
        server = Server()
        calls = (
            guarded(scope(path=f"/things/{i}"), server.receive, server.send) for i in range(1, 50)
        )
        await asyncio.gather(*calls)

    seen = set()
    asyncio.run(main())
    assert seen == set(range(1, 50))


# ---- what is asked for, as servers and frameworks have it ----


@pytest.mark.parametrize(
    "path, raw, root",
    [
        ("/things", b"/things", ""),
        # ASGI: `root_path` is the head of `path`. uvicorn --root-path; Starlette's Mount.
        ("/v1/things", b"/v1/things", "/v1"),
        ("/v1/things", b"/%76%31/things", "/v1"),
        # A proxy has stripped it, and the server says so. FastAPI(root_path=...), hypercorn.
        ("/things", b"/things", "/v1"),
        # Older frameworks strip `path` only.
        ("/things", b"/v1/things", "/v1"),
        ("/things", b"/things", "/v1/"),
        ("/things", None, "/v1"),
    ],
)
def test_the_path_that_is_judged_is_the_clients(path, raw, root):
    base = {"url": "http://api.test" + root.rstrip("/")}
    document = {**DOCUMENT, "servers": [base]}
    config = Config(
        api=ApiConfig(hosts=["api.test"]), request=RequestConfig(decoded_target=raw is None)
    )
    gate = secval.Gate.from_openapi(document, config=config)
    app, server = guarded(gate, scope(path=path, raw=raw, root_path=root))
    assert server.status == 200, server.body
    assert app.verdict.operation == "GET /things"


@pytest.mark.parametrize(
    "path, raw, root",
    [
        # Starlette would dispatch the whole path: `/v1x` is not below `/v1`.
        ("/v1xthings", b"/v1xthings", "/v1"),
        ("/things", b"/v1x/things", "/v1"),
        ("/v1/v1/things", b"/v1/things", "/v1"),
        # Below a root that ends with a slash Starlette finds nothing, and dispatches the whole path.
        ("/v1/things", b"/v1/things", "/v1/"),
    ],
)
def test_a_root_is_whole_segments(path, raw, root):
    document = {**DOCUMENT, "servers": [{"url": "http://api.test/v1"}]}
    gate = secval.Gate.from_openapi(document, config=Config(api=ApiConfig(hosts=["api.test"])))
    app, server = guarded(gate, scope(path=path, raw=raw, root_path=root))
    assert app.calls == 0
    assert server.reason in {"target.mismatch", "route.unknown"}


def test_a_path_is_compared_once_decoded(gate):
    for raw in (b"/caf%C3%A9", b"/c%61f%c3%a9"):
        app, server = guarded(gate, scope(path="/café", raw=raw))
        assert server.status == 200
        assert app.verdict.operation == "GET /café"


def test_headers_may_be_lists(gate):
    headers = [[b"host", b"api.test"], [b"x-a", b"1"]]
    for given in (headers, tuple(map(tuple, headers)), iter(headers)):
        _, server = guarded(gate, {**scope(), "headers": given})
        assert server.status == 200


def test_http_2_may_have_a_body_without_saying_so(gate):
    headers = [(b"content-type", b"application/json")]
    app, _ = guarded(gate, scope("POST", headers=headers, http_version="2"), chunk(GOOD))
    assert app.messages == [chunk(GOOD)]
    app, server = guarded(gate, scope("DELETE", http_version="2"), chunk(b"x"))
    assert (app.calls, server.reason) == (0, "body.undeclared")
    app, _ = guarded(gate, scope("DELETE", http_version="2"), chunk())
    assert app.messages == [chunk()]


# ---- websockets, lifespan, and the rest ----


def test_a_websocket_that_is_declared_is_the_applications(gate):
    async def app(scope, receive, send):
        assert scope["secval"] is secval.current()
        assert await receive() == {"type": "websocket.connect"}
        await send({"type": "websocket.accept"})
        assert await receive() == {"type": "websocket.receive", "text": "anything"}
        await send({"type": "websocket.send", "text": "hello"})

    done = Done(gate)
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "anything"}]
    server = serve(GateMiddleware(app, gate), scope(kind="websocket", path="/socket"), *messages)
    assert [message["type"] for message in server.sent] == ["websocket.accept", "websocket.send"]
    assert done() == {"answered.1xx": 1}


@pytest.mark.parametrize(
    "path, headers, status, reason",
    [
        ("/things", [], 403, "websocket.undeclared"),
        ("/nowhere", [], 404, "route.unknown"),
        ("/socket", [(b"origin", b"https://evil.example")], 403, "websocket.origin"),
    ],
)
@pytest.mark.parametrize("extensions", [None, {}, {"websocket.http.response": {}}])
def test_a_refused_websocket_is_closed_before_it_is_accepted(
    gate, path, headers, status, reason, extensions
):
    inner = scope(kind="websocket", path=path, headers=headers, extensions=extensions)
    app, server = guarded(gate, inner)
    assert app.calls == 0
    if extensions:
        kinds = ["websocket.http.response.start", "websocket.http.response.body"]
        assert [message["type"] for message in server.sent] == kinds
        assert (server.status, server.reason) == (status, reason)
    else:
        assert server.sent == [{"type": "websocket.close", "code": 1008}]


def test_lifespan_passes_untouched(gate):
    async def app(*arguments):
        seen.append(arguments)

    async def main():
        inner, server = {"type": "lifespan"}, Server()
        arguments = (inner, server.receive, server.send)
        await GateMiddleware(app, gate)(*arguments)
        assert inner == {"type": "lifespan"}
        assert all(map(lambda a, b: a == b, seen[0], arguments))

    seen = []
    asyncio.run(main())


@pytest.mark.parametrize("kind", ["webtransport", "HTTP", "", "lifespan "])
def test_nothing_else_passes(gate, kind):
    app = App()
    with pytest.raises(secval.UsageError):
        serve(GateMiddleware(app, gate), {"type": kind})
    assert app.calls == 0


def test_the_gate_is_a_gate():
    for other in (None, "secval.toml", object()):
        with pytest.raises(TypeError, match=r"secval\.Gate"):
            GateMiddleware(App(), other)


# ---- the log ----


def test_a_refusal_is_one_line_of_codes_and_ids(gate, caplog):
    with caplog.at_level(logging.INFO, "secval"):
        _, server = guarded(gate, scope(path="/things", query=b"secret=value"), app=App())
    (line,) = [record for record in caplog.records if record.name == "secval"]
    request_id = server.problem["request_id"]
    assert line.getMessage() == f"refused 400 param.undeclared: GET /things [{request_id}]"
    assert (line.levelname, line.secval_client) == ("WARNING", "192.0.2.7")
    assert "secret" not in str(vars(line))


def test_what_monitor_lets_through_is_logged_too(gate, caplog):
    with caplog.at_level(logging.INFO, "secval"):
        guarded(gate, scope("POST", "/monitored", headers=with_json(body=BAD)), chunk(BAD))
        guarded(gate, scope())
    (line,) = [record for record in caplog.records if record.name == "secval"]
    assert line.getMessage().startswith("would refuse schema.violation: POST /monitored [")


def test_a_flood_of_refusals_is_no_flood_of_lines():
    now = [0.0]
    budget = Budget(lines=3, clock=lambda: now[0])
    assert [budget.spend("a") for _ in range(5)] == [0, 0, 0, None, None]
    assert budget.spend("b") == 0, "a rare reason is not drowned"
    now[0] = 1.5
    assert [budget.spend("a") for _ in range(2)] == [2, 0]
