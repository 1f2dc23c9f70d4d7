//! Our own cases, as data.

use std::path::Path;

use secval::schema::{
    CompileError, Dialect, FormatRule, Formats, Options, SchemaId, Set, SetBuilder, Violation,
};
use serde_json::Value;

use super::document;
use super::first::is_listed;
use super::suite::read;

fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema").join(name);
    let cases = read(&path).as_array().expect("a list").clone();
    assert!(!cases.is_empty());
    cases
}

fn options(case: &Value) -> Options {
    let dialect = case
        .get("dialect")
        .map(|name| Dialect::from_name(name.as_str().expect("a name")).expect("a draft"));
    let rule = |text: &Value| match text.as_str().expect("a pattern") {
        "any" => FormatRule::Any,
        pattern => FormatRule::Pattern(pattern.to_owned()),
    };
    let custom = case.get("formats").and_then(Value::as_object).into_iter().flatten();
    let custom = custom.map(|(name, text)| (name.clone(), rule(text))).collect();
    let openapi = case.get("openapi") == Some(&Value::Bool(true));
    let closed = case.get("closed") == Some(&Value::Bool(true));
    Options { dialect, closed, formats: Formats { asserted: true, custom, openapi } }
}

fn place(violation: &Violation) -> (&str, &str, &str) {
    (&violation.pointer, &violation.declared, violation.keyword)
}

fn pair(list: &Value) -> (&String, &str) {
    let (Value::String(pointer), Value::String(keyword)) = (&list[0], &list[1]) else { panic!() };
    (pointer, keyword)
}

fn compile(schema: &Value, options: &Options) -> Result<(Set, SchemaId), Vec<CompileError>> {
    let mut builder = SetBuilder::new();
    let id = builder.add(schema, None, options)?;
    Ok((builder.build()?, id))
}

/// The first violation, the same by every way to ask.
fn first(set: &Set, id: SchemaId, value: &Value) -> Option<Violation> {
    let document = document(value);
    let judged = set.judge_value(id, document.root()).err();
    let listed = set.violations(id, document.root(), 100);
    assert_eq!(judged.is_some(), !listed.is_empty(), "{value}");
    if let Some(violation) = &judged {
        assert_eq!(is_listed(set, id, document.root(), violation), Ok(()), "{value}");
        assert_eq!(set.violations(id, document.root(), 1).len(), 1);
    }
    assert!(set.violations(id, document.root(), 0).is_empty());
    assert_eq!(set.differences(), 0);
    judged
}

#[test]
fn closed_schemas_refuse_what_is_not_declared() {
    for case in cases("closed.json") {
        let about = &case["about"];
        let options = Options { closed: true, ..options(&case) };
        let (set, id) = compile(&case["schema"], &options)
            .unwrap_or_else(|faults| panic!("{about}: {faults:?}"));
        let (open, same) =
            compile(&case["schema"], &Options { closed: false, ..options }).expect("open");
        for value in case["valid"].as_array().expect("a list") {
            assert_eq!(first(&set, id, value), None, "{about}: {value}");
            assert_eq!(first(&open, same, value), None, "{about}: {value} when open");
        }
        for pair in case["invalid"].as_array().expect("a list") {
            let (value, pointer) = (&pair[0], pair[1].as_str().expect("a pointer"));
            let violation =
                first(&set, id, value).unwrap_or_else(|| panic!("{about}: {value} was allowed"));
            assert_eq!(violation.pointer, pointer, "{about}: {value}");
        }
    }
}

#[test]
fn every_violation_has_its_place_and_tells_nothing() {
    for case in cases("violations.json") {
        let (set, id) =
            compile(&case["schema"], &options(&case)).unwrap_or_else(|f| panic!("{case}: {f:?}"));
        let violation =
            first(&set, id, &case["value"]).unwrap_or_else(|| panic!("{case}: allowed"));
        let [listed] = &*set.violations(id, document(&case["value"]).root(), 1) else { panic!() };
        assert_eq!(listed.pointer, case["pointer"], "{case}");
        assert_eq!(listed.declared, *case.get("declared").unwrap_or(&case["pointer"]), "{case}");
        assert_eq!(listed.keyword, case["keyword"], "{case}");
        match case.get("first") {
            None => assert_eq!(place(&violation), place(listed), "{case}"),
            Some(first) => {
                assert_eq!((&violation.pointer, violation.keyword), pair(first), "{case}");
            }
        }
        assert!(
            violation.code.starts_with("schema.") && violation.code != "schema.schema",
            "{violation:?}"
        );
        for secret in ["secret", "4711", "sesame", "poppy"] {
            assert!(!violation.message.contains(secret), "{violation:?}");
            assert!(!violation.declared.contains(secret), "{violation:?}");
        }
    }
}

#[test]
fn faults_of_a_schema_are_told_together() {
    for case in cases("faults.json") {
        let about = &case["about"];
        let Err(faults) = compile(&case["schema"], &options(&case)) else {
            panic!("{about}: compiles")
        };
        let expected = case["faults"].as_array().expect("a list");
        for fault in expected {
            let (pointer, part) =
                (fault[0].as_str().expect("a pointer"), fault[1].as_str().expect("a part"));
            let there = |f: &&CompileError| f.pointer == pointer && f.message.contains(part);
            assert!(faults.iter().any(|f| there(&f)), "{about}: no {pointer} {part} in {faults:?}");
        }
        let told: std::collections::BTreeSet<_> =
            faults.iter().map(|fault| &fault.pointer).collect();
        assert!(told.len() <= expected.len(), "{about}: more than expected: {faults:?}");
    }
}

#[test]
fn formats_mean_what_the_options_say() {
    for case in cases("formats.json") {
        let (set, id) =
            compile(&case["schema"], &options(&case)).unwrap_or_else(|f| panic!("{case}: {f:?}"));
        for value in case["valid"].as_array().expect("a list") {
            assert_eq!(first(&set, id, value), None, "{case}: {value}");
        }
        for value in case["invalid"].as_array().expect("a list") {
            let violation =
                first(&set, id, value).unwrap_or_else(|| panic!("{case}: {value} was allowed"));
            assert_eq!(violation.keyword, "format", "{case}: {value}");
        }
    }
}
