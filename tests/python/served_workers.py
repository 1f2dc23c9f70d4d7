"""What test_workers.py serves, in several workers: who answered."""

import os
import time

import secval

gate = secval.Gate.from_file(os.environ["SECVAL_TEST_POLICY"])


def answer():
    # Busy, so that the next request is another worker's.
    time.sleep(0.002)
    return str(os.getpid()).encode()


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": answer(), "more_body": False})


def wsgi(environ, start_response):
    body = answer()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


asgi_app = secval.asgi.GateMiddleware(asgi, gate)
wsgi_app = secval.wsgi.GateMiddleware(wsgi, gate)
