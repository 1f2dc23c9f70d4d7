"""Plain questions about plain values."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import secval
from contests.contest import Contest, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.inputs import Inputs


def allow_list(inputs: Inputs) -> Contest:
    """A code among two hundred, and one that is not among them."""
    words = inputs.words(200)
    ours, theirs = secval.AllowList(words), frozenset(words)
    first, other = words[100], "absent"
    race = Entry("secval.AllowList", lambda: (first in ours) is not (other in ours))
    race.add(
        "frozenset, type checked",
        lambda: (
            lambda: (
                (type(first) is str and first in theirs)
                is not (type(other) is str and other in theirs)
            )
        ),
        "baseline",
    )
    return race.contest("check.allow_list", "is it one of 200 values? Asked twice", per=2)


def number_range(inputs: Inputs) -> Contest:
    """A quantity in its range."""
    ours, value = secval.Range(min=1, max=999), inputs.dice("range").randint(300, 999)
    race = Entry("secval.Range", lambda: value in ours)
    race.add(
        "1 <= x <= 999, type checked",
        lambda: lambda: type(value) is int and 1 <= value <= 999,
        "baseline",
    )
    return race.contest("check.range", "is it an int from 1 to 999?")


def _addresses(inputs: Inputs, count: int) -> Contest:
    prefixes, asked = inputs.prefixes(count), inputs.addresses(200)
    ours = secval.IPSet(prefixes)
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes]
    by_length: dict[int, set[int]] = {}
    for network in networks:
        by_length.setdefault(network.prefixlen, set()).add(int(network.network_address))
    masks = [
        ((2**32 - 1) << (32 - length) & (2**32 - 1), found) for length, found in by_length.items()
    ]

    def each(ask: Callable[[str], bool]) -> Callable[[], int]:
        return lambda: sum(map(ask, asked))

    def plain(text: str) -> bool:
        address = ipaddress.ip_address(text)
        return any(address in network for network in networks)

    def by_mask(text: str) -> bool:
        address = int(ipaddress.ip_address(text))
        return any(address & mask in found for mask, found in masks)

    race = Entry("secval.IPSet", each(ours.__contains__))
    if count <= 1000:  # beyond, it takes seconds
        race.add("ipaddress, any(... in network)", lambda: each(plain), "baseline")
    race.add("ipaddress + a set for each length", lambda: each(by_mask), "baseline")
    expected = sum(map(by_mask, asked))
    title = f"is the address in one of {count:,} prefixes?"
    return race.contest(
        f"check.addresses_{count}", title, per=len(asked), expect=lambda found: found == expected
    )


def addresses_100(inputs: Inputs) -> Contest:
    """A short list."""
    return _addresses(inputs, 100)


def addresses_100k(inputs: Inputs) -> Contest:
    """A large feed."""
    return _addresses(inputs, 100_000)


CONTESTS = (allow_list, number_range, addresses_100, addresses_100k)
