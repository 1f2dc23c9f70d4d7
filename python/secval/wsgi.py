"""The gate in front of a WSGI application.

    app = secval.wsgi.GateMiddleware(app, gate)           # any WSGI application (PEP 3333)
    app.wsgi_app = secval.wsgi.GateMiddleware(app.wsgi_app, gate)  # Flask

The head is judged first; the body of a request that is not admitted is never read. An admitted body is read up to
its limit, judged, and put back as `wsgi.input`: exactly the bytes that were judged, with their length. An
operation without a body gets an empty one, whatever else comes. A refusal is answered with
`application/problem+json`. The application's own answer passes as it comes: streamed, written, or a file that the
server sends by itself; the gate only adds its headers.

WSGI hides some of a request: repeated headers come joined with commas, `_` and `-` in names are one, and the raw
target is an extension (`RAW_URI`, `REQUEST_URI`) that gunicorn, waitress, uWSGI, mod_wsgi and Werkzeug have. Without
it a request is refused, unless the policy says `[request] decoded_target = true`. docs/servers.md has more.

In a view, `secval.current()` (or `environ["secval.verdict"]`) is the verdict; `.json` and `.params` are the
request, parsed and validated. A thread serves one request after another in one context, and whether and where an
answer is closed is the server's affair: so `current()` is the verdict while code of the application runs (its call,
each step of its answer, its `close`), and never in between.
"""

from __future__ import annotations

import io
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from secval._core import Gate, Pending, Verdict
from secval._current import enter, leave
from secval._headers import merge
from secval._log import record, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["GateMiddleware"]

_LISTED = ("server-timing", ", ")
_CHUNK = 64 * 1024


class GateMiddleware:
    """A WSGI application that lets through to another one what a gate allows.

    Args:
        app: The application behind the gate.
        gate: The gate; one may guard several applications.
    """

    __slots__ = ("app", "gate")

    def __init__(self, app: WSGIApplication, gate: Gate) -> None:
        if not isinstance(gate, Gate):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
            message = "gate is a secval.Gate"  # type: ignore[unreachable]  # callers without types
            raise TypeError(message)
        self.app, self.gate = app, gate
        start(gate)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        answer = _ask(self.gate, environ)
        body = _Body(environ)
        verdict = answer if isinstance(answer, Verdict) else body.read(answer)
        if verdict.reason is not None:
            return _refuse(environ, start_response, verdict)
        if verdict.would_refuse is not None:
            record(verdict)
        body.replay(verdict)
        environ["secval.verdict"] = verdict
        answered = _Answer(start_response, verdict)
        token = enter(verdict)
        try:
            result = self.app(environ, answered.start)
            return answered.of(result, environ.get("wsgi.file_wrapper"))
        except BaseException:
            answered.end()
            raise
        finally:
            leave(token)


class _Body:
    """A request's body: read once, bounded, and put back as it was judged."""

    __slots__ = ("_environ", "_over", "_stream")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ
        self._stream: Any = environ.get("wsgi.input")
        # It was read to its end.
        self._over = False

    def read(self, pending: Pending) -> Verdict:
        """Reads the body of an admitted head, and judges it."""
        try:
            for chunk in self._chunks(pending.limit):
                verdict = pending.feed(chunk)
                if verdict is not None:
                    return verdict
        except Exception:  # noqa: BLE001 -- servers have exceptions of their own for a client that left
            return pending.abandon()
        except BaseException:
            verdict = pending.abandon()
            record(verdict)
            verdict.done(None, 0)
            raise
        return pending.finish() if self._over else pending.abandon()

    def _chunks(self, limit: int) -> Iterator[bytes]:
        """Pieces of the body, at most one more byte than the limit in all."""
        length = self._environ.get("CONTENT_LENGTH")
        if length:
            # The gate has judged it: digits, and within the limit.
            left = int(length)
            while left and (chunk := self._stream.read(min(left, max(limit, 1)))):
                left -= len(chunk)
                yield chunk
            self._over = True
        elif self._environ.get("wsgi.input_terminated"):
            while chunk := self._stream.read(min(_CHUNK, limit + 1)):
                limit = max(limit - len(chunk), 0)
                yield chunk
            self._over = True
        else:
            # Neither a length nor an end that could be found: a server that does not undo `chunked`, unless
            # there is no body at all.
            self._over = "HTTP_TRANSFER_ENCODING" not in self._environ

    def replay(self, verdict: Verdict) -> None:
        """Puts back what was judged; or, unjudged, what was read before what is still to come."""
        environ, raw = self._environ, verdict.raw
        if verdict.judged or self._over:
            environ["wsgi.input"] = io.BytesIO(raw)
            environ["wsgi.input_terminated"] = True
            if raw or environ.get("CONTENT_LENGTH"):
                environ["CONTENT_LENGTH"] = str(len(raw))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        elif raw:
            environ["wsgi.input"] = io.BufferedReader(_Continued(raw, self._stream))


class _Continued(io.RawIOBase):
    """What was read of a stream, and then the stream."""

    def __init__(self, head: bytes, stream: Any) -> None:
        super().__init__()
        self._head, self._stream = io.BytesIO(head), stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        chunk = self._head.read(len(view)) or self._stream.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)


class _Answer:
    """The application's answer on its way to the server."""

    __slots__ = (
        "_close",
        "_headers",
        "_iterator",
        "_over",
        "_sent",
        "_start",
        "_status",
        "_verdict",
    )

    def __init__(self, start: StartResponse, verdict: Verdict) -> None:
        self._start, self._verdict, self._over = start, verdict, False
        self._headers = _lower(verdict.headers)
        self._status: int | None = None
        self._sent: int | None = 0
        self._iterator: Iterator[bytes] = iter(())
        self._close: Callable[[], object] | None = None

    def start(
        self, status: str, headers: list[tuple[str, str]], *exc_info: Any
    ) -> Callable[[bytes], object]:
        """The application's `start_response`."""
        write = self._start(status, merge(headers, self._headers, _LISTED), *exc_info)
        # After the server's own: it raises if the first answer is on its way and this is its replacement.
        self._status = int(status[:3])

        def counted(data: bytes) -> object:
            self._count(data)
            return write(data)

        return counted

    def of(self, result: Iterable[bytes], file_wrapper: Any) -> Iterable[bytes]:
        """What the server iterates over: the application's own object where the server may look at its class."""
        if isinstance(result, (list, tuple)):
            for data in result:
                self._count(data)
            self.end()
            return result
        if isinstance(file_wrapper, type) and isinstance(result, file_wrapper):
            self._sent = None
            self.end()
            return result
        self._iterator = iter(result)
        self._close = getattr(result, "close", None)
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = enter(self._verdict)
        try:
            data = next(self._iterator)
        finally:
            leave(token)
        self._count(data)
        return data

    def close(self) -> None:
        """Called by the server when it is done, whatever happened."""
        token = enter(self._verdict)
        try:
            if self._close is not None:
                self._close()
        finally:
            leave(token)
            self.end()

    def end(self) -> None:
        """The record is closed, once."""
        if not self._over:
            self._over = True
            self._verdict.done(self._status, self._sent)

    def _count(self, data: bytes) -> None:
        if self._sent is not None:
            self._sent += len(data)


def _ask(gate: Gate, environ: WSGIEnvironment) -> Verdict | Pending:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if not path.isascii():
        # Bytes as Latin-1 (PEP 3333). What is no UTF-8 becomes a character that no path may hold.
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    method = environ["REQUEST_METHOD"]
    upgrade = environ.get("HTTP_UPGRADE", "")
    return gate.head(
        method,
        environ.get("RAW_URI") or environ.get("REQUEST_URI"),
        _headers(environ),
        peer=environ.get("REMOTE_ADDR") or None,
        scheme=environ["wsgi.url_scheme"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        http_version=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        # Some servers let the application take over the socket.
        websocket=method == "GET" and upgrade.lower() == "websocket",
    )


def _headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    headers = [
        (name[5:].replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    # These two are also there, empty, when the request has no such header.
    if environ.get("CONTENT_TYPE"):
        headers.append(("content-type", environ["CONTENT_TYPE"]))
    if environ.get("CONTENT_LENGTH"):
        headers.append(("content-length", environ["CONTENT_LENGTH"]))
    return headers


def _lower(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


def _refuse(
    environ: WSGIEnvironment, start_response: StartResponse, verdict: Verdict
) -> Iterable[bytes]:
    record(verdict)
    body = verdict.problem()
    headers = [("Content-Length", str(len(body))), *verdict.headers]
    if environ["REQUEST_METHOD"] == "HEAD":
        body = b""
    status = verdict.status
    try:
        start_response(f"{status} {_phrase(status)}", headers)
    finally:
        verdict.done(status, len(body))
    return [body]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
