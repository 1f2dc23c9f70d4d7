"""One quota over several processes: forked, spawned, and killed."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import secval
import secval.testing
from secval._core import inspect_limiter, remove_limiter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shared tables are Linux's")

HITS = """
import secval, sys
limiter = secval.Limiter("100/hour", capacity=64, shared=sys.argv[1])
print(sum(bool(limiter.hit("k")) for _ in range(int(sys.argv[2]))))
"""


@pytest.fixture
def name() -> Iterator[str]:
    """A shared table's name, gone when the test is over."""
    name = f"pytest-{uuid.uuid4()}"
    yield name
    path(name).unlink(missing_ok=True)


def path(name: str) -> Path:
    return Path(f"/dev/shm/secval-{os.geteuid()}-{name}")


def spawned(name: str, hits: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HITS, name, str(hits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_spawned_processes_attach_by_name(name: str) -> None:
    workers = [spawned(name, 80) for _ in range(4)]
    counts = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(counts) == 100
    late = spawned(name, 10)
    assert late.communicate(timeout=60)[0] == "0\n"
    assert path(name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("shared", [True, False])
def test_forked_processes(shared: bool) -> None:
    limiter = secval.Limiter("100/hour", capacity=64, shared=shared)
    context = multiprocessing.get_context("fork")
    counts = context.SimpleQueue()

    def work() -> None:
        counts.put(sum(bool(limiter.hit("k")) for _ in range(80)))

    workers = [context.Process(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    total = sum(counts.get() for _ in workers)
    assert total == (100 if shared else 320)


def test_a_killed_worker_leaves_the_table_in_order(name: str) -> None:
    endless = f"""
import secval
import secval.testing
limiter = secval.Limiter("100/hour", capacity=64, shared="{name}")
print("ready", flush=True)
while True:
    limiter.hit("k")
    limiter.hit("other")
"""
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", endless], stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.send_signal(signal.SIGKILL)
        worker.wait(60)
        worker.stdout.close()
    limiter = secval.Limiter("100/hour", capacity=64, shared=name)
    assert sum(bool(limiter.hit("fresh")) for _ in range(150)) == 100


def test_inspect_and_remove(name: str) -> None:
    limiter = secval.Limiter("10/second; 100/hour", capacity=64, shared=name)
    limiter.hit("k")
    limiter.ban("bad", 60)
    found = inspect_limiter(name)
    assert found["quotas"] == [
        {"quota": None, "live": 1},
        {"quota": "10/second", "live": 1},
        {"quota": "100/hour", "live": 1},
    ]
    assert {key: value for key, value in found.items() if key != "quotas"} == limiter.stats()
    remove_limiter(name)
    for gone in (inspect_limiter, remove_limiter):
        with pytest.raises(secval.UsageError, match="no shared table of that name"):
            gone(name)


def test_what_cannot_be_shared(name: str) -> None:
    secval.Limiter("1/day", capacity=64, shared=name)
    with pytest.raises(secval.UsageError, match=r"capacity 64 and overflow 64.*remove"):
        secval.Limiter("1/day", capacity=65, shared=name)
    path(name).write_bytes(b"something else" * 100)
    with pytest.raises(secval.UsageError, match="no whole table"):
        secval.Limiter("1/day", capacity=64, shared=name)
    with pytest.raises(secval.UsageError, match="A-Z a-z 0-9"):
        secval.Limiter("1/day", shared="a/b")
    with pytest.raises(secval.UsageError, match="clock"):
        secval.Limiter("1/day", shared=name, clock=secval.testing.ManualClock())
    with pytest.raises(TypeError, match="a bool or a name"):
        secval.Limiter("1/day", shared=1)  # type: ignore[arg-type]


def in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command by `unshare`, or skips the test where this user or kernel may not."""
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run(
            [unshare, command[0], "true"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("no namespaces for this user")
    return subprocess.run([unshare, *command], capture_output=True, text=True, check=False)


def test_another_time_namespace_is_refused(name: str) -> None:
    # An hour ahead: it would find no hit of this process in its windows.
    secval.Limiter("100/hour", capacity=64, shared=name)
    done = in_namespace("--time", "--boottime", "3600", sys.executable, "-c", HITS, name, "1")
    assert "time namespace with another clock" in done.stderr
    assert "secval limiter remove" in done.stderr
    assert done.stdout == ""


def test_a_full_memory_is_an_error_when_the_table_is_made() -> None:
    code = (
        "import os, secval; small = secval.Limiter('2/hour', capacity=64, shared='small')\n"
        "try: secval.Limiter('2/hour', capacity=100_000, shared='large')\n"
        "except secval.UsageError as error: print(error)\n"
        "print(os.listdir('/dev/shm'), [bool(small.hit('k')) for _ in range(3)])"
    )
    shell = 'mount -t tmpfs -o size=4m tmpfs /dev/shm && exec "$0" -c "$1"'
    done = in_namespace("--mount", "sh", "-c", shell, sys.executable, code)
    if "mount" in done.stderr:
        pytest.skip("no mounts for this user")
    error, rest = done.stdout.splitlines()
    assert "no room for the table: enlarge it or lower the capacity" in error
    assert rest == f"['secval-{os.geteuid()}-small'] [True, True, False]"
