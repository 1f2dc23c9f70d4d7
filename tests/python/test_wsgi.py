"""The WSGI adapter, in process: what the application is given, what the server is told, what is recorded."""

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import flask
import pytest
from support import BAD, DOCUMENT, GOOD, make_gate
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import secval
from secval.config import AnswersConfig, ApiConfig, Config, RequestConfig
from secval.wsgi import GateMiddleware


@pytest.fixture(scope="module")
def gate():
    return make_gate()


class Input(io.BytesIO):
    """A request's body, as far as the server has it; reading beyond the allowed is a fault."""

    def __init__(self, data=b"", error=None, step=None):
        super().__init__(data)
        self.error, self.step, self.asked = error, step, []

    def read(self, size=-1):
        assert size >= 0, "an unbounded read"
        self.asked.append(size)
        data = super().read(size if self.step is None else min(size, self.step))
        if not data and self.error:
            raise self.error
        return data


def environ(method="GET", path="/things", *, raw=..., body=None, headers=(), **more):
    """An environ as gunicorn makes it."""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "RAW_URI": path if raw is ... else raw,
        "SERVER_NAME": "192.0.2.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "api.test",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": Input(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
    }
    if body is not None:
        environ.update(CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body)))
    environ.update(headers)
    environ.update(more)
    return {name: value for name, value in environ.items() if value is not None}


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": None}


class Server:
    """The server's end."""

    def __init__(self, app, environ):
        self.environ, self.written, self.starts = environ, [], []
        self.result = app(environ, self.start)
        try:
            self.body = b"".join(self.result)
        finally:
            if hasattr(self.result, "close"):
                self.result.close()

    def start(self, status, headers, exc_info=None):
        self.starts.append((status, headers, exc_info))
        return self.written.append

    @property
    def status(self):
        return self.starts[-1][0]

    @property
    def headers(self):
        return self.starts[-1][1]

    def header(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def problem(self):
        assert self.header("content-type") == ["application/problem+json"]
        assert self.header("content-length") == [str(len(self.body))]
        return json.loads(self.body)

    @property
    def reason(self):
        return self.problem["reason"]


class App:
    """An application that reads its whole body and answers 200."""

    def __init__(self, headers=()):
        self.calls, self.headers = 0, list(headers)

    def __call__(self, environ, start_response):
        self.calls += 1
        self.environ, self.verdict = environ, environ["secval.verdict"]
        assert self.verdict is secval.current()
        self.body = environ["wsgi.input"].read()
        start_response("200 OK", self.headers)
        return [b"hello"]


def guarded(gate, environ, app=None):
    app = app or App()
    return app, Server(GateMiddleware(app, gate), environ)


# ---- what the application is given ----


def test_a_judged_body_is_put_back(gate):
    app, server = guarded(gate, environ("POST", body=GOOD))
    assert (server.status, server.body, app.body) == ("200 OK", b"hello", GOOD)
    assert app.verdict.json == {"name": "a lamp", "size": 3}
    assert app.verdict.client == "192.0.2.7"
    assert app.environ["CONTENT_LENGTH"] == str(len(GOOD))
    assert app.environ["wsgi.input"].read() == b""


def test_a_chunked_body_gets_its_length(gate):
    stream = Input(GOOD, step=7)
    app, server = guarded(gate, environ("POST", body=GOOD, **{**CHUNKED, "wsgi.input": stream}))
    assert (server.status, app.body) == ("200 OK", GOOD)
    assert app.environ["CONTENT_LENGTH"] == str(len(GOOD))
    assert "HTTP_TRANSFER_ENCODING" not in app.environ
    assert app.environ["wsgi.input_terminated"]


def test_a_server_may_read_in_small_pieces(gate):
    app, _ = guarded(gate, environ("POST", body=GOOD, **{"wsgi.input": Input(GOOD, step=7)}))
    assert app.body == GOOD


def test_nothing_is_read_beyond_the_length(gate):
    stream = Input(GOOD + b"the next request")
    app, _ = guarded(gate, environ("POST", body=GOOD, **{"wsgi.input": stream}))
    assert app.body == GOOD
    assert stream.tell() == len(GOOD)


def test_without_a_body_there_is_an_empty_one(gate):
    stream = Input(b"bytes that nobody announced")
    app, _ = guarded(gate, environ(**{"wsgi.input": stream}))
    assert (app.body, stream.asked) == (b"", [])
    app, _ = guarded(gate, environ("PUT", CONTENT_TYPE="", CONTENT_LENGTH=""))
    assert app.body == b""
    assert app.verdict.json is None


# ---- refusals ----


@pytest.mark.parametrize(
    "request_environ, status, reason",
    [
        (environ("POST", body=BAD), "422 Unprocessable Entity", "schema.violation"),
        (environ("POST", body=GOOD[:-1]), "400 Bad Request", "json.truncated"),
        (environ("POST", body=GOOD, CONTENT_LENGTH="900"), "400 Bad Request", "body.incomplete"),
        (environ("POST", body=b" " * 1001), "413 Request Entity Too Large", "body.too_large"),
        (
            environ("POST", body=b" " * 2000, **CHUNKED),
            "413 Request Entity Too Large",
            "body.too_large",
        ),
        (environ("POST", body=b""), "400 Bad Request", "body.missing"),
        (environ("POST", body=b"", **CHUNKED), "400 Bad Request", "body.missing"),
        (environ("DELETE", body=b"x", **CHUNKED), "400 Bad Request", "body.undeclared"),
        (environ("DELETE", body=b"x"), "400 Bad Request", "body.undeclared"),
        (environ(path="/nowhere"), "404 Not Found", "route.unknown"),
        (environ("PATCH"), "405 Method Not Allowed", "route.method_unknown"),
        (environ(raw="/things?debug=1"), "400 Bad Request", "param.undeclared"),
        (environ(raw=None, QUERY_STRING=""), "500 Internal Server Error", "target.raw_missing"),
        (environ(raw="/things/7"), "400 Bad Request", "target.mismatch"),
        (environ(path="/things/\xff", raw="/things/%ff"), "400 Bad Request", "target.encoding"),
        (environ(HTTP_HOST="api.test,evil.example"), "400 Bad Request", "framing.host_invalid"),
        (environ(HTTP_HOST="evil.example"), "421 Misdirected Request", "host.unknown"),
        (environ(REMOTE_ADDR=""), "400 Bad Request", "client.peer_missing"),
        (environ(REMOTE_ADDR=None), "400 Bad Request", "client.peer_missing"),
        (
            environ("POST", body=GOOD, HTTP_CONTENT_LENGTH="3"),
            "400 Bad Request",
            "framing.header_repeated",
        ),
        (
            environ("POST", body=GOOD, HTTP_TRANSFER_ENCODING="chunked"),
            "400 Bad Request",
            "framing.length_conflict",
        ),
        (
            environ(HTTP_X_HTTP_METHOD_OVERRIDE="DELETE"),
            "400 Bad Request",
            "framing.method_override",
        ),
        (environ(HTTP_UPGRADE="websocket"), "403 Forbidden", "websocket.undeclared"),
        (environ(path="/socket"), "426 Upgrade Required", "websocket.required"),
    ],
)
def test_a_refusal_is_a_problem_document_and_the_application_is_not_called(
    gate, request_environ, status, reason
):
    app, server = guarded(gate, request_environ)
    assert app.calls == 0
    assert server.reason == reason
    # The phrases of 413 and 422 are those of the Python that runs.
    assert server.status.split()[0] == status.split()[0]
    assert len(server.status) > 4


def test_a_refused_head_has_its_body_unread(gate):
    stream = Input(GOOD)
    guarded(gate, environ("POST", "/nowhere", body=GOOD, **{"wsgi.input": stream}))
    assert stream.asked == []


def test_a_head_is_answered_without_a_body(gate):
    _, server = guarded(gate, environ("HEAD", "/nowhere"))
    assert server.body == b""
    assert int(server.header("content-length")[0]) > 0


def test_a_body_without_length_or_end_is_refused(gate):
    """A server that passes `chunked` on without undoing it: what follows cannot be known."""
    stream = Input(b"4\r\nabcd\r\n0\r\n\r\n")
    given = {**CHUNKED, "wsgi.input": stream, "wsgi.input_terminated": None}
    app, server = guarded(gate, environ("POST", body=b"", **given))
    assert (app.calls, server.reason, stream.asked) == (0, "body.incomplete", [])


# ---- a client that leaves ----


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("a chunk without a size")])
def test_a_client_that_leaves_is_recorded_and_nobody_is_called(gate, error):
    before = gate.counters().get("refused.body.incomplete", 0)
    stream = Input(GOOD[:5], error=error)
    app, server = guarded(gate, environ("POST", body=GOOD, **{"wsgi.input": stream}))
    assert (app.calls, server.reason) == (0, "body.incomplete")
    assert gate.counters()["refused.body.incomplete"] == before + 1


def test_a_worker_that_is_stopped_is_recorded_and_stops(gate):
    before = gate.counters().get("refused.body.incomplete", 0)
    stream = Input(GOOD[:5], error=SystemExit(1))
    with pytest.raises(SystemExit):
        guarded(gate, environ("POST", body=GOOD, **{"wsgi.input": stream}))
    assert gate.counters()["refused.body.incomplete"] == before + 1


# ---- modes ----


def test_monitor_lets_through_what_it_would_refuse(gate):
    app, server = guarded(gate, environ("POST", "/monitored", body=BAD))
    assert (server.status, app.body) == ("200 OK", BAD)
    assert app.verdict.would_refuse == "schema.violation"


@pytest.mark.parametrize("read", ["read", "lines", "small"])
def test_monitor_streams_on_what_is_too_large(gate, read):
    body = b"a line\n" * 30_000

    def app(environ, start_response):
        stream = environ["wsgi.input"]
        if read == "read":
            got.append(stream.read())
        elif read == "lines":
            got.extend(stream)
        else:
            while piece := stream.read(999):
                got.append(piece)
        start_response("200 OK", [])
        return []

    got = []
    given = environ("POST", "/monitored", body=body, **{**CHUNKED, "wsgi.input": Input(body)})
    _, server = guarded(gate, given, app)
    assert server.status == "200 OK"
    assert b"".join(got) == body


def test_monitor_hands_on_what_says_that_it_is_too_large(gate):
    body = b"x" * 5000
    given = environ("POST", "/monitored", body=body, **{"wsgi.input": io.BytesIO(body)})
    app, _ = guarded(gate, given)
    assert app.body == body
    assert app.environ["CONTENT_LENGTH"] == "5000"


def test_in_monitor_a_client_that_leaves_reaches_nobody(gate):
    stream = Input(GOOD[:5], error=OSError("gone"))
    app, server = guarded(gate, environ("POST", "/monitored", body=GOOD, **{"wsgi.input": stream}))
    assert app.calls == 0
    assert server.status.startswith("400 ")


def test_off_hands_on_the_body_as_it_comes(gate):
    stream = io.BytesIO(b"no JSON")
    app, _ = guarded(gate, environ("POST", "/off", body=b"no JSON", **{"wsgi.input": stream}))
    assert app.environ["wsgi.input"] is stream
    assert app.body == b"no JSON"


# ---- the answer ----


def counted(gate, before):
    now = gate.counters()
    names = {name for name in now if name.startswith(("answered", "sent"))}
    changed = {name: now[name] - before.get(name, 0) for name in names}
    return {name: count for name, count in changed.items() if count}


def answered(gate, app, **more):
    before = gate.counters()
    server = Server(GateMiddleware(app, gate), environ(**more))
    return server, counted(gate, before)


def test_a_list_is_the_applications_own(gate):
    result = [b"one", b"two"]

    def app(environ, start_response):
        start_response("201 Created", [("X-Own", "1")])
        return result

    server, counts = answered(gate, app, path="/old")
    assert server.result is result
    assert counts == {"answered.2xx": 1, "sent.bytes": 6}
    assert server.header("x-own") == ["1"]
    assert server.header("deprecation") == ["@1577836800"]


def test_a_stream_passes_as_it_comes_and_is_closed(gate):
    class Stream:
        closed = 0

        def __iter__(self):
            for number in range(3):
                assert secval.current().operation == "GET /things"
                pulled.append(number)
                yield b"%d" % number

        def close(self):
            if not Stream.closed:
                assert secval.current().operation == "GET /things"
            Stream.closed += 1

    def app(environ, start_response):
        start_response("200 OK", [])
        return Stream()

    pulled = []
    before = gate.counters()
    result = GateMiddleware(app, gate)(environ(), lambda *_: None)
    iterator = iter(result)
    assert (next(iterator), pulled) == (b"0", [0])
    assert counted(gate, before) == {}
    result.close()
    result.close()
    assert Stream.closed == 2
    assert counted(gate, before) == {"answered.2xx": 1, "sent.bytes": 1}
    with pytest.raises(secval.UsageError):
        secval.current()


def its_number():
    return secval.current().params["path"]["id"]


class Numbers:
    """An endless answer: at each step, the id that its own request has asked for."""

    def __init__(self):
        self.closed = []

    def __iter__(self):
        return self

    def __next__(self):
        return b"%d" % its_number()

    def close(self):
        self.closed.append(its_number())


def streaming(gate):
    def app(environ, start_response):
        start_response("200 OK", [])
        return numbers

    numbers = Numbers()
    app = GateMiddleware(app, gate)
    return (lambda n: app(environ(path=f"/things/{n}"), lambda *_: None)), numbers.closed


def nobody_is_current():
    with pytest.raises(secval.UsageError):
        secval.current()
    return True


@pytest.mark.parametrize("pulled", [0, 1])
def test_an_answer_that_nobody_closes_leaves_no_verdict_behind(gate, pulled):
    """What runs next in this thread must not find another client's request."""
    ask, _ = streaming(gate)
    answer = ask(7)
    assert [next(answer) for _ in range(pulled)] == [b"7"] * pulled
    assert nobody_is_current()
    assert asyncio.run(asyncio.to_thread(nobody_is_current))


def test_answers_that_are_sent_by_turns_have_each_its_own_verdict(gate):
    ask, closed = streaming(gate)
    one = ask(1)
    assert next(one) == b"1"
    two = ask(2)
    assert [next(answer) for answer in (two, one, two, one)] == [b"2", b"1", b"2", b"1"]
    one.close()
    assert next(two) == b"2"
    assert nobody_is_current()
    two.close()
    assert (closed, nobody_is_current()) == ([1, 2], True)


def test_an_answer_may_be_sent_by_another_thread(gate):
    ask, closed = streaming(gate)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, 1).result()
        assert next(answer) == b"1"
        assert pool.submit(nobody_is_current).result()
        answer.close()
    assert closed == [1]


def test_an_application_that_answers_nothing_leaves_no_verdict_behind(gate):
    before = gate.counters()
    with pytest.raises(TypeError):
        Server(GateMiddleware(lambda *_: None, gate), environ())
    assert counted(gate, before) == {"answered.none": 1}
    assert nobody_is_current()


def test_a_generator_may_start_the_answer_late(gate):
    def app(environ, start_response):
        start_response("404 Not Found", [])
        yield b"no"

    server, counts = answered(gate, app, path="/old")
    assert server.header("sunset")
    assert counts == {"answered.4xx": 1, "sent.bytes": 2}


def test_write_is_kept(gate):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"written")
        return [b"returned"]

    server, counts = answered(gate, app)
    assert (server.written, server.body) == ([b"written"], b"returned")
    assert counts["sent.bytes"] == 15


def test_an_answer_may_be_replaced_before_it_is_sent(gate):
    def app(environ, start_response):
        start_response("200 OK", [("X-Old", "1")])
        try:
            raise LookupError
        except LookupError as error:
            start_response("500 Oh", [("X-New", "1")], (type(error), error, error.__traceback__))
        return [b"sorry"]

    server, counts = answered(gate, app, path="/old")
    assert server.header("x-new") == ["1"]
    assert len(server.header("sunset")) == 1
    assert server.starts[1][2][0] is LookupError
    assert counts["answered.5xx"] == 1


def test_a_file_is_left_to_the_server(gate, tmp_path):
    (tmp_path / "file").write_bytes(b"contents")

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"))

    server, counts = answered(gate, app)
    assert type(server.result) is FileWrapper
    assert server.body == b"contents"
    assert counts == {"answered.2xx": 1}


@pytest.mark.parametrize("when", ["at once", "while it is read"])
def test_the_record_is_closed_when_the_application_raises(gate, when):
    def stream():
        yield b"half"
        raise LookupError

    def app(environ, start_response):
        if when == "at once":
            raise LookupError
        start_response("200 OK", [])
        return stream()

    before = gate.counters()
    with pytest.raises(LookupError):
        Server(GateMiddleware(app, gate), environ())
    kind = "answered.none" if when == "at once" else "answered.2xx"
    assert counted(gate, before)[kind] == 1
    with pytest.raises(secval.UsageError):
        secval.current()


def test_the_applications_own_server_timing_is_kept():
    gate = make_gate(answers=AnswersConfig(server_timing=True))
    _, server = guarded(gate, environ(), App([("Server-Timing", "app;dur=7")]))
    (value,) = server.header("server-timing")
    assert value.startswith("app;dur=7, gate;dur=")


# ---- what is asked for ----


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_the_raw_target_has_two_names(gate, name):
    given = environ(raw=None, path="/caf\xc3\xa9", **{name: "/caf%C3%A9"})
    app, server = guarded(gate, given)
    assert server.status == "200 OK"
    assert app.verdict.operation == "GET /café"


def test_a_decoded_target_must_be_allowed():
    gate = make_gate(request=RequestConfig(decoded_target=True))
    app, server = guarded(gate, environ(raw=None, QUERY_STRING="q=a%20b"))
    assert server.status == "200 OK"
    assert app.verdict.params["query"] == {"q": "a b"}


def test_the_absolute_form_is_held_to_its_host(gate):
    _, server = guarded(gate, environ(raw="http://api.test/things"))
    assert server.status == "200 OK"
    _, server = guarded(gate, environ(raw="http://evil.example/things"))
    assert server.reason == "target.authority_mismatch"


def test_a_mounted_application_is_judged_by_its_whole_path():
    document = {**DOCUMENT, "servers": [{"url": "http://api.test/v1"}]}
    gate = secval.Gate.from_openapi(document, config=Config(api=ApiConfig(hosts=["api.test"])))
    app = App()
    whole = DispatcherMiddleware(App(), {"/v1": GateMiddleware(app, gate)})
    server = Server(whole, environ(path="/v1/things"))
    assert server.status == "200 OK"
    assert app.verdict.operation == "GET /things"


def test_http_1_0_may_have_no_host():
    gate = make_gate(api=ApiConfig(hosts=["*"]))
    _, server = guarded(gate, environ(HTTP_HOST=None, SERVER_PROTOCOL="HTTP/1.0"))
    assert server.status == "200 OK"


def test_the_standards_own_validator_has_no_complaint(gate):
    app = validator(
        GateMiddleware(
            validator(lambda e, s: (s("200 OK", [("Content-Type", "text/plain")]), [b"x"])[1]), gate
        )
    )
    assert Server(app, {**environ(), "SERVER_NAME": "x"}).body == b"x"
    server = Server(app, environ("POST", "/nowhere", body=GOOD))
    assert server.status.startswith("404 ")


# ---- Flask ----


def test_flask_behind_the_gate(gate):
    app = flask.Flask(__name__)

    @app.post("/things")
    def things():
        assert flask.request.get_json() == secval.current().json
        assert flask.request.get_data() == GOOD
        return {"size": secval.current().json["size"]}

    @app.get("/things")
    def stream():
        return flask.Response(flask.stream_with_context(str(n) for n in range(3)))

    app.wsgi_app = GateMiddleware(app.wsgi_app, gate)
    client = Client(app, flask.Response)
    base = {"base_url": "http://api.test", "environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    answer = client.post("/things", data=GOOD, content_type="application/json", **base)
    assert (answer.status_code, answer.json) == (200, {"size": 3})
    # The test client of Flask closes an answer with the next request, or not at all.
    assert client.get("/things", **base).data == b"012"
    assert nobody_is_current()
    answer = client.post("/things", data=BAD, content_type="application/json", **base)
    assert (answer.status_code, answer.json["reason"]) == (422, "schema.violation")
    assert client.get("/nowhere", **base).json["reason"] == "route.unknown"
