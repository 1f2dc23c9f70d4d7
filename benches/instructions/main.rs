//! Fixed scenarios whose instructions are counted under callgrind; `count.py` beside this file runs them.
//!
//! A scenario prepares its input, runs once so that lazy parts are set up, and then runs inside [`counted`], the
//! only function that callgrind collects in. Each is small and about one thing, so that the function it is
//! named for is most of what is counted: a slowdown of that function shows undiluted.

mod arena;
#[path = "../rust/inputs.rs"]
#[expect(dead_code, reason = "shared with the criterion groups, which use the rest")]
mod inputs;
mod scenarios;

use std::process::ExitCode;

#[global_allocator]
static ARENA: arena::Arena = arena::Arena::new();

/// What callgrind collects in (`--toggle-collect`): its name is part of the command line of `count.py`.
#[inline(never)]
fn secval_counted_region(work: &mut dyn FnMut()) {
    work();
    // Not a tail call, or leaving this function would not be seen.
    std::hint::black_box(());
}

/// Stands in for libc's, which seeds the standard library's hash maps: the same seed in every run, or preparing a
/// scenario would leave other holes in the heap each time. (The standard library takes whatever has this name.)
#[expect(unsafe_code, reason = "a symbol of libc")]
// SAFETY: the signature is libc's, and so is what it does; nothing here needs secrets.
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    // SAFETY: the caller says that so many bytes may be written.
    unsafe { buffer.write_bytes(0x5A, length) };
    isize::try_from(length).unwrap_or(0)
}

/// Stands in for libc's too: a request's id is made of it, and its digits are counted.
#[expect(unsafe_code, reason = "a symbol of libc")]
// SAFETY: the signature is libc's; nothing here signals a process.
#[unsafe(no_mangle)]
extern "C" fn getpid() -> i32 {
    4711
}

#[expect(clippy::print_stdout, reason = "a command prints")]
fn main() -> ExitCode {
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(name) = name else {
        for (name, hot, _) in scenarios::ALL {
            println!("{name} {hot}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((.., prepare)) = scenarios::ALL.iter().find(|(known, ..)| *known == name) else {
        println!("no scenario of this name; without a name they are listed");
        return ExitCode::from(2);
    };
    let mut work = prepare();
    work();
    secval_counted_region(&mut *work);
    ExitCode::SUCCESS
}
