//! The parser's buffers, one set a thread, used again from request to request.

#![forbid(unsafe_code)]

use std::cell::Cell;

use crate::json::Tape;

thread_local! {
    static SPARE: Cell<Option<Tape>> = const { Cell::new(None) };
}

/// This thread's spare buffers, or new ones.
pub(super) fn take() -> Tape {
    SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

/// Keeps buffers for the next request of this thread.
pub(super) fn give(tape: Tape) {
    // Fails only while the thread ends, when nobody needs them any more.
    let _ = SPARE.try_with(|spare| spare.set(Some(tape)));
}
