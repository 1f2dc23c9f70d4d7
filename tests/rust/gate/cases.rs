//! Every reason to refuse has a case as data; the same files are read by `tests/python/test_gate.py`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use secval::reason::Reason;
use serde_json::Value;

use super::harness::files;

/// Without a case as data, since no request can make them: `gate.fault` is a panic, `rate.table_full` a table that
/// somebody has filled; `faults.rs` has them both. `gate.differs` is a defect, made by hand in `src/schema/set.rs`.
const BY_HAND: &[&str] = &["gate.differs", "gate.fault", "rate.table_full"];

#[test]
fn each_case_is_judged_alike_as_a_whole_and_in_pieces() {
    let mut failed = Vec::new();
    // What each failure found stands in the output, which is shown only if there is one.
    let mut run = |label: &str, test: &dyn Fn()| {
        if catch_unwind(AssertUnwindSafe(test)).is_err() {
            failed.push(label.to_owned());
        }
    };
    for file in files() {
        let Some(shared) = file.gate() else { continue };
        for steps in file.cases() {
            if let [step] = steps.as_slice() {
                run(&step.label, &|| step.judge(&shared));
                run(&format!("{} (in pieces)", step.label), &|| step.stream(&shared));
                continue;
            }
            let fresh = file.gate().expect("a gate, as before");
            steps.iter().for_each(|step| run(&step.label, &|| step.judge(&fresh)));
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_reason_has_a_case() {
    let mut seen: BTreeSet<String> = BY_HAND.iter().map(|code| (*code).to_owned()).collect();
    for file in files() {
        reasons(&file.content, &mut seen);
    }
    let json =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json/refused.json");
    let json: Value = serde_json::from_slice(&std::fs::read(json).expect("cases")).expect("JSON");
    reasons(&json, &mut seen);
    let missing: Vec<&str> =
        Reason::all().map(Reason::code).filter(|code| !seen.contains(*code)).collect();
    assert!(missing.is_empty(), "without a case in tests/data: {missing:?}");
    let unknown: Vec<&String> = seen.iter().filter(|c| Reason::from_code(c).is_none()).collect();
    assert!(unknown.is_empty(), "no reason has these codes: {unknown:?}");
}

/// The values of every member named `reason`.
fn reasons(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| reasons(item, found)),
        Value::Object(members) => {
            found.extend(members.get("reason").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| reasons(member, found));
        }
        _ => {}
    }
}
