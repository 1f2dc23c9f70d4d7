"""The security gate that an HTTP API carries inside itself.

Write down what your API accepts (an OpenAPI document and a short `secval.toml`); `Gate` compiles that once, and
judges every request before any of your code runs. Everything that is not declared is refused.

    import secval

    gate = secval.Gate.from_file("secval.toml")
    app = secval.asgi.GateMiddleware(app, gate)  # or secval.wsgi.GateMiddleware

The building blocks are useful alone: `loads`, `Schema`.
"""

from secval._core import Gate, Limits, Pending, Schema, Verdict, Violation, loads
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
    "Config",
    "Gate",
    "JSONError",
    "Limits",
    "NotJudged",
    "Pending",
    "PolicyError",
    "Schema",
    "SecvalError",
    "UsageError",
    "ValidationError",
    "Verdict",
    "Violation",
    "loads",
]
