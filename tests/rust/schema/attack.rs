//! Values that were made to cost: what a schema's author allows, and no author thought of. Each is answered, or refused by
//! a ceiling; what is counted are questions, and time only where a mistake would take minutes.

use std::borrow::Cow;

use secval::json::{Limits, Tape, parse};
use secval::schema::{Fault, Options, SchemaId, Set, SetBuilder, Violation};
use serde_json::{Value, json};

use super::generous;

fn set(schema: &Value, closed: bool) -> (Set, SchemaId) {
    let mut builder = SetBuilder::new();
    let options = Options { closed, ..Options::default() };
    let id = builder.add(schema, None, &options).expect("a schema");
    (builder.build().expect("a set"), id)
}

/// What a text is told, while it is read and as a list, on a thread with a small stack.
fn judged(schema: Value, closed: bool, text: String) -> (Option<Violation>, Vec<Violation>) {
    let judge = move || {
        let (set, id) = set(&schema, closed);
        let text = text.as_bytes();
        let first = match set.judge(id, text, &generous(), Tape::default()) {
            Ok(_) => None,
            Err(Fault::Schema(violation)) => Some(*violation),
            Err(Fault::Json(error)) => panic!("{error}"),
        };
        let document = parse(Cow::Borrowed(text), &generous(), Tape::default()).expect("JSON");
        let listed = set.violations(id, document.root(), 20);
        assert_eq!(first.is_none(), listed.is_empty(), "{first:?} {listed:?}");
        assert_eq!(set.differences(), 0);
        (first, listed)
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(judge);
    thread.expect("a thread").join().expect("an answer")
}

fn keyword(schema: Value, text: String) -> Option<&'static str> {
    judged(schema, false, text).0.map(|violation| violation.keyword)
}

fn nested(open: &str, end: &str, close: &str, levels: usize) -> String {
    format!("{}{end}{}", open.repeat(levels), close.repeat(levels))
}

/// Each level may follow two schemas, and both lead on: whoever remembers no answers asks 2^depth questions.
fn branching() -> Value {
    let branch =
        |name| json!({"type": "object", "properties": {"k": {"$ref": "#"}}, "required": [name]});
    json!({"oneOf": [branch("k"), branch("j"), {"type": "integer"}]})
}

#[test]
fn branches_that_lead_on_are_not_tried_again_and_again() {
    assert_eq!(keyword(branching(), nested("{\"k\":", "1", "}", 64)), None);
    let (first, listed) = judged(branching(), false, nested("{\"k\":", "\"x\"", "}", 64));
    assert_eq!(first.map(|v| v.keyword), Some("oneOf"));
    // The arbiter gives up, and what the plan knows is told, and that it may not be all.
    let keywords: Vec<_> = listed.iter().map(|violation| violation.keyword).collect();
    assert_eq!(keywords, ["oneOf", "steps"]);
}

#[test]
fn the_arbiter_alone_gives_up_and_says_so() {
    let mut schema = branching();
    // What it contains is evaluated, and that depends on the value.
    schema["oneOf"][0]["unevaluatedItems"] = json!(false);
    schema["oneOf"][0]["contains"] = json!({});
    let (first, listed) = judged(schema, false, nested("{\"k\":", "\"x\"", "}", 64));
    assert_eq!(first.map(|v| v.keyword), Some("steps"));
    assert_eq!(listed[0].code, "schema.steps");
}

#[test]
fn hundreds_of_branches_for_thousands_of_items_are_refused_or_answered() {
    // Nothing tells these apart but looking at each.
    let branches: Vec<Value> = (0..400).map(|n| json!({"required": [format!("m{n}")]})).collect();
    let schema = json!({"items": {"oneOf": branches}});
    let items = |count: usize| format!("[{}]", vec!["{\"m399\":1}"; count].join(","));
    assert_eq!(keyword(schema.clone(), items(1000)), None);
    assert_eq!(keyword(schema, items(40_000)), Some("steps"));
}

#[test]
fn hundreds_of_branches_that_a_constant_tells_apart_are_one() {
    let branches: Vec<Value> = (0..400)
        .map(|n| json!({"properties": {"kind": {"const": n}, "a": {"items": {"$ref": "#"}}}, "required": ["kind"]}))
        .collect();
    let schema = json!({"oneOf": branches});
    let many = |last: &str| {
        let items = vec!["{\"kind\":399,\"a\":[{\"kind\":7}]}"; 40_000].join(",");
        format!("{{\"a\":[{items},{last}],\"kind\":1}}")
    };
    assert_eq!(keyword(schema.clone(), many("{\"kind\":0}")), None);
    assert_eq!(keyword(schema.clone(), many("{\"kind\":400}")), Some("oneOf"));
    // Each level is followed once, however deep it is.
    assert_eq!(
        keyword(schema, nested("{\"kind\":3,\"a\":[", "{\"kind\":1.0}", "]}", 20_000)),
        None
    );
}

#[test]
fn where_the_arbiter_breaks_the_value_is_refused() {
    let lost = json!({
        "unevaluatedProperties": {},
        "$dynamicRef": "#dx",
        "$defs": {
            "x": {"patternProperties": {"^.{1,2}$": {"$dynamicRef": "#/$defs/y"}}, "$dynamicAnchor": "dx"},
            "y": {"$dynamicRef": "#dx", "maxProperties": 1},
        },
    });
    let text = "{\"ab\":{\"b\":{\"c\":true,\"ab\":true}}}";
    let (first, listed) = judged(lost.clone(), false, text.to_owned());
    // Where it does not break it says so, too: two members are too many.
    for violation in first.iter().chain(&listed) {
        assert!(["$ref", "maxProperties", "steps"].contains(&violation.keyword), "{violation:?}");
    }
    assert!(first.is_some());
    assert_eq!(keyword(lost, "5".to_owned()), None);
}

#[test]
fn a_hundred_thousand_levels_cost_no_stack() {
    let lists = json!({"items": {"$ref": "#"}, "not": {"const": 1}});
    let (first, listed) = judged(lists, false, nested("[", "1", "]", 100_000));
    let first = first.expect("refused");
    assert_eq!((first.keyword, first.pointer.len()), ("not", 200_000));
    assert_eq!(
        listed[0].keyword, "not",
        "the arbiter reads no such depth: what the plan knows is told"
    );
    let (first, _) = judged(json!({"items": {"$ref": "#"}}), true, nested("[", "{}", "]", 100_000));
    assert_eq!(first, None);
}

#[test]
fn a_hundred_thousand_members_are_looked_up_once() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let required: Vec<String> = (0..1000).map(|n| format!("m{n}")).collect();
    let needs = json!({"required": required, "dependentRequired": {"m1": required}, "not": {"required": required}});
    assert_eq!(keyword(needs, text.clone()), Some("not"));
    let mut lacking = required.clone();
    lacking.push("none".to_owned());
    let implied = json!({"dependentSchemas": {"m1": {"required": lacking}}});
    assert_eq!(keyword(implied, text.clone()), Some("required"));
    let (first, _) = judged(json!({"properties": {"m1": {}}}), true, text);
    assert_eq!(first.expect("undeclared").keyword, "unevaluatedProperties");
}

#[test]
fn a_hundred_thousand_objects_are_told_apart_once() {
    let items: Vec<String> = (0..100_000).map(|n| format!("{{\"n\":{n},\"a\":[{n}]}}")).collect();
    let unique = json!({"uniqueItems": true});
    assert_eq!(keyword(unique.clone(), format!("[{}]", items.join(","))), None);
    let twice = format!("[{},{{\"a\":[7.0],\"n\":0.7e1}}]", items.join(","));
    assert_eq!(keyword(unique, twice), Some("uniqueItems"));
}

#[test]
fn numbers_of_a_million_digits_take_time_linear_in_them() {
    let digits = format!("1{}7", "0".repeat(1_000_000));
    let divisor = "1234567890123456789012345678901";
    let schema: Value = serde_json::from_str(&format!(
        r#"{{"items": {{"minimum": 5, "exclusiveMaximum": 1e1000002, "multipleOf": 7, "not": {{"multipleOf": {divisor}}}}}, "uniqueItems": true}}"#
    ))
    .expect("a schema");
    let text = format!("[{digits}, {digits}0]");
    let (set, id) = set(&schema, false);
    let judged = set.judge(id, text.as_bytes(), &generous(), Tape::default());
    let Err(Fault::Schema(first)) = judged else { panic!("{judged:?}") };
    assert_eq!((first.pointer.as_str(), first.keyword), ("/0", "multipleOf"));
}

#[test]
fn names_that_meet_in_the_table_of_the_plan_are_told_apart() {
    // Declared names meet by the author's doing alone; what is sent is looked up among them, and compared.
    let names: Vec<String> = (0..5000).map(|n| format!("{n:x}")).collect();
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"type": "integer"}))).collect();
    let (set, id) = set(&json!({"properties": properties}), false);
    let text = |value: &str| {
        let members: Vec<String> = names.iter().rev().map(|n| format!("\"{n}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let judge =
        |text: String| set.judge(id, text.as_bytes(), &Limits::default(), Tape::default()).is_ok();
    assert!(judge(text("1")));
    assert!(!judge(text("\"1\"")));
}
