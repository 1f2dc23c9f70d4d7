//! Lists, ranges and address sets against cases that are data and against slow, obvious answers.

use std::cmp::Ordering;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::IpNet;
use proptest::prelude::*;
use secval::check::{
    AddressFault, AllowList, IpSet, IpSetFault, Length, LengthFault, Misfit, Number, Range,
    RangeFault, Side, parse_address, parse_prefix,
};
use serde_json::Value;

/// Text, and what it is or its fault, by name.
fn cases(name: &str) -> Vec<(String, Result<String, String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/check").join(name);
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let case = |case: &Value| {
        let outcome = text(&case["is"]).ok_or_else(|| text(&case["fault"]).unwrap());
        (text(&case["text"]).unwrap(), outcome)
    };
    let cases: Vec<_> = file["cases"].as_array().unwrap().iter().map(case).collect();
    assert!(cases.len() > 20, "{name} has lost its cases");
    cases
}

fn named<T: ToString>(outcome: Result<T, AddressFault>) -> Result<String, String> {
    outcome.map(|it| it.to_string()).map_err(|fault| format!("{fault:?}"))
}

#[test]
fn addresses_are_what_the_cases_say() {
    for (text, expected) in cases("addresses.json") {
        assert_eq!(named(parse_address(&text)), expected, "{text:?}");
    }
}

#[test]
fn prefixes_are_what_the_cases_say() {
    for (text, expected) in cases("prefixes.json") {
        assert_eq!(named(parse_prefix(&text)), expected, "{text:?}");
    }
}

#[test]
fn a_file_has_comments_blank_lines_and_any_line_end() {
    let text = "# office\r\n10.0.0.0/8\r\n\r\n  2001:db8::/32\t; lab # twice\n;\n#\n192.0.2.1";
    let set = IpSet::parse(text).unwrap();
    let all: Vec<String> = set.iter().map(|net| net.to_string()).collect();
    assert_eq!(all, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
    assert_eq!(set, IpSet::new(all.iter().map(String::as_str)).unwrap());
}

#[test]
fn every_fault_is_reported_with_its_line() {
    let fault = |line, kind| IpSetFault { line, kind };
    let faults =
        IpSet::parse("10.0.0.0/8\n10.0.0.1/8\n# fine\nx\nfe80::1%1 # zone\n1.2.3.4 5.6.7.8");
    let (bits, zone) = (AddressFault::HostBits, AddressFault::Zone);
    let malformed = AddressFault::Malformed;
    let expected = [fault(2, bits), fault(4, malformed), fault(5, zone), fault(6, malformed)];
    assert_eq!(faults.unwrap_err(), expected);
    let faults = IpSet::new(["10.0.0.0/8", "10.0.0.1/8", "", "10.0.0.0/8 # no comment here"]);
    let expected = [fault(1, bits), fault(2, malformed), fault(3, AddressFault::PrefixLength)];
    assert_eq!(faults.unwrap_err(), expected);
}

#[test]
fn an_empty_set_covers_nothing() {
    for set in [IpSet::default(), IpSet::new([]).unwrap(), IpSet::parse("# none\n").unwrap()] {
        assert_eq!((set.len(), set.is_empty()), (0, true));
        assert!(!set.contains("0.0.0.0".parse().unwrap()));
        assert_eq!(set.longest_match("::".parse().unwrap()), None);
    }
}

#[test]
fn mapped_addresses_are_ipv4_on_both_sides() {
    let mapped: IpAddr = "::ffff:10.1.2.3".parse().unwrap();
    assert!(IpSet::new(["10.0.0.0/8"]).unwrap().contains(mapped));
    assert!(IpSet::new(["::ffff:10.0.0.0/104"]).unwrap().contains("10.1.2.3".parse().unwrap()));
    // All of IPv6 is not IPv4, however that is spelled; and all of IPv4 is no IPv6.
    let ipv6 = IpSet::new(["::/0"]).unwrap();
    assert!(!ipv6.contains(mapped) && !ipv6.contains("10.1.2.3".parse().unwrap()));
    assert!(ipv6.contains("::10.1.2.3".parse().unwrap()));
    assert!(!IpSet::new(["0.0.0.0/0"]).unwrap().contains("::10.1.2.3".parse().unwrap()));
}

#[test]
fn debug_output_does_not_list_the_prefixes() {
    let shown = format!("{:?}", IpSet::new(["10.0.0.0/8"]).unwrap());
    assert_eq!(shown, "IpSet { len: 1, .. }");
}

#[test]
fn nan_is_in_no_range_and_bounds_none() {
    let float = |value| Number::Float(value);
    for (min, max) in [(Some(f64::NAN), None), (None, Some(f64::NAN)), (Some(0.0), Some(f64::NAN))]
    {
        assert_eq!(Range::new(min.map(float), max.map(float)), Err(RangeFault::Unordered));
    }
    for (min, max) in [(Some(0.0), None), (None, Some(0.0)), (Some(f64::NEG_INFINITY), None)] {
        let range = Range::new(min.map(float), max.map(float)).unwrap();
        assert_eq!(range.check(&float(f64::NAN)), Err(Side::Nowhere));
        assert!(range.contains(&float(-0.0)));
    }
}

#[test]
fn lengths_have_two_ends() {
    assert_eq!(Length::new(0, None), Err(LengthFault::Boundless));
    assert_eq!(Length::new(2, Some(1)), Err(LengthFault::Crossed));
    let length = Length::new(2, Some(3)).unwrap();
    let outcomes = [1, 2, 3, 4].map(|n| length.check(n));
    assert_eq!(outcomes, [Err(Misfit::Short), Ok(()), Ok(()), Err(Misfit::Long)]);
    assert_eq!(Length::new(1, None).unwrap().check(usize::MAX), Ok(()));
    assert_eq!(Length::new(0, Some(0)).unwrap().check(0), Ok(()));
}

#[test]
fn allow_lists_compare_as_sets_and_do_not_show_their_values() {
    let list = AllowList::new(["EUR", "USD", "EUR"]).unwrap();
    assert_eq!(list, AllowList::new(["USD", "EUR"]).unwrap());
    assert_ne!(list, AllowList::new(["USD"]).unwrap());
    assert_eq!(format!("{list:?}"), "AllowList { len: 2, .. }");
    assert!(list.iter().all(|value| list.contains(value)) && !list.contains("eur"));
}

fn an_integer() -> impl Strategy<Value = i64> {
    let edges = [0, 1 << 53, -(1 << 53), i64::MAX, i64::MIN, 1 << 62];
    let near = (prop::sample::select(edges.to_vec()), -3i64..=3);
    prop_oneof![any::<i64>(), near.prop_map(|(edge, step)| edge.saturating_add(step))]
}

fn a_double() -> impl Strategy<Value = f64> {
    #[expect(clippy::cast_precision_loss, reason = "any double near an integer will do")]
    let near = (an_integer(), -0.75f64..0.75).prop_map(|(int, step)| int as f64 + step);
    prop_oneof![
        any::<f64>(),
        near,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-9.223_372_036_854_775_808e18)
    ]
}

/// The obvious order: rounding an integer to a double keeps it on its side of every double, unless they meet;
/// then the double is whole, and 128 bits hold it.
fn ordering(int: i64, float: f64) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "rounding is the point")]
    let rounded = (int as f64).partial_cmp(&float)?;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and near an i64")]
    Some(rounded.then_with(|| i128::from(int).cmp(&(float as i128))))
}

/// Addresses that meet: few high bits, few low bits, IPv4, IPv6 and mapped.
fn an_address() -> impl Strategy<Value = IpAddr> {
    let v4 = (0u32..8, 0u32..8).prop_map(|(high, low)| Ipv4Addr::from(high << 29 | low));
    let v6 = (0u128..8, 0u128..8).prop_map(|(high, low)| Ipv6Addr::from(high << 125 | low));
    prop_oneof![
        v4.clone().prop_map(IpAddr::V4),
        v4.prop_map(|v4| IpAddr::V6(v4.to_ipv6_mapped())),
        v6.prop_map(IpAddr::V6),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
    ]
}

fn a_prefix() -> impl Strategy<Value = IpNet> {
    (an_address(), 0u8..=128).prop_map(|(address, length)| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new(address, length.min(bits)).unwrap().trunc()
    })
}

/// The slow, obvious answer: every prefix is asked, with mapped space folded into IPv4 by hand.
fn longest(prefixes: &[IpNet], address: IpAddr) -> Option<IpNet> {
    let folded = |net: &IpNet| match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
            IpNet::new(net.addr().to_canonical(), v6.prefix_len() - 96).unwrap()
        }
        _ => *net,
    };
    let covering = prefixes.iter().map(folded).filter(|net| net.contains(&address.to_canonical()));
    covering.max_by_key(IpNet::prefix_len)
}

proptest! {
    #[test]
    fn the_longest_match_is_the_obvious_one(
        prefixes in prop::collection::vec(a_prefix(), 0..40),
        addresses in prop::collection::vec(an_address(), 1..40),
    ) {
        let texts: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
        let set = IpSet::new(texts.iter().map(String::as_str)).unwrap();
        for address in addresses {
            let expected = longest(&prefixes, address);
            prop_assert_eq!(set.longest_match(address), expected);
            prop_assert_eq!(set.contains(address), expected.is_some());
        }
        let again: Vec<String> = set.iter().map(|net| net.to_string()).collect();
        prop_assert_eq!(IpSet::parse(&again.join("\n")).unwrap(), set);
    }

    #[test]
    fn integers_and_doubles_compare_exactly(int in an_integer(), float in a_double()) {
        let found = Number::Int(int).partial_cmp(&Number::Float(float));
        prop_assert_eq!(found, ordering(int, float));
        let mirrored = Number::Float(float).partial_cmp(&Number::Int(int));
        prop_assert_eq!(mirrored, ordering(int, float).map(Ordering::reverse));
        prop_assert_eq!(Number::Int(int) == Number::Float(float), found == Some(Ordering::Equal));
    }

    #[test]
    fn a_range_is_two_comparisons(min: Option<i8>, max: Option<i8>, value: i8) {
        match Range::new(min, max) {
            Ok(range) => {
                let above = min.is_none_or(|min| min <= value);
                let below = max.is_none_or(|max| value <= max);
                prop_assert_eq!(range.contains(&value), above && below);
                prop_assert_eq!(range.check(&value) == Err(Side::Below), !above);
            }
            Err(RangeFault::Boundless) => prop_assert_eq!((min, max), (None, None)),
            Err(RangeFault::Crossed) => prop_assert!(min > max && max.is_some()),
            Err(RangeFault::Unordered) => prop_assert!(false, "integers have an order"),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}|[0-9a-f:./%]{0,50}") {
        let address = parse_address(&text);
        if let Ok(address) = address {
            prop_assert_eq!(parse_prefix(&text).unwrap().addr(), address);
            prop_assert_eq!(text.parse::<IpAddr>().unwrap().to_canonical(), address);
        }
    }
}
