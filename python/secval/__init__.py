"""The security gate that an HTTP API carries inside itself.

Write down what your API accepts (an OpenAPI document and a short `secval.toml`); `Gate` compiles that once, and
judges every request before any of your code runs. Everything that is not declared is refused.

    import secval

    gate = secval.Gate.from_file("secval.toml")
    app = secval.asgi.GateMiddleware(app, gate)  # or secval.wsgi.GateMiddleware

The building blocks are useful alone: `loads`, `Schema`, `AllowList`, `Range`, `Length`, `IPSet`.
"""

from secval import asgi, wsgi
from secval._core import (
    AllowList,
    Gate,
    IPSet,
    Length,
    Limits,
    Pending,
    Range,
    Schema,
    Verdict,
    Violation,
    loads,
)
from secval._current import current
from secval.config import Config
from secval.errors import (
    JSONError,
    NotJudged,
    PolicyError,
    SecvalError,
    UsageError,
    ValidationError,
)

__all__ = [
    "AllowList",
    "Config",
    "Gate",
    "IPSet",
    "JSONError",
    "Length",
    "Limits",
    "NotJudged",
    "Pending",
    "PolicyError",
    "Range",
    "Schema",
    "SecvalError",
    "UsageError",
    "ValidationError",
    "Verdict",
    "Violation",
    "asgi",
    "current",
    "loads",
    "wsgi",
]
