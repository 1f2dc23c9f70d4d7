"""One quota over the four workers of a real server: exactly the limit is admitted, over real HTTP."""

import contextlib
import http.client
import json
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from servers import SECONDS, running

import secval
import secval.testing
from secval import _log
from secval._core import inspect_limiter, remove_limiter
from secval.config import ApiConfig, Config, RateConfig

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shared tables are Linux's")

LIMIT = 100
CLIENTS = 8
REQUESTS = 40

SERVERS = {
    "gunicorn": [
        *("-m", "gunicorn", "--log-level", "warning", "--workers", "4"),
        *("--bind", "127.0.0.1:PORT", "served_workers:wsgi_app"),
    ],
    "gunicorn-preload": [
        *("-m", "gunicorn", "--log-level", "warning", "--workers", "4", "--preload"),
        *("--bind", "127.0.0.1:PORT", "served_workers:wsgi_app"),
    ],
    "uvicorn": [
        *("-m", "uvicorn", "--no-proxy-headers", "--log-level", "warning", "--workers", "4"),
        *("--host", "127.0.0.1", "--port", "PORT", "served_workers:asgi_app"),
    ],
}

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "http://127.0.0.1"}],
    "paths": {"/things": {"get": {"responses": {"200": {"description": "who answered"}}}}},
}


@pytest.fixture
def policy(tmp_path):
    """Writes a policy whose `[rate] shared` is as given; its table is gone when the test is over."""
    path = tmp_path / "secval.toml"
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))

    def write(shared, limit=LIMIT):
        path.write_text(f"""
version = 1
[api]
openapi = "openapi.json"
hosts = ["127.0.0.1"]
[rate]
{shared}
[rate.all]
quota = "{limit}/hour"
""")
        return path

    yield write
    table = secval.Gate.from_file(path, alone=True).shared
    if table is not None:
        with contextlib.suppress(secval.UsageError):
            remove_limiter(table)


def ask(port, count):
    """Requests, each on a connection of its own: status, and who answered."""
    answers = []
    for _ in range(count):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, SECONDS)) as client:
            client.request("GET", "/things")
            answer = client.getresponse()
            body = answer.read()
            answers.append((answer.status, body if answer.status == 200 else None))
    return answers


def rush(port):
    """Many clients at once."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        parts = clients.map(ask, [port] * CLIENTS, [REQUESTS] * CLIENTS)
        return [answer for part in parts for answer in part]


@pytest.mark.parametrize("server", SERVERS)
def test_four_workers_admit_exactly_the_limit(server, policy, tmp_path):
    path = policy('shared = "auto"')
    with running(SERVERS[server], tmp_path / "log", SECVAL_TEST_POLICY=str(path)) as port:
        answers = rush(port)
    assert Counter(status for status, _ in answers) == {
        200: LIMIT,
        429: CLIENTS * REQUESTS - LIMIT,
    }
    assert len({body for status, body in answers if status == 200}) > 1, "one worker did it all"
    found = inspect_limiter(secval.Gate.from_file(path, alone=True).shared)
    assert {"quota": f"{LIMIT}/hour", "live": 1} in found["quotas"]
    assert "quotas are counted" not in (tmp_path / "log").read_text()


class Clients:
    """Many at once, who go on until they are refused, through broken connections too; who was served, and by whom."""

    def __init__(self, port):
        self.port, self.served, self.give_up = port, [], time.monotonic() + SECONDS
        self.pool = ThreadPoolExecutor(CLIENTS)
        self.all = [self.pool.submit(self.go_on) for _ in range(CLIENTS)]

    def go_on(self):
        while time.monotonic() < self.give_up:
            with contextlib.suppress(OSError, http.client.HTTPException):
                ((status, worker),) = ask(self.port, 1)
                if status == 429:
                    return
                self.served.append(int(worker))

    def wait_for(self, count):
        while len(self.served) < count and time.monotonic() < self.give_up:
            time.sleep(0.001)
        assert len(self.served) >= count

    def join(self):
        for one in self.all:
            one.result()
        self.pool.shutdown()


@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_worker_costs_at_most_its_own_hit(server, policy, tmp_path):
    """A worker of these serves one request at a time: that is what it may have counted and not answered."""
    limit = 6 * LIMIT
    path = policy('shared = "auto"', limit)
    with running(SERVERS[server], tmp_path / "log", SECVAL_TEST_POLICY=str(path)) as port:
        clients = Clients(port)
        killed = set()
        for count in (LIMIT, 2 * LIMIT, 3 * LIMIT):
            clients.wait_for(count)
            worker = next(pid for pid in reversed(clients.served) if pid not in killed)
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        clients.join()
        late = rush(port)
    assert {status for status, _ in late} == {429}, "whoever is started in its place counts on"
    assert limit - len(killed) <= len(clients.served) <= limit
    after = set(clients.served[3 * LIMIT + CLIENTS :])
    assert after - killed, "the others go on"


def test_without_a_word_each_worker_counts_alone_and_says_so(policy, tmp_path):
    path = policy("")
    with running(SERVERS["uvicorn"], tmp_path / "log", SECVAL_TEST_POLICY=str(path)) as port:
        answers = rush(port)
    by_worker = Counter(body for status, body in answers if status == 200)
    assert max(by_worker.values()) <= LIMIT < len(answers)
    assert "quotas are counted by each process alone" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "shared, warns", [("", True), ("shared = false", False), ('shared = "auto"', False)]
)
def test_a_server_that_was_started_by_itself_says_so_too(policy, tmp_path, shared, warns):
    """Beside it there may be others, behind the same load balancer."""
    path = policy(shared)
    alone = [part for part in SERVERS["uvicorn"] if part not in {"--workers", "4"}]
    with running(alone, tmp_path / "log", SECVAL_TEST_POLICY=str(path)) as port:
        assert ask(port, 1)[0][0] == 200
    said = (tmp_path / "log").read_text().count("quotas are counted by each process alone")
    assert said == warns


def admitted(gate, hits):
    ask = secval.testing.Probe(gate, host="127.0.0.1", scheme="http")
    return sum(ask("GET", "/things").allowed for _ in range(hits))


def test_who_counts_together(policy):
    path = policy('shared = "auto"')
    one, two = (secval.Gate.from_file(path) for _ in range(2))
    assert (one.shared, one.sharing_unsaid) == (two.shared, False)
    assert one.shared.startswith("auto-")
    assert admitted(one, 60) + admitted(two, 60) == LIMIT
    # Trying the policy, or testing it with another clock, uses up nothing, and is not used up.
    alone = secval.Gate.from_file(path, alone=True)
    assert (alone.shared, admitted(alone, LIMIT + 1)) == (one.shared, LIMIT)
    clocked = secval.Gate.from_file(path, clock=secval.testing.ManualClock())
    assert admitted(clocked, LIMIT + 1) == LIMIT
    # The counts outlive the gate, and a reload.
    del one
    two.reload()
    assert admitted(two, 1) == 0
    assert admitted(secval.Gate.from_file(path), 1) == 0
    # Who counts is the policy's to change.
    policy("shared = false")
    two.reload()
    assert (two.shared, two.sharing_unsaid, admitted(two, LIMIT + 1)) == (None, False, LIMIT)
    policy('shared = "auto"')
    two.reload()
    assert admitted(two, 1) == 0


def test_names_of_tables(policy):
    config = Config(
        api=ApiConfig(hosts=["127.0.0.1"]),
        rate={"all": RateConfig(quota="1/hour")},
        rate_shared="auto",
    )
    by_title = secval.Gate.from_openapi(DOCUMENT, config=config, alone=True).shared
    other = {**DOCUMENT, "info": {"title": "Others", "version": "1"}}
    by_other_title = secval.Gate.from_openapi(other, config=config, alone=True).shared
    by_path = secval.Gate.from_file(policy('shared = "auto"'), alone=True).shared
    larger = secval.Gate.from_file(policy('shared = "auto"\ncapacity = 100_000'), alone=True).shared
    assert len({by_title, by_other_title, by_path, larger}) == 4
    assert secval.Gate.from_file(policy('shared = "things"'), alone=True).shared == "things"
    # Without a rate there is nothing to share.
    nothing = secval.Gate.from_openapi(DOCUMENT, config=Config(rate_shared="auto"))
    assert (nothing.shared, nothing.sharing_unsaid) == (None, False)


def test_the_table_is_as_large_as_the_policy_says(policy):
    gate = secval.Gate.from_file(policy("shared = false"))
    stats = gate.rate_stats()
    assert (stats["capacity"], stats["overflow_cells"], stats["rules"]) == (65_536, 65_536, 1)
    assert admitted(gate, 3) == 3
    assert gate.rate_stats()["live"] == 1
    path = policy("shared = false\ncapacity = 5\noverflow = 0")
    gate.reload()
    stats = gate.rate_stats()
    assert (stats["capacity"], stats["overflow_cells"], stats["live"]) == (5, 0, 0)

    def asked(peer):
        ask = secval.testing.Probe(gate, host="127.0.0.1", scheme="http", peer=peer)
        return ask("GET", "/things").reason

    codes = Counter(asked(f"192.0.2.{number}") for number in range(100))
    assert codes == {None: 8, "rate.table_full": 92}
    assert gate.rate_stats()["full"] == 92
    assert secval.Gate.from_file(path, alone=True).rate_stats()["capacity"] == 5


def test_a_table_that_cannot_be_shared_stops_the_start(policy):
    path = policy('shared = "auto"')
    name = secval.Gate.from_file(path, alone=True).shared
    table = secval.Limiter("1/day", capacity=64, shared=name)
    with pytest.raises(secval.UsageError, match=r"capacity 64 and overflow 64.*remove"):
        secval.Gate.from_file(path)
    assert table.hit("k")


@pytest.mark.parametrize("adapter", [secval.asgi.GateMiddleware, secval.wsgi.GateMiddleware])
def test_the_warning_comes_once(policy, monkeypatch, caplog, adapter):
    def warnings(shared):
        caplog.clear()
        gate = secval.Gate.from_file(policy(shared), alone=True)
        adapter(object(), gate)
        return [record.getMessage() for record in caplog.records]

    monkeypatch.setattr(_log, "_started", _log.Event())
    assert warnings("shared = false") == []
    assert warnings('shared = "auto"') == []
    (message,) = warnings("")
    assert '`shared = "auto"`' in message
    assert "`shared = false` if this is meant" in message
    assert warnings("") == []
