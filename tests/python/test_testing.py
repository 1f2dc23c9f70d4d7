"""`secval.testing`: what a policy's author tests with."""

import pytest
from support import DOCUMENT, make_gate

import secval
import secval.testing
from secval.config import ApiConfig, Config, OperationConfig, RateConfig
from secval.testing import ManualClock, Probe


@pytest.fixture(scope="module")
def ask():
    return Probe(make_gate(), host="api.test")


def test_a_probe_sends_what_goes_with_a_body(ask):
    assert ask("GET", "/things").allowed
    assert ask("POST", "/things", json={"name": "a lamp"}).json == {"name": "a lamp"}
    assert ask("POST", "/things", body=b'{"name": 1}').reason == "schema.violation"
    assert ask("POST", "/things", json=None).reason == "schema.violation"
    assert ask("POST", "/things").reason == "body.missing"
    plain = [("content-TYPE", "text/plain")]
    assert ask("POST", "/things", body=b"x", headers=plain).reason == "media.unsupported"
    assert ask("GET", "/things", headers=[("Host", "evil.example")]).reason == "host.unknown"


def test_a_probe_may_be_anybody():
    gate = make_gate()
    assert Probe(gate, host="api.test")("GET", "/admin").reason == "address.not_allowed"
    assert Probe(gate, host="api.test", peer="10.1.2.3")("GET", "/admin").allowed
    assert Probe(gate, host="api.test", scheme="ws")("GET", "/socket").allowed
    bad = [("X-HTTP-Method-Override", "DELETE")]
    assert Probe(gate, host="api.test", headers=bad)("GET", "/things").status == 400


def test_a_clock_that_moves_when_told_to():
    config = Config(
        api=ApiConfig(hosts=["api.test"]),
        rate={"all": RateConfig(quota="2/hour")},
        operations={"GET /old": OperationConfig(sunset=__import__("datetime").date(2027, 1, 1))},
    )
    clock = ManualClock()
    gate = secval.Gate.from_openapi(DOCUMENT, config=config, clock=clock)
    ask = Probe(gate, host="api.test")
    clock.set_wall(1_798_761_599)  # 2026-12-31T23:59:59Z
    assert [ask("GET", "/old").reason for _ in range(3)] == [None, None, "rate.exceeded"]
    clock.advance(2 * 3600)
    clock.set_wall(1_798_761_600)
    assert ask("GET", "/old").reason == "route.sunset"
