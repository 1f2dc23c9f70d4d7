"""Real servers in processes of their own, for the tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(arguments: Sequence[str], log: Path, **environment: str) -> Iterator[int]:
    """Python with these arguments, `PORT` in them replaced; its port, once it listens there."""
    port = free_port()
    command = [sys.executable, *(part.replace("PORT", str(port)) for part in arguments)]
    environment = {**os.environ, "PYTHONPATH": str(HERE), **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=HERE, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        give_up = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"{arguments[1]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # Its own session: nobody else's processes are in it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
