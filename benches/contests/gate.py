"""Whole requests through the gate alone: is this one allowed, and what are its parts?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import secval
from contests.contest import Contest, Entry
from contests.inputs import OPENAPI

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.inputs import Inputs
    from secval.testing import ManualClock

HOST = "api.example.com"
AGENT = [
    ("Host", HOST),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-GB,en;q=0.8"),
]
REFUSED_TOO = "no addresses, no quotas; repeated names pass"


def guarded(clock: ManualClock | None = None) -> secval.Gate:
    """The gate of the orders API, as a team would set it up."""
    from secval.config import ApiConfig, Config, RateConfig

    rates = {"all": RateConfig(quota="10000000/second", subject="address")}
    config = Config(api=ApiConfig(closed="requests"), rate=rates)
    return secval.Gate.from_openapi(OPENAPI, config=config, clock=clock)


def _openapi_core(
    method: str, path: str, query: dict[str, str], body: bytes | None
) -> Callable[[], Any]:
    from openapi_core import OpenAPI
    from openapi_core.testing import MockRequest

    openapi = OpenAPI.from_dict(OPENAPI)

    def judge() -> bool:
        request = MockRequest(
            f"https://{HOST}",
            method.lower(),
            path,
            args=query,
            data=body,
            content_type="application/json",
        )
        return openapi.unmarshal_request(request) is not None

    return judge


def get(_: Inputs) -> Contest:
    """No body, two parameters."""
    gate = guarded()
    target = "/v1/orders?limit=20&currency=EUR"
    race = Entry(
        "secval.Gate.judge",
        lambda: gate.judge("GET", target, AGENT, peer="198.51.100.7", scheme="https").allowed,
    )
    query = {"limit": "20", "currency": "EUR"}
    race.add(
        "openapi-core, unmarshal_request",
        lambda: _openapi_core("GET", "/v1/orders", query, None),
        "baseline",
        REFUSED_TOO,
    )
    return race.contest("gate.get", "a GET with two parameters and five headers")


def _post(inputs: Inputs, size: int) -> Contest:
    (body,) = inputs.orders(size, 1)
    gate = guarded()
    headers = [*AGENT, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    race = Entry(
        "secval.Gate.judge",
        lambda: gate.judge("POST", "/v1/orders", headers, body, peer="198.51.100.7").allowed,
    )
    race.add(
        "openapi-core, unmarshal_request",
        lambda: _openapi_core("POST", "/v1/orders", {}, body),
        "baseline",
        REFUSED_TOO,
    )
    title = f"a POST with a body of {len(body):,} bytes"
    return race.contest(f"gate.post_{size // 1000}k", title)


def post_1k(inputs: Inputs) -> Contest:
    """A small body."""
    return _post(inputs, 1000)


def post_10k(inputs: Inputs) -> Contest:
    """A usual body."""
    return _post(inputs, 10_000)


def refused(_: Inputs) -> Contest:
    """A path that is not declared: what a scanner sends all day."""
    gate = guarded()
    race = Entry(
        "secval.Gate.judge",
        lambda: not gate.judge("GET", "/v1/.env", AGENT, peer="198.51.100.7").allowed,
    )
    return race.contest("gate.refused", "a path that is not declared, refused")


def handler(inputs: Inputs) -> Contest:
    """The judged body's objects, as a handler asks for them."""
    (body,) = inputs.orders(10_000, 1)
    gate = guarded()
    headers = [*AGENT, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    expected = json.loads(body)
    race = Entry(
        "Gate.judge(...).json",
        lambda: gate.judge("POST", "/v1/orders", headers, body, peer="198.51.100.7").json,
    )
    title = f"the objects of a judged body of {len(body):,} bytes"
    return race.contest("gate.handler", title, expect=lambda found: found == expected)


CONTESTS = (get, post_1k, post_10k, refused, handler)
