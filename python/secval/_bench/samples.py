"""Sample requests: read from JSON lines, or made from the policy where there are none.

A line is one request:

    {"name": "book", "method": "POST", "target": "/v1/bookings", "body": {"nights": 2}}

`headers` is an object; Host, Content-Type and Content-Length are added where they are missing. `body` is a JSON value,
sent minified; `body_file` is a file beside the lines, sent as it is. `peer` is an address, `scheme` how it comes.
`expect` is `allowed` (the default) or the reason of a refusal: a request that is judged otherwise is not measured,
since refusing early is cheap and would satisfy every budget. `budget` is a ratio for this request alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from secval._core import loads
from secval.errors import JSONError
from secval.types import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from secval._core import Gate

__all__ = ["ALLOWED", "Sample", "SampleError", "generated", "read_samples"]

ALLOWED: Final = "allowed"
# RFC 5737 keeps it for documentation.
PEER: Final = "192.0.2.1"
_TEXTS: Final = ("name", "method", "target", "body_file", "peer", "scheme", "expect")
_MEMBERS: Final = {*_TEXTS, "headers", "body", "budget"}
# Tried for a parameter that is demanded, by its type.
_GUESSES: Final = {"boolean": "true", "integer": "1", "number": "1", "string": "a"}


class SampleError(ValueError):
    """Samples that cannot be read: the file, the line, what is wrong."""


@dataclass(frozen=True)
class Sample:
    """One request.

    Attributes:
        name: For the table and for comparing with another run.
        method: As in the request line.
        target: As in the request line, still encoded.
        headers: In order.
        body: Its bytes.
        peer: The client's address.
        scheme: How it comes.
        expect: `allowed`, or the reason of its refusal.
        budget: As a ratio to the calibration loop; None for the command's.
    """

    name: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    peer: str = PEER
    scheme: Scheme = "https"
    expect: str = ALLOWED
    budget: float | None = None


def read_samples(path: Path, gate: Gate) -> list[Sample]:
    """The requests of a file of JSON lines, or of all `*.jsonl` in a folder.

    Raises:
        SampleError: There are none, two have one name, or one is not as described above.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    found: dict[str, Sample] = {}
    for file in files:
        for place, line in _lines(file):
            sample = _sample(line, place, file.parent, gate)
            if sample.name in found:
                message = f"{place}: another request has the name {sample.name!r}"
                raise SampleError(message)
            found[sample.name] = sample
    if not found:
        message = f"{path}: no requests (JSON lines, in a file or in *.jsonl of a folder)"
        raise SampleError(message)
    return list(found.values())


def generated(gate: Gate) -> tuple[list[Sample], list[str]]:
    """What can be asked without knowing the API, and the operations that were left out.

    Each operation without a body is asked with a guess for every parameter that it demands, and kept if the gate
    lets that through; then a path that no operation has. Bodies are not guessed.
    """
    samples: list[Sample] = []
    left_out: list[str] = []
    for operation in gate.operations():
        sample = _guess(operation, gate)
        if sample is None or not _judge(gate, sample).allowed:
            left_out.append(f"{operation['method']} {operation['template']}")
        else:
            samples.append(sample)
    stray = Sample(
        name="an unknown path",
        method="GET",
        target="/.env",
        headers=(("Host", _host(gate)),),
        scheme=_scheme(gate),
    )
    reason = _judge(gate, stray).reason
    if reason is not None:
        samples.append(replace(stray, expect=reason))
    return samples, left_out


def _judge(gate: Gate, sample: Sample) -> Any:
    return gate.judge(
        sample.method,
        sample.target,
        sample.headers,
        sample.body,
        peer=sample.peer,
        scheme=sample.scheme,
        websocket=sample.scheme in {"ws", "wss"},
    )


def _guess(operation: dict[str, Any], gate: Gate) -> Sample | None:
    """A request for an operation, or None where it cannot be guessed."""
    body = operation["body"]
    if (body and body["required"]) or operation["websocket"]:
        return None
    path: str = operation["paths"][0]
    query: list[str] = []
    headers = [("Host", _host(gate))]
    for parameter in operation["parameters"]:
        name, place = parameter["name"], parameter["in"]
        value = next((_GUESSES[kind] for kind in parameter["types"] if kind in _GUESSES), "a")
        if place == "path":
            path = path.replace(f"{{{name}}}", value)
        elif not parameter["required"]:
            continue
        elif place == "query":
            query.append(f"{name}={value}")
        elif place == "header":
            headers.append((name, value))
        else:
            return None
    if operation["auth"]:
        headers.append(("Authorization", "Bearer a"))
    return Sample(
        name=f"{operation['method']} {operation['template']}",
        method=operation["method"],
        target="?".join(filter(None, (path, "&".join(query)))),
        headers=tuple(headers),
        scheme=_scheme(gate),
    )


def _host(gate: Gate) -> str:
    """The first name that the policy has; any would do where it takes any."""
    name = gate.hosts[0] if gate.hosts else "*"
    return "localhost" if name == "*" else name


def _scheme(gate: Gate) -> Scheme:
    return "https" if "https" in gate.schemes else "http"


def _lines(file: Path) -> Iterator[tuple[str, bytes]]:
    """Each line that is not blank, with its place."""
    try:
        text = file.read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SampleError(message) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{file}:{number}", line


def _sample(line: bytes, place: str, folder: Path, gate: Gate) -> Sample:
    raw = _members(line, place)
    missing = [name for name in ("name", "method", "target") if name not in raw]
    if missing:
        message = f"{place}: {missing[0]} is missing"
        raise SampleError(message)
    body = _body(raw, place, folder)
    given: dict[str, str] = raw.get("headers", {})
    scheme = raw.get("scheme", _scheme(gate))
    if scheme not in get_args(Scheme):
        message = f"{place}: scheme is one of {', '.join(get_args(Scheme))}"
        raise SampleError(message)
    return Sample(
        name=raw["name"],
        method=raw["method"],
        target=raw["target"],
        headers=_headers(given, body, _host(gate)),
        body=body,
        peer=raw.get("peer", PEER),
        scheme=cast("Scheme", scheme),
        expect=raw.get("expect", ALLOWED),
        budget=raw.get("budget"),
    )


def _members(line: bytes, place: str) -> dict[str, Any]:
    """The members of a line, each of its type."""
    try:
        found: Any = loads(line)
    except JSONError as error:
        message = f"{place}: {error}"
        raise SampleError(message) from error
    if not isinstance(found, dict):
        message = f"{place}: a request is an object"
        raise SampleError(message)
    raw = cast("dict[str, Any]", found)
    unknown = sorted(raw.keys() - _MEMBERS)
    if unknown:
        message = f"{place}: {unknown[0]!r} is none of {', '.join(sorted(_MEMBERS))}"
        raise SampleError(message)
    for name in _TEXTS:
        if name in raw and not isinstance(raw[name], str):
            message = f"{place}: {name} is a string"
            raise SampleError(message)
    headers: Any = raw.get("headers", {})
    if not isinstance(headers, dict) or not all(
        isinstance(value, str) for value in cast("dict[str, Any]", headers).values()
    ):
        message = f"{place}: headers is an object of strings"
        raise SampleError(message)
    budget = raw.get("budget", 1)
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not budget > 0:
        message = f"{place}: budget is a ratio above 0"
        raise SampleError(message)
    return raw


def _body(raw: dict[str, Any], place: str, folder: Path) -> bytes:
    if "body_file" not in raw:
        if "body" not in raw:
            return b""
        return json.dumps(raw["body"], separators=(",", ":"), ensure_ascii=False).encode()
    if "body" in raw:
        message = f"{place}: either body or body_file"
        raise SampleError(message)
    file: Path = folder / raw["body_file"]
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{place}: body_file cannot be read: {error.strerror}"
        raise SampleError(message) from error


def _headers(given: dict[str, str], body: bytes, host: str) -> tuple[tuple[str, str], ...]:
    """Those that were given, and what any client sends beside them."""
    names = {name.lower() for name in given}
    more = [("Host", host)]
    if body:
        more.append(("Content-Type", "application/json"))
        if "transfer-encoding" not in names:
            more.append(("Content-Length", str(len(body))))
    return (*given.items(), *(pair for pair in more if pair[0].lower() not in names))
