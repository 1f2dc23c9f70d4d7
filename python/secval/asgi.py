"""The gate in front of an ASGI application.

    app = secval.asgi.GateMiddleware(app, gate)              # any ASGI 3 application
    app.add_middleware(secval.asgi.GateMiddleware, gate=gate)  # Starlette, FastAPI

Pure ASGI: no framework, no task of its own, no wait that the application would not have had. What it does:

- **http**: the head is judged first; the body of a request that is not admitted is never read. An admitted body
  is counted while it streams, judged, and then replayed to the application as one `http.request`: exactly the
  bytes that were judged, never others. After it the server's own `receive` is used again, so that a disconnect
  still arrives. An operation without a body gets an empty one, whatever else comes. Trailers reach nobody.
- **websocket**: the handshake is judged; a refusal closes before the accept, with the gate's own status where the
  server offers that (`websocket.http.response`) and with 403 elsewhere. Messages are the application's.
- **lifespan** passes untouched. A scope of any other type is an error.

A refusal is answered with `application/problem+json`. An answer of the application passes as it comes, streamed,
sent by path, or with trailers; the gate only adds its headers. In mode `monitor` and `off`, what was not judged
passes as it comes.

In a handler, `secval.current()` (or `scope["secval"]`) is the verdict; `.json` and `.params` are the request,
parsed and validated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from secval._core import Gate, Pending, Verdict
from secval._current import enter, leave
from secval._headers import merge
from secval._log import record, start
from secval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from secval.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["GateMiddleware"]

_LISTED = (b"server-timing", b", ")
_STARTS = frozenset(("http.response.start", "websocket.http.response.start", "websocket.accept"))
_SWITCHING_PROTOCOLS = 101


class GateMiddleware:
    """An ASGI application that lets through to another one what a gate allows.

    Args:
        app: The application behind the gate.
        gate: The gate; one may guard several applications.
    """

    __slots__ = ("app", "gate")

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        if not isinstance(gate, Gate):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
            message = "gate is a secval.Gate"  # type: ignore[unreachable]  # callers without types
            raise TypeError(message)
        self.app, self.gate = app, gate
        start(gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection.

        Raises:
            UsageError: The scope is of a type that nobody has declared.
        """
        kind = scope["type"]
        if kind == "http":
            answer = _ask(self.gate, scope, websocket=False)
            exchange = _Exchange(receive, send)
            verdict = answer if isinstance(answer, Verdict) else await exchange.read(answer)
            if verdict.reason is None and not exchange.gone:
                await self._serve(scope, exchange, verdict)
            else:
                await _refuse(scope, send, verdict, gone=exchange.gone)
        elif kind == "lifespan":
            await self.app(scope, receive, send)
        elif kind == "websocket":
            answer = _ask(self.gate, scope, websocket=True)
            # A handshake has no body.
            verdict = answer if isinstance(answer, Verdict) else answer.finish()
            if verdict.reason is None:
                exchange = _Exchange(receive, send)
                exchange.pass_on()
                await self._serve(scope, exchange, verdict)
            else:
                await _refuse_handshake(scope, send, verdict)
        else:
            message = "a scope of this type cannot be judged: only http, websocket and lifespan"
            raise UsageError(message)

    async def _serve(self, scope: Scope, exchange: _Exchange, verdict: Verdict) -> None:
        if verdict.would_refuse is not None:
            record(verdict)
        exchange.admit(verdict)
        scope["secval"] = verdict
        token = enter(verdict)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        finally:
            leave(token)
            verdict.done(exchange.status, exchange.sent)


class _Exchange:
    """One request's `receive` and `send`, as the application sees them."""

    __slots__ = (
        "_headers",
        "_next",
        "_over",
        "_receive",
        "_send",
        "_verdict",
        "gone",
        "sent",
        "status",
    )

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._next: Receive = self._replay
        # The server has said that the body is complete.
        self._over = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._verdict: Verdict | None = None
        # The client has left before its body was complete.
        self.gone = False
        # Of the answer: its status once it has started, and the bytes of its body.
        self.status: int | None = None
        self.sent = 0

    async def read(self, pending: Pending) -> Verdict:
        """Reads the body of an admitted head, and judges it."""
        try:
            while True:
                message = await self._receive()
                if message["type"] != "http.request":
                    self.gone = True
                    return pending.abandon()
                chunk = message.get("body") or b""
                self._over = not message.get("more_body", False)
                if chunk and (verdict := pending.feed(chunk)) is not None:
                    return verdict
                if self._over:
                    return pending.finish()
        except BaseException:
            # The server has given up on this request (a cancelled task, a broken connection): that is recorded
            # too, unless a verdict was given.
            self._give_up(pending)
            raise

    def _give_up(self, pending: Pending) -> None:
        try:
            verdict = pending.abandon()
        except UsageError:
            return
        record(verdict)
        verdict.done(None, 0)

    def admit(self, verdict: Verdict) -> None:
        """From here on the application may receive what was judged, and answer."""
        self._verdict = verdict
        headers = verdict.headers
        if headers:
            self._headers = _encoded(headers)
        if not verdict.judged and not verdict.raw and not self._over:
            # Nothing of the body was read, nothing of it is judged: it comes as it comes.
            self._next = self._receive

    def pass_on(self) -> None:
        """The application receives from the server itself."""
        self._next = self._receive

    def receive(self) -> Awaitable[Message]:
        """The application's `receive`."""
        return self._next()

    async def _replay(self) -> Message:
        """What was judged, at once; or, unjudged, what was read so far."""
        verdict = self._verdict
        body = b"" if verdict is None else verdict.raw
        if verdict is None or verdict.judged or self._over:
            self._next = self._rest
            return {"type": "http.request", "body": body, "more_body": False}
        self._next = self._receive
        return {"type": "http.request", "body": body, "more_body": True}

    async def _rest(self) -> Message:
        """What the server has to say after the body: that the client has left. Never another byte of a body."""
        message = await self._receive()
        while message["type"] == "http.request":
            if self._over:
                # More body after its end is no body that anybody has judged; a server that sends it is beyond
                # understanding.
                return {"type": "http.disconnect"}
            self._over = not message.get("more_body", False)
            message = await self._receive()
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """The application's `send`: the server's, once status, bytes and headers are seen to."""
        kind = message["type"]
        if kind == "http.response.body":
            self.sent += len(message.get("body") or b"")
        elif kind in _STARTS:
            self.status = message.get("status", _SWITCHING_PROTOCOLS)
            if self._headers:
                own = message.get("headers") or ()
                message = {**message, "headers": merge(own, self._headers, _LISTED)}
        return self._send(message)


def _ask(gate: Gate, scope: Scope, *, websocket: bool) -> Verdict | Pending:
    path: str = scope["path"]
    target: bytes | None = scope.get("raw_path")
    query: bytes = scope.get("query_string", b"")
    root: str = scope.get("root_path", "")
    if root:
        path, target = _whole(path, target, root)
    if target is not None and query:
        target = target + b"?" + query
    # A list that is nobody else's: uvicorn with httptools adds the trailers of a chunked body to its own, long after
    # the head was judged.
    headers = scope["headers"] = list(scope["headers"])
    client = scope.get("client")
    return gate.head(
        "GET" if websocket else scope["method"],
        target,
        headers,
        # Without a client there is a unix socket; some servers say so with an empty text.
        peer=(client[0] or None) if client else None,
        scheme=scope.get("scheme") or ("ws" if websocket else "http"),
        path=path,
        query=query,
        http_version=scope.get("http_version", "1.1"),
        websocket=websocket,
    )


def _whole(path: str, raw: bytes | None, root: str) -> tuple[str, bytes | None]:
    """Path and raw path as the API's clients know them, with what the application is mounted under.

    The specification has `root_path` at the head of `path`; servers behind a proxy that strips it, and older
    frameworks, leave it out of one or both. What the application dispatches on is `path` without `root_path` if
    that is a head of it, and `path` otherwise: so this is what `root_path` is put before.
    """
    base = root.rstrip("/")
    if raw is not None:
        asked = unquote(raw.decode("latin-1"))
        if _below(asked, root) == asked:
            raw = quote(base).encode("ascii") + raw
    return base + _below(path, root), raw


def _below(path: str, root: str) -> str:
    """`path` without `root` at its head, if it stands there as whole segments."""
    rest = path.removeprefix(root)
    return rest if rest == "" or rest.startswith("/") else path


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _answer(verdict: Verdict) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = verdict.problem()
    length = (b"content-length", str(len(body)).encode("ascii"))
    return [length, *_encoded(verdict.headers)], body


async def _refuse(scope: Scope, send: Send, verdict: Verdict, *, gone: bool) -> None:
    record(verdict)
    if gone:
        # Nobody is there to be answered, and nobody is there to be served.
        verdict.done(None, 0)
        return
    headers, body = _answer(verdict)
    if scope["method"] == "HEAD":
        body = b""
    try:
        await send({"type": "http.response.start", "status": verdict.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
    finally:
        verdict.done(verdict.status, len(body))


async def _refuse_handshake(scope: Scope, send: Send, verdict: Verdict) -> None:
    record(verdict)
    status = verdict.status
    try:
        if "websocket.http.response" in (scope.get("extensions") or ()):
            headers, body = _answer(verdict)
            start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
            await send(start)
            await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
        else:
            # Before the accept this is a 403, whatever the code (ASGI specification, websocket.close).
            status = 403
            await send({"type": "websocket.close", "code": 1008})
    finally:
        verdict.done(status, None)
