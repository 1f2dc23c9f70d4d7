//! Any request against examples/bookings: nothing panics, and what is allowed is declared, by a slow, obvious reading.

#![no_main]

#[path = "../../rust/gate/hostile.rs"]
mod hostile;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use secval::clock::ManualClock;
use secval::gate::{Answer, Gate};
use secval::policy::Policy;

/// Longer than the longest window of the example's rates.
const LATER: u64 = 4_000_000;

/// The limiter's clock ends after 34 years; so many steps are a third of that.
const STEPS: u32 = 80_000;

struct World {
    clock: Arc<ManualClock>,
    gate: Gate,
    steps: u32,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(604_800_000, 1_767_323_045_000));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/bookings/secval.toml");
        let policy = Policy::load(&path).expect("the example's policy");
        let gate = Gate::new(policy, Arc::clone(&clock) as _).expect("a gate");
        Self { clock, gate, steps: 0 }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

fuzz_target!(|bytes: &[u8]| {
    WORLD.with_borrow_mut(|world| {
        world.steps += 1;
        if world.steps > STEPS {
            *world = World::new();
        }
        let wild = hostile::request(bytes);
        let check = |verdict| {
            if let Err(wrong) = wild.check(&verdict) {
                panic!("{wrong}: {wild:?}: {verdict:?}");
            }
        };
        world.clock.advance(LATER);
        check(wild.with_head(|head| world.gate.judge(head, &wild.body)));
        world.clock.advance(LATER);
        let mut pending = match wild.with_head(|head| world.gate.head(head)) {
            Answer::Pending(pending) => pending,
            Answer::Final(verdict) => {
                // Without a length in the head there is no body for a head alone.
                if wild.body.is_empty() || !verdict.is_allowed() {
                    check(*verdict);
                }
                return;
            }
        };
        for piece in wild.body.chunks(5) {
            if let Some(verdict) = pending.feed(piece).expect("not spent") {
                return check(verdict);
            }
        }
        check(pending.finish().expect("not spent"));
    });
});
