//! Every state of a scene: what loom cannot try.
//!
//! The limiter's own code is asked, access for access, what it does next ([`code`]); all its accesses are `SeqCst`, so each
//! of its runs is some order of them, and all orders are looked at ([`search`]), with the clock moving between any two.
//! A thread may stop for ever at any access: the others go on without it in some order, and in each state somebody who
//! comes alone is asked what he finds. What is not covered: more threads and hits than the scenes have ([`walk`] has some
//! more, by chance), and hits that begin more often than a scene says.

use secval::limit::planted::{Fault, with};

use crate::scene::Scene;
use search::{Judge, search};

mod code;
mod machine;
mod search;
mod state;
mod story;
#[cfg(not(feature = "whole"))]
mod tiny;
#[cfg(feature = "whole")]
mod walk;
#[cfg(feature = "whole")]
mod whole;

/// More states than any scene has: they are a few hundred megabytes.
const MOST: usize = 8_000_000;

/// What is expected of a scene: at least so many states, and so many hits admitted on some way; half the states that it had
/// when it was written, so that nothing is passed over unseen.
fn holds(scene: &Scene, judge: Judge, states: usize, admitted: usize) {
    match search(scene, judge, MOST) {
        Ok(seen) => {
            println!("{seen:?}");
            assert!(seen.states >= states && seen.ends > 0 && seen.depth > 1, "too few: {seen:?}");
            assert_eq!(seen.admitted, admitted, "{seen:?}");
        }
        Err(story) => panic!("{story}"),
    }
}

/// Every one of these scenes finds its fault.
fn each_is_found(found: &[(Fault, &Scene)]) {
    for &(fault, scene) in found {
        match with(Some(fault), || search(scene, Judge::Stopped, MOST)) {
            Ok(seen) => panic!("{fault:?} is not found: {seen:?}"),
            Err(story) => println!("{fault:?}: {story}\n"),
        }
    }
}
