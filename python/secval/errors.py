"""The exceptions of secval. This module imports nothing of the package.

Whoever calls the library catches `SecvalError`. No message repeats a submitted value, an undeclared member's
name, or what a schema keeps to itself (its enum, const and pattern); only attributes, for the caller alone,
say more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from secval._core import Violation

__all__ = [
    "JSONError",
    "NotJudged",
    "PolicyError",
    "PolicyFault",
    "SecvalError",
    "SlotsTaken",
    "UsageError",
    "ValidationError",
]


class SecvalError(Exception):
    """Whatever secval raises."""


class JSONError(SecvalError, ValueError):
    """A text is not strict JSON. It does not keep the text.

    Attributes:
        code: Stable, for programs: `json.duplicate_key`, `json.depth`, and so on.
        msg: What is wrong, in words.
        offset: Byte of the text (in UTF-8, for a `str` too) at which reading stopped, from 0.
        pos: The same place in characters, from 0: an index into a `str`.
        line: Line of that byte, from 1.
        column: Character in that line, from 1.
        pointer: RFC 6901 pointer to the value that was being read. It may name members that the sender
            invented, so it is not in the message.
    """

    code: str
    msg: str
    offset: int
    pos: int
    line: int
    column: int
    pointer: str

    def __init__(  # noqa: PLR0913, PLR0917 -- the extension's one call: a fault and its place
        self, code: str, msg: str, offset: int, pos: int, line: int, column: int, pointer: str
    ) -> None:
        super().__init__(f"{msg}: line {line} column {column} (byte {offset})")
        self.code, self.msg, self.offset, self.pos = code, msg, offset, pos
        self.line, self.column, self.pointer = line, column, pointer

    @property
    def lineno(self) -> int:
        """`line`, under the name that `json.JSONDecodeError` has for it."""
        return self.line

    @property
    def colno(self) -> int:
        """`column`, under the name that `json.JSONDecodeError` has for it."""
        return self.column

    def __reduce__(self) -> tuple[Any, ...]:
        place = (self.offset, self.pos, self.line, self.column, self.pointer)
        return type(self), (self.code, self.msg, *place)


class ValidationError(SecvalError, ValueError):
    """A value violates its schema.

    To find the first violation costs no more than to find none; to list all costs far more, so that is done when
    `violations` is read. Until then the error keeps the value that was refused.
    """

    def __init__(
        self, violations: Iterable[Violation], listing: Callable[[], list[Violation]] | None = None
    ) -> None:
        self._violations = tuple(violations)
        self._listing = listing
        count = len(self._violations)
        first = f": {self._violations[0].message}" if self._violations else ""
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"the value violates its schema{first}{more}")

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All that were found, up to 100, in the order of the value."""
        if self._listing is not None:
            self._violations, self._listing = tuple(self._listing()), None
        return self._violations

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.violations,)


class PolicyFault(NamedTuple):
    """One fault of a policy, or of a schema, with its place."""

    file: str
    """As it was named; `config` or `openapi` for what was given as objects."""
    pointer: str
    """RFC 6901 pointer into the file; empty for the file as a whole."""
    line: int
    """From 1; 0 where there are no lines."""
    message: str
    """What is wrong, and what to do."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.pointer, self.message) if part)


class PolicyError(SecvalError, ValueError):
    """A policy, or a schema, cannot be enforced as written. Its author's fault, never a client's.

    Attributes:
        faults: All of them, of all files, in the order of the files.
    """

    faults: tuple[PolicyFault, ...]

    def __init__(self, faults: Sequence[tuple[str, str, int, str]]) -> None:
        self.faults = tuple(PolicyFault(*fault) for fault in faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults,)


class UsageError(SecvalError, RuntimeError):
    """secval was called in a way that it does not offer. The caller's fault."""


class SlotsTaken(SecvalError):  # noqa: N818 -- it reads as what it says
    """A slot was entered that was not given: all of the key's were taken, the key is banned, or the table was full.

    Attributes:
        retry_after: Seconds after which a slot is free at the latest, if no lease is renewed and nobody else takes it.
        table_full: Whether the table had no room for a new key.
    """

    retry_after: float
    table_full: bool

    def __init__(self, retry_after: float, table_full: bool) -> None:  # noqa: FBT001 -- the extension's one call
        why = "the table has no room for the key" if table_full else "all slots are taken"
        super().__init__(f"{why}; one is free after {retry_after:g} s at the latest")
        self.retry_after, self.table_full = retry_after, table_full

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.retry_after, self.table_full)


class NotJudged(SecvalError):  # noqa: N818 -- it reads as what it says: the value was not judged
    """What was asked for was refused, or let through without being judged: mode `monitor` or `off`."""
