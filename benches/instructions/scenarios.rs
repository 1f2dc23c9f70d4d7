//! The scenarios, each named `ROOM.WHAT`.

use std::borrow::Cow;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use secval::check::{AllowList, IpSet, Number, Range, parse_address, parse_prefix};
use secval::clock::ManualClock;
use secval::json::{self, Limits, Tape};
use secval::limit::{Charge, Limiter, Quota};
use secval::policy::router::{Route, Router};
use secval::schema::{Options, SetBuilder};
use serde_json::json;

use crate::inputs::{self, Dice, FIXED_SEED};

/// What is to be counted, ready to run as often as one likes.
type Work = Box<dyn FnMut()>;

/// A scenario: its name; the hot function that it is about, by the end of its path; what prepares it.
///
/// `count.py` holds that function to at least 80 % of what is counted, with what it calls: a slowdown of it by five
/// percent is then four percent of the scenario or more. Where a function is always inlined, the scenario asks through
/// a function of its own ([`asked`]), which is nothing but that call.
type Scenario = (&'static str, &'static str, fn() -> Work);

/// Every scenario.
pub(crate) const ALL: &[Scenario] = &[
    ("parse.order", "json::parser::parse", || parse(inputs::order(&mut dice(), 16 << 10))),
    ("parse.small", "json::parser::parse", || parse(inputs::order(&mut dice(), 200))),
    ("parse.strings", "json::parser::parse", || parse(inputs::strings(&mut dice(), 16 << 10, 40))),
    ("parse.short_strings", "json::parser::parse", || {
        parse(inputs::strings(&mut dice(), 16 << 10, 6))
    }),
    ("parse.numbers", "json::parser::parse", || parse(inputs::numbers(&mut dice(), 16 << 10))),
    ("parse.containers", "json::parser::parse", || {
        parse(inputs::containers(&mut dice(), 16 << 10))
    }),
    ("parse.members", "json::parser::parse", || parse(inputs::wide_object(&mut dice(), 1000))),
    ("parse.long_string", "json::parser::parse", long_string),
    ("parse.escapes", "Parser::uncommon_string", || parse(inputs::escapes(&mut dice(), 16 << 10))),
    ("parse.doubles", "Parser::long_number", || parse(inputs::doubles(&mut dice(), 16 << 10))),
    ("parse.refused", "json::parser::parse", refused),
    ("parse.place", "json::place::place", place),
    ("schema.order", "schema::set::Set::judge", || judge(inputs::order(&mut dice(), 16 << 10))),
    ("schema.small", "schema::set::Set::judge", || judge(inputs::order(&mut dice(), 200))),
    ("schema.refused", "schema::set::Set::judge", schema_refused),
    ("schema.numbers", "schema::set::Set::judge", schema_numbers),
    ("schema.formats", "schema::set::Set::judge", schema_formats),
    ("schema.patterns", "schema::set::Set::judge", schema_patterns),
    ("schema.distinct", "schema::set::Set::judge_value", schema_distinct),
    ("schema.arbiter", "schema::arbiter::Arbiter::is_valid_within", schema_arbiter),
    ("check.allow_list", "asked::allow_list", allow_list),
    ("check.range", "asked::range", range),
    ("check.ip_set", "asked::ip_set", ip_set),
    ("check.parse_address", "check::address::parse_address", addresses),
    ("check.parse_prefix", "check::address::parse_prefix", prefixes),
    ("limit.hot", "limit::Limiter::hit", || limit(1, 1_000_000)),
    ("limit.many", "limit::Limiter::hit", || limit(500, 1_000_000)),
    ("limit.denied", "limit::Limiter::hit", || limit(1, 3)),
    ("route.find", "policy::router::Router::find", route_known),
    ("route.unknown", "policy::router::Router::find", route_unknown),
    ("gate.get", "gate::Gate::judge", || {
        gate("GET", "/v1/orders?limit=20&currency=EUR", Vec::new(), true)
    }),
    ("gate.post", "gate::Gate::judge", || {
        gate("POST", "/v1/orders", inputs::order(&mut dice(), 1000), true)
    }),
    ("gate.unknown", "gate::Gate::judge", || gate("GET", "/v1/.env", Vec::new(), false)),
    ("gate.headers", "gate::Gate::judge", headers),
];

/// Functions that are inlined wherever they are called, each called by itself.
mod asked {
    use secval::check::{AllowList, IpSet, Number, Range};
    use std::net::IpAddr;

    #[inline(never)]
    pub(super) fn allow_list(list: &AllowList<String>, word: &str) -> bool {
        list.contains(word)
    }

    #[inline(never)]
    pub(super) fn range(range: &Range<Number>, value: &Number) -> bool {
        range.contains(value)
    }

    #[inline(never)]
    pub(super) fn ip_set(set: &IpSet, address: IpAddr) -> bool {
        set.contains(address)
    }
}

fn dice() -> Dice {
    Dice::new(FIXED_SEED)
}

fn parse(text: Vec<u8>) -> Work {
    Box::new(move || {
        let document = json::parse(Cow::Borrowed(&text), &Limits::default(), Tape::default());
        black_box(document.expect("an input is valid"));
    })
}

/// One string without escapes.
fn long_string() -> Work {
    parse(format!("\"{}\"", dice().word(1 << 16)).into_bytes())
}

/// A repeated name at the very end.
fn refused() -> Work {
    let text = repeated();
    Box::new(move || {
        let error = json::parse(Cow::Borrowed(&text), &Limits::default(), Tape::default());
        black_box(error.expect_err("a name is repeated"));
    })
}

/// Line, column and pointer of that name.
fn place() -> Work {
    let text = repeated();
    let error = json::parse(Cow::Borrowed(&text), &Limits::default(), Tape::default());
    let offset = error.expect_err("a name is repeated").offset();
    Box::new(move || {
        black_box(json::place(&text, black_box(offset)));
    })
}

fn repeated() -> Vec<u8> {
    let mut text = inputs::order(&mut dice(), 4 << 10);
    text.pop();
    text.extend_from_slice(br#","note":1}"#);
    text
}

/// A body that follows the schema of orders.
fn judge(text: Vec<u8>) -> Work {
    judged(&inputs::order_schema(), text, true)
}

/// A quantity too large, in the first line of the order.
fn schema_refused() -> Work {
    judged(&inputs::order_schema(), inputs::unacceptable_order(&mut dice(), 4 << 10), false)
}

fn judged(schema: &serde_json::Value, text: Vec<u8>, valid: bool) -> Work {
    let mut builder = SetBuilder::new();
    let id = builder.add(schema, None, &Options::default()).expect("a schema");
    let set = builder.build().expect("a set");
    Box::new(move || {
        let judged = set.judge(id, &text, &Limits::default(), Tape::default());
        assert_eq!(judged.is_ok(), valid, "an input is what it was made to be");
        drop(black_box(judged));
    })
}

/// A valid text that has been read.
fn judged_alone(schema: &serde_json::Value, text: Vec<u8>) -> Work {
    let mut builder = SetBuilder::new();
    let id = builder.add(schema, None, &Options::default()).expect("a schema");
    let set = builder.build().expect("a set");
    let document = json::parse(Cow::Owned(text), &Limits::default(), Tape::default());
    let document = document.expect("an input is valid");
    Box::new(move || {
        set.judge_value(id, black_box(document.root())).expect("a valid value");
    })
}

/// Doubles between two others.
fn schema_numbers() -> Work {
    let bounded = json!({"items": {"type": "number", "minimum": -1e300, "maximum": 1e300}});
    judged(&bounded, inputs::doubles(&mut dice(), 4 << 10), true)
}

fn schema_formats() -> Work {
    let format = |name: &str| json!({"type": "string", "format": name});
    let formats = ["date-time", "date", "uuid", "ipv4", "email"];
    let row = json!([
        "2026-03-14T09:26:53.589Z",
        "2026-03-14",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "203.0.113.77",
        "zoe.quill@example.com"
    ]);
    let schema = json!({"items": {"prefixItems": formats.map(format)}});
    judged(&schema, serde_json::to_vec(&vec![row; 40]).expect("JSON"), true)
}

/// One that is matched by itself, and one that the engine matches.
fn schema_patterns() -> Work {
    let pattern = |source: &str| json!({"type": "string", "pattern": source});
    let mut dice = dice();
    let rows: Vec<_> = (0..100)
        .map(|_| {
            let (word, number) = (dice.word(8), dice.below(1000));
            json!([format!("{word}-{number}"), format!("v{number}.{number}")])
        })
        .collect();
    let patterns = [pattern("^[a-z]+-[0-9]+$"), pattern(r"^v(\d+)\.(\d+)(-rc\d+)?$")];
    let schema = json!({"items": {"prefixItems": patterns}});
    judged(&schema, serde_json::to_vec(&rows).expect("JSON"), true)
}

fn schema_distinct() -> Work {
    let mut dice = dice();
    let items: Vec<_> = (0..200).map(|index| json!([index, dice.word(90)])).collect();
    judged_alone(&json!({"uniqueItems": true}), serde_json::to_vec(&items).expect("JSON"))
}

/// What only the schema crate can judge.
fn schema_arbiter() -> Work {
    let named = |name: &str| json!({"properties": {name: {"type": "integer"}}});
    let schema = json!({"items": {
        "allOf": [named("a"), named("b")],
        "if": {"required": ["a"]}, "then": named("c"),
        "unevaluatedProperties": false,
    }});
    let items = vec![json!({"a": 1, "b": 2, "c": 3}); 40];
    judged_alone(&schema, serde_json::to_vec(&items).expect("JSON"))
}

/// A request that is let through, or not, and whatever body it has.
fn gate(method: &'static str, target: &'static str, body: Vec<u8>, allowed: bool) -> Work {
    let gate = inputs::gate(Arc::new(ManualClock::new(1_000_000, 1_750_000_000_000)));
    Box::new(move || {
        let length = body.len().to_string();
        let headers = if body.is_empty() { Vec::new() } else { inputs::json_headers(&length) };
        for _ in 0..20 {
            let verdict = gate.judge(&inputs::head(method, target, &headers), &body);
            assert_eq!(verdict.is_allowed(), allowed, "a request is what it was made to be");
        }
    })
}

/// Sixty headers that nothing asks for.
fn headers() -> Work {
    let gate = inputs::gate(Arc::new(ManualClock::new(1_000_000, 1_750_000_000_000)));
    let mut dice = dice();
    let lines: Vec<(String, String)> =
        (0..60).map(|index| (format!("X-{}-{index}", dice.word(10)), dice.word(24))).collect();
    Box::new(move || {
        let own = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let lines: Vec<_> =
            std::iter::once((&b"Host"[..], &b"api.example.com"[..])).chain(own).collect();
        for _ in 0..20 {
            let verdict = gate.judge(&inputs::head("GET", "/v1/orders", &lines), b"");
            assert!(verdict.is_allowed(), "headers that are not declared pass");
        }
    })
}

/// Three hundred hits, on so many keys in turn.
fn limit(keys: u64, quota: u32) -> Work {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = Limiter::new(4096, clock).expect("a limiter");
    let quota = Quota::new(quota, 60_000).expect("a quota");
    let rule = limiter.rule("bench", quota).expect("a rule");
    let mut dice = dice();
    let keys: Vec<String> = (0..keys).map(|_| dice.word(12)).collect();
    Box::new(move || {
        for key in keys.iter().cycle().take(300) {
            let charge = Charge { rule, key: key.as_bytes(), cost: 1 };
            black_box(limiter.hit(&[charge]));
        }
    })
}

/// Half of the words are in it.
fn allow_list() -> Work {
    let mut dice = dice();
    let words: Vec<String> = (0..200).map(|_| dice.word(8)).collect();
    let list = AllowList::new(words.iter().step_by(2).cloned()).expect("not empty");
    Box::new(move || {
        black_box(words.iter().filter(|word| asked::allow_list(&list, word)).count());
    })
}

fn range() -> Work {
    let mut dice = dice();
    let values: Vec<Number> =
        (0..500).map(|_| Number::Int(dice.below(2000).cast_signed())).collect();
    let range = Range::new(Some(Number::Int(1)), Some(Number::Float(999.5))).expect("bounds");
    Box::new(move || {
        black_box(values.iter().filter(|value| asked::range(&range, value)).count());
    })
}

fn ip_set() -> Work {
    let mut dice = dice();
    let texts = inputs::prefixes(&mut dice, 10_000);
    let set = IpSet::new(texts.iter().map(String::as_str)).expect("prefixes");
    let asked: Vec<IpAddr> = (0..500)
        .map(|_| Ipv4Addr::from(u32::try_from(dice.next() >> 32).unwrap_or(0)).into())
        .collect();
    Box::new(move || {
        black_box(asked.iter().filter(|address| asked::ip_set(&set, **address)).count());
    })
}

fn addresses() -> Work {
    let texts = ["203.0.113.77", "2001:db8::1:2", "::ffff:10.0.0.1", "10.0.0.256", "fe80::1%eth0"];
    Box::new(move || {
        for text in texts.iter().cycle().take(200) {
            let _ = black_box(parse_address(black_box(text)));
        }
    })
}

fn prefixes() -> Work {
    let texts = inputs::prefixes(&mut dice(), 200);
    Box::new(move || {
        for text in &texts {
            let _ = black_box(parse_prefix(text));
        }
    })
}

fn router() -> (Router, Vec<(String, String)>) {
    let (routes, paths) = inputs::routes(&mut dice(), 1000);
    let route = |(operation, (method, template)): (usize, (String, String))| Route {
        method,
        template,
        operation,
    };
    (Router::new(routes.into_iter().enumerate().map(route)).expect("routes"), paths)
}

fn route_known() -> Work {
    let (router, paths) = router();
    Box::new(move || {
        for (method, path) in paths.iter().step_by(3) {
            black_box(router.find(method, path));
        }
    })
}

fn route_unknown() -> Work {
    let (router, _) = router();
    Box::new(move || {
        for _ in 0..300 {
            black_box(router.find("GET", black_box("/v1/nowhere/17/at/all")));
        }
    })
}
