//! The core's criterion groups, one module a room: `cargo bench --bench core -- parse`.
//!
//! Wall times of this machine at this moment: they show where time goes and how it grows. To compare two
//! versions, count instructions (`benches/instructions`); to compare with others, `make bench`.

mod check;
mod gate;
mod inputs;
mod limit;
mod parse;
mod plan;
mod route;
mod schema;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = core;
    // Small on purpose: a whole run takes a minute or two, and finer questions are for instruction counts.
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = parse::bench, plan::bench, schema::bench, check::bench, limit::bench, route::bench, gate::bench
}
criterion_main!(core);
