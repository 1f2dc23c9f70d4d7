"""The adapters under real servers, over real sockets: uvicorn (both of its parsers), hypercorn, gunicorn."""

import contextlib
import http.client
import json
import socket
import time

import pytest
from servers import SECONDS, running
from support import BAD, GOOD
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

UVICORN = [
    *("-m", "uvicorn", "--no-proxy-headers", "--log-level", "warning"),
    *("--host", "127.0.0.1"),
]
GUNICORN = ["-m", "gunicorn", "--log-level", "warning", "--workers", "1"]
SERVERS = {
    "uvicorn-h11": [
        *UVICORN,
        "--http",
        "h11",
        "--ws",
        "wsproto",
        "--port",
        "PORT",
        "served:asgi_app",
    ],
    "uvicorn-httptools": [
        *UVICORN,
        *("--http", "httptools", "--ws", "websockets-sansio", "--port", "PORT", "served:asgi_app"),
    ],
    "hypercorn": ["-m", "hypercorn", "--bind", "127.0.0.1:PORT", "served:asgi_app"],
    "gunicorn-sync": [*GUNICORN, "--bind", "127.0.0.1:PORT", "served:wsgi_app"],
    "gunicorn-gthread": [
        *GUNICORN,
        *(
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "--bind",
            "127.0.0.1:PORT",
            "served:wsgi_app",
        ),
    ],
}


class Served:
    """A server in a process of its own."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self.asgi = not name.startswith("gunicorn")

    def request(self, method, target, body=None, headers=()):
        """By a client library."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, SECONDS)
        ) as client:
            client.request(
                method, target, body, dict(headers), encode_chunked=not isinstance(body, bytes)
            )
            return Reply(client.getresponse())

    def post(self, body, target="/things", headers=()):
        return self.request(
            "POST", target, body, {"Content-Type": "application/json", **dict(headers)}
        )

    @contextlib.contextmanager
    def wire(self, *pieces, pause=0.0):
        """Bytes on a socket."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
            for piece in pieces:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(piece)
                time.sleep(pause)
            yield connection

    def raw(self, *pieces, pause=0.0):
        with self.wire(*pieces, pause=pause) as connection:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return Reply(answer)

    def counters(self):
        return self.request("GET", "/things").told["counters"]


class Reply:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def told(self):
        assert self.status == 200, self.body
        return json.loads(self.body)

    @property
    def reason(self):
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)["reason"]


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    log = tmp_path_factory.mktemp(request.param) / "log"
    with running(SERVERS[request.param], log) as port:
        yield Served(request.param, port)


def test_a_judged_body_reaches_the_application_exactly(server):
    told = server.post(GOOD).told
    assert told["json"] == {"name": "a lamp", "size": 3}
    assert told["raw"].encode() == GOOD
    assert (told["operation"], told["client"]) == ("POST /things", "127.0.0.1")
    assert told["started"] is server.asgi


def test_a_chunked_body_reaches_it_too(server):
    assert server.post(iter([GOOD[:3], GOOD[3:9], GOOD[9:]])).told["raw"].encode() == GOOD


def test_a_body_may_come_slowly(server):
    head = b"POST /things HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(GOOD)
    assert server.raw(head, GOOD[:7], GOOD[7:], pause=0.05).told["raw"].encode() == GOOD


def test_refusals(server):
    for answer, status, reason in [
        (server.post(BAD), 422, "schema.violation"),
        (server.post(GOOD[:-1]), 400, "json.truncated"),
        (server.post(GOOD.replace(b"size", b"name")), 400, "json.duplicate_key"),
        (server.post(b" " * 1001), 413, "body.too_large"),
        (server.post(iter([b" " * 600] * 3)), 413, "body.too_large"),
        (server.post(GOOD, headers={"Content-Type": "text/plain"}), 415, "media.unsupported"),
        (server.request("DELETE", "/things", b"x"), 400, "body.undeclared"),
        (server.request("GET", "/nowhere"), 404, "route.unknown"),
        (server.request("PATCH", "/things"), 405, "route.method_unknown"),
        (server.request("GET", "/things?debug=1"), 400, "param.undeclared"),
        (server.request("GET", "/things/%2e%2e/admin"), 400, "target.dot_segment"),
        (server.request("GET", "/things%2f7"), 400, "target.encoding"),
        (server.request("GET", "//things"), 400, "target.empty_segment"),
        (server.request("GET", "/things", headers={"Host": "evil.example"}), 421, "host.unknown"),
    ]:
        assert (answer.status, answer.reason) == (status, reason)
        assert int(answer.headers["content-length"]) == len(answer.body)


def test_paths_are_compared_once_decoded(server):
    assert server.request("GET", "/caf%C3%A9").told["operation"] == "GET /café"
    assert server.request("GET", "/%74hings/%37").told["operation"] == "GET /things/{id}"


def test_nobody_says_where_he_comes_from(server):
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert (
            server.request("GET", "/things", headers={name: "10.0.0.1"}).told["client"]
            == "127.0.0.1"
        )
        answer = server.request("GET", "/admin", headers={name: "10.0.0.1"})
        assert (answer.status, answer.reason) == (403, "address.not_allowed")


def test_the_answer_has_both_timings(server):
    value = server.request("GET", "/things").headers["server-timing"]
    assert value.startswith("app;dur=1, gate;dur=")


HEAD = b"POST /things HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}",
        b"Content-Length: +2\r\n\r\n{}",
        b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Host: evil.example\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_hostile_framing_is_refused_by_the_server_or_the_gate(server, framing):
    answer = server.raw(HEAD + framing)
    assert 400 <= answer.status < 600
    assert answer.status in {400, 501}


def test_trailers_are_no_headers(server):
    """Nobody has judged them, and some servers call them headers when they come."""
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(GOOD), GOOD)
    told = server.raw(head, b"0\r\nX-Trailed: 1\r\n\r\n", pause=0.2).told
    assert told["raw"].encode() == GOOD
    assert not told["trailed"]


def test_a_header_cannot_move_the_application(server):
    """gunicorn takes `SCRIPT_NAME` from a header of a loopback peer: the application would dispatch on `/7`."""
    for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO"):
        answer = server.request("GET", "/things/7", headers={name: "/things"})
        assert answer.status == 400, name
        assert answer.reason == "framing.header_invalid"


def test_a_client_that_leaves_is_counted_and_not_served(server):
    before = server.counters()
    for framing, half in [
        (b"Content-Length: %d\r\n\r\n" % len(GOOD), GOOD[:9]),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"9\r\n" + GOOD[:9] + b"\r\n"),
    ]:
        with server.wire(HEAD + framing + half, pause=0.1):
            pass
    give_up = time.monotonic() + SECONDS
    while True:
        now = server.counters()
        count = now.get("refused.body.incomplete", 0) - before.get("refused.body.incomplete", 0)
        if count == 2 or time.monotonic() > give_up:
            break
        time.sleep(0.05)
    assert count == 2


def test_an_unread_body_is_no_second_request(server):
    """A refusal leaves the body where it is; it must never be read as the next request."""
    smuggled = b"GET /things HTTP/1.1\r\nHost: api.test\r\n\r\n"
    head = b"POST /nowhere HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(smuggled)
    with server.wire(head + smuggled, pause=0.2) as connection:
        connection.settimeout(0.5)
        answers = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                answers += piece
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 404 ")


def test_a_connection_lives_through_a_refusal(server):
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", server.port, SECONDS)
    ) as client:
        for target, status in [("/things", 200), ("/nowhere", 404), ("/things", 200)]:
            client.request("GET", target)
            answer = client.getresponse()
            answer.read()
            assert answer.status == status


def test_websockets(server):
    if not server.asgi:
        pytest.skip("WSGI has no websockets")
    url = f"ws://127.0.0.1:{server.port}"
    with connect(f"{url}/socket", proxy=None) as client:
        client.send("hello")
        assert client.recv(SECONDS) == "HELLO"
        with pytest.raises(ConnectionClosed):
            client.recv(SECONDS)
    for path, origin, status, reason in [
        ("/things", None, 403, "websocket.undeclared"),
        ("/socket", "https://evil.example", 403, "websocket.origin"),
        ("/nowhere", None, 404, "route.unknown"),
    ]:
        with pytest.raises(InvalidStatus) as refused:
            connect(url + path, origin=origin, proxy=None)
        answer = refused.value.response
        assert (answer.status_code, json.loads(answer.body)["reason"]) == (status, reason)
