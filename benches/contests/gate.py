"""Whole requests through the gate alone: is this one allowed, and what are its parts?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import secval
from contests import schema
from contests.contest import Contest, Entry
from contests.inputs import OPENAPI, ORDER_SCHEMA

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
    config = Config(api=ApiConfig(closed="requests"), rate=rates, rate_shared=False)
    return secval.Gate.from_openapi(OPENAPI, config=config, clock=clock)


def _openapi_core(
    way: str, method: str, path: str, query: dict[str, str], body: bytes | None
) -> Callable[[], Any]:
    """openapi-core on a request of its own kind; None from `validate_request` means that it is valid."""
    from openapi_core import OpenAPI
    from openapi_core.testing import MockRequest

    ask = getattr(OpenAPI.from_dict(OPENAPI), way)

    def call() -> Any:
        request = MockRequest(
            f"https://{HOST}",
            method.lower(),
            path,
            args=query,
            data=body,
            content_type="application/json",
        )
        return ask(request)

    return call


def _verdicts(
    race: Entry, method: str, path: str, query: dict[str, str], body: bytes | None
) -> None:
    """openapi-core, asked whether a request is valid, and asked for its parts too."""

    def judge() -> Callable[[], bool]:
        ask = _openapi_core("validate_request", method, path, query, body)
        return lambda: ask() is None

    race.add("openapi-core, validate_request", judge, "baseline", REFUSED_TOO)
    race.add(
        "openapi-core, unmarshal_request",
        lambda: _openapi_core("unmarshal_request", method, path, query, body),
        "baseline",
        REFUSED_TOO,
    )


def get(inputs: Inputs) -> Contest:
    """No body, two parameters."""
    gate, dice = guarded(), inputs.dice("get")
    query = {"limit": str(dice.randint(10, 99)), "currency": dice.choice(("EUR", "USD", "GBP"))}
    target = f"/v1/orders?limit={query['limit']}&currency={query['currency']}"
    race = Entry(
        "secval.Gate.judge",
        lambda: gate.judge("GET", target, AGENT, peer="198.51.100.7", scheme="https").allowed,
    )
    _verdicts(race, "GET", "/v1/orders", query, None)
    return race.contest("gate.get", "a GET with two parameters and five headers")


def _post(inputs: Inputs, size: int) -> Contest:
    (body,) = inputs.orders(size, 1)
    gate = guarded()
    headers = [*AGENT, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    race = Entry(
        "secval.Gate.judge",
        lambda: gate.judge("POST", "/v1/orders", headers, body, peer="198.51.100.7").allowed,
    )
    _verdicts(race, "POST", "/v1/orders", {}, body)
    title = f"a POST with a body of {len(body):,} bytes"
    return race.contest(f"gate.post_{size // 1000}k", title)


def post_1k(inputs: Inputs) -> Contest:
    """A small body."""
    return _post(inputs, 1000)


def post_10k(inputs: Inputs) -> Contest:
    """A usual body."""
    return _post(inputs, 10_000)


def refused(inputs: Inputs) -> Contest:
    """A path that is not declared: what a scanner sends all day."""
    gate, path = guarded(), f"/v1/.{inputs.words(1)[0]}"
    race = Entry(
        "secval.Gate.judge",
        lambda: not gate.judge("GET", path, AGENT, peer="198.51.100.7").allowed,
    )

    def stray() -> Callable[[], bool]:
        from openapi_core.exceptions import OpenAPIError

        ask = _openapi_core("validate_request", "GET", path, {}, None)

        def refused() -> bool:
            try:
                ask()
            except OpenAPIError:
                return True
            return False

        return refused

    def unknown() -> Callable[[], bool]:
        from starlette.routing import Match, Route, Router

        routes = [Route(f"/v1{template}", lambda _: None) for template in OPENAPI["paths"]]
        router = Router(routes)
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        return lambda: all(it.matches(scope)[0] is Match.NONE for it in router.routes)

    race.add("openapi-core, validate_request", stray, "baseline", REFUSED_TOO)
    race.add("Starlette's routes", unknown, "yardstick", "the path alone")
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

    def unmarshalled() -> Callable[[], Any]:
        ask = _openapi_core("unmarshal_request", "POST", "/v1/orders", {}, body)
        return lambda: ask().body

    def by_hand(parse: Callable[[bytes], Any], judge: Callable[[Any], bool]) -> Callable[[], Any]:
        def call() -> Any:
            value = parse(body)
            return value if judge(value) else None

        return call

    race.add("openapi-core, unmarshal_request", unmarshalled, "baseline", REFUSED_TOO)
    race.add(
        "json + hook + fastjsonschema",
        lambda: by_hand(schema.strict, schema.fastjsonschema(ORDER_SCHEMA)),
        "baseline",
        "the body alone",
    )
    race.add(
        "jiter + jsonschema-rs",
        lambda: by_hand(schema.jiter(), schema.jsonschema_rs(ORDER_SCHEMA)),
        note="the body alone",
    )
    title = f"the objects of a judged body of {len(body):,} bytes"
    return race.contest("gate.handler", title, expect=lambda found: found == expected)


CONTESTS = (get, post_1k, post_10k, refused, handler)
