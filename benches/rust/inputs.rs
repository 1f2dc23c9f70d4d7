//! What is measured: bodies, schemas and addresses, made by this file alone from a seed, or read from the public
//! data where it is at hand.
//!
//! The seed is fixed, so that two runs measure the same; `SECVAL_SEED=random` (or a number) gives the held-back
//! variant, whose seed is printed: whatever is only fast on the fixed inputs shows there.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use secval::clock::Clock;
use secval::gate::{Asked, Gate, Head, Version};
use secval::policy::{Policy, Source};

/// The seed of the inputs that figures are compared on.
pub(crate) const FIXED_SEED: u64 = 2026;

/// The seed to use, from the environment.
#[expect(clippy::disallowed_methods, reason = "a bench has no configuration but its environment")]
pub(crate) fn seed() -> u64 {
    match std::env::var("SECVAL_SEED").as_deref() {
        Err(_) | Ok("") => FIXED_SEED,
        Ok("random") => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).expect("randomness");
            u64::from_le_bytes(bytes) >> 32
        }
        Ok(number) => number.parse().expect("SECVAL_SEED is a number or `random`"),
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, good enough for inputs.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall alike for equal seeds.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A word of small letters.
    pub(crate) fn word(&mut self, letters: u64) -> String {
        (0..letters).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0))).collect()
    }
}

/// The API that most of the figures are about; [`order`] makes bodies for it. Python's benches read it too.
pub(crate) const OPENAPI: &str = include_str!("../data/orders.openapi.json");

/// The schema of an order: what API schemas are made of, closed.
pub(crate) fn order_schema() -> serde_json::Value {
    let document: serde_json::Value = serde_json::from_str(OPENAPI).expect("JSON");
    document["components"]["schemas"]["Order"].clone()
}

/// An order of about `size` bytes, at least 200, minified as clients send it.
pub(crate) fn order(dice: &mut Dice, size: usize) -> Vec<u8> {
    let mut text = String::with_capacity(size + 200);
    let (name, mail, host) = (dice.word(12), dice.word(8), dice.word(9));
    let id = dice.below(1 << 53).max(1);
    let _ = write!(
        text,
        r#"{{"id":{id},"customer":{{"name":"{name}","email":"{mail}@{host}.example","vip":true}},"currency":"EUR","note":"caf\u00e9 \"au lait\" für {name}","lines":["#
    );
    loop {
        let (sku, tag) = (dice.word(10), dice.word(6));
        let (quantity, euros, cents) = (dice.below(998) + 1, dice.below(9999), dice.below(90) + 10);
        let _ = write!(
            text,
            r#"{{"sku":"{sku}","quantity":{quantity},"price":{euros}.{cents},"tags":["{tag}","new"],"gift":false}}"#
        );
        if text.len() + 2 >= size {
            break;
        }
        text.push(',');
    }
    text.push_str("]}");
    text.into_bytes()
}

/// The same with a quantity too large, in its first line.
pub(crate) fn unacceptable_order(dice: &mut Dice, size: usize) -> Vec<u8> {
    let text = String::from_utf8(order(dice, size)).expect("UTF-8");
    text.replacen("\"quantity\":", "\"quantity\":9999", 1).into_bytes()
}

/// The gate of the orders API, with a quota that nothing here uses up.
pub(crate) fn gate(clock: Arc<dyn Clock>) -> Gate {
    let config = "version = 1\n[api]\nclosed = \"requests\"\n\
                  [rate.all]\nquota = \"10000000/second\"\nsubject = \"address\"\n";
    let config = Source::toml("secval.toml", config).expect("TOML");
    let document = Source::json("orders.openapi.json", OPENAPI).expect("JSON");
    let policy = Policy::compile(document, Some(config)).expect("a policy");
    Gate::new(policy, clock).expect("a gate")
}

type Header<'r> = (&'r [u8], &'r [u8]);

/// What a browser sends with every request.
const AGENT: [Header<'static>; 5] = [
    (b"Host", b"api.example.com"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"gzip, deflate, br"),
    (b"Accept-Language", b"en-GB,en;q=0.8"),
];

/// The headers of a request with a JSON body of so many bytes.
pub(crate) fn json_headers(length: &str) -> Vec<Header<'_>> {
    let own: [Header<'_>; 2] =
        [(b"Content-Type", b"application/json"), (b"Content-Length", length.as_bytes())];
    AGENT.into_iter().chain(own).collect()
}

/// A request's head; without headers of its own it has a browser's.
pub(crate) fn head<'r>(method: &'r str, target: &'r str, headers: &'r [Header<'r>]) -> Head<'r> {
    Head {
        method,
        target: Asked::Raw(target.as_bytes()),
        dispatch: None,
        headers: if headers.is_empty() { &AGENT } else { headers },
        peer: Some("198.51.100.7"),
        scheme: "https",
        version: Version::Http11,
        websocket: false,
    }
}

/// Text of about `size` bytes in strings of `length` bytes, a tenth of them with escapes and accents.
pub(crate) fn strings(dice: &mut Dice, size: usize, length: u64) -> Vec<u8> {
    list(size, |text| {
        let word = dice.word(length);
        let tail = if dice.below(10) == 0 { r#"é\n\u00fc\"x"# } else { "" };
        let _ = write!(text, "\"{word}{tail}\"");
    })
}

/// Numbers of every shape: small and large integers, money, doubles with all their digits.
pub(crate) fn numbers(dice: &mut Dice, size: usize) -> Vec<u8> {
    list(size, |text| {
        let bits = dice.next();
        let _ = match dice.below(4) {
            0 => write!(text, "{}", bits % 1000),
            1 => write!(text, "-{}", bits >> 2),
            2 => write!(text, "{}.{}", bits % 100_000, 10 + bits % 90),
            _ => write!(
                text,
                "{:?}",
                f64::from_bits(bits & !(0x7FF << 52) | (1000 + bits % 40) << 52)
            ),
        };
    })
}

/// Text of about `size` bytes in strings that are hardly anything but escapes.
pub(crate) fn escapes(dice: &mut Dice, size: usize) -> Vec<u8> {
    const ALL: [&str; 6] = [r"\n", r#"\""#, r"\\", r"\u00e9", r"\ud83d\ude00", r"\/"];
    list(size, |text| {
        text.push('"');
        for _ in 0..100 {
            let chosen = usize::try_from(dice.below(6)).unwrap_or(0);
            text.push_str(ALL.get(chosen).copied().unwrap_or_default());
        }
        text.push('"');
    })
}

/// Doubles with all their digits, from 1e-200 to 1e200 and below zero.
pub(crate) fn doubles(dice: &mut Dice, size: usize) -> Vec<u8> {
    list(size, |text| {
        let bits = dice.next();
        let double = f64::from_bits(bits & !(0x7FF << 52) | (1023 - 660 + bits % 1320) << 52);
        let _ = write!(text, "{double:e}");
    })
}

/// Small arrays and objects, hardly anything in them.
pub(crate) fn containers(dice: &mut Dice, size: usize) -> Vec<u8> {
    list(size, |text| {
        text.push_str(match dice.below(5) {
            0 => "[]",
            1 => "{}",
            2 => "[[1]]",
            3 => r#"{"a":{}}"#,
            _ => "[[],[],[null]]",
        });
    })
}

/// One object of `count` members, all names different: what a repeated name hides in.
pub(crate) fn wide_object(dice: &mut Dice, count: usize) -> Vec<u8> {
    let mut text = String::from("{");
    for index in 0..count {
        let comma = if index == 0 { "" } else { "," };
        let name = dice.word(8);
        let _ = write!(text, "{comma}\"{name}{index}\":{index}");
    }
    text.push('}');
    text.into_bytes()
}

fn list(size: usize, mut item: impl FnMut(&mut String)) -> Vec<u8> {
    let mut text = String::from("[");
    while text.len() < size {
        if text.len() > 1 {
            text.push(',');
        }
        item(&mut text);
    }
    text.push(']');
    text.into_bytes()
}

/// IPv4 prefixes, /16 to /28, as a feed of networks has them.
pub(crate) fn prefixes(dice: &mut Dice, count: usize) -> Vec<String> {
    let prefix = |_| {
        let length = 16 + u32::try_from(dice.below(13)).unwrap_or(0);
        let bits = u32::try_from(dice.next() >> 32).unwrap_or(0) >> (32 - length) << (32 - length);
        format!("{}/{length}", std::net::Ipv4Addr::from(bits))
    };
    (0..count).map(prefix).collect()
}

/// Real bodies and their schemas, as one service sends them: name, body, schema. `None` without the data.
pub(crate) fn webhooks() -> Option<Vec<(String, Vec<u8>, String)>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let data = std::env::var_os("SECVAL_DATA").filter(|path| !path.is_empty());
    let data = data.map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data.join("github-webhooks")).ok()? {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.to_owned();
        let Some(stem) = name.strip_suffix(".schema.json") else { continue };
        let body = std::fs::read(path.with_file_name(format!("{stem}.json"))).ok()?;
        found.push((stem.to_owned(), body, std::fs::read_to_string(&path).ok()?));
    }
    found.sort();
    (!found.is_empty()).then_some(found)
}

/// A closed schema of so many members of four types.
pub(crate) fn schema(dice: &mut Dice, members: usize) -> serde_json::Value {
    let kinds = [
        serde_json::json!({"type": "string", "maxLength": 40}),
        serde_json::json!({"type": "integer", "minimum": 0}),
        serde_json::json!({"type": "boolean"}),
        serde_json::json!({"type": "array", "items": {"type": "number"}}),
    ];
    let member = |index: usize| (format!("{}{index}", dice.word(8)), kinds[index % 4].clone());
    let properties: serde_json::Map<String, serde_json::Value> = (0..members).map(member).collect();
    serde_json::json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// An OpenAPI document of so many operations, half of which take orders.
pub(crate) fn document(dice: &mut Dice, operations: usize) -> String {
    let mut document: serde_json::Value = serde_json::from_str(OPENAPI).expect("JSON");
    let order = serde_json::json!({"schema": {"$ref": "#/components/schemas/Order"}});
    let item = serde_json::json!({
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
        "get": {"responses": {"200": {"description": "."}}},
        "post": {
            "requestBody": {"required": true, "content": {"application/json": order}},
            "responses": {"201": {"description": "."}},
        },
    });
    let path = |index| (format!("/{}{index}/{{id}}", dice.word(7)), item.clone());
    document["paths"] = (0..operations / 2).map(path).collect::<serde_json::Map<_, _>>().into();
    document.to_string()
}

/// Operations, and for each of them a request that it answers: methods with templates, methods with paths.
pub(crate) type Routes = (Vec<(String, String)>, Vec<(String, String)>);

/// Operations of an API that lists, shows, changes and removes things, and things within things.
pub(crate) fn routes(dice: &mut Dice, count: usize) -> Routes {
    let (mut templates, mut paths) = (Vec::new(), Vec::new());
    let mut resource = String::new();
    for index in 0..count {
        if index % 5 == 0 {
            resource = format!("{}{index}", dice.word(7));
        }
        let (id, inner) = (dice.below(100_000), dice.below(1000));
        let (method, tail, asked) = match index % 5 {
            0 => ("GET", "", String::new()),
            1 => ("POST", "", String::new()),
            2 => ("GET", "/{id}", format!("/{id}")),
            3 => ("PUT", "/{id}", format!("/{id}")),
            _ => ("GET", "/{id}/parts/{part}", format!("/{id}/parts/{inner}")),
        };
        templates.push((method.to_owned(), format!("/v1/{resource}{tail}")));
        paths.push((method.to_owned(), format!("/v1/{resource}{asked}")));
    }
    (templates, paths)
}
