"""The verdict on the request that is being served, for code far from the adapter.

A context variable: each asyncio task has its own, and so has each thread; `asyncio.to_thread` and the thread
pools of the frameworks carry it along.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from secval.errors import UsageError

if TYPE_CHECKING:
    from secval._core import Verdict

__all__ = ["current", "enter", "leave"]

_verdict: ContextVar[Verdict] = ContextVar("secval.verdict")


def current() -> Verdict:
    """The verdict on the request that is being served.

    `current().json` is the body, already parsed and validated; `current().params["path"]["id"]` a parameter,
    already of its declared type.

    Raises:
        UsageError: No request is being served behind a `GateMiddleware`.
    """
    try:
        return _verdict.get()
    except LookupError:
        message = "secval.current() is for code that serves a request behind a GateMiddleware"
        raise UsageError(message) from None


def enter(verdict: Verdict) -> Token[Verdict]:
    """From here on `current()` is this verdict, in this context."""
    return _verdict.set(verdict)


def leave(token: Token[Verdict]) -> None:
    """Ends what `enter` began."""
    # An abandoned coroutine is closed by the garbage collector, in whatever context that runs: then there is
    # nothing to restore.
    with contextlib.suppress(ValueError):
        _verdict.reset(token)
