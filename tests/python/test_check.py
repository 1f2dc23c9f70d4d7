"""AllowList, Range, Length and IPSet, beside what plain Python and `ipaddress` say."""

from __future__ import annotations

import copy
import enum
import ipaddress
import json
import math
import pickle
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import secval
from secval import AllowList, IPSet, Length, Range

NAN = float("nan")


def cases(root, name):
    found = json.loads((root / "tests/data/check" / name).read_bytes())["cases"]
    assert len(found) > 20
    return found


# ---- allow lists ----


class Currency(enum.StrEnum):
    EUR = "EUR"
    USD = "USD"


class Colour(str, enum.Enum):  # noqa: UP042 -- the spelling from before StrEnum, whose hash is another
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Plain(enum.Enum):
    ONE = 1


def test_a_listed_value_is_allowed_and_no_other():
    currencies = AllowList({"EUR", "USD"})
    assert "EUR" in currencies
    for other in (
        "eur",
        "EUR ",
        "E",
        "",
        "\uff25\uff35\uff32",
        b"EUR",
        None,
        1,
        ["EUR"],
        {},
        {"EUR"},
        NAN,
        "\ud800",
    ):
        assert other not in currencies


@pytest.mark.parametrize(
    ("member", "stranger"),
    [
        (1, True),
        (1, 1.0),
        (1, Decimal(1)),
        (1, Fraction(1)),
        (1, Plain.ONE),
        (0, False),
        (1.0, 1),
        (1.0, True),
        (True, 1),
        (False, 0),
        (Decimal(1), 1),
        ("a", b"a"),
        (b"a", "a"),
        (b"a", bytearray(b"a")),
        (None, False),
        (date(2026, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001
    ],
)
def test_equal_is_not_enough(member, stranger):
    only = AllowList([member])
    assert member in only
    assert stranger not in only
    # Both may be listed; then both are allowed.
    both = AllowList([member, stranger]) if not isinstance(stranger, bytearray) else None
    if both is not None:
        assert len(both) == 2
        assert member in both
        assert stranger in both


def test_members_of_enums_count_as_their_values():
    for listed in (Currency, list(Currency), {"EUR", "USD"}):
        assert "EUR" in AllowList(listed)
        assert Currency.EUR in AllowList(listed)
    assert Colour.RED in AllowList(["red"])
    assert "red" in AllowList(Colour)
    assert Number.ONE in AllowList([1])
    assert 1 in AllowList(Number)
    assert Plain.ONE in AllowList(Plain)
    assert 1 not in AllowList(Plain)


def test_numbers_that_are_the_same_number_are_the_same_value():
    assert -0.0 in AllowList([0.0])
    assert Decimal("1.00") in AllowList([Decimal(1)])
    assert 10**40 in AllowList([10**40])
    assert math.inf in AllowList([math.inf])


def test_values_that_raise_when_they_are_compared_are_not_allowed():
    class Hostile:
        def __hash__(self):
            return hash("EUR")

        def __eq__(self, other):
            raise RuntimeError

    class Liar(str):
        __slots__ = ()

        def __eq__(self, other):
            return True

        def __hash__(self):
            return hash("EUR")

    assert Hostile() not in AllowList(["EUR"])
    assert Liar("GBP") not in AllowList(["EUR"])
    assert Liar("EUR") in AllowList(["EUR"])
    assert Decimal("sNaN") not in AllowList([Decimal(1)])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("EUR", "not one text"),
        (b"EUR", "not one text"),
        (bytearray(b"EUR"), "not one text"),
        ([], "refuses everything"),
        (set(), "refuses everything"),
        (["EUR", ["USD"]], "value 1"),
        ([{}], "value 0"),
        ([NAN], "value 0"),
        ([Decimal("NaN")], "value 0"),
        ([Decimal("sNaN")], "value 0"),
        ([("EUR",)], "value 0"),
        ([frozenset({1})], "value 0"),
    ],
)
def test_a_bad_allow_list_says_what_is_wrong(values, message):
    with pytest.raises(secval.UsageError, match=message):
        AllowList(values)


def test_an_allow_list_of_no_iterable_is_a_type_error():
    with pytest.raises(TypeError):
        AllowList(1)


def test_an_empty_allow_list_must_be_asked_for():
    nothing = AllowList([], allow_empty=True)
    assert len(nothing) == 0
    for value in (None, "", 0):
        assert value not in nothing


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([-1.0, 0.0, 1.0, 0.5]),
    st.sampled_from([Decimal(0), Decimal(1)]),
    st.sampled_from(["", "0", "1", "a"]),
    st.sampled_from([b"", b"1"]),
)


@given(st.lists(scalars, min_size=1), st.lists(scalars, min_size=1))
def test_an_allow_list_is_a_list_of_types_and_values(listed, asked):
    allowed = AllowList(listed)
    for value in asked:
        expected = any(type(value) is type(member) and value == member for member in listed)
        assert (value in allowed) is expected
        assert (allowed.check(value) == []) is expected


# ---- ranges ----


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ({"min": 1, "max": 999}, [1, 2, 999, Number.ONE], [0, 1000, -1, 10**30, -(10**30), True, 1.0, Decimal(1)]),
        ({"min": 0}, [0, 10**400], [-1, -(10**400), False, 0.0]),
        ({"max": 2**63}, [2**63, -(2**70)], [2**63 + 1]),
        ({"min": 10**30}, [10**30, 10**31], [10**30 - 1, 0]),
        ({"max": float(2**53)}, [2**53, float(2**53), -math.inf], [2**53 + 1, math.inf, NAN]),
        ({"min": 0.1, "max": 0.3}, [0.1, 0.2, 0.3], [0, 1, 0.30000000000000004, Decimal("0.2"), True]),
        ({"min": 0, "max": 1.5}, [0, 0.0, 1, 1.5], [2, -0.5, True]),
        ({"min": -0.0}, [0.0, -0.0, 0], [-5e-324]),
        ({"min": -math.inf, "max": 0}, [-math.inf, -(10**400), 0], [5e-324, 1]),
        ({"min": Decimal("0.01"), "max": Decimal("9.99")}, [Decimal("0.010"), 1, Decimal("9.99")],
         [Decimal("9.9900000001"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 0.5, 10, True]),
        ({"max": Decimal("1E+999999")}, [Decimal("1E+999998"), 1, 10**400], [Decimal("1.1E+999999")]),
        ({"min": date(2026, 1, 1), "max": date(2026, 12, 31)}, [date(2026, 1, 1), date(2026, 12, 31)],
         [date(2025, 12, 31), date(2027, 1, 1), datetime(2026, 6, 1), datetime(2026, 6, 1, tzinfo=UTC), 1]),  # noqa: DTZ001
        ({"min": datetime(2026, 1, 1, tzinfo=UTC)}, [datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
         [datetime(2026, 6, 1), date(2026, 6, 1), datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]),  # noqa: DTZ001
        ({"max": datetime(2026, 1, 1)}, [datetime(2026, 1, 1)],  # noqa: DTZ001
         [datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1)]),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_what_is_in_a_range(bounds, inside, outside):
    allowed = Range(**bounds)
    for value in inside:
        assert value in allowed
        assert allowed.check(value) == []
        assert allowed.validate(value) is None
    for value in [*outside, None, "1", b"1", [], 1j, Fraction(1)]:
        assert value not in allowed
        assert len(allowed.check(value)) == 1
        with pytest.raises(secval.ValidationError):
            allowed.validate(value)


def test_a_range_says_on_which_side_a_value_is():
    def code(bounds, value):
        (violation,) = Range(**bounds).check(value)
        assert (violation.keyword, violation.pointer) == ("range", "")
        return violation.code

    assert code({"min": 1, "max": 9}, 0) == "range.below"
    assert code({"min": 1, "max": 9}, 10) == "range.above"
    assert code({"min": 1, "max": 9}, 1.0) == "range.type"
    assert code({"min": 1.0, "max": 9.0}, NAN) == "range.nan"


class Unknown(tzinfo):
    """A zone that does not know its offset: Python counts such a time as naive."""

    def utcoffset(self, _):
        return None

    def dst(self, _):
        return None

    def tzname(self, _):
        return None


def test_a_zone_without_an_offset_is_none():
    time = datetime(2026, 6, 1, tzinfo=Unknown())
    assert time not in Range(min=datetime(2026, 1, 1, tzinfo=UTC))
    assert time in Range(min=datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_repeated_hour_is_two_hours():
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = datetime(2026, 10, 25, 2, 15, tzinfo=berlin, fold=1)
    assert second not in Range(max=first)
    assert first in Range(max=second)


def test_a_failing_zone_is_the_callers_to_see():
    class Broken(Unknown):
        def utcoffset(self, _):
            raise LookupError

    with pytest.raises(LookupError):
        datetime(2026, 6, 1, tzinfo=Broken()) in Range(min=datetime(2026, 1, 1, tzinfo=UTC))  # noqa: B015


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "needs min or max"),
        ({"min": None, "max": None}, "needs min or max"),
        ({"min": 2, "max": 1}, "min is greater than max"),
        ({"min": 2**53 + 1, "max": float(2**53)}, "min is greater than max"),
        ({"min": Decimal("1.1"), "max": 1}, "min is greater than max"),
        ({"min": date(2026, 1, 2), "max": date(2026, 1, 1)}, "min is greater than max"),
        ({"min": NAN}, "NaN"),
        ({"max": NAN}, "NaN"),
        ({"min": 1, "max": NAN}, "NaN"),
        ({"max": Decimal("NaN")}, "NaN"),
        ({"max": Decimal("sNaN")}, "NaN"),
        ({"min": 1, "max": date(2026, 1, 1)}, "go together"),
        ({"min": 1.0, "max": Decimal(2)}, "go together"),
        ({"min": date(2026, 1, 1), "max": datetime(2026, 2, 1)}, "go together"),  # noqa: DTZ001
        ({"min": datetime(2026, 1, 1), "max": datetime(2026, 2, 1, tzinfo=UTC)}, "go together"),  # noqa: DTZ001
        ({"min": True}, "min is not"),
        ({"max": False}, "max is not"),
        ({"min": "a"}, "min is not"),
        ({"max": timedelta(1)}, "max is not"),
        ({"max": Fraction(1)}, "max is not"),
    ],
)
def test_a_bad_range_says_what_is_wrong(bounds, message):
    with pytest.raises(secval.UsageError, match=message):
        Range(**bounds)


integers = st.one_of(
    st.integers(-3, 3), st.integers(), st.integers(-70, 70).map(lambda n: (1 if n > 0 else -1) * 2 ** abs(n)),
    st.integers(-3, 3).map(lambda n: 2**53 + n), st.integers(-3, 3).map(lambda n: 2**63 + n),
    st.integers(-3, 3).map(lambda n: -(2**63) + n),
)  # fmt: skip
floats = st.one_of(
    st.floats(allow_nan=False), integers.filter(lambda n: abs(n) < 10**300).map(float),
    st.integers(-5, 5).map(lambda n: n / 2),
)  # fmt: skip
decimals = st.one_of(st.decimals(allow_nan=False, allow_infinity=False), integers.map(Decimal))


def exact(number):
    if number in (math.inf, -math.inf):
        return number
    return Fraction(number)


def check_against_fractions(low, high, value):
    kinds = {type(bound) for bound in (low, high) if bound is not None}
    known = kinds | ({int} if kinds & {float, Decimal} else set())
    expected = type(value) in known
    expected = expected and (low is None or exact(low) <= exact(value))
    expected = expected and (high is None or exact(value) <= exact(high))
    assert (value in Range(min=low, max=high)) is expected


def ordered(bounds):
    low, high = bounds
    if low is None and high is None:
        return (0, None)
    if low is not None and high is not None and exact(low) > exact(high):
        return (high, low)
    return (low, high)


@given(
    st.one_of(
        st.tuples(st.none() | integers | floats, st.none() | integers | floats),
        st.tuples(st.none() | integers | decimals, st.none() | integers | decimals),
    ).map(ordered),
    st.one_of(integers, floats, decimals),
)
def test_numbers_compare_as_fractions_do(bounds, value):
    check_against_fractions(*bounds, value)


@given(st.tuples(st.dates(), st.dates()).map(sorted), st.dates())
def test_dates_compare_as_dates_do(bounds, value):
    low, high = bounds
    assert (value in Range(min=low, max=high)) is (low <= value <= high)


zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=-5)), timezone(timedelta(seconds=1)), ZoneInfo("Asia/Kolkata")]
)
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001


@given(st.tuples(instants, instants).map(sorted), instants)
def test_instants_compare_as_instants_do(bounds, value):
    low, high = bounds
    assert (value in Range(min=low, max=high)) is (low <= value <= high)


@given(st.tuples(st.datetimes(), st.datetimes()).map(sorted), st.datetimes())
def test_naive_times_compare_as_they_read(bounds, value):
    low, high = bounds
    assert (value in Range(min=low, max=high)) is (low <= value <= high)


# ---- lengths ----


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("", 0),
        ("naïve", 5),
        ("e\u0301", 2),
        ("👩‍👧", 3),
        ("\ud800", 1),
        (b"\xc3\xa9", 2),
        (bytearray(3), 3),
        (memoryview(bytes(8)), 8),
        (memoryview(bytes(8)).cast("I"), 8),
        ([1, 2], 2),
        ({"a": 1}, 1),
        ((), 0),
        ({1, 2, 3}, 3),
        (range(4), 4),
    ],
)
def test_what_is_counted(value, length):
    assert value in Length(max=length)
    assert value in Length(min=length, max=length + 1)
    assert value not in Length(min=length + 1)
    assert [v.code for v in Length(min=length + 1).check(value)] == ["length.short"]
    if length:
        assert [v.code for v in Length(max=length - 1).check(value)] == ["length.long"]


def test_what_has_no_length_is_not_inside():
    for value in (1, None, 1.5, iter([]), str, object()):
        assert value not in Length(max=64)
        assert [v.code for v in Length(max=64).check(value)] == ["length.type"]


def test_a_failing_length_is_the_callers_to_see():
    class Broken:
        def __len__(self):
            raise LookupError

    with pytest.raises(LookupError):
        Broken() in Length(max=1)  # noqa: B015


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "needs max"),
        ({"min": 0}, "needs max"),
        ({"min": 2, "max": 1}, "min is greater than max"),
        ({"max": -1}, "max is not a whole number"),
        ({"min": -1}, "min is not a whole number"),
        ({"max": True}, "max is not a whole number"),
        ({"max": 1.0}, "max is not a whole number"),
        ({"max": "1"}, "max is not a whole number"),
        ({"max": 2**64}, "max is not a whole number"),
    ],
)
def test_a_bad_length_says_what_is_wrong(bounds, message):
    with pytest.raises(secval.UsageError, match=message):
        Length(**bounds)


# ---- addresses ----


def test_addresses_are_what_the_cases_say(root):
    everything = IPSet(["0.0.0.0/0", "::/0"])
    for case in cases(root, "addresses.json"):
        text = case["text"]
        if "is" in case:
            assert text in everything
            assert everything.longest_match(text) == ("::/0" if ":" in case["is"] else "0.0.0.0/0")
            continue
        with pytest.raises(secval.ValidationError):
            text in everything  # noqa: B015
        with pytest.raises(ValueError):
            everything.longest_match(text)
        (violation,) = everything.check(text)
        assert violation.code == (
            "address.zone" if case["fault"] == "Zone" else "address.malformed"
        )


def test_prefixes_are_what_the_cases_say(root):
    for case in cases(root, "prefixes.json"):
        if "is" in case:
            assert list(IPSet([case["text"]])) == [case["is"]]
            continue
        with pytest.raises(secval.PolicyError) as raised:
            IPSet(["10.0.0.0/8", case["text"]])
        assert [fault.pointer for fault in raised.value.faults] == ["/1"]


def test_objects_of_the_standard_library_are_addresses_too():
    found = IPSet([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_address("2001:db8::1")])
    assert list(found) == ["10.0.0.0/8", "2001:db8::1/128"]
    assert ipaddress.ip_address("10.1.1.1") in found
    assert ipaddress.ip_address("::ffff:10.1.1.1") in found
    assert ipaddress.ip_address("2001:db8::1") in found
    assert ipaddress.ip_address("2001:db8::2") not in found
    with pytest.raises(secval.ValidationError):
        ipaddress.ip_address("2001:db8::1%eth0") in found  # noqa: B015
    for other in (1, None, b"10.1.1.1", ipaddress.ip_network("10.1.0.0/16")):
        with pytest.raises(TypeError):
            other in found  # noqa: B015


def test_a_file_of_addresses(tmp_path):
    path = tmp_path / "drop.txt"
    path.write_bytes(
        "; Spamhaus, caf\xe9\r\n1.10.16.0/20 ; SBL256894\r\n\r\n# x\n2001:db8::/32".encode(
            "latin-1"
        )
    )
    for spelling in (path, str(path)):
        assert list(IPSet.from_file(spelling)) == ["1.10.16.0/20", "2001:db8::/32"]
    path.write_text("10.0.0.0/8\n10.0.0.1/8\n\nx # what\nfe80::%1/64\n")
    with pytest.raises(secval.PolicyError) as raised:
        IPSet.from_file(path)
    assert [(fault.file, fault.line) for fault in raised.value.faults] == [
        (str(path), n) for n in (2, 4, 5)
    ]
    assert "what" not in str(raised.value)
    path.write_bytes("10.0.0.0/8\n".encode("utf-16"))
    with pytest.raises(secval.PolicyError):
        IPSet.from_file(path)
    with pytest.raises(FileNotFoundError, match="missing"):
        IPSet.from_file(tmp_path / "missing")


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n; comments"])
def test_a_file_without_a_prefix_must_be_asked_for(tmp_path, text):
    path = tmp_path / "empty.txt"
    path.write_text(text)
    with pytest.raises(secval.PolicyError, match="no prefix"):
        IPSet.from_file(path)
    assert len(IPSet.from_file(path, allow_empty=True)) == 0


def test_an_empty_set_covers_nothing():
    for nothing in (IPSet(), IPSet([]), IPSet(iter(()))):
        assert "10.0.0.1" not in nothing
        assert list(nothing) == []
        assert [v.code for v in nothing.check("10.0.0.1")] == ["address.unlisted"]


def test_a_set_of_addresses_is_not_one_text():
    with pytest.raises(secval.UsageError):
        IPSet("10.0.0.0/8")
    for entry in (1, None, b"10.0.0.0/8"):
        with pytest.raises(TypeError):
            IPSet([entry])


v4 = st.integers(0, 7).flatmap(lambda high: st.integers(0, 7).map(lambda low: high << 29 | low))
v6 = st.integers(0, 7).flatmap(lambda high: st.integers(0, 7).map(lambda low: high << 125 | low))
addresses = st.one_of(
    v4.map(ipaddress.IPv4Address),
    v6.map(ipaddress.IPv6Address),
    v4.map(lambda n: ipaddress.IPv6Address(0xFFFF << 32 | n)),
    st.ip_addresses(),
)


def a_network(address, length):
    return ipaddress.ip_network((address, min(length, address.max_prefixlen)), strict=False)


def folded(network):
    mapped = (
        network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped
    )
    return (
        ipaddress.ip_network((mapped, network.prefixlen - 96))
        if mapped is not None and mapped is not False
        else network
    )


@given(
    st.lists(st.builds(a_network, addresses, st.integers(0, 128))), st.lists(addresses, min_size=1)
)
def test_the_longest_match_is_the_obvious_one(networks, asked):
    found = IPSet(map(str, networks))
    assert found == IPSet(networks)
    unique = {folded(network) for network in networks}
    assert set(found) == {str(network) for network in unique}
    assert len(found) == len(unique)
    for address in asked:
        plain = getattr(address, "ipv4_mapped", None) or address
        covering = [network for network in unique if plain in network]
        longest = max(covering, key=lambda network: network.prefixlen, default=None)
        for spelling in (address, str(address)):
            assert found.longest_match(spelling) == (str(longest) if longest else None)
            assert (spelling in found) is bool(covering)
            assert (found.check(spelling) == []) is bool(covering)


# ---- what all of them have ----

ALL = [
    AllowList(["EUR", 1, 1.0, True, None]),
    AllowList([], allow_empty=True),
    Range(min=1, max=999),
    Range(max=datetime(2026, 1, 1, tzinfo=UTC)),
    Range(min=10**40),
    Length(max=64),
    Length(min=1),
    IPSet(["10.0.0.0/8", "2001:db8::/32"]),
    IPSet(),
]


@pytest.mark.parametrize("check", ALL, ids=repr)
def test_checks_are_values(check):
    for other in (pickle.loads(pickle.dumps(check)), copy.copy(check), copy.deepcopy(check)):
        assert other == check
        assert hash(other) == hash(check)
    assert sum(check == other for other in ALL) == 1
    assert check != 1
    with pytest.raises(AttributeError):
        check.something = 1


def test_checks_with_other_bounds_are_other_checks():
    assert Range(min=1) != Range(min=1.0)
    assert Range(min=1) != Range(max=1)
    assert Length(max=1) != Length(max=1, min=1)
    assert AllowList([1]) != AllowList([True])
    assert AllowList([1, 2]) == AllowList([2, 1])


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (AllowList(["EUR"]), "secret"),
        (Range(max=5), 4242),
        (Length(max=3), "secret"),
        (IPSet(), "192.0.2.77"),
    ],
)
def test_no_message_repeats_the_value(check, value):
    with pytest.raises(secval.ValidationError) as raised:
        check.validate(value)
    shown = str(raised.value) + repr(raised.value.violations) + repr(check)
    assert str(value) not in shown
    assert raised.value.violations == tuple(check.check(value))


def test_lists_do_not_show_what_is_in_them():
    assert "EUR" not in repr(AllowList(["EUR"]))
    assert "10." not in repr(IPSet(["10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("address", "lengths", "key"),
    [
        ("192.0.2.7", {}, "192.0.2.7/32"),
        ("192.0.2.7", {"v4": 24}, "192.0.2.0/24"),
        ("192.0.2.7", {"v4": 0}, "0.0.0.0/0"),
        ("2001:db8::7:1", {}, "2001:db8::/64"),
        ("2001:db8:0:ffff::1", {"v6": 48}, "2001:db8::/48"),
        ("2001:db8::7:1", {"v6": 128}, "2001:db8::7:1/128"),
        ("::ffff:192.0.2.7", {}, "192.0.2.7/32"),
        (ipaddress.ip_address("::ffff:192.0.2.7"), {"v4": 8}, "192.0.0.0/8"),
        (ipaddress.ip_address("2001:db8::7:1"), {}, "2001:db8::/64"),
    ],
)
def test_an_address_counts_by_its_network(address, lengths, key):
    assert secval.network_key(address, **lengths) == key


@given(bits=st.integers(0, 2**128 - 1), length=st.integers(0, 128))
def test_networks_are_those_of_the_standard_library(bits, length):
    address = ipaddress.IPv6Address(bits)
    if address.ipv4_mapped is None:
        expected = str(ipaddress.IPv6Network((address, length), strict=False))
        assert secval.network_key(str(address), v6=length) == expected
    short = ipaddress.IPv4Address(bits % 2**32)
    expected = str(ipaddress.IPv4Network((short, length % 33), strict=False))
    assert secval.network_key(short, v4=length % 33) == expected


def test_what_has_no_network():
    for text in ("", "192.0.2", "192.0.2.7/32", "fe80::1%eth0"):
        with pytest.raises(secval.ValidationError):
            secval.network_key(text)
    for lengths in ({"v4": 33}, {"v6": 129}):
        with pytest.raises(secval.UsageError, match="32 bits"):
            secval.network_key("192.0.2.7", **lengths)
