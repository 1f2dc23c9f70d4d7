//! Requests made of any bytes, and what an allowed one must be: a slow, obvious reading of examples/bookings, written by
//! hand. The fuzz target `gate` plays the same game.

use secval::gate::{Asked, Head, Verdict, Version};

/// Every operation of examples/bookings: method, path, query parameters, whether it has a body.
const OPERATIONS: &[(&str, &str, &[&str], bool)] = &[
    ("POST", "/v1/login", &[], true),
    ("GET", "/v1/rooms", &["guests", "city", "limit"], false),
    ("GET", "/v1/rooms/{room_id}", &[], false),
    ("GET", "/v1/rooms/{room_id}/events", &[], false),
    ("POST", "/v1/bookings", &[], true),
    ("GET", "/v1/bookings/{booking_id}", &[], false),
    ("PATCH", "/v1/bookings/{booking_id}", &[], true),
    ("DELETE", "/v1/bookings/{booking_id}", &[], false),
    ("POST", "/v1/bookings/{booking_id}/payments", &[], true),
    ("GET", "/v1/admin/report", &["month"], false),
];

const UUID: &str = "0b5b3b3e-8f6e-4f0a-9f5e-2f1f7f3c9a11";

/// A request that owns its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Wild {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    pub(crate) dispatch: Option<String>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) version: Version,
    pub(crate) websocket: bool,
}

/// What is left of the bytes that choose.
struct Choices<'b>(&'b [u8]);

impl<'b> Choices<'b> {
    /// 0 when nothing is left, so that every choice ends.
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.byte() % list.len()]
    }

    /// Some of the bytes themselves.
    fn raw(&mut self) -> &'b [u8] {
        let size = (self.byte() % 24).min(self.0.len());
        let (taken, rest) = self.0.split_at(size);
        self.0 = rest;
        taken
    }
}

/// What targets are put together from.
const TARGET: &[&str] = &[
    "/v1",
    "/rooms",
    "/bookings",
    "/login",
    "/admin/report",
    "/payments",
    "/events",
    "/7",
    "/",
    "?",
    "&",
    "=",
    "guests=2",
    "city=a%20b",
    "month=2026-01",
    "/..",
    "/.",
    "%2e",
    "%2f",
    "%2F",
    "%5c",
    "%00",
    "%7",
    ";a=b",
    "%76",
    "//",
    "/0007",
    "/%37",
    "\\",
    "#",
    "http://localhost",
    "*",
    "%C3%A9",
    "/V1",
    "+",
    "%2B",
    "guests=%32",
    "guest%73=2",
    "limit=1e1",
    "limit=-0",
    "%25",
    "%252f",
    "[]",
];

const NAMES: &[&str] = &[
    "Host",
    "host",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Content-Encoding",
    "Idempotency-Key",
    "idempotency_key",
    "Content_Length",
    "X-HTTP-Method-Override",
    "Authorization",
    "X-Forwarded-For",
    "Upgrade",
    "Expect",
    "Origin",
    "X-Request-Id",
    "Cookie",
    "Connection",
    "",
];

const VALUES: &[&str] = &[
    "localhost",
    "127.0.0.1:8000",
    "localhost, evil.example",
    "evil.example",
    "application/json",
    UUID,
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "text/plain",
    "chunked",
    "gzip, chunked",
    "identity",
    "gzip",
    "0",
    "2",
    "+2",
    "2, 2",
    "DELETE",
    "Bearer x",
    "10.20.0.1",
    "websocket",
    "100-continue",
    "a\r\nHost: b",
    " ",
    "application/json, text/plain",
    "\u{e9}",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    "null",
    "[]",
    r#"{"email":"a@example.com","password":"long enough"}"#,
    r#"{"email":"a@example.com","password":"long enough","admin":true}"#,
    r#"{"note":"x"}"#,
    r#"{"note":null}"#,
    r#"{"note":"x","note":"y"}"#,
    r#"{"note":"x","\u006eote":"y"}"#,
    r#"{"cents":1,"currency":"EUR","method":{"kind":"card","token":"tok_0123456789abcdef"}}"#,
    r#"{"cents":1.0,"currency":"EUR","method":{"kind":"card","token":"tok_0123456789abcdef","iban":"x"}}"#,
    r#"{"room_id":1,"from":"2026-01-01","to":"2026-01-02","guests":[{"name":"a"}],"price":{"amount":"1.00","currency":"EUR"}}"#,
    r#"{"cents":1e400}"#,
    "{\"note\":\"\\ud800\"}",
    "\u{feff}{}",
];

/// A request: mostly of parts that a real one would have.
pub(crate) fn request(bytes: &[u8]) -> Wild {
    let mut choices = Choices(bytes);
    let c = &mut choices;
    let (method, target) = line(c);
    let (headers, body) = rest(c);
    let dispatch = match c.byte() % 4 {
        0 => None,
        1 => Some(c.of(&["/v1/admin/report", "/v1/rooms", "/", ""]).to_owned()),
        _ => path_of(&target).and_then(decode),
    };
    Wild {
        method,
        target,
        dispatch,
        headers,
        body,
        peer: c.of(&[
            "192.0.2.1",
            "10.20.0.1",
            "::1",
            "::ffff:10.20.3.4",
            "127.0.0.2",
            "no address",
        ]),
        scheme: c.of(&["http", "http", "http", "https", "ws", "ftp"]),
        version: c.of(&[Version::Http11, Version::Http11, Version::Http10, Version::Later]),
        websocket: c.byte() % 8 == 1,
    }
}

/// Method and target.
fn line(c: &mut Choices<'_>) -> (String, Vec<u8>) {
    const METHODS: &[&str] =
        &["GET", "POST", "HEAD", "OPTIONS", "get", "TRACE", "CONNECT", "PATCH", "GE T", ""];
    let (method, path) = if c.byte().is_multiple_of(4) {
        (c.of(METHODS), String::new())
    } else {
        let (method, path, _, _) = c.of(OPERATIONS);
        (method, path.replace("{room_id}", "7").replace("{booking_id}", UUID))
    };
    let mut target = path.into_bytes();
    for _ in 0..c.byte() % 5 {
        let part = if c.byte().is_multiple_of(5) { c.raw() } else { c.of(TARGET).as_bytes() };
        target.extend_from_slice(part);
    }
    (method.to_owned(), target)
}

/// Names and values.
type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// Headers and body.
fn rest(c: &mut Choices<'_>) -> (Lines, Vec<u8>) {
    let mut headers = Vec::new();
    let mut add = |name: &[u8], value: &[u8]| headers.push((name.to_vec(), value.to_vec()));
    if !c.byte().is_multiple_of(8) {
        add(b"Host", b"localhost");
    }
    let body = match c.byte() % 8 {
        0 => c.raw(),
        1 | 2 => b"",
        _ => c.of(BODIES).as_bytes(),
    };
    if !body.is_empty() && !c.byte().is_multiple_of(8) {
        add(b"Content-Type", b"application/json");
    }
    if !c.byte().is_multiple_of(3) {
        add(b"Idempotency-Key", UUID.as_bytes());
    }
    for _ in 0..c.byte() % 4 {
        match c.byte() % 6 {
            0 => add(c.raw(), c.of(VALUES).as_bytes()),
            1 => add(c.of(NAMES).as_bytes(), c.raw()),
            _ => add(c.of(NAMES).as_bytes(), c.of(VALUES).as_bytes()),
        }
    }
    (headers, body.to_vec())
}

impl Wild {
    /// Asks with its head.
    pub(crate) fn with_head<T>(&self, ask: impl FnOnce(&Head<'_>) -> T) -> T {
        let headers: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        ask(&Head {
            method: &self.method,
            target: Asked::Raw(&self.target),
            dispatch: self.dispatch.as_deref(),
            headers: &headers,
            peer: Some(self.peer),
            scheme: self.scheme,
            version: self.version,
            websocket: self.websocket,
        })
    }

    fn values(&self, name: &str) -> Vec<String> {
        // A header with `_` for `-` is one that an application could take for it.
        let alike =
            |n: &[u8]| String::from_utf8_lossy(n).replace('_', "-").eq_ignore_ascii_case(name);
        let values = self.headers.iter().filter(|(n, _)| alike(n));
        values.map(|(_, v)| String::from_utf8_lossy(v).trim().to_owned()).collect()
    }

    /// What must hold of this request for the verdict on it to be right; a failure says what does not.
    pub(crate) fn check(&self, verdict: &Verdict) -> Result<(), String> {
        let reason = verdict.reason().map(|reason| reason.code());
        if reason == Some("gate.fault") {
            return Err("a fault of the gate's own".to_owned());
        }
        if !verdict.is_allowed() {
            let empty = verdict.raw().is_empty() && verdict.document().is_none();
            return if reason.is_some() && empty {
                Ok(())
            } else {
                Err("refused by halves".to_owned())
            };
        }
        let path = path_of(&self.target).and_then(decode).ok_or("a target that cannot be read")?;
        if self.dispatch.as_ref().is_some_and(|dispatch| *dispatch != path) {
            return Err(format!("judged {path}, dispatched otherwise"));
        }
        let (method, template, query, body) = OPERATIONS
            .iter()
            .find(|(method, template, _, _)| serves(method, &self.method) && is_of(template, &path))
            .ok_or_else(|| format!("{} {path} is not declared", self.method))?;
        let name = verdict.operation().map(secval::policy::Operation::name);
        if name != Some(format!("{method} {}", &template["/v1".len()..])) {
            return Err(format!("{name:?} is not {method} {template}"));
        }
        self.check_head(template, query)?;
        self.check_body(*body, verdict)
    }

    fn check_head(&self, template: &str, query: &[&str]) -> Result<(), String> {
        let holds = |that: bool, what: &str| if that { Ok(()) } else { Err(what.to_owned()) };
        let hosts = self.values("host");
        let known = |host: &String| {
            ["localhost", "127.0.0.1"].contains(&host.split(':').next().unwrap_or_default())
        };
        holds(hosts.iter().all(known), "another Host")?;
        holds(hosts.len() == 1 || (hosts.is_empty() && self.version == Version::Http10), "Hosts")?;
        let clean = |(name, value): &(Vec<u8>, Vec<u8>)| {
            !name.is_empty() && !value.iter().any(|b| b"\r\n\0".contains(b))
        };
        holds(self.headers.iter().all(clean), "a header that ends early")?;
        holds(self.values("x-http-method-override").is_empty(), "an override")?;
        holds(self.values("content-length").len() < 2, "two lengths")?;
        let both = !self.values("content-length").is_empty()
            && !self.values("transfer-encoding").is_empty();
        holds(!both, "both lengths")?;
        holds(["http", "ws"].contains(&self.scheme), "another scheme")?;
        holds(self.websocket == template.ends_with("/events"), "a websocket, or none")?;
        let inside = ["10.20.0.1", "::ffff:10.20.3.4", "127.0.0.2"].contains(&self.peer);
        holds(inside || !template.contains("/admin/"), "from outside")?;
        holds(self.peer != "no address", "from nowhere")?;
        let key = self.values("idempotency-key");
        holds(!template.ends_with("/payments") || key == [UUID], "the key")?;
        let text = String::from_utf8_lossy(&self.target).into_owned();
        let pairs = text.split_once('?').map_or("", |(_, query)| query);
        let names: Option<Vec<String>> = (pairs.split('&').filter(|pair| !pair.is_empty()))
            .map(|pair| decode(&pair.split('=').next().unwrap_or_default().replace('+', " ")))
            .collect();
        let mut names = names.ok_or("a query that cannot be read")?;
        holds(names.iter().all(|name| query.contains(&name.as_str())), "an undeclared parameter")?;
        holds(!query.contains(&"month") || names.len() == 1, "no month")?;
        let all = names.len();
        names.sort();
        names.dedup();
        holds(names.len() == all, "a repeated parameter")
    }

    fn check_body(&self, declared: bool, verdict: &Verdict) -> Result<(), String> {
        if !verdict.is_judged() {
            return Err("let through unjudged".to_owned());
        }
        if verdict.raw() != self.body {
            return Err("other bytes than those that came".to_owned());
        }
        if !declared {
            return if self.body.is_empty() { Ok(()) } else { Err("a body".to_owned()) };
        }
        let types = self.values("content-type");
        if types.len() != 1 || !types[0].starts_with("application/json") || types[0].contains(',') {
            return Err(format!("a body of the types {types:?}"));
        }
        // Every operation that has a body demands an object.
        let read: serde_json::Value =
            serde_json::from_slice(&self.body).map_err(|error| error.to_string())?;
        let document = verdict.document().ok_or("no document")?;
        if !read.is_object() || document.to_serde().ok() != Some(read) {
            return Err("another document than the body's".to_owned());
        }
        // None of the members that the bodies above repeat or invent.
        let body = String::from_utf8_lossy(&self.body);
        let sound = !body.contains("admin")
            && !body.contains("iban\":\"x")
            && body.matches("ote\":").count() < 2;
        if sound { Ok(()) } else { Err("a member that is not declared, or comes twice".to_owned()) }
    }
}

fn serves(declared: &str, asked: &str) -> bool {
    declared == asked || (declared == "GET" && asked == "HEAD")
}

/// The path of a target, still encoded.
fn path_of(target: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(target).ok()?;
    let lower = text.to_ascii_lowercase();
    let scheme = ["http://", "https://"].iter().find(|scheme| lower.starts_with(**scheme));
    let rest = match scheme {
        None => text,
        Some(scheme) => {
            let rest = &text[scheme.len()..];
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            if rest[end..].starts_with('/') { &rest[end..] } else { "/" }
        }
    };
    rest.split('?').next()
}

/// Percent-decoded once.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether a decoded path is of a template, its parameters included.
fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(declared, asked)| match *declared {
            "{room_id}" => {
                let digits = !asked.is_empty() && asked.bytes().all(|b| b.is_ascii_digit());
                digits && asked.len() <= 6 && !asked.starts_with('0')
            }
            "{booking_id}" => asked.eq_ignore_ascii_case(UUID) || asked.len() == UUID.len(),
            literal => literal == *asked,
        })
}
