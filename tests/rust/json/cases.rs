//! `tests/data/json`: each reason to refuse a text, and what is accepted. Python reads the same files.

use std::collections::BTreeSet;

use secval::json::{Limits, place};
use secval::reason::Reason;
use serde_json::Value;

use super::{oracle, read, tree};

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/json/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_json::from_str(&text).expect(&path)
}

/// The text of a case, or its bytes in hexadecimal where it is no UTF-8.
fn text(case: &Value) -> Vec<u8> {
    match (case["text"].as_str(), case["hex"].as_str()) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(hex)) => {
            hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
        }
        _ => panic!("a case has either text or hex: {case}"),
    }
}

fn limits(case: &Value) -> Limits {
    let mut limits = Limits::default();
    for (name, ceiling) in case["limits"].as_object().into_iter().flatten() {
        let ceiling = usize::try_from(ceiling.as_u64().expect("a ceiling")).expect("a ceiling");
        match name.as_str() {
            "max_depth" => limits.max_depth = ceiling,
            "max_bytes" => limits.max_bytes = Some(ceiling),
            "max_nodes" => limits.max_nodes = Some(ceiling),
            "max_members" => limits.max_members = Some(ceiling),
            "max_string_bytes" => limits.max_string_bytes = Some(ceiling),
            "max_number_chars" => limits.max_number_chars = ceiling,
            _ => panic!("no such ceiling: {name}"),
        }
    }
    limits
}

#[test]
fn every_refusal_has_its_reason_and_place() {
    for case in cases("refused.json") {
        let text = text(&case);
        let error = read(&text, &limits(&case)).map(|_| ()).expect_err(&case.to_string());
        let place = place(&text, error.offset());
        let found = serde_json::json!({
            "reason": error.reason().code(), "offset": error.offset(), "pos": place.position,
            "line": place.line, "column": place.column, "pointer": place.pointer,
        });
        for (key, value) in found.as_object().expect("an object") {
            assert_eq!(&case[key], value, "{key} of {case}");
        }
    }
}

#[test]
fn every_reason_has_a_case() {
    let cases = cases("refused.json");
    let seen: BTreeSet<_> = cases.iter().filter_map(|case| case["reason"].as_str()).collect();
    let known = Reason::all().map(Reason::code).filter(|code| code.starts_with("json."));
    assert_eq!(seen, known.collect::<BTreeSet<_>>());
}

#[test]
fn what_is_json_is_read_as_the_oracle_reads_it() {
    for case in cases("accepted.json") {
        let bytes = text(&case);
        let document = read(&bytes, &limits(&case)).unwrap_or_else(|e| panic!("{e}: {case}"));
        let oracle = oracle::read(std::str::from_utf8(&bytes).expect("UTF-8"));
        assert_eq!(tree(document.root()), oracle.expect("a value").node, "{case}");
        let serde: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(document.to_serde().expect("not too deep"), serde, "{case}");
    }
}
