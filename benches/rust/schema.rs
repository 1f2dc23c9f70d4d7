//! A body against a compiled schema, by the size of the body and by whether it is valid.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use secval::json::{Limits, Tape};
use secval::schema::{Options, SetBuilder};

use crate::inputs::{self, Dice};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let mut builder = SetBuilder::new();
    let id = builder.add(&inputs::order_schema(), None, &Options::default()).expect("a schema");
    let set = builder.build().expect("a set");
    let valid = |text: &[u8]| set.judge(id, text, &Limits::default(), Tape::default()).is_ok();

    let mut group = criterion.benchmark_group("schema/size");
    for size in [300, 3000, 30_000, 300_000] {
        let text = inputs::order(&mut dice, size);
        assert!(valid(&text), "an order is valid");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &text, |bencher, text| {
            bencher.iter(|| valid(black_box(text)));
        });
    }
    group.finish();

    let text = inputs::unacceptable_order(&mut dice, 3000);
    assert!(!valid(&text), "a quantity is too large");
    criterion.bench_function("schema/refused", |bencher| bencher.iter(|| valid(black_box(&text))));
}
