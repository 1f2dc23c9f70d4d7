//! Plain questions about plain values.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{BenchmarkId, Criterion};
use secval::check::{AllowList, IpSet, Number, Range, parse_address};

use crate::inputs::{self, Dice};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let mut group = criterion.benchmark_group("check");
    let list = AllowList::new(["EUR", "USD", "GBP", "JPY"]).expect("not empty");
    group.bench_function("allow_list", |bencher| {
        bencher.iter(|| list.contains(black_box("GBP")) & list.contains(black_box("XXX")));
    });
    let range = Range::new(Some(Number::Int(1)), Some(Number::Int(999))).expect("bounds");
    group.bench_function("range", |bencher| {
        bencher.iter(|| range.contains(black_box(&Number::Int(500))));
    });
    group.bench_function("parse_address", |bencher| {
        bencher.iter(|| parse_address(black_box("203.0.113.77")));
    });
    group.finish();

    let mut group = criterion.benchmark_group("check/ip_set");
    let asked: Vec<IpAddr> = (0..1024).map(|_| address(&mut dice)).collect();
    for count in [10, 100, 1000, 10_000, 100_000] {
        let prefixes = inputs::prefixes(&mut dice, count);
        let set = IpSet::new(prefixes.iter().map(String::as_str)).expect("prefixes");
        let mut next = asked.iter().cycle();
        group.bench_with_input(BenchmarkId::from_parameter(count), &set, |bencher, set| {
            bencher.iter(|| set.contains(black_box(*next.next().expect("a cycle"))));
        });
    }
    group.finish();
}

fn address(dice: &mut Dice) -> IpAddr {
    Ipv4Addr::from(u32::try_from(dice.next() >> 32).unwrap_or(0)).into()
}
