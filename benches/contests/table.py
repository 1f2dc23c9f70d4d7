"""Every contest, by key."""

from __future__ import annotations

from collections.abc import Callable

from contests import apps, check, gate, limit, parse, schema
from contests.contest import Contest
from contests.inputs import Inputs

Make = Callable[[Inputs], Contest | None]

# In the order of the page.
ROOMS = {
    "parse": parse,
    "schema": schema,
    "check": check,
    "limit": limit,
    "gate": gate,
    "apps": apps,
}

MAKERS: dict[str, Make] = {
    f"{room}.{make.__name__}": make for room, module in ROOMS.items() for make in module.CONTESTS
}


def contest(key: str, inputs: Inputs) -> Contest | None:
    """A contest, verified; None when its data is not here."""
    made = MAKERS[key](inputs)
    if made is not None:
        made.verify()
    return made
