"""Requests to the bookings API, good and hostile, each with the verdict that it must get.

A good client library refuses to send most of the hostile ones; those are written to the socket byte for byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

LOGIN = "/v1/login"
UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
BOOKING = {
    "room_id": 2,
    "from": "2027-05-01",
    "to": "2027-05-04",
    "guests": [{"name": "Ada", "email": "ada@example.com"}, {"name": "Grace"}],
    "price": {"amount": "361.50", "currency": "EUR"},
}
CARD = {"kind": "card", "token": "tok_0123456789abcdef"}
PAYMENT = {"cents": 36150, "currency": "EUR", "method": CARD}


@dataclass(frozen=True)
class Case:
    """One request, and what must become of it.

    Attributes:
        what: For the table.
        status: That it must be answered with.
        reason: The gate's reason; "" where the application (or, for `server`, the HTTP server) answers.
        method: And `target`: as they are sent.
        body: Bytes; anything else is sent as its JSON.
        headers: Beside Host, Content-Type and Content-Length.
        raw: The whole request, instead of the parts above; `HOST` and `TOKEN` in it are filled in.
        source: The address that it is sent from.
        signed_in: Send the token of the login before.
        repeat: Send it so many times; the last answer counts.
    """

    what: str
    status: int
    reason: str = ""
    method: str = "GET"
    target: str = "/v1/rooms"
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    raw: bytes | None = None
    source: str = "127.0.0.1"
    signed_in: bool = False
    repeat: int = 1


def post(what: str, status: int, reason: str, body: Any, target: str = "/v1/bookings") -> Case:
    """A JSON body to an operation that wants one."""
    return Case(what, status, reason, "POST", target, body, signed_in=True)


def raw(what: str, status: int, reason: str, text: bytes, source: str = "127.0.0.1") -> Case:
    """A request byte for byte."""
    return Case(what, status, reason, raw=text, source=source)


def edited(**changes: Any) -> dict[str, Any]:
    """The good booking, with changes."""
    return {**BOOKING, **changes}


def spelled(old: str, new: str) -> bytes:
    """The good booking's text, with one piece of it spelled in another way."""
    text = json.dumps(BOOKING)
    if text.count(old) != 1:
        message = f"{old} is not once in the booking"
        raise ValueError(message)
    return text.replace(old, new).encode("utf-8", "surrogatepass")


GET = b"GET %s HTTP/1.1\r\nHost: HOST\r\n%sConnection: close\r\n\r\n"
UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SOCKET = b"GET %s HTTP/1.1\r\nHost: HOST\r\n" + UPGRADE + b"%s\r\n"
POST = (
    b"POST /v1/bookings HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer TOKEN\r\nConnection: close\r\n%s\r\n"
)


def chunked(body: bytes) -> bytes:
    """One chunk, and the end."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


GOOD = [
    Case("list rooms", 200, target="/v1/rooms?guests=4&limit=10"),
    Case("one room", 200, target="/v1/rooms/2"),
    Case("a room, its path spelled with escapes", 200, target="/v1/%72ooms/2"),
    Case(
        "log in", 200, "", "POST", LOGIN, {"email": "ada@example.com", "password": "correct horse"}
    ),
    post("book a room", 201, "", BOOKING),
    Case(
        "book another, the body in one chunk",
        201,
        raw=POST % b"Transfer-Encoding: chunked\r\n"
        + chunked(json.dumps(edited(room_id=3)).encode()),
        signed_in=True,
    ),
    post("book it again: the application's own answer", 409, "", BOOKING),
    Case("a booking that is not there", 404, target=f"/v1/bookings/{UUID}", signed_in=True),
    Case(
        "pay one that is not there",
        404,
        "",
        "POST",
        f"/v1/bookings/{UUID}/payments",
        PAYMENT,
        {"Idempotency-Key": UUID},
        signed_in=True,
    ),
    Case("without a token: the application's own answer", 401, target=f"/v1/bookings/{UUID}"),
    Case(
        "the report, from the admins' network",
        200,
        target="/v1/admin/report?month=2027-05",
        source="127.0.0.2",
        signed_in=True,
    ),
    raw("a websocket", 101, "", SOCKET % (b"/v1/rooms/2/events", b"Origin: http://localhost\r\n")),
]

BODIES = [
    post("a member twice", 400, "json.duplicate_key", spelled('"to"', '"room_id": 3, "to"')),
    post(
        "a member twice, once with escapes",
        400,
        "json.duplicate_key",
        spelled('"to"', r'"\u0072oom\u005fid": 3, "to"'),
    ),
    post("1e400", 400, "json.number_range", spelled('"room_id": 2', '"room_id": 1e400')),
    post("NaN", 400, "json.literal", spelled('"room_id": 2', '"room_id": NaN')),
    post("a lone surrogate", 400, "json.surrogate", spelled("Grace", r"\ud800")),
    post("a lone surrogate, in bytes", 400, "json.utf8", spelled("Grace", "\udc80")),
    post("a byte order mark", 400, "json.bom", b"\xef\xbb\xbf" + json.dumps(BOOKING).encode()),
    post("UTF-16", 400, "json.utf16", json.dumps(BOOKING).encode("utf-16")),
    post("a comment", 400, "json.expected_name", b"{/**/" + json.dumps(BOOKING).encode()[1:]),
    post("a trailing comma", 400, "json.trailing_comma", spelled('"EUR"}', '"EUR",}')),
    post(
        "a second document behind the first",
        400,
        "json.trailing",
        json.dumps(BOOKING).encode() + b"{}",
    ),
    post("cut in half", 400, "json.truncated", json.dumps(BOOKING).encode()[:60]),
    post("100,000 levels", 400, "json.depth", b"[" * 100_000),
    post("1 MiB", 413, "body.too_large", b" " * (1 << 20)),
    post("no body", 400, "body.missing", b""),
    post("an undeclared member", 422, "schema.violation", edited(is_admin=True)),
    post(
        "an undeclared member, two levels down",
        422,
        "schema.violation",
        edited(price={"amount": "1.00", "currency": "EUR", "discount": 1}),
    ),
    post(
        "a member missing", 422, "schema.violation", {k: v for k, v in BOOKING.items() if k != "to"}
    ),
    post(
        "money as a float",
        422,
        "schema.violation",
        edited(price={"amount": 361.5, "currency": "EUR"}),
    ),
    post(
        "money with three decimals",
        422,
        "schema.violation",
        edited(price={"amount": "1.005", "currency": "EUR"}),
    ),
    post("a date that is none", 422, "schema.violation", edited(**{"from": "2027-02-30"})),
    post("thirteen guests", 422, "schema.violation", edited(guests=[{"name": "x"}] * 13)),
    post("2^53 + 1 as a room", 422, "schema.violation", edited(room_id=2**53 + 1)),
    Case(
        "one cent too much",
        422,
        "schema.violation",
        "POST",
        f"/v1/bookings/{UUID}/payments",
        {**PAYMENT, "cents": 100_000_001},
        {"Idempotency-Key": UUID},
        signed_in=True,
    ),
    Case(
        "a form",
        415,
        "media.unsupported",
        "POST",
        "/v1/bookings",
        b"room_id=2",
        {"Content-Type": "application/x-www-form-urlencoded"},
        signed_in=True,
    ),
    Case(
        "JSON in latin-1",
        415,
        "media.charset",
        "POST",
        "/v1/bookings",
        BOOKING,
        {"Content-Type": "application/json; charset=latin-1"},
        signed_in=True,
    ),
    Case(
        "gzip",
        415,
        "media.coding",
        "POST",
        "/v1/bookings",
        BOOKING,
        {"Content-Encoding": "gzip"},
        signed_in=True,
    ),
    Case(
        "a body where none is declared",
        400,
        "body.undeclared",
        "DELETE",
        f"/v1/bookings/{UUID}",
        {},
    ),
]

TARGETS = [
    Case("an unknown route", 404, "route.unknown", target="/v1/secrets"),
    Case("a route of the framework", 404, "route.unknown", target="/docs"),
    Case("a method that the path does not have", 405, "route.method_unknown", "PUT", "/v1/rooms"),
    Case("an undeclared query parameter", 400, "param.undeclared", target="/v1/rooms?debug=1"),
    Case("a query parameter twice", 400, "param.repeated", target="/v1/rooms?limit=1&limit=100"),
    Case("a word for a number", 400, "param.type", target="/v1/rooms/two"),
    Case("a number out of bounds", 400, "param.schema", target="/v1/rooms?limit=101"),
    Case("no UUID", 400, "param.schema", target="/v1/bookings/1", signed_in=True),
    raw("a dot segment", 400, "target.dot_segment", GET % (b"/v1/rooms/../admin/report", b"")),
    raw(
        "an encoded dot segment", 400, "target.dot_segment", GET % (b"/v1/rooms/%2e%2E/admin", b"")
    ),
    raw("an encoded slash", 400, "target.encoding", GET % (b"/v1/rooms%2f2", b"")),
    raw("a NUL", 400, "target.encoding", GET % (b"/v1/rooms/2%00", b"")),
    raw("an overlong slash", 400, "target.encoding", GET % (b"/v1/rooms%c0%af2", b"")),
    raw("an empty segment", 400, "target.empty_segment", GET % (b"//v1/rooms", b"")),
    raw(
        "a target of 5,000 bytes",
        414,
        "target.too_long",
        GET % (b"/v1/rooms?city=" + b"x" * 5000, b""),
    ),
    raw(
        "the admins' report, from elsewhere",
        404,
        "route.unknown",
        GET % (b"/v1/admin/report?month=2027-05", b"Authorization: Bearer TOKEN\r\n"),
    ),
    raw(
        "the same, claiming to come from there",
        404,
        "route.unknown",
        GET % (b"/v1/admin/report?month=2027-05", b"X-Forwarded-For: 10.20.0.1\r\n"),
    ),
    raw(
        "a method override",
        400,
        "framing.method_override",
        GET % (b"/v1/rooms", b"X-HTTP-Method-Override: DELETE\r\n"),
    ),
    raw(
        "a Host of somebody else",
        421,
        "host.unknown",
        b"GET /v1/rooms HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ),
    raw(
        "a websocket where none is declared",
        403,
        "websocket.undeclared",
        SOCKET % (b"/v1/rooms", b""),
    ),
    raw(
        "a websocket, opened by another site's page",
        403,
        "websocket.origin",
        SOCKET % (b"/v1/rooms/2/events", b"Origin: https://evil.example\r\n"),
    ),
    raw(
        "a websocket's path without a websocket",
        426,
        "websocket.required",
        GET % (b"/v1/rooms/2/events", b""),
    ),
]

# What the HTTP server itself refuses never reaches the gate; where a server lets it through, the gate does not.
FRAMING = [
    raw(
        "Content-Length and chunked",
        400,
        "server",
        POST % b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + chunked(b"{}"),
    ),
    raw(
        "two Content-Lengths",
        400,
        "server",
        POST % b"Content-Length: 2\r\nContent-Length: 4\r\n" + b"{}{}",
    ),
    raw(
        "a transfer coding nobody knows",
        400,
        "server",
        POST % b"Transfer-Encoding: xchunked\r\n" + chunked(b"{}"),
    ),
    raw(
        "a chunk of 1 MiB in a chunked body",
        413,
        "body.too_large",
        POST % b"Transfer-Encoding: chunked\r\n" + chunked(b" " * (1 << 20)),
    ),
]

RATES = [
    Case(
        "guessing a password, six times",
        429,
        "rate.exceeded",
        "POST",
        LOGIN,
        {"email": "ada@example.com", "password": "wrong horse"},
        repeat=6,
    ),
]

GROUPS = {
    "good requests": GOOD,
    "hostile bodies": BODIES,
    "hostile targets and heads": TARGETS,
    "hostile framing": FRAMING,
    "too many": RATES,
}
