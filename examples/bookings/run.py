"""Starts the bookings API behind the gate, sends it good and hostile requests, and shows every verdict.

    python examples/bookings/run.py            # a table, a summary; exit code 1 if a verdict is not as expected
    python examples/bookings/run.py --serve    # the same server, left running

The server is a real uvicorn in a process of its own, on loopback, with its proxy headers off: it would otherwise
believe whatever a local client says about where it comes from.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from cases import GROUPS, LOGIN, Case

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent
START_SECONDS = 30
ANSWER_SECONDS = 10
ROW = "{:<48} {:>6}  {:<24} {:>8}  {}"


@dataclass(frozen=True)
class Reply:
    """An answer: its status, the gate's reason in it, and the microseconds that the gate took."""

    status: int
    reason: str
    gate_us: float | None
    body: bytes

    @classmethod
    def of(cls, status: int, headers: dict[str, str], body: bytes) -> Reply:
        """Reads what the gate has written into an answer."""
        timing = re.search(r"gate;dur=([0-9.]+)", headers.get("server-timing", ""))
        problem = headers.get("content-type") == "application/problem+json"
        reason = json.loads(body).get("reason", "") if problem and body else ""
        return cls(status, reason, float(timing[1]) * 1000 if timing else None, body)


class Client:
    """Sends cases to the server, and keeps the token of a login."""

    def __init__(self, port: int) -> None:
        self._port, self._token = port, ""
        self._http: dict[str, httpx.Client] = {}

    def send(self, case: Case) -> Reply:
        """Sends one case, as often as it says; the last reply."""
        reply = self._once(case)
        for _ in range(1, case.repeat):
            reply = self._once(case)
        if case.target == LOGIN and reply.status == http.client.OK:
            self._token = json.loads(reply.body)["token"]
        return reply

    def _once(self, case: Case) -> Reply:
        return self._wire(case) if case.raw is not None else self._library(case)

    def _library(self, case: Case) -> Reply:
        client = self._http.get(case.source)
        if client is None:
            transport = httpx.HTTPTransport(local_address=case.source)
            base = f"http://127.0.0.1:{self._port}"
            client = httpx.Client(base_url=base, transport=transport, timeout=ANSWER_SECONDS)
            self._http[case.source] = client
        headers: dict[str, str] = {}
        content: bytes | None = None
        if case.body is not None:
            headers["Content-Type"] = "application/json"
            content = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
        if case.signed_in:
            headers["Authorization"] = f"Bearer {self._token}"
        headers.update(case.headers)
        answer = client.request(case.method, case.target, content=content, headers=headers)
        return Reply.of(answer.status_code, dict(answer.headers), answer.content)

    def _wire(self, case: Case) -> Reply:
        request = (case.raw or b"").replace(b"HOST", f"127.0.0.1:{self._port}".encode())
        request = request.replace(b"TOKEN", self._token.encode())
        place, source = ("127.0.0.1", self._port), (case.source, 0)
        with socket.create_connection(place, ANSWER_SECONDS, source) as connection:
            # A server may answer, and close, before it has read all.
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            body = b"" if answer.status == http.client.SWITCHING_PROTOCOLS else answer.read()
            return Reply.of(answer.status, headers, body)

    def close(self) -> None:
        """Closes the connections."""
        for client in self._http.values():
            client.close()


def command(port: int) -> list[str]:
    """Starts the server."""
    return [
        *(sys.executable, "-m", "uvicorn", "--app-dir", str(HERE)),
        *("--host", "127.0.0.1", "--port", str(port)),
        # Otherwise a local client could say where it comes from.
        "--no-proxy-headers",
        *("--log-level", "warning"),
        "app_fastapi:app",
    ]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def server() -> Generator[tuple[int, Path]]:
    """A server in a process of its own; stopped, by its own id, at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command(port), stdout=output, stderr=output)  # noqa: S603 -- our own
            try:
                wait(process, port, log)
                yield port, log
            finally:
                process.terminate()
                try:
                    process.wait(ANSWER_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server accepts connections."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"the server did not start:\n{log.read_text()}")


def can_send_from(source: str) -> bool:
    """Whether this machine has the address; 127.0.0.2 is not everywhere there by itself."""
    with socket.socket() as probe:
        try:
            probe.bind((source, 0))
        except OSError:
            return False
        return True


def judge(case: Case, reply: Reply) -> bool:
    """Whether the verdict is the expected one."""
    if reply.status != case.status:
        return False
    # "server": either the HTTP server refused it by itself, or the gate did.
    return case.reason in ("server", reply.reason)


def show(case: Case, reply: Reply, *, good: bool) -> None:
    """One row."""
    who = reply.reason or ("(the application)" if reply.gate_us is not None else "(the server)")
    if reply.status == http.client.SWITCHING_PROTOCOLS:
        who = "(the application)"
    micros = f"{reply.gate_us:.0f}" if reply.gate_us is not None else "-"
    verdict = "ok" if good else f"WRONG: expected {case.status} {case.reason}"
    print(ROW.format(case.what, reply.status, who, micros, verdict))


def run() -> int:
    """All cases against a server of their own; the exit code."""
    total = wrong = left_out = 0
    times: list[float] = []
    with server() as (port, _):
        client = Client(port)
        print(ROW.format("request", "status", "reason", "µs gate", ""))
        for name, cases in GROUPS.items():
            print(f"\n-- {name}")
            for case in cases:
                if not can_send_from(case.source):
                    left_out += 1
                    print(ROW.format(case.what, "-", f"(no {case.source} here)", "-", "left out"))
                    continue
                reply = client.send(case)
                good = judge(case, reply)
                show(case, reply, good=good)
                total, wrong = total + 1, wrong + (not good)
                times += [] if reply.gate_us is None else [reply.gate_us]
        client.close()
    times.sort()
    median = f"{times[len(times) // 2]:.0f}" if times else "-"
    print(
        f"\n{total} requests: {total - wrong} verdicts as expected, {wrong} not, {left_out} left out; "
        f"median {median} µs in the gate"
    )
    return 1 if wrong or not total else 0


def serve(port: int) -> int:
    """The server in the foreground, until Ctrl-C."""
    base = f"http://127.0.0.1:{port}/v1"
    print(f"The bookings API behind the gate: {base}  (Ctrl-C stops it)\n")
    print("Try, in another terminal:")
    print(f"  curl -i '{base}/rooms?guests=4'")
    print(f"  curl -i '{base}/rooms?guests=4&debug=1'")
    login = '{"email": "ada@example.com", "password": "correct horse"}'
    print(f"  curl -i -H 'Content-Type: application/json' -d '{login}' {base}/login", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.call(command(port))  # noqa: S603 -- our own
    return 0


def main(arguments: list[str] | None = None) -> Any:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--serve", action="store_true", help="leave the server running")
    parser.add_argument("--port", type=int, default=8000, help="for --serve (default: 8000)")
    options = parser.parse_args(arguments)
    return serve(options.port) if options.serve else run()


if __name__ == "__main__":
    sys.exit(main())
