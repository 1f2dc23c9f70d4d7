//! Method and path to operation, by the number of operations.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use secval::policy::router::{Route, Router};

use crate::inputs::{self, Dice};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let mut group = criterion.benchmark_group("route");
    for count in [10, 100, 1000, 10_000] {
        let (routes, paths) = inputs::routes(&mut dice, count);
        let route = |(operation, (method, template)): (usize, &(String, String))| Route {
            method: method.clone(),
            template: template.clone(),
            operation,
        };
        let router = Router::new(routes.iter().enumerate().map(route)).expect("routes");
        let mut next = paths.iter().cycle();
        group.bench_with_input(BenchmarkId::new("known", count), &router, |bencher, router| {
            bencher.iter(|| {
                let (method, path) = next.next().expect("a cycle");
                black_box(router.find(method, path));
            });
        });
        group.bench_with_input(BenchmarkId::new("unknown", count), &router, |bencher, router| {
            bencher.iter(|| black_box(router.find("GET", black_box("/v1/nowhere/17/at/all"))));
        });
    }
    group.finish();
}
