"""A real server under bounded load: uvicorn in one process, clients in another, loopback between them.

    python benches/load.py SECONDS SEED      prints requests a second and latencies by application, as JSON

The applications take turns, several times over, so that a drifting machine treats them alike. Client and server
share the machine: the figures are for comparing the applications, not for planning capacity.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from contests.inputs import Inputs
from measure import percentile

HERE = Path(__file__).resolve().parent
APPS = {
    "no gate": "bare",
    "secval": "gated",
    "FastAPI + pydantic + slowapi": "fastapi",
}
CONNECTIONS = 8
TURNS = 3


def main() -> None:
    """Loads every application in turn."""
    seconds = float(sys.argv[1])
    (body,) = Inputs(int(sys.argv[2])).orders(1000, 1)
    head = (
        "POST /v1/orders HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    spent: dict[str, list[float]] = {name: [] for name in APPS}
    rates: dict[str, list[float]] = {name: [] for name in APPS}
    for _ in range(TURNS):
        for name, app in APPS.items():
            latencies, elapsed = _load(app, request, seconds / TURNS)
            spent[name] += latencies
            rates[name].append(len(latencies) / elapsed)
    print(
        json.dumps(
            {
                name: {
                    "requests": len(latencies),
                    "per_second": sorted(rates[name])[TURNS // 2],
                    **{
                        f"p{percent}_us": percentile(latencies, percent) / 1000
                        for percent in (50, 90, 99)
                    },
                }
                for name, latencies in spent.items()
            }
        )
    )


def _load(app: str, request: bytes, seconds: float) -> tuple[list[float], float]:
    """Latencies (ns) of all requests that were answered in so many seconds, and how long it really took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", app, str(port)],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        asyncio.run(_clients(port, request, min(0.5, seconds / 4)))  # warm
        start = time.perf_counter()
        latencies = asyncio.run(_clients(port, request, seconds))
        return latencies, time.perf_counter() - start
    finally:
        server.terminate()
        server.wait(10)


def _wait(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


async def _clients(port: int, request: bytes, seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    each = await asyncio.gather(*(_client(port, request, until) for _ in range(CONNECTIONS)))
    return [latency for latencies in each for latency in latencies]


async def _client(port: int, request: bytes, until: float) -> list[float]:
    """One connection, kept alive: a request, its answer, and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies: list[float] = []
    while time.perf_counter() < until:
        start = time.perf_counter_ns()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
            message = f"refused: {head[:80]!r}"
            raise RuntimeError(message)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter_ns() - start)
    writer.close()
    return latencies


def serve(app: str, port: int) -> None:
    """Runs uvicorn with one of the applications, until it is told to stop."""
    import uvicorn

    from contests import apps

    made = getattr(apps, app)
    application = made if app == "bare" else made()
    uvicorn.run(
        application,
        port=port,
        log_level="error",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
    )


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
