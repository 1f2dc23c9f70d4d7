//! Bytes to a document, by what the bytes are made of and by how many there are.

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use secval::json::{self, Limits, Tape};

use crate::inputs::{self, Dice};

pub(crate) fn bench(criterion: &mut Criterion) {
    let seed = inputs::seed();
    let mut dice = Dice::new(seed);
    let shapes = [
        ("order", inputs::order(&mut dice, 16 << 10)),
        ("strings", inputs::strings(&mut dice, 16 << 10, 40)),
        ("escapes", inputs::escapes(&mut dice, 16 << 10)),
        ("numbers", inputs::numbers(&mut dice, 16 << 10)),
        ("doubles", inputs::doubles(&mut dice, 16 << 10)),
        ("containers", inputs::containers(&mut dice, 16 << 10)),
        ("members", inputs::wide_object(&mut dice, 1000)),
    ];
    let mut group = criterion.benchmark_group("parse/shape");
    for (name, text) in &shapes {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), text, |bencher, text| {
            bencher.iter(|| parse(black_box(text)));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("parse/size");
    for power in [8, 10, 12, 14, 16, 18, 20] {
        let text = inputs::order(&mut dice, 1 << power);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(1 << power), &text, |bencher, text| {
            bencher.iter(|| parse(black_box(text)));
        });
    }
    group.finish();

    if let Some(webhooks) = inputs::webhooks() {
        let mut group = criterion.benchmark_group("parse/webhooks");
        group.throughput(Throughput::Bytes(
            webhooks.iter().map(|(_, body, _)| body.len() as u64).sum(),
        ));
        group.bench_function("all", |bencher| {
            bencher.iter(|| webhooks.iter().for_each(|(_, body, _)| parse(black_box(body))));
        });
        group.finish();
    }
}

fn parse(text: &[u8]) {
    let limits = Limits::default();
    let document = json::parse(Cow::Borrowed(text), &limits, Tape::default());
    black_box(document.expect("an input is valid"));
}
