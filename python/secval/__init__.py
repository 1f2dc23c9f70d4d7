"""The security gate that an HTTP API carries inside itself.

Write down what your API accepts (an OpenAPI document and a short `secval.toml`); `Gate` compiles that once, and
judges every request before any of your code runs. Everything that is not declared is refused.

    import secval

    gate = secval.Gate.from_file("secval.toml")
    app = secval.asgi.GateMiddleware(app, gate)  # or secval.wsgi.GateMiddleware

The building blocks are useful alone: `loads`, `Schema`, `AllowList`, `Range`, `Length`, `IPSet`, `Limiter`.
"""

from secval import asgi, wsgi
from secval._core import (
    AllowList,
    Decision,
    Gate,
    IPSet,
    Length,
    Limiter,
    Limits,
    Pending,
    Quota,
    Range,
    Schema,
    Slot,
    Verdict,
    Violation,
    loads,
    network_key,
)
from secval._current import current
from secval.config import Config
from secval.errors import (
    JSONError,
    NotJudged,
    PolicyError,
    SecvalError,
    SlotsTaken,
    UsageError,
    ValidationError,
)

__all__ = [
    "AllowList",
    "Config",
    "Decision",
    "Gate",
    "IPSet",
    "JSONError",
    "Length",
    "Limiter",
    "Limits",
    "NotJudged",
    "Pending",
    "PolicyError",
    "Quota",
    "Range",
    "Schema",
    "SecvalError",
    "Slot",
    "SlotsTaken",
    "UsageError",
    "ValidationError",
    "Verdict",
    "Violation",
    "asgi",
    "current",
    "loads",
    "network_key",
    "wsgi",
]
