"""The types of what secval is given and gives, for annotations.

ASGI's are those of the ASGI specification 3.0 (https://asgi.readthedocs.io/en/latest/specs/); WSGI's are in
the standard library's `wsgiref.types`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Literal, TypeAlias

__all__ = [
    "ASGIApp",
    "HeaderPairs",
    "Message",
    "Mode",
    "Receive",
    "Scheme",
    "Scope",
    "Send",
]

Scope: TypeAlias = MutableMapping[str, Any]
"""What an ASGI server knows of a connection."""

Message: TypeAlias = MutableMapping[str, Any]
"""An event between an ASGI server and its application."""

Receive: TypeAlias = Callable[[], Awaitable[Message]]
"""Waits for the server's next event."""

Send: TypeAlias = Callable[[Message], Awaitable[None]]
"""Hands an event to the server."""

ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application."""

HeaderPairs: TypeAlias = Iterable[tuple[str | bytes, str | bytes]]
"""Header names and values, in order, repeats included. Text is read as Latin-1, as servers give it."""

Scheme: TypeAlias = Literal["http", "https", "ws", "wss"]
"""How a request came."""

Mode: TypeAlias = Literal["enforce", "monitor", "off"]
"""What happens to a request that is refused: refused; recorded and let through; not judged."""

JSONMapping: TypeAlias = Mapping[str, Any]
"""A JSON object."""
