"""Whole requests through an application in this process, without sockets: ASGI and WSGI.

The application behind each is the same few lines that answer 201 with a constant, so what differs is what
stands in front of it.
"""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import secval
from contests.contest import Contest, Entry
from contests.gate import AGENT, HOST, guarded
from contests.inputs import OPENAPI

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.inputs import Inputs

TURNS = 20
ANSWER = b'{"taken":true}'
NOTHING = "checks nothing"


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, answers 201."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"14")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def gated() -> Any:
    """The gate in front of it."""
    return secval.asgi.GateMiddleware(bare, guarded())


def fastapi() -> Any:
    """FastAPI with a model of the body, and slowapi's limit, each as its documentation shows."""
    from fastapi import FastAPI, Request
    from slowapi import Limiter
    from slowapi.util import get_remote_address

    from contests.models import pydantic_order

    order = pydantic_order()
    app = FastAPI()
    limiter = app.state.limiter = Limiter(key_func=get_remote_address)

    async def create(request: Request, body: Any) -> dict[str, bool]:  # noqa: ARG001 -- by name
        return {"taken": True}

    create.__annotations__ = {"request": Request, "body": order}
    app.post("/v1/orders", status_code=201)(limiter.limit("10000000/second")(create))
    return app


def starlette_openapi_core() -> Any:
    """openapi-core's middleware for Starlette."""
    from openapi_core import OpenAPI
    from openapi_core.contrib.starlette.middlewares import StarletteOpenAPIMiddleware
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def create(request: Any) -> JSONResponse:
        await request.body()
        return JSONResponse({"taken": True}, 201)

    middleware = Middleware(StarletteOpenAPIMiddleware, openapi=OpenAPI.from_dict(OPENAPI))
    return Starlette(
        routes=[Route("/v1/orders", create, methods=["POST"])], middleware=[middleware]
    )


def _asgi(app: Any, body: bytes) -> Callable[[], bool]:
    loop = asyncio.new_event_loop()
    raw = [(name.lower().encode(), value.encode()) for name, value in AGENT]
    raw += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/v1/orders",
        "raw_path": b"/v1/orders",
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "client": ("198.51.100.7", 4711),
        "server": (HOST, 443),
    }

    async def request() -> int:
        status = 0
        events = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return events.pop() if events else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await app({**scope, "state": {}}, receive, send)
        return status

    async def turns() -> bool:
        return all([await request() == 201 for _ in range(TURNS)])

    return lambda: loop.run_until_complete(turns())


def asgi(inputs: Inputs) -> Contest:
    """One POST through an ASGI application."""
    (body,) = inputs.orders(1000, 1)
    race = Entry("secval.asgi.GateMiddleware", _asgi(gated(), body))
    race.add("no gate", lambda: _asgi(bare, body), "yardstick", NOTHING)
    race.add("FastAPI + pydantic + slowapi", lambda: _asgi(fastapi(), body))
    race.add("Starlette + openapi-core", lambda: _asgi(starlette_openapi_core(), body))
    title = f"a POST of {len(body):,} bytes through an ASGI application, in process"
    return race.contest("apps.asgi", title, per=TURNS)


def wsgi(inputs: Inputs) -> Contest:
    """One POST through a WSGI application."""
    (body,) = inputs.orders(1000, 1)

    def plain(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response(
            "201 Created", [("Content-Type", "application/json"), ("Content-Length", "14")]
        )
        return [ANSWER]

    race = Entry(
        "secval.wsgi.GateMiddleware", _wsgi(secval.wsgi.GateMiddleware(plain, guarded()), body)
    )
    race.add("no gate", lambda: _wsgi(plain, body), "yardstick", NOTHING)
    race.add("Flask + openapi-core", lambda: _wsgi(_flask(), body))
    title = f"a POST of {len(body):,} bytes through a WSGI application, in process"
    return race.contest("apps.wsgi", title, per=TURNS)


def _flask() -> Any:
    from flask import Flask
    from openapi_core import OpenAPI
    from openapi_core.contrib.flask.decorators import FlaskOpenAPIViewDecorator

    app = Flask(__name__)
    checked = FlaskOpenAPIViewDecorator(OpenAPI.from_dict(OPENAPI))

    @app.post("/v1/orders")
    @checked
    def create() -> tuple[dict[str, bool], int]:
        return {"taken": True}, 201

    return app


def _wsgi(app: Any, body: bytes) -> Callable[[], bool]:
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v1/orders",
        "RAW_URI": "/v1/orders",
        "REQUEST_URI": "/v1/orders",
        "QUERY_STRING": "",
        "SERVER_NAME": HOST,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "198.51.100.7",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in AGENT},
    }

    def run() -> bool:
        created = 0
        for _ in range(TURNS):
            statuses: list[str] = []
            turn = {**environ, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
            answer = app(turn, lambda status, *_, seen=statuses: seen.append(status))
            b"".join(answer)
            if hasattr(answer, "close"):
                answer.close()
            created += statuses[0].startswith("201")
        return created == TURNS

    return run


CONTESTS = (asgi, wsgi)
