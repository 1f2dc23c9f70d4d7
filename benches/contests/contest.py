"""A contest: several ways to do one thing to one input, with secval's first.

Each contender is used as its own documentation shows for repeated use (validators built once, decoders reused),
and each must give the answer that the contest expects before it is timed. What a contender leaves undone beside
the others is its `note`, shown wherever its figure is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


Kind = Literal["secval", "baseline", "peer", "yardstick"]


@dataclass(frozen=True)
class Contender:
    """One way to do it.

    Attributes:
        name: For the table: the packages and the calls that matter.
        call: Does it once.
        kind: What it is beside secval: the plain-Python way, the best that can be installed, or a yardstick, which does
            another, smaller thing.
        note: What it leaves undone.
    """

    name: str
    call: Callable[[], Any]
    kind: Kind = "peer"
    note: str = ""


@dataclass(frozen=True)
class Contest:
    """Several ways to do one thing.

    Attributes:
        key: Stable, for results: `parse.order_10k`.
        title: For people.
        contenders: secval's first: the others are shown as multiples of it.
        per: How many operations one call makes; times are for one.
        expect: Whether an answer is right. Every contender is asked before it is timed.
        missing: Contenders that are not installed here.
    """

    key: str
    title: str
    contenders: tuple[Contender, ...]
    per: int = 1
    expect: Callable[[Any], bool] = bool
    missing: tuple[str, ...] = ()

    def verify(self) -> None:
        """Raises unless every contender gives the right answer."""
        for contender in self.contenders:
            if not self.expect(contender.call()):
                message = f"{self.key}: {contender.name} gives another answer"
                raise AssertionError(message)


class Entry:
    """A list of contenders in the making, which leaves out those that are not installed."""

    def __init__(self, name: str, call: Callable[[], Any]) -> None:
        self.contenders = [Contender(name, call, "secval")]
        self.missing: list[str] = []

    def add(
        self,
        name: str,
        make: Callable[[], Callable[[], Any]],
        kind: Kind = "peer",
        note: str = "",
    ) -> Entry:
        """Adds what `make` prepares; an ImportError leaves it out."""
        try:
            self.contenders.append(Contender(name, make(), kind, note))
        except ImportError:
            self.missing.append(name)
        return self

    def contest(
        self, key: str, title: str, *, per: int = 1, expect: Callable[[Any], bool] = bool
    ) -> Contest:
        """The contest of those that are here."""
        return Contest(key, title, tuple(self.contenders), per, expect, tuple(self.missing))
