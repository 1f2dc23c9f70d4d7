//! How a promise came to be broken: each step on a line.

use std::fmt::Write as _;

use secval::sync::checked::Access;

use super::machine::Machine;
use super::search::Known;
use crate::scene::PARTS;

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

/// Words of a line, and lines of a set.
const LINE: usize = PARTS + 2;
const WAYS: usize = if cfg!(feature = "whole") { 8 } else { 2 };

/// The tags, after the clock's word: three lines of header, and three rules of two words. See `layout.rs`.
const TAGS: usize = 1 + (3 + 3_usize.div_ceil(LINE / 2)) * LINE;
const LINES: usize = TAGS + LINE;
const CELLS: usize = LINES + WAYS * LINE;

/// What there is at a place of a table of one set.
#[derive(Clone, Copy)]
enum Place {
    Clock,
    OverflowTime,
    BansTime,
    Tag(usize),
    Word(usize, usize),
    Cell(usize),
    Other,
}

impl Place {
    fn of(word: usize) -> Self {
        const TIMES: usize = 1 + LINE;
        const BANS: usize = TIMES + 1;
        match word {
            0 => Self::Clock,
            TIMES => Self::OverflowTime,
            BANS => Self::BansTime,
            CELLS.. => Self::Cell(word - CELLS),
            LINES.. => Self::Word((word - LINES) / LINE, (word - LINES) % LINE),
            TAGS.. => Self::Tag(word - TAGS),
            _ => Self::Other,
        }
    }
}

fn place(word: usize) -> String {
    match Place::of(word) {
        Place::Clock => "the clock".into(),
        Place::OverflowTime => "the overflow's time".into(),
        Place::BansTime => "the bans' time".into(),
        Place::Tag(way) => format!("tag {way}"),
        Place::Word(way, index) => format!("line {way} word {index}"),
        Place::Cell(cell) => format!("cell {cell}"),
        Place::Other => format!("word {word}"),
    }
}

fn value(word: usize, value: u64) -> String {
    match Place::of(word) {
        Place::Tag(_) => {
            let state = ["free", "born", "live", "dying"][(value & 3) as usize];
            let (hash, rule) = (value >> 52, value >> 16 & 0xff);
            format!("{hash:03x} of rule {rule}, version {}, {state}", value >> 2 & 0x3fff)
        }
        Place::Word(..) => format!("{} at {}", value & 0xff_ffff, value >> 24),
        Place::Cell(_) => {
            let (current, previous) = (value >> 14 & 0x3fff, value & 0x3fff);
            format!("{current}, {previous} before epoch {}", value >> 28 & 0x7fff_ffff)
        }
        Place::Clock | Place::OverflowTime | Place::BansTime | Place::Other => value.to_string(),
    }
}
