//! What is done once: a schema to its plan, a document to its policy, by their sizes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use secval::policy::{Policy, Source};
use secval::schema::{Options, SetBuilder};

use crate::inputs::{self, Dice};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let mut group = criterion.benchmark_group("plan/schema");
    for members in [4, 64, 1024] {
        let schema = inputs::schema(&mut dice, members);
        group.throughput(Throughput::Elements(members as u64));
        group.bench_with_input(BenchmarkId::from_parameter(members), &schema, |bencher, schema| {
            bencher.iter(|| {
                let mut builder = SetBuilder::new();
                let id = builder.add(black_box(schema), None, &Options::default());
                (id.expect("a schema"), builder.build().expect("a set"))
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("plan/policy");
    group.sample_size(10);
    for operations in [10, 100, 1000] {
        let text = inputs::document(&mut dice, operations);
        group.throughput(Throughput::Elements(operations as u64));
        group.bench_with_input(BenchmarkId::from_parameter(operations), &text, |bencher, text| {
            bencher.iter(|| {
                let source = Source::json("api.json", black_box(text)).expect("JSON");
                Policy::compile(source, None).expect("a policy")
            });
        });
    }
    group.finish();
}
