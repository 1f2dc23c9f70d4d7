//! The plan held to the `jsonschema` crate itself: real payloads, and thousands of ways to spoil them.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use secval::json::{Limits, Tape, parse};
use secval::schema::{Fault, Options, SchemaId, Set, SetBuilder};
use serde_json::{Value, json};

use crate::schema::first::is_listed;

/// Where the payloads are; `None`, and a word about it, where they are not. In CI they must be there.
fn webhooks() -> Option<PathBuf> {
    let root = std::env::var_os("SECVAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("github-webhooks");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "no payloads at {}", folder.display());
    println!("skipped: no payloads at {}", folder.display());
    None
}

struct Case {
    name: String,
    payload: Value,
    id: SchemaId,
    closed: SchemaId,
    arbiter: jsonschema::Validator,
}

/// All payloads, one set for all of their schemas, and the crate's own validators, which know nothing of ours.
fn cases(folder: &Path) -> (Set, Vec<Case>) {
    let mut builder = SetBuilder::new();
    let mut cases = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(stem) = name.strip_suffix(".schema.json") else { continue };
        let read = |path: &Path| -> Value {
            serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
        };
        let schema = read(&path);
        let id = builder.add(&schema, None, &Options::default()).expect("a schema");
        let closed = Options { closed: true, ..Options::default() };
        let closed = builder.add(&schema, None, &closed).expect("a schema");
        let arbiter = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("a schema of the crate's");
        let payload = read(&folder.join(format!("{stem}.json")));
        cases.push(Case { name: stem.to_owned(), payload, id, closed, arbiter });
    }
    // Every accepted payload is judged by both.
    builder.verify(std::num::NonZeroU64::MIN);
    (builder.build().expect("a set"), cases)
}

fn is_valid(set: &Set, id: SchemaId, text: &[u8]) -> bool {
    match set.judge(id, text, &Limits::default(), Tape::default()) {
        Ok(_) => true,
        Err(Fault::Schema(first)) => {
            let document = parse(Cow::Borrowed(text), &Limits::default(), Tape::default());
            let root = document.as_ref().expect("read before").root();
            let text = String::from_utf8_lossy(text);
            assert_eq!(is_listed(set, id, root, &first), Ok(()), "{text}");
            assert_eq!(set.judge_value(id, root), Err(*first), "{text}");
            false
        }
        Err(Fault::Json(error)) => panic!("{error}: {}", String::from_utf8_lossy(text)),
    }
}

/// Numbers that look random, the same in every run (Steele et al., SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).expect("below a usize")
    }
}

/// The pointers of all values.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let token = name.replace('~', "~0").replace('/', "~1");
                pointers(member, format!("{at}/{token}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(at);
}

/// Spoils one value: another type, a member less, a member more, members in another order, an edge of a number.
fn spoil(payload: &Value, random: &mut Random) -> Value {
    let mut all = Vec::new();
    pointers(payload, String::new(), &mut all);
    let mut copy = payload.clone();
    let at = &all[random.below(all.len())];
    let value = copy.pointer_mut(at).expect("a value");
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.0),
        json!(1.5),
        json!(""),
        json!("text"),
        json!("2020-01-01T00:00:00Z"),
        json!("https://example.com/a"),
        json!([]),
        json!([1, 1]),
        json!({}),
        json!({"id": 1}),
    ];
    match (random.below(5), &mut *value) {
        (0, Value::Object(members)) if !members.is_empty() => {
            let name = members.keys().nth(random.below(members.len())).cloned().expect("a name");
            members.shift_remove(&name);
        }
        (1, Value::Object(members)) => {
            members.insert("undeclared".to_owned(), others[random.below(others.len())].clone());
        }
        (2, Value::Object(members)) => {
            let mut list: Vec<_> = std::mem::take(members).into_iter().collect();
            for last in (1..list.len()).rev() {
                list.swap(last, random.below(last + 1));
            }
            members.extend(list);
        }
        (3, Value::String(text)) => {
            let keep = text.chars().count().saturating_sub(1);
            *text = text.chars().take(keep).collect();
        }
        _ => *value = others[random.below(others.len())].clone(),
    }
    copy
}

#[test]
fn payloads_and_mutants_are_judged_as_the_crate_does() {
    let Some(folder) = webhooks() else { return };
    let (set, cases) = cases(&folder);
    assert_eq!(cases.len(), 53);
    let mut random = Random(1);
    let (mut valid, mut invalid) = (0, 0);
    for case in &cases {
        let text = case.payload.to_string();
        assert!(case.arbiter.is_valid(&case.payload), "{}", case.name);
        // Twice: the second time the order of its members is known.
        for _ in 0..2 {
            assert!(is_valid(&set, case.id, text.as_bytes()), "{}", case.name);
        }
        for _ in 0..200 {
            let mutant = spoil(&case.payload, &mut random);
            let expected = case.arbiter.is_valid(&mutant);
            let text = mutant.to_string();
            assert_eq!(is_valid(&set, case.id, text.as_bytes()), expected, "{}: {text}", case.name);
            assert!(expected || !is_valid(&set, case.closed, text.as_bytes()), "{}", case.name);
            *if expected { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert!(valid > 1000 && invalid > 1000, "{valid} valid, {invalid} invalid");
    assert_eq!(set.differences(), 0);
}

#[test]
fn a_repeated_name_is_refused_wherever_it_is_and_however_it_is_spelled() {
    let schema =
        json!({"properties": {"a": {"properties": {"b": {}}}, "c": {}}, "required": ["c"]});
    let mut builder = SetBuilder::new();
    let id = builder.add(&schema, None, &Options::default()).expect("a schema");
    let set = builder.build().expect("a set");
    for text in [
        r#"{"c":1,"c":2}"#,
        r#"{"a":{"b":1,"b":1},"c":2}"#,
        r#"{"c":1,"\u0063":2}"#,
        r#"{"\u0063":1,"c":2}"#,
        r#"{"c":1,"x":2,"x":3}"#,
        r#"{"x":1,"c":2,"\u0078":3}"#,
        r#"{"c":1,"a":{"y":1,"b":2,"y":3}}"#,
        r#"{"c" :1, "c" :2}"#,
    ] {
        // Also after the plan has learnt an order, and with the room that a block takes.
        for text in [text.to_owned(), format!("{text}{}", " ".repeat(64))] {
            let _ = set.judge(id, br#"{"c":1,"a":{"b":1}}"#, &Limits::default(), Tape::default());
            let judged = set.judge(id, text.as_bytes(), &Limits::default(), Tape::default());
            let Err(Fault::Json(error)) = judged else { panic!("{text}: {judged:?}") };
            assert_eq!(error.reason().code(), "json.duplicate_key", "{text}");
        }
    }
}

/// One of several.
fn pick<'a, T>(random: &mut Random, list: &'a [T]) -> &'a T {
    &list[random.below(list.len())]
}

const NAMES: &[&str] = &["a", "b", "c", "quo\"te", "a_name_that_is_longer_than_one_block_of_bytes"];

/// A value of few words, so that what schemas of the same words say of it is rarely trivial.
fn value(random: &mut Random, depth: usize) -> Value {
    let leaves = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.0),
        json!(2),
        json!(-1),
        json!(0.5),
        json!(""),
        json!("a"),
        json!("\u{e9}\u{e9}"),
        json!("2020-01-01"),
    ];
    match random.below(if depth == 0 { 1 } else { 4 }) {
        1 => (0..random.below(4)).map(|_| value(random, depth - 1)).collect(),
        2 | 3 => {
            let count = random.below(4);
            let member = |_| ((*pick(random, NAMES)).to_owned(), value(random, depth - 1));
            Value::Object((0..count).map(member).collect())
        }
        _ => pick(random, &leaves).clone(),
    }
}

/// A schema of one to three keywords; references lead back to the root, but never for the same value.
fn schema(random: &mut Random, depth: usize) -> Value {
    const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];
    if depth == 0 {
        return match random.below(4) {
            0 => json!(random.below(3) > 0),
            _ => json!({"type": pick(random, TYPES)}),
        };
    }
    let mut members = serde_json::Map::new();
    for _ in 0..=random.below(3) {
        let below = |random: &mut Random| schema(random, depth - 1);
        let (keyword, said) = match random.below(29) {
            0 => ("type", json!(pick(random, TYPES))),
            1 => ("type", json!(["null", pick(random, &TYPES[2..])])),
            2 => ("enum", json!([value(random, 1), value(random, 1), value(random, 0)])),
            3 => ("const", value(random, 1)),
            4 => ("minimum", json!(random.below(2))),
            5 => ("exclusiveMaximum", pick(random, &[json!(1), json!(1.5), json!(2)]).clone()),
            6 => ("multipleOf", pick(random, &[json!(1), json!(0.5), json!(2)]).clone()),
            7 => ("minLength", json!(random.below(3))),
            8 => ("maxLength", json!(random.below(3))),
            9 => ("pattern", json!(pick(random, &["^a", "\u{e9}", "^$"]))),
            10 => ("format", json!(pick(random, &["date", "uuid", "ipv4"]))),
            11 => ("items", below(random)),
            12 => ("prefixItems", json!([below(random), below(random)])),
            13 => ("minItems", json!(random.below(3))),
            14 => ("uniqueItems", json!(true)),
            15 => ("contains", below(random)),
            16 | 17 => {
                let named = |_| ((*pick(random, NAMES)).to_owned(), schema(random, depth - 1));
                ("properties", Value::Object((0..3).map(named).collect()))
            }
            18 => ("patternProperties", json!({"^a": below(random), "b|c": below(random)})),
            19 => ("additionalProperties", below(random)),
            20 => ("required", json!([pick(random, NAMES)])),
            21 => ("dependentRequired", json!({(*pick(random, NAMES)): [pick(random, NAMES)]})),
            22 => ("dependentSchemas", json!({(*pick(random, NAMES)): below(random)})),
            23 => {
                (*pick(random, &["allOf", "anyOf", "oneOf"]), json!([below(random), below(random)]))
            }
            24 => (*pick(random, &["not", "if", "then", "else", "propertyNames"]), below(random)),
            26 => ("unevaluatedProperties", json!(random.below(2) == 0)),
            27 => ("unevaluatedItems", below(random)),
            25 => (*pick(random, &["anyOf", "oneOf"]), told_apart(random, depth)),
            _ => ("properties", json!({"a": {"$ref": "#"}})),
        };
        members.insert(keyword.to_owned(), said);
    }
    Value::Object(members)
}

/// Two branches that a constant may tell apart.
fn told_apart(random: &mut Random, depth: usize) -> Value {
    let (a, b) = (value(random, 0), value(random, 0));
    let mut branch = |constant: Value| {
        let mut branch = schema(random, depth - 1);
        let below = schema(random, depth - 1);
        if let Some(members) = branch.as_object_mut() {
            members.insert("required".to_owned(), json!(["a"]));
            members.insert("properties".to_owned(), json!({"a": constant, "b": below}));
        }
        branch
    };
    json!([branch(json!({"const": a})), branch(json!({"enum": [b, 2]}))])
}

#[test]
fn schemas_that_nobody_would_write_are_judged_as_the_crate_does() {
    let mut random = Random(2);
    let (mut valid, mut invalid, mut refused) = (0, 0, 0);
    for _ in 0..1500 {
        let schema = schema(&mut random, 3);
        let mut builder = SetBuilder::new();
        // Some refer to themselves for the same value: ours refuses them.
        let Ok(id) = builder.add(&schema, None, &Options::default()) else { continue };
        let closed = Options { closed: true, ..Options::default() };
        let closed = builder.add(&schema, None, &closed).expect("the same");
        // Closed ones too: by the plan, and by the slow way.
        builder.verify(std::num::NonZeroU64::MIN);
        let set = builder.build().expect("a set");
        let arbiter =
            jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        for _ in 0..20 {
            let value = value(&mut random, 3);
            let expected = arbiter.is_valid(&value);
            let text = value.to_string();
            for _ in 0..2 {
                assert_eq!(is_valid(&set, id, text.as_bytes()), expected, "{schema}\n{text}");
            }
            let narrower = is_valid(&set, closed, text.as_bytes());
            assert!(expected || !narrower, "{schema}\n{text}");
            refused += usize::from(expected && !narrower);
            assert_eq!(set.differences(), 0, "{schema}\n{text}");
            *if expected { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert!(valid > 5000 && invalid > 5000, "{valid} valid, {invalid} invalid");
    assert!(refused > 500, "{refused} refused for what is undeclared");
}

#[test]
fn every_part_is_told_where_it_runs() {
    let explained = |schema: Value, closed: bool| {
        let mut builder = SetBuilder::new();
        let options = Options { closed, ..Options::default() };
        let id = builder.add(&schema, None, &options).expect("a schema");
        builder.build().expect("a set").explain(id).expect("an explanation")
    };
    let explain = |schema: Value| explained(schema, false);
    let plain = explain(json!({
        "type": "object",
        "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "b": {"$ref": "#"}},
    }));
    assert_eq!((plain.read, plain.whole.len(), plain.arbiter.len()), (2, 0, 0), "{plain:?}");
    let whole = explain(json!({
        "properties": {"a": {"uniqueItems": true, "oneOf": [{"minItems": 1}, {"minimum": 1}]}},
        "dependentSchemas": {"a": {"required": ["b"]}},
    }));
    let places: Vec<_> = whole.whole.iter().map(|(keyword, at)| (*keyword, at.join(" "))).collect();
    let expected = [("dependentSchemas", ""), ("oneOf", "/a"), ("uniqueItems", "/a")];
    assert_eq!(places, expected.map(|(keyword, at)| (keyword, at.to_owned())));
    let below = explain(json!({
        "properties": {"a/b": {"items": {"prefixItems": [{"not": {"const": 1}}], "items": {"contains": {}}}}},
        "additionalProperties": {"propertyNames": {"minLength": 2}},
        "patternProperties": {"^x": {"items": {"pattern": "(a|b)*a(a|b){200}c"}}},
    }));
    let places: Vec<_> = below.whole.iter().map(|(keyword, at)| (*keyword, at.join(" "))).collect();
    let expected = [
        ("contains", "/a~1b/*/*"),
        ("not", "/a~1b/*/0"),
        ("pattern", "/*/*"),
        ("prefixItems", "/a~1b/*"),
        ("propertyNames", "/*"),
    ];
    assert_eq!(places, expected.map(|(keyword, at)| (keyword, at.to_owned())));
    let card = |name: &str| json!({"required": ["kind", name], "properties": {"kind": {"const": name}, name: {"type": "integer"}}});
    let chosen = explain(json!({"type": "object", "oneOf": [card("a"), card("b"), card("c")]}));
    assert_eq!((chosen.read, chosen.whole["oneOf"].len()), (8, 1), "{chosen:?}");
    let cards = json!({"properties": {"id": {}}, "oneOf": [card("a"), card("b"), {"anyOf": [card("c"), {"type": "null"}]}]});
    let closed = explained(cards, true);
    assert_eq!(closed.whole.into_keys().collect::<Vec<_>>(), ["closed", "oneOf"]);
    let closed =
        explained(json!({"properties": {"id": {}}, "oneOf": [card("a"), card("b")]}), true);
    assert_eq!(closed.whole.into_keys().collect::<Vec<_>>(), ["oneOf"], "the plan closes it");
    let tuple = explain(json!({"prefixItems": [{"type": "string"}, {}], "items": false}));
    assert_eq!((tuple.read, tuple.whole["prefixItems"].len()), (3, 1), "{tuple:?}");
    let certain = explain(json!({
        "allOf": [{"$ref": "#/$defs/a"}], "unevaluatedProperties": false, "$defs": {"a": {"properties": {"a": {"$dynamicRef": "#/$defs/a"}}}},
    }));
    assert_eq!((certain.read, certain.arbiter.len()), (2, 0), "{certain:?}");
    let arbiter =
        explain(json!({"properties": {"a": {"unevaluatedItems": false, "contains": {}}}}));
    assert_eq!(
        (arbiter.read, arbiter.arbiter.into_iter().collect()),
        (0, vec!["unevaluatedItems"])
    );
}

/// Judges text by a schema on a thread with a small stack, under ceilings that let it through.
fn on_a_small_stack(schema: Value, text: String) -> bool {
    let judge = move || {
        let mut builder = SetBuilder::new();
        let id = builder.add(&schema, None, &Options::default()).expect("a schema");
        let set = builder.build().expect("a set");
        let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
        set.judge(id, text.as_bytes(), &limits, Tape::default()).is_ok()
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(judge);
    thread.expect("a thread").join().expect("an answer")
}

#[test]
fn depth_and_breadth_cost_no_stack() {
    let nested = |end: &str| format!("{}{end}{}", "[".repeat(100_000), "]".repeat(100_000));
    let lists = json!({"items": {"$ref": "#"}, "not": {"const": 1}});
    assert!(on_a_small_stack(lists.clone(), nested("2")));
    assert!(!on_a_small_stack(lists, nested("1")));
    let objects = json!({"properties": {"a": {"$ref": "#"}}, "type": "object", "maxProperties": 1});
    let text = format!("{}{{}}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(on_a_small_stack(objects.clone(), text.clone()));
    assert!(!on_a_small_stack(objects, text.replace("{}", "3")));
    let unique = json!({"uniqueItems": true});
    let items: Vec<String> = (0..100_000).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert!(on_a_small_stack(unique.clone(), format!("[{}]", items.join(","))));
    assert!(!on_a_small_stack(unique, format!("[{},{{\"n\":7.0}}]", items.join(","))));
    let branches: Vec<Value> = (0..300)
        .map(|n| json!({"properties": {"kind": {"const": n}}, "required": ["kind"]}))
        .collect();
    let text = format!("[{}]", vec!["{\"kind\":299}"; 200].join(","));
    assert!(on_a_small_stack(json!({"items": {"oneOf": branches}}), text));
}

#[test]
fn no_order_of_members_is_forgotten_or_believed() {
    let names: Vec<String> = (0..200).map(|n| format!("name{n}")).collect();
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"type": "integer"}))).collect();
    let schema =
        json!({"properties": properties, "required": names, "additionalProperties": false});
    let mut builder = SetBuilder::new();
    let id = builder.add(&schema, None, &Options::default()).expect("a schema");
    let set = builder.build().expect("a set");
    let mut random = Random(3);
    let mut order = names.clone();
    for _ in 0..200 {
        let last = random.below(order.len());
        order.swap(0, last);
        let text = |names: &[String], value: &str| {
            let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(is_valid(&set, id, text(&order, "1").as_bytes()));
        assert!(!is_valid(&set, id, text(&order[1..], "1").as_bytes()), "one is missing");
        assert!(!is_valid(&set, id, text(&order, "true").as_bytes()), "of another type");
        let mut more = order.clone();
        more.push("name200".to_owned());
        assert!(!is_valid(&set, id, text(&more, "1").as_bytes()), "one is undeclared");
    }
}

#[test]
fn a_schema_whose_plan_would_be_too_large_is_judged_without_one() {
    // Eighteen members down from any `a`, whatever the way, must be an integer: each way is a set of schemas of its own.
    let last = 18;
    let mut definitions = json!({
        "x": {"properties": {
            "a": {"allOf": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y1"}]},
            "b": {"$ref": "#/$defs/x"},
        }},
        format!("y{last}"): {"type": "integer"},
    });
    for n in 1..last {
        let next = json!({"$ref": format!("#/$defs/y{}", n + 1)});
        definitions[format!("y{n}")] = json!({"properties": {"a": next, "b": next}});
    }
    let schema = json!({"$defs": definitions, "$ref": "#/$defs/x"});
    let small = json!({"type": "object", "required": ["a"]});
    let mut builder = SetBuilder::new();
    let add = |schema, builder: &mut SetBuilder| builder.add(schema, None, &Options::default());
    let id = add(&schema, &mut builder).expect("a schema");
    let other = add(&small, &mut builder).expect("a schema");
    let set = builder.build().expect("a set");
    assert!(set.planned(id).is_none() && set.planned(other).is_none());
    let arbiter = jsonschema::validator_for(&schema).expect("a schema of the crate's");
    let mut refused = 0;
    for (way, depth, leaf) in [
        ("ab", last - 1, json!(1)),
        ("ab", last - 1, json!("1")),
        ("ba", last, json!("1")),
        ("aab", last, json!(1.5)),
        ("b", 30, json!("1")),
        ("bbba", last + 2, json!({})),
    ] {
        let names = (0..=depth).map(|n| way.chars().nth(n % way.len()).expect("a name"));
        let value = names.rev().fold(leaf, |inner, name| json!({name.to_string(): inner}));
        let valid = arbiter.is_valid(&value);
        assert_eq!(is_valid(&set, id, value.to_string().as_bytes()), valid, "{value}");
        refused += usize::from(!valid);
    }
    assert!((1..6).contains(&refused), "{refused} of 6");
    assert!(is_valid(&set, other, b"{\"a\": 1}") && !is_valid(&set, other, b"{\"b\": 1}"));
}
