"""A policy's configuration as typed values: what `secval.toml` says, for policies made in code.

Names, meanings and defaults are those of `secval.toml` (docs/policy.md). What is left out is the default; the
compiler judges both in one place, so a fault reads alike wherever it was written.

    from secval import Config, Gate
    from secval.config import ApiConfig, RateConfig

    config = Config(
        api=ApiConfig(hosts=["api.example.com"], closed="requests"),
        rate={"login": RateConfig(quota="5/minute", operations=["POST /login"])},
    )
    gate = Gate.from_openapi("openapi.yaml", config=config)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from secval._core import Limits

__all__ = [
    "AnswersConfig",
    "ApiConfig",
    "AuthConfig",
    "ClientConfig",
    "Config",
    "OperationConfig",
    "RateConfig",
    "RequestConfig",
]

Mode: TypeAlias = Literal["enforce", "monitor", "off"]

_CEILINGS = (
    "max_depth",
    "max_bytes",
    "max_nodes",
    "max_members",
    "max_string_bytes",
    "max_number_chars",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """`[api]`: what is served, and where.

    Attributes:
        closed: "requests" refuses members of request bodies that the schema does not declare.
        hosts: The names that the API answers to, a port only where it matters; `["*"]` for any.
        formats: Formats of your own by name: a pattern, or "any" for one that is known and not asserted.
        verify: One of so many bodies and parameters is judged by the general validator too: 1000, or "1/1000".
    """

    closed: Literal["requests"] | None = None
    hosts: Sequence[str] | None = None
    formats: Mapping[str, str] | None = None
    verify: int | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """`[auth]`: who checks the credentials that the document's `security` demands.

    Attributes:
        required: "app": the application does.
        operations: Where: "METHOD template" each; None is every operation whose document demands credentials.
    """

    required: Literal["app"] | None = None
    operations: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """`[client]`: how the client's address is found, and which addresses may call.

    Attributes:
        trusted_proxies: Address prefixes whose forwarding header is believed; never a wildcard.
        header: The one header that these proxies set.
        allow: The only addresses that may call: prefixes, or paths of files with one prefix a line.
        deny: Addresses that may not; where both match, the longer prefix decides.
        peerless: Accept connections without an address (a unix socket), as from a trusted proxy.
    """

    trusted_proxies: Sequence[str] | None = None
    header: Literal["x-forwarded-for", "forwarded"] | None = None
    allow: Sequence[str | PathLike[str]] | None = None
    deny: Sequence[str | PathLike[str]] | None = None
    peerless: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConfig:
    """`[request]`: how large a request may be.

    Attributes:
        max_body: Bytes, or a text such as "1MiB".
        max_target: Of the raw target.
        max_headers: Of all names and values together.
        json: Ceilings of the JSON reader.
        decoded_target: Accept a server that gives only the decoded path.
    """

    max_body: int | str | None = None
    max_target: int | str | None = None
    max_headers: int | str | None = None
    json: Limits | None = None
    decoded_target: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateConfig:
    """`[rate.NAME]`: how often.

    Attributes:
        quota: "10/second; 1000/hour": all of them must allow a request.
        subject: What is counted: "address", "operation", "header:NAME", or several of them.
        v4: First bits of an IPv4 address that count, as in `secval.network_key`; 32 unless said otherwise.
        v6: The same of IPv6, 64 unless said otherwise.
        operations: "METHOD template" with `*` for one segment and `**` for the rest; every operation if None.
        cost: How much one request counts.
        mode: "monitor" only records.
        reason: Why the mode is "off".
    """

    quota: str
    subject: str | Sequence[str] | None = None
    v4: int | None = None
    v6: int | None = None
    operations: Sequence[str] | None = None
    cost: int | None = None
    mode: Mode | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationConfig:
    """`[operations."METHOD template"]`: what the document does not say of an operation.

    Attributes:
        addresses: The only address prefixes that may call it.
        hidden: To everybody else it does not exist: 404 rather than 403.
        deprecated: Since when it is deprecated (RFC 9745); a date is its midnight, UTC.
        sunset: When it goes (RFC 8594); from then on it answers 410.
        max_body: Bytes, or a text such as "1MiB".
        mode: The operation's own.
        reason: Why the mode is "off".
    """

    addresses: Sequence[str] | None = None
    hidden: bool | None = None
    deprecated: date | None = None
    sunset: date | None = None
    max_body: int | str | None = None
    mode: Mode | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersConfig:
    """`[answers]`: what answers show.

    Attributes:
        server_timing: Add `Server-Timing: gate;dur=0.012` (milliseconds in the gate) to every answer.
        detail: "pointer" tells where a body violates its schema; "code" tells only that it does.
    """

    server_timing: bool | None = None
    detail: Literal["pointer", "code"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of `secval.toml`, but for the document's own path.

    Attributes:
        rate_shared: `[rate] shared`, which processes count together: "auto" or a name, all of this user on this
            host; False, each one alone. None says nothing, and each one counts alone with a warning. "auto" goes by
            the document's title: APIs of the same title count together, so name one of them.
        rate_capacity: `[rate] capacity`, how many keys are live at once, of all quotas together: 65,536 unless
            said otherwise, 115 bytes each.
        rate_overflow: `[rate] overflow`, cells of 8 bytes for those that find no room; as many as the capacity
            unless said otherwise.
        mode: The gate's: "enforce" unless said otherwise.
        reason: Why the mode is "off".
    """

    api: ApiConfig = field(default_factory=ApiConfig)
    auth: AuthConfig = field(default_factory=AuthConfig)
    client: ClientConfig = field(default_factory=ClientConfig)
    request: RequestConfig = field(default_factory=RequestConfig)
    rate: Mapping[str, RateConfig] = field(default_factory=dict[str, RateConfig])
    rate_shared: str | Literal[False] | None = None
    rate_capacity: int | None = None
    rate_overflow: int | None = None
    operations: Mapping[str, OperationConfig] = field(default_factory=dict[str, OperationConfig])
    answers: AnswersConfig = field(default_factory=AnswersConfig)
    mode: Mode | None = None
    reason: str | None = None

    def to_json(self) -> str:
        """The same as JSON text, in the shape of `secval.toml`."""
        plain = _plain(self)
        for name in ("overflow", "capacity", "shared"):
            if f"rate_{name}" in plain:
                plain["rate"] = {name: plain.pop(f"rate_{name}"), **plain.get("rate", {})}
        return json.dumps({"version": 1, **plain})


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return {name: _plain(part) for name, part in members.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in cast("Iterable[object]", value)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PathLike):
        return fspath(cast("PathLike[str]", value))
    names = _names(value)
    if names is None:
        return value
    parts = ((name, getattr(value, name)) for name in names)
    said = {name: _plain(part) for name, part in parts if part is not None}
    return {name: part for name, part in said.items() if part != {}}


def _names(value: Any) -> Iterable[str] | None:
    """The members of a table: of one of the classes here, or of `secval.Limits`; None for any other value."""
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return _CEILINGS if all(hasattr(value, name) for name in _CEILINGS) else None
