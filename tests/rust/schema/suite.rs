//! JSON-Schema-Test-Suite: all required tests of the five drafts, and the optional ones but for those listed in
//! `tests/data/schema/suite.json`, each with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use secval::json::Tape;
use secval::schema::{Dialect, Fault, Formats, Options, SchemaId, Set, SetBuilder};
use serde_json::Value;

use super::first::is_listed;
use super::{document, generous};

const DRAFTS: &[(&str, Dialect)] = &[
    ("draft4", Dialect::Draft4),
    ("draft6", Dialect::Draft6),
    ("draft7", Dialect::Draft7),
    ("draft2019-09", Dialect::Draft201909),
    ("draft2020-12", Dialect::Draft202012),
];

/// Where the suite is; `None`, and a word about it, where it is not. In CI it must be there.
pub(super) fn suite() -> Option<PathBuf> {
    let root = std::env::var_os("SECVAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let suite = root.join("json-schema-test-suite");
    if suite.is_dir() {
        return Some(suite);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "JSON-Schema-Test-Suite is not at {}",
        suite.display()
    );
    println!("skipped: JSON-Schema-Test-Suite is not at {}", suite.display());
    None
}

pub(super) fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A builder that knows the remote documents of a draft, and those of other drafts that it refers to.
fn builder(suite: &Path, schema: &Value) -> SetBuilder {
    let remotes = suite.join("remotes");
    let mut builder = SetBuilder::new();
    if !schema.to_string().contains("localhost:1234") {
        return builder;
    }
    for path in files(&remotes) {
        let name =
            path.strip_prefix(&remotes).expect("below the remotes").to_str().expect("a name");
        // Drafts that are not offered, and would be unknown.
        if name.starts_with("draft3/") || name.starts_with("v1/") {
            continue;
        }
        builder.resource(&format!("http://localhost:1234/{name}"), read(&path));
    }
    builder
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    /// Exceptions that were met.
    met: BTreeSet<usize>,
}

/// One entry of `suite.json`: where it applies, and why.
struct Exception {
    draft: String,
    file: String,
    case: String,
    test: Option<String>,
}

fn exceptions() -> Vec<Exception> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema/suite.json");
    let text = |entry: &Value, key| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = read(&path);
    let entries = list.as_array().expect("a list").iter();
    let exception = |entry: &Value| {
        assert!(
            text(entry, "reason").is_some_and(|reason| !reason.is_empty()),
            "{entry}: no reason"
        );
        Exception {
            draft: text(entry, "draft").expect("a draft, or *"),
            file: text(entry, "file").expect("a file"),
            case: text(entry, "case").expect("a case, or *"),
            test: text(entry, "test"),
        }
    };
    entries.map(exception).collect()
}

struct Run<'a> {
    draft: &'a str,
    dialect: Dialect,
    file: String,
    formats: bool,
    exceptions: &'a [Exception],
    tally: &'a mut Tally,
}

impl Run<'_> {
    fn excepted(&mut self, case: &str, test: Option<&str>) -> bool {
        let meets = |e: &Exception| {
            (e.draft == "*" || e.draft == self.draft)
                && e.file == self.file
                && (e.case == "*" || e.case == case)
                && (e.test.is_none() || e.test.as_deref() == test)
        };
        let found = self.exceptions.iter().position(meets);
        self.tally.met.extend(found);
        found.is_some()
    }

    fn case(&mut self, suite: &Path, case: &Value) {
        let name = case["description"].as_str().expect("a description");
        let at = format!("{} {} {name:?}", self.draft, self.file);
        let formats = Formats { asserted: self.formats, ..Formats::default() };
        let options = Options { dialect: Some(self.dialect), formats, ..Options::default() };
        let mut builder = builder(suite, &case["schema"]);
        let id = match builder.add(&case["schema"], None, &options) {
            Ok(id) => id,
            Err(_) if self.excepted(name, None) => return,
            Err(faults) => {
                return self.tally.failed.push(format!("{at}: does not compile: {faults:?}"));
            }
        };
        let set = builder.build().expect("a set");
        for test in case["tests"].as_array().expect("tests") {
            let label = test["description"].as_str().expect("a description");
            let expected = test["valid"].as_bool().expect("valid");
            match agree(&set, id, &test["data"], expected) {
                Ok(()) => self.tally.passed += 1,
                Err(_) if self.excepted(name, Some(label)) => {}
                Err(what) => self.tally.failed.push(format!("{at} {label:?}: {what}")),
            }
        }
    }
}

/// Every way to judge a value gives the expected answer.
fn agree(set: &Set, id: SchemaId, data: &Value, expected: bool) -> Result<(), String> {
    let document = document(data);
    let judged = set.judge_value(id, document.root());
    if judged.is_ok() != expected {
        return Err(format!("expected {expected}, got {judged:?}"));
    }
    if let Err(first) = &judged {
        is_listed(set, id, document.root(), first)?;
    }
    // While it is read, and again when the order of its members is known.
    for _ in 0..2 {
        let text = document.text();
        let read = set.judge(id, text, &generous(), Tape::default());
        if read.is_ok() != expected {
            return Err(format!("expected {expected}, got {read:?} while reading"));
        }
        if let (Err(Fault::Schema(read)), Err(walked)) = (read, &judged)
            && *read != *walked
        {
            return Err(format!("{read:?} while reading, and {walked:?}"));
        }
    }
    let listed = set.violations(id, document.root(), 100);
    if listed.is_empty() != expected {
        return Err(format!("expected {expected}, listed {listed:?}"));
    }
    Ok(())
}

fn run(optional: bool) -> Option<Tally> {
    let suite = suite()?;
    let exceptions = exceptions();
    let mut tally = Tally::default();
    for (draft, dialect) in DRAFTS {
        let folder = suite.join("tests").join(draft);
        for path in files(&folder) {
            let file =
                path.strip_prefix(&folder).expect("below").to_str().expect("a name").to_owned();
            if file.starts_with("optional") != optional {
                continue;
            }
            let formats = file.starts_with("optional/format");
            let (dialect, exceptions, tally) = (*dialect, exceptions.as_slice(), &mut tally);
            let mut run = Run { draft, dialect, file, formats, exceptions, tally };
            for case in read(&path).as_array().expect("cases") {
                run.case(&suite, case);
            }
        }
    }
    assert!(tally.failed.is_empty(), "{} failed:\n{}", tally.failed.len(), tally.failed.join("\n"));
    Some(tally)
}

#[test]
fn all_required_tests_pass() {
    let Some(tally) = run(false) else { return };
    assert!(tally.passed > 4900, "only {} tests were found", tally.passed);
    assert!(tally.met.is_empty(), "a required test may not be excepted");
}

#[test]
fn optional_tests_pass_but_for_the_listed() {
    let Some(tally) = run(true) else { return };
    assert!(tally.passed > 3000, "only {} tests were found", tally.passed);
    for (index, exception) in exceptions().iter().enumerate() {
        let label = format!(
            "{} {} {:?} {:?}",
            exception.draft, exception.file, exception.case, exception.test
        );
        assert!(tally.met.contains(&index), "an exception that is not needed: {label}");
    }
}
