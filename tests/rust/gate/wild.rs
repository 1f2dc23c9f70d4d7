//! Any request at all against examples/bookings: nothing panics, and what is allowed is what the oracle allows.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use secval::clock::ManualClock;
use secval::gate::{Answer, Gate};
use secval::policy::Policy;

use super::hostile::{Wild, request};

/// Longer than the longest window of the example's rates.
const LATER: u64 = 4_000_000;

fn gate(clock: &Arc<ManualClock>) -> Gate {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bookings/secval.toml");
    let policy = Policy::load(&path).unwrap_or_else(|faults| panic!("{faults:#?}"));
    Gate::new(policy, Arc::clone(clock) as _).expect("a gate")
}

thread_local! {
    static ALLOWED: RefCell<std::collections::BTreeMap<String, usize>> = RefCell::default();
}

/// In one piece, and in small ones: both verdicts are right.
fn check(gate: &Gate, clock: &ManualClock, wild: &Wild) -> Result<(), TestCaseError> {
    clock.advance(LATER);
    let whole = wild.with_head(|head| gate.judge(head, &wild.body));
    wild.check(&whole).map_err(TestCaseError::fail)?;
    if let Some(operation) = whole.operation().filter(|_| whole.is_allowed()) {
        ALLOWED.with_borrow_mut(|seen| *seen.entry(operation.name()).or_default() += 1);
    }
    clock.advance(LATER);
    let mut pending = match wild.with_head(|head| gate.head(head)) {
        Answer::Final(verdict) => {
            // Without a length in the head there is no body for a head alone.
            if wild.body.is_empty() {
                prop_assert_eq!(verdict.is_allowed(), whole.is_allowed());
            }
            return Ok(());
        }
        Answer::Pending(pending) => pending,
    };
    for piece in wild.body.chunks(3) {
        if let Some(verdict) = pending.feed(piece).expect("not spent") {
            return wild.check(&verdict).map_err(TestCaseError::fail);
        }
    }
    let streamed = pending.finish().expect("not spent");
    wild.check(&streamed).map_err(TestCaseError::fail)
}

#[test]
fn allows_only_what_is_declared() {
    let clock = Arc::new(ManualClock::new(604_800_000, 1_767_323_045_000));
    let gate = gate(&clock);
    let config = ProptestConfig { cases: 60_000, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let bytes = proptest::collection::vec(any::<u8>(), 0..96);
    let outcome = runner.run(&bytes, |bytes| check(&gate, &clock, &request(&bytes)));
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // A test that nothing passes would hold nothing.
    ALLOWED.with_borrow(|seen| assert!(seen.len() >= 6, "{seen:?}"));
}
