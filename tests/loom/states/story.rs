//! How a promise came to be broken: each step on a line.

use std::fmt::Write as _;

use secval::sync::checked::Access;

use super::machine::Machine;
use super::search::Known;

/// The shortest way to a state, and why it is wrong.
pub(crate) fn of(machine: &mut Machine<'_>, known: &Known, last: u64, why: &str) -> String {
    let mut way = vec![last];
    let mut hash = last;
    while known[&hash] != hash {
        hash = known[&hash];
        way.push(hash);
    }
    let mut story = format!("{why}\n");
    let Ok(mut state) = machine.first() else { unreachable!("it was there") };
    for &wanted in way.iter().rev().skip(1) {
        for thread in 0..machine.scene().threads.len() {
            let Ok(Some(after)) = machine.stepped(&state, thread) else { continue };
            if after.hash() == wanted {
                let Some((act, access)) = machine.next(&state, thread) else { unreachable!() };
                let answer = machine.answer(&mut state, access);
                let _ = writeln!(story, "{act:?}: {}", step(access, answer));
                state = after;
                break;
            }
        }
    }
    story
}

fn step(access: Access, answer: u64) -> String {
    match access {
        Access::Load { word } => format!("{} is {}", place(word), value(word, answer)),
        Access::Swap { word, old, new } => {
            let result = if answer == 1 { "is now" } else { "was not exchanged for" };
            format!("{}: {} {result} {}", place(word), value(word, old), value(word, new))
        }
        Access::Tell(_) => "gives its slot back".into(),
        Access::Again | Access::Forget { .. } => "starts".into(),
    }
}

/// A word's place in a table of one set: the clock's word, then lines of three; see `layout.rs`.
fn place(word: usize) -> String {
    match word {
        0 => "the clock".into(),
        4 => "the overflow's time".into(),
        5 => "the bans' time".into(),
        19..=20 => format!("tag {}", word - 19),
        22..=27 => format!("line {} word {}", (word - 22) / 3, (word - 22) % 3),
        28.. => format!("cell {}", word - 28),
        _ => format!("word {word}"),
    }
}

fn value(word: usize, value: u64) -> String {
    match word {
        19..=20 => {
            let state = ["free", "born", "live", "dying"][(value & 3) as usize];
            let (hash, rule) = (value >> 52, value >> 16 & 0xff);
            format!("{hash:03x} of rule {rule}, version {}, {state}", value >> 2 & 0x3fff)
        }
        22..=27 => format!("{} at {}", value & 0xff_ffff, value >> 24),
        28.. => {
            let (current, previous) = (value >> 14 & 0x3fff, value & 0x3fff);
            format!("{current}, {previous} before epoch {}", value >> 28 & 0x7fff_ffff)
        }
        _ => value.to_string(),
    }
}
