//! Fixed scenarios whose instructions are counted under callgrind; `count.py` beside this file runs them.
//!
//! A scenario prepares its input, runs once so that lazy parts are set up, and then runs inside [`counted`], the
//! only function that callgrind collects in. Each is small and about one thing, so that the function it is
//! named for is most of what is counted: a slowdown of that function shows undiluted.

#[path = "../rust/inputs.rs"]
#[expect(dead_code, reason = "shared with the criterion groups, which use the rest")]
mod inputs;
mod scenarios;

use std::process::ExitCode;

/// What callgrind collects in (`--toggle-collect`): its name is part of the command line of `count.py`.
#[inline(never)]
fn secval_counted_region(work: &mut dyn FnMut()) {
    work();
    // Not a tail call, or leaving this function would not be seen.
    std::hint::black_box(());
}

#[expect(clippy::print_stdout, reason = "a command prints")]
fn main() -> ExitCode {
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(name) = name else {
        for (name, _) in scenarios::ALL {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((_, prepare)) = scenarios::ALL.iter().find(|(known, _)| *known == name) else {
        println!("no scenario of this name; without a name they are listed");
        return ExitCode::from(2);
    };
    let mut work = prepare();
    work();
    secval_counted_region(&mut *work);
    ExitCode::SUCCESS
}
