//! What a panic says.
//!
//! A panic is a fault of secval's own, and ends in a refusal or an exception, never the process. Its message may
//! repeat what was submitted (a slice that is out of range quotes its text), so the one line that goes to
//! standard error names the place in our source and nothing else.

use std::io::Write;
use std::panic::set_hook;

/// Sets the hook: this library's own, since each extension module has its copy of the standard library.
pub(super) fn say_only_where() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr(), "secval: a fault of its own{place}; please report it");
    }));
}
