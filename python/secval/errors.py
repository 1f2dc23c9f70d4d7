"""The exceptions of secval. This module imports nothing of the package."""

from __future__ import annotations


class SecvalError(Exception):
    """Whatever secval raises."""


class JSONError(SecvalError, ValueError):
    """A text is not strict JSON."""

    def __init__(self, code: str, msg: str, offset: int, line: int, column: int, pointer: str) -> None:
        super().__init__(f"{msg}: line {line} column {column} (byte {offset})")
        self.code, self.msg, self.offset = code, msg, offset
        self.line, self.column, self.pointer = line, column, pointer


class ValidationError(SecvalError, ValueError):
    """A value violates its schema."""

    def __init__(self, violations: list[object]) -> None:
        super().__init__(f"{len(violations)} violation(s)")
        self.violations = violations


class PolicyError(SecvalError):
    """A policy, or a schema, cannot be enforced as written."""

    def __init__(self, faults: list[tuple[str, str, int, str]]) -> None:
        super().__init__("; ".join(message for *_, message in faults))
        self.faults = faults


class UsageError(SecvalError):
    """secval was called in a way that it does not offer."""


class NotJudged(SecvalError):
    """What was asked for was let through without being judged."""
