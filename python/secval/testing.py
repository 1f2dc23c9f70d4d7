"""For the unit tests of whoever writes a policy: what would the gate say? No server, no client, no application.

    gate = secval.Gate.from_file("secval.toml")
    ask = secval.testing.Probe(gate, host="api.example.com", scheme="https")

    def test_nobody_books_for_minus_one_night():
        verdict = ask("POST", "/v1/bookings", json={"nights": -1})
        assert verdict.reason == "schema.violation"

`ManualClock` moves only when told to: `secval.Gate.from_file("secval.toml", clock=clock)` lets a test wait for an
hour's quota, or for next year's sunset, in no time.

`ManualClock` is time for a `Limiter`, which moves only when told to.

Import it by its name: `import secval.testing`.
"""

from __future__ import annotations

import json as _json
from typing import TYPE_CHECKING, Any, Final

from secval._core import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secval._core import Gate, Verdict
    from secval.types import Scheme

__all__ = ["ManualClock", "Probe"]

_NOTHING: Final = object()


class Probe:
    """Asks a gate about requests as a client would send them: with a Host, and with what goes with a body.

    Args:
        gate: The gate.
        host: For the Host header.
        peer: The client's address (by default one that RFC 5737 keeps for documentation).
        scheme: How the requests come.
        headers: Sent with every request.
    """

    __slots__ = ("_gate", "_headers", "_host", "_peer", "_scheme")

    def __init__(
        self,
        gate: Gate,
        *,
        host: str = "localhost",
        peer: str = "192.0.2.1",
        scheme: Scheme = "https",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._gate, self._host, self._peer = gate, host, peer
        self._scheme: Scheme = scheme
        self._headers = tuple(headers)

    def __call__(
        self,
        method: str,
        target: str,
        *,
        json: Any = _NOTHING,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
    ) -> Verdict:
        """The verdict on one request. It is counted: quotas are used up as in earnest.

        Args:
            method: As in the request line.
            target: As in the request line, still percent-encoded, with its query.
            json: A value, sent as `application/json`.
            body: Bytes, sent as `application/json` too unless `headers` say otherwise.
            headers: For this request; one that is also set for all of them replaces that.
        """
        if json is not _NOTHING:
            body = _json.dumps(json).encode()
        own = [*headers]
        if body:
            own = _completed(own, [("Content-Type", "application/json")])
            own = _completed(own, [("Content-Length", str(len(body)))])
        own = _completed(own, [("Host", self._host), *self._headers])
        return self._gate.judge(
            method,
            target,
            own,
            body,
            peer=self._peer,
            scheme=self._scheme,
            websocket=self._scheme in {"ws", "wss"},
        )


def _completed(
    own: list[tuple[str, str]], others: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """`own`, and of the others those that it does not have."""
    names = {name.lower() for name, _ in own}
    return [*own, *(pair for pair in others if pair[0].lower() not in names)]
