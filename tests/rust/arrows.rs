//! The arrows between the rooms, held over the `use crate::` lines and paths of every source file.
//!
//! A module may name those of lower rows, never its own row's others and never a higher one. pyo3 is named only
//! under `py/`, the `jsonschema` crate only in `schema/`, atomics' `Ordering` only where things race.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of `src/lib.rs`, bottom to top.
const ROWS: &[&[&str]] = &[
    &["reason", "clock", "sync", "seed", "bytes"],
    &["json"],
    &["check", "schema", "limit", "event"],
    &["policy"],
    &["gate"],
    &["py"],
];

/// A word, and the rooms that may name it.
const RESERVED: &[(&str, &[&str])] = &[
    ("pyo3", &["py"]),
    ("jsonschema::", &["schema"]),
    ("atomic::Ordering", &["sync"]),
    ("getrandom::fill", &["seed"]),
    ("getrandom::u64", &["seed"]),
    ("foldhash::fast::RandomState", &["seed"]),
    ("foldhash::quality::RandomState", &["seed", "py"]),
    ("Ordering::SeqCst", &["sync", "limit", "event"]),
    ("Ordering::Relaxed", &["sync", "clock", "limit", "event"]),
    ("Ordering::Acquire", &["limit", "event"]),
    ("Ordering::Release", &["limit", "event"]),
    ("Ordering::AcqRel", &["limit", "event"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn row(room: &str) -> usize {
    let found = ROWS.iter().position(|row| row.contains(&room));
    found.unwrap_or_else(|| panic!("{room} is in no row: add it to ROWS and to src/lib.rs"))
}

/// The rooms that a line of code names, as `crate::room`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Every arrow of one file that is not allowed.
fn faults(room: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        for other in named(code).filter(|other| *other != room) {
            if row(other) >= row(room) {
                faults.push(format!("{}: {room} names {other}", number + 1));
            }
        }
        for (word, rooms) in RESERVED {
            if code.contains(word) && !rooms.contains(&room) {
                faults.push(format!("{}: {room} names {word}", number + 1));
            }
        }
    }
    faults
}

#[test]
fn arrows_go_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut all = Vec::new();
    for path in files {
        let inner = path.strip_prefix(&root).expect("under src");
        let room = inner.iter().next().and_then(|part| part.to_str()).expect("a name");
        let room = room.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        all.extend(faults(room, &text).into_iter().map(|f| format!("{}:{f}", inner.display())));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn a_wrong_arrow_is_seen() {
    assert_eq!(faults("json", "use crate::policy::Policy;"), ["1: json names policy"]);
    assert_eq!(faults("check", "\nlet x = crate::limit::Quota;"), ["2: check names limit"]);
    assert_eq!(faults("gate", "use pyo3::prelude::*;"), ["1: gate names pyo3"]);
    assert!(faults("gate", "use crate::policy::Policy;\n// crate::py is above").is_empty());
}
