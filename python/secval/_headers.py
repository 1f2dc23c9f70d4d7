"""The gate's headers beside the application's, in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["merge"]


def merge(
    own: Iterable[tuple[AnyStr, AnyStr]],
    ours: Sequence[tuple[AnyStr, AnyStr]],
    listed: tuple[AnyStr, AnyStr],
) -> list[tuple[AnyStr, AnyStr]]:
    """The application's headers, then the gate's; no name twice.

    Where both have one, the application's stands, but for the list header `listed[0]`: there the gate's part
    goes behind the application's, with `listed[1]` between them. The gate's names are in lower case.
    """
    merged = [(name, value) for name, value in own]
    places = {name.lower(): place for place, (name, _) in enumerate(merged)}
    for name, value in ours:
        place = places.get(name)
        if place is None:
            merged.append((name, value))
        elif name == listed[0]:
            merged[place] = (merged[place][0], merged[place][1] + listed[1] + value)
    return merged
