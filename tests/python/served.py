"""What the real servers of test_servers.py serve: it says what it was given."""

import json

from support import make_gate

import secval
from secval.config import AnswersConfig

gate = make_gate(answers=AnswersConfig(server_timing=True))
state = {"started": False}


def told(raw, headers):
    """What the application knows of the request."""
    verdict = secval.current()
    counters = gate.counters()
    return {
        "operation": verdict.operation,
        "client": verdict.client,
        "json": verdict.json if verdict.judged else "not judged",
        "raw": raw.decode("latin-1"),
        "trailed": "x-trailed" in headers,
        "counters": counters,
        **state,
    }


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        state["started"] = True
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        await send({"type": "websocket.close"})
    else:
        raw = b""
        while True:
            message = await receive()
            raw += message["body"]
            if not message["more_body"]:
                break
        body = json.dumps(told(raw, [name.decode() for name, _ in scope["headers"]])).encode()
        headers = [(b"content-type", b"application/json"), (b"server-timing", b"app;dur=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # In two pieces, as a stream.
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:], "more_body": False})


def wsgi(environ, start_response):
    raw = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json"), ("Server-Timing", "app;dur=1")])
    names = [name.removeprefix("HTTP_").replace("_", "-").lower() for name in environ]
    body = json.dumps(told(raw, names)).encode()
    yield body[:5]
    yield body[5:]


asgi_app = secval.asgi.GateMiddleware(asgi, gate)
wsgi_app = secval.wsgi.GateMiddleware(wsgi, gate)
