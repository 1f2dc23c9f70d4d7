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
use secval::schema::{Options, SchemaId, Set, SetBuilder};

use crate::inputs::{self, Dice, FIXED_SEED};

/// What is to be counted, ready to run as often as one likes.
type Work = Box<dyn FnMut()>;

/// A scenario: its name, and what prepares it.
type Scenario = (&'static str, fn() -> Work);

/// Every scenario.
pub(crate) const ALL: &[Scenario] = &[
    ("parse.order", || parse(inputs::order(&mut dice(), 16 << 10))),
    ("parse.small", || parse(inputs::order(&mut dice(), 200))),
    ("parse.strings", || parse(inputs::strings(&mut dice(), 16 << 10, 40))),
    ("parse.short_strings", || parse(inputs::strings(&mut dice(), 16 << 10, 6))),
    ("parse.numbers", || parse(inputs::numbers(&mut dice(), 16 << 10))),
    ("parse.containers", || parse(inputs::containers(&mut dice(), 16 << 10))),
    ("parse.members", || parse(inputs::wide_object(&mut dice(), 1000))),
    ("parse.refused", refused),
    ("schema.order", || judge(inputs::order(&mut dice(), 16 << 10), true)),
    ("schema.small", || judge(inputs::order(&mut dice(), 200), true)),
    ("schema.refused", schema_refused),
    ("check.allow_list", allow_list),
    ("check.range", range),
    ("check.ip_set", ip_set),
    ("check.parse_address", addresses),
    ("check.parse_prefix", prefixes),
    ("limit.hot", || limit(1, 1_000_000)),
    ("limit.many", || limit(500, 1_000_000)),
    ("limit.denied", || limit(1, 3)),
    ("route.find", route_known),
    ("route.unknown", route_unknown),
    ("gate.get", || gate("GET", "/v1/orders?limit=20&currency=EUR", Vec::new(), true)),
    ("gate.post", || gate("POST", "/v1/orders", inputs::order(&mut dice(), 1000), true)),
    ("gate.unknown", || gate("GET", "/v1/.env", Vec::new(), false)),
];

fn dice() -> Dice {
    Dice::new(FIXED_SEED)
}

fn parse(text: Vec<u8>) -> Work {
    Box::new(move || {
        let document = json::parse(Cow::Borrowed(&text), &Limits::default(), Tape::default());
        black_box(document.expect("an input is valid"));
    })
}

/// A repeated name at the very end, found and placed.
fn refused() -> Work {
    let mut text = inputs::order(&mut dice(), 4 << 10);
    text.pop();
    text.extend_from_slice(br#","note":1}"#);
    Box::new(move || {
        let error = json::parse(Cow::Borrowed(&text), &Limits::default(), Tape::default());
        let error = error.expect_err("a name is repeated");
        black_box(json::place(&text, error.offset()));
    })
}

fn order_set() -> (Set, SchemaId) {
    let mut builder = SetBuilder::new();
    let id = builder.add(&inputs::order_schema(), None, &Options::default()).expect("a schema");
    (builder.build().expect("a set"), id)
}

fn judge(text: Vec<u8>, valid: bool) -> Work {
    let (set, id) = order_set();
    Box::new(move || {
        let judged = set.judge(id, Cow::Borrowed(&text), &Limits::default(), Tape::default());
        assert_eq!(judged.is_ok(), valid, "an input is what it was made to be");
        drop(black_box(judged));
    })
}

/// A quantity too large, in the first line of the order.
fn schema_refused() -> Work {
    judge(inputs::unacceptable_order(&mut dice(), 4 << 10), false)
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

/// Twenty lists, each with a hash seed of its own: what one seed is lucky with, another is not.
fn allow_list() -> Work {
    let mut dice = dice();
    let words: Vec<String> = (0..200).map(|_| dice.word(8)).collect();
    let list = |_| AllowList::new(words.iter().step_by(2).cloned()).expect("not empty");
    let lists: Vec<AllowList<String>> = (0..20).map(list).collect();
    Box::new(move || {
        for list in &lists {
            black_box(words.iter().filter(|word| list.contains(word.as_str())).count());
        }
    })
}

fn range() -> Work {
    let mut dice = dice();
    let values: Vec<Number> =
        (0..500).map(|_| Number::Int(dice.below(2000).cast_signed())).collect();
    let range = Range::new(Some(Number::Int(1)), Some(Number::Float(999.5))).expect("bounds");
    Box::new(move || {
        black_box(values.iter().filter(|value| range.contains(black_box(value))).count());
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
        black_box(asked.iter().filter(|address| set.contains(**address)).count());
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
