//! A request from its head to its verdict.

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use secval::clock::SystemClock;

use crate::inputs::{self, Dice, head};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let gate = inputs::gate(Arc::new(SystemClock));
    let mut group = criterion.benchmark_group("gate");
    let get = head("GET", "/v1/orders?limit=20&currency=EUR", &[]);
    assert!(gate.judge(&get, b"").is_allowed(), "it is declared");
    group.bench_function("get", |bencher| bencher.iter(|| gate.judge(black_box(&get), b"")));
    let unknown = head("GET", "/v1/.env", &[]);
    assert!(!gate.judge(&unknown, b"").is_allowed(), "it is not declared");
    group
        .bench_function("unknown", |bencher| bencher.iter(|| gate.judge(black_box(&unknown), b"")));
    for size in [300, 3000, 30_000] {
        let body = inputs::order(&mut dice, size);
        let length = body.len().to_string();
        let headers = inputs::json_headers(&length);
        let post = head("POST", "/v1/orders", &headers);
        assert!(gate.judge(&post, &body).is_allowed(), "it is declared");
        group.bench_function(format!("post_{size}"), |bencher| {
            bencher.iter(|| gate.judge(black_box(&post), &body));
        });
    }
    group.finish();
}
