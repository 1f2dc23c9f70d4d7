"""The security gate that an HTTP API carries inside itself."""

from secval._core import Gate, Limits, Pending, Schema, Verdict, Violation, loads
from secval.errors import JSONError, NotJudged, PolicyError, SecvalError, UsageError, ValidationError

__all__ = [
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
