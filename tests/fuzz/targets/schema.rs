//! A pool of schemas and any value: judged while it is read, judged as a document, and by the `jsonschema` crate itself,
//! the answer is one.
//!
//! The first byte chooses the schema; an odd second one says that the rest is JSON text, an even one that a value is put
//! together from the words of the pool. The first fault is one of those that the arbiter lists.

#![no_main]

#[path = "../../rust/schema/first.rs"]
mod first;

use std::borrow::Cow;
use std::sync::OnceLock;

use first::is_listed;
use jsonschema::{PatternOptions, Validator};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use secval::json::{Limits, Tape, parse};
use secval::schema::{Fault, Options, SchemaId, Set, SetBuilder};
use serde_json::Value;

struct Pool {
    set: Set,
    open: Vec<SchemaId>,
    closed: Vec<SchemaId>,
    arbiters: Vec<Validator>,
    /// Texts that mean something to some schema: names, constants, numbers at edges.
    words: Vec<String>,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let schemas: Vec<Value> =
            serde_json::from_str(include_str!("../schemas.json")).expect("the pool");
        let mut builder = SetBuilder::new();
        let mut add = |closed| {
            let options = Options { closed, ..Options::default() };
            let ids = schemas.iter().map(|schema| builder.add(schema, None, &options));
            ids.collect::<std::result::Result<Vec<_>, _>>().expect("schemas")
        };
        let (open, closed) = (add(false), add(true));
        let arbiter = |schema| {
            // Ours asserts a format under drafts that are older than it, too.
            let uuid = jsonschema::options().should_validate_formats(true);
            let uuid = uuid.build(&serde_json::json!({"format": "uuid"})).expect("a schema");
            let options = DATED.iter().fold(jsonschema::options(), |options, (name, digits)| {
                let crates = jsonschema::options().should_validate_formats(true);
                let crates = crates.build(&serde_json::json!({"format": name})).expect("a schema");
                options.with_format(*name, move |text: &str| {
                    digits(text.as_bytes()) && crates.is_valid(&Value::from(text))
                })
            });
            options
                .should_validate_formats(true)
                .with_format("uuid", move |text: &str| uuid.is_valid(&Value::from(text)))
                .with_pattern_options(PatternOptions::regex())
                .build(schema)
                .expect("a schema")
        };
        let mut words = [
            "null", "true", "false", "0", "-0", "1", "1.0", "10e-1", "2", "3", "0.1", "0.3", "1e2", "99", "100", "-1",
            "9007199254740993", "9007199254740992.0", "18446744073709551616", "1e308", "1e-400", "\"\"",
            "\"a\"", "\"é\"", "\"😀\"", "\"aa\"", "\"2024-02-29\"", "\"2023-02-29T23:59:60Z\"", "\"192.0.2.1\"",
            "\"::1\"", "\"a@example.com\"", "\"https://example.com/a b\"", "\"\\u0061\"", "[]", "{}",
        ]
        .map(str::to_owned)
        .to_vec();
        schemas.iter().for_each(|schema| collect(schema, &mut words));
        words.sort();
        words.dedup();
        let arbiters = schemas.iter().map(arbiter).collect();
        Pool { set: builder.build().expect("a set"), open, closed, arbiters, words }
    })
}

/// Whether there are digits where a format has some: the crate takes `,` and its like for digits, too.
type HasDigits = fn(&[u8]) -> bool;
const DATED: [(&str, HasDigits); 3] = [
    ("date", |text| all_digits(text, &[0, 1, 2, 3, 5, 6, 8, 9])),
    ("time", time_has_digits),
    ("date-time", |text| all_digits(text, &[0, 1, 2, 3, 5, 6, 8, 9]) && text.get(11..).is_some_and(time_has_digits)),
];

fn all_digits(text: &[u8], places: &[usize]) -> bool {
    places.iter().all(|at| text.get(*at).is_some_and(u8::is_ascii_digit))
}

fn time_has_digits(text: &[u8]) -> bool {
    let utc = text.ends_with(b"Z") || text.ends_with(b"z");
    let offset = text.len().saturating_sub(5);
    all_digits(text, &[0, 1, 3, 4, 6, 7]) && (utc || all_digits(&text[offset..], &[0, 1, 3, 4]))
}

/// Every scalar of a schema, and every name.
fn collect(schema: &Value, words: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            words.push(Value::from(name.as_str()).to_string());
            collect(member, words);
        }),
        scalar => words.push(scalar.to_string()),
    }
}

/// The text of some value.
fn value(u: &mut Unstructured<'_>, words: &[String], depth: usize, text: &mut String) -> Result<()> {
    match u.int_in_range(0..=if depth < 5 { 7u8 } else { 3 })? {
        0..=3 => text.push_str(u.choose(words)?),
        4 | 5 => {
            text.push('{');
            for index in 0..u.int_in_range(0..=5u8)? {
                if index > 0 {
                    text.push(',');
                }
                let name = u.choose(words)?;
                if name.starts_with('"') {
                    text.push_str(name);
                } else {
                    text.push_str(&format!("\"n{index}\""));
                }
                text.push(':');
                value(u, words, depth + 1, text)?;
            }
            text.push('}');
        }
        _ => {
            text.push('[');
            for index in 0..u.int_in_range(0..=5u8)? {
                if index > 0 {
                    text.push_str(", ");
                }
                value(u, words, depth + 1, text)?;
            }
            text.push(']');
        }
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let [which, how, rest @ ..] = bytes else { return };
    let pool = pool();
    let index = usize::from(*which) % pool.open.len();
    let mut text = String::new();
    let text = if how % 2 == 0 {
        if value(&mut Unstructured::new(rest), &pool.words, 0, &mut text).is_err() {
            return;
        }
        text.as_bytes()
    } else {
        rest
    };
    let limits = Limits::default();
    let Ok(document) = parse(Cow::Borrowed(text), &limits, Tape::default()) else {
        let fused = pool.set.judge(pool.open[index], text, &limits, Tape::default());
        assert!(matches!(fused, Err(Fault::Json(_))), "accepted by the fused reader alone");
        return;
    };
    let read = document.to_serde().expect("not too deep");
    let arbiter = pool.arbiters[index].is_valid(&read);
    let judge = |id| {
        let fused = match pool.set.judge(id, text, &limits, Tape::default()) {
            Ok(_) => Ok(()),
            Err(Fault::Schema(violation)) => Err(*violation),
            Err(Fault::Json(error)) => panic!("{error}: by the fused reader alone"),
        };
        let walked = pool.set.judge_value(id, document.root());
        assert_eq!(fused, walked, "fused, and as a document");
        let listed = pool.set.violations(id, document.root(), 20);
        assert_eq!(listed.is_empty(), fused.is_ok(), "{listed:?}");
        if let Err(first) = &fused {
            assert_eq!(is_listed(&pool.set, id, document.root(), first), Ok(()));
        }
        fused.is_ok()
    };
    assert_eq!(judge(pool.open[index]), arbiter, "ours, and the arbiter's");
    // A closed schema refuses more, never less.
    assert!(arbiter || !judge(pool.closed[index]), "closed, and more open");
    assert_eq!(pool.set.differences(), 0);
});
