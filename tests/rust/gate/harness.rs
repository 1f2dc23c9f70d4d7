//! Cases as data: how they are read, asked and compared. What their members mean stands in `tests/data/gate/README.md`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secval::clock::ManualClock;
use secval::gate::{Answer, Asked, Gate, Head, Verdict, Version};
use secval::policy::Policy;
use serde_json::Value;

/// 2026-01-02 03:04:05 UTC, a week after the machine started.
const NOW: (u64, u64) = (604_800_000, 1_767_323_045_000);

/// A file of cases.
pub(crate) struct File {
    name: String,
    pub(crate) content: Value,
}

/// One step of one case.
pub(crate) struct Step<'f> {
    pub(crate) label: String,
    request: Request,
    expect: &'f Value,
    /// Asked as a whole only: with a server between, the rest would be the next request.
    whole: bool,
}

/// A request that owns its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Option<Vec<u8>>,
    pub(crate) path: Option<String>,
    pub(crate) query: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: Option<String>,
    pub(crate) scheme: String,
    pub(crate) version: String,
    pub(crate) websocket: bool,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gate")
}

/// All files of cases, by name.
pub(crate) fn files() -> Vec<File> {
    let entries = std::fs::read_dir(folder()).expect("the cases");
    let mut files: Vec<File> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| {
            let text = std::fs::read(&path).expect("a file");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            File { content: serde_json::from_slice(&text).expect(&name), name }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

impl File {
    /// A gate of the file's policy; `None`, and said so, where its document is not here.
    pub(crate) fn gate(&self) -> Option<Gate> {
        match &self.content["policy"] {
            Value::String(path) => Some(gate(&folder().join(path))),
            public => {
                let document = public_data(public["document"].as_str().expect("a document"))?;
                let lines = public["config"].as_array().expect("lines");
                let lines: Vec<&str> = lines.iter().map(|l| l.as_str().expect("a line")).collect();
                Some(public_gate(&self.name, &document, &lines.join("\n")))
            }
        }
    }

    /// The cases, each with its steps.
    pub(crate) fn cases(&self) -> Vec<Vec<Step<'_>>> {
        let cases = self.content["cases"].as_array().expect("cases");
        cases.iter().map(|case| self.steps(case)).collect()
    }

    fn steps<'f>(&'f self, case: &'f Value) -> Vec<Step<'f>> {
        let steps = case["steps"].as_array().map_or_else(|| vec![case], |s| s.iter().collect());
        let steps = steps.iter().enumerate();
        steps
            .map(|(index, step)| Step {
                label: format!("{}: {}, step {index}", self.name, case["name"]),
                request: Request::read(&self.content["defaults"], &step["request"]),
                expect: &step["expect"],
                whole: case["whole"] == true,
            })
            .collect()
    }
}

/// A gate of a policy's file, at a fixed time.
pub(crate) fn gate(path: &Path) -> Gate {
    let policy =
        Policy::load(path).unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()));
    Gate::new(policy, Arc::new(ManualClock::new(NOW.0, NOW.1))).expect("a gate")
}

/// A gate of a document and the lines of a `secval.toml`.
pub(crate) fn public_gate(name: &str, document: &Path, lines: &str) -> Gate {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("secval.toml");
    // First what stands in no table, then ours.
    let text =
        format!("version = 1\napi.openapi = {:?}\n{lines}\n", document.display().to_string());
    std::fs::write(&path, text).expect("a file");
    gate(&path)
}

/// A file or folder of the public data; `None`, and said so, where it is not here.
pub(crate) fn public_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SECVAL_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if !path.exists() {
        let required = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!required, "{name} is missing under {}", root.display());
        println!("skipped: no {name} under {}", root.display());
        return None;
    }
    Some(path.canonicalize().expect("a path"))
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect()
}

fn pairs(list: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |pair: &Value| {
        (latin1(pair[0].as_str().expect("a name")), latin1(pair[1].as_str().expect("a value")))
    };
    list.as_array().into_iter().flatten().map(pair).collect()
}

fn body(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        other if !other["json"].is_null() => other["json"].to_string().into_bytes(),
        other if other["repeat"].is_array() => {
            let times = other["repeat"][1].as_u64().expect("a number");
            let text = other["repeat"][0].as_str().expect("a text");
            text.repeat(usize::try_from(times).expect("a number")).into_bytes()
        }
        other => {
            let hex = other["hex"].as_str().expect("a body");
            let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
            (0..hex.len()).step_by(2).map(digits).collect()
        }
    }
}

impl Request {
    fn read(defaults: &Value, own: &Value) -> Self {
        let get = |name: &str| own.get(name).or_else(|| defaults.get(name)).unwrap_or(&Value::Null);
        let text = |name: &str| get(name).as_str().map(str::to_owned);
        let mut headers =
            if own["bare"] == true { Vec::new() } else { pairs(&defaults["headers"]) };
        headers.extend(pairs(&own["headers"]));
        Self {
            method: latin1(&text("method").expect("a method")),
            target: text("target").as_deref().map(latin1),
            path: text("path"),
            query: text("query").as_deref().map(latin1).unwrap_or_default(),
            headers,
            body: body(get("body")),
            peer: text("peer"),
            scheme: text("scheme").unwrap_or_else(|| "https".to_owned()),
            version: text("version").unwrap_or_else(|| "1.1".to_owned()),
            websocket: *get("websocket") == true,
        }
    }

    /// Asks with the head of this request.
    pub(crate) fn with_head<T>(&self, ask: impl FnOnce(&Head<'_>) -> T) -> T {
        let headers: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        ask(&Head {
            method: std::str::from_utf8(&self.method).unwrap_or_default(),
            target: match (&self.target, &self.path) {
                (Some(raw), _) => Asked::Raw(raw),
                (None, path) => {
                    Asked::Decoded { path: path.as_deref().unwrap_or_default(), query: &self.query }
                }
            },
            dispatch: self.path.as_deref(),
            headers: &headers,
            peer: self.peer.as_deref(),
            scheme: &self.scheme,
            version: Version::parse(&self.version).unwrap_or(Version::Http11),
            websocket: self.websocket,
        })
    }

    /// The verdict on all of it at once.
    pub(crate) fn judge(&self, gate: &Gate) -> Verdict {
        self.with_head(|head| gate.judge(head, &self.body))
    }

    /// The verdict when the body comes in pieces of this size, announced as a client would.
    pub(crate) fn stream(&self, gate: &Gate, size: usize) -> Verdict {
        let mut request = self.clone();
        let names = ["content-length", "transfer-encoding"];
        let said = |(n, _): &(Vec<u8>, Vec<u8>)| {
            names.iter().any(|h| n.eq_ignore_ascii_case(h.as_bytes()))
        };
        if !request.body.is_empty() && request.version != "2" && !request.headers.iter().any(said) {
            let length = request.body.len().to_string().into_bytes();
            request.headers.push((b"Content-Length".to_vec(), length));
        }
        let mut pending = match request.with_head(|head| gate.head(head)) {
            Answer::Final(verdict) => return *verdict,
            Answer::Pending(pending) => pending,
        };
        for chunk in request.body.chunks(size) {
            if let Some(verdict) = pending.feed(chunk).expect("not spent") {
                return verdict;
            }
        }
        pending.finish().expect("not spent")
    }
}

impl Step<'_> {
    /// Asks as a whole.
    pub(crate) fn judge(&self, gate: &Gate) {
        self.compare(&self.request.judge(gate), &self.label);
    }

    /// Asks in pieces: the same answer, but that what was let through may have been handed on before its end.
    pub(crate) fn stream(&self, gate: &Gate) {
        if self.whole {
            return;
        }
        for size in [1, 7, usize::MAX] {
            let verdict = self.request.stream(gate, size);
            let label = format!("{} (in pieces of {size})", self.label);
            if verdict.is_allowed() && !verdict.is_judged() {
                let raw = verdict.raw();
                assert!(self.request.body.starts_with(raw), "{label}");
            }
            self.compare(&verdict, &label);
        }
    }

    /// What the verdict must be, whichever way it was asked for.
    fn compare(&self, verdict: &Verdict, label: &str) {
        let expect = |name: &str| self.expect.get(name);
        let text = |name: &str| expect(name).and_then(Value::as_str);
        let reason = verdict.reason();
        assert_eq!(reason.map(|r| r.code()), text("reason"), "{label}: {verdict:?}");
        assert_eq!(verdict.is_allowed(), reason.is_none(), "{label}");
        assert_eq!(verdict.status(), reason.map_or(200, |r| r.status()), "{label}");
        if let Some(status) = expect("status") {
            assert_eq!(*status, verdict.status(), "{label}");
        }
        if expect("would_refuse").is_some() {
            assert_eq!(verdict.would_refuse().map(|r| r.code()), text("would_refuse"), "{label}");
        }
        if let Some(judged) = expect("judged") {
            assert_eq!(*judged, verdict.is_judged(), "{label}");
        }
        if expect("operation").is_some() {
            let operation = verdict.operation().map(secval::policy::Operation::name);
            assert_eq!(operation.as_deref(), text("operation"), "{label}");
        }
        if expect("client").is_some() {
            let client = verdict.client().map(|address| address.to_string());
            assert_eq!(client.as_deref(), text("client"), "{label}");
        }
        if let Some(expected) = text("request_id") {
            assert!(matches(expected, verdict.request_id()), "{label}: {}", verdict.request_id());
        }
        self.compare_content(verdict, label);
        self.compare_answer(verdict, label);
    }

    fn compare_content(&self, verdict: &Verdict, label: &str) {
        let expect = |name: &str| self.expect.get(name);
        if let Some(json) = expect("json") {
            let found = verdict.document().map_or(Value::Null, |d| d.to_serde().expect(label));
            assert_eq!(found, *json, "{label}");
        }
        if let Some(params) = expect("params") {
            let found = verdict.parameters().expect(label).to_serde().expect(label);
            assert_eq!(found, *params, "{label}");
        }
        if let Some(raw) = expect("raw").and_then(Value::as_str)
            && (verdict.is_judged() || verdict.would_refuse().is_some())
            && !label.contains("pieces")
        {
            assert_eq!(verdict.raw(), raw.as_bytes(), "{label}");
        }
        if !verdict.is_judged() {
            assert!(verdict.document().is_none() && verdict.parameters().is_none(), "{label}");
        }
        if !verdict.is_allowed() {
            assert!(verdict.raw().is_empty(), "{label}");
        }
    }

    fn compare_answer(&self, verdict: &Verdict, label: &str) {
        let headers = self.expect.get("headers").and_then(Value::as_object);
        for (name, expected) in headers.into_iter().flatten() {
            let mut found = verdict.headers().iter().filter(|(n, _)| n == name);
            let (first, second) = (found.next().map(|(_, value)| value.as_str()), found.next());
            assert!(second.is_none(), "{label}: {name} twice");
            match expected {
                Value::Null => assert_eq!(first, None, "{label}: {name}"),
                Value::String(text) => {
                    assert!(first.is_some_and(|f| matches(text, f)), "{label}: {name}: {first:?}");
                }
                range => {
                    let number: u64 = first.expect(name).parse().expect(label);
                    let within = range["from"].as_u64() <= Some(number)
                        && Some(number) <= range["to"].as_u64();
                    assert!(within, "{label}: {name}: {number}");
                }
            }
        }
        let Some(reason) = verdict.reason() else {
            assert!(verdict.problem().is_empty(), "{label}");
            return;
        };
        let problem: Value = serde_json::from_slice(&verdict.problem()).expect(label);
        assert_eq!(problem["reason"], reason.code(), "{label}");
        assert_eq!(problem["status"], reason.status(), "{label}");
        assert_eq!(problem["request_id"], verdict.request_id(), "{label}");
        match self.expect.get("errors") {
            None => {}
            Some(Value::Null) => assert_eq!(problem.get("errors"), None, "{label}"),
            Some(expected) => {
                // The text for people is not compared.
                let mut found = problem["errors"].clone();
                for error in found.as_array_mut().into_iter().flatten() {
                    error.as_object_mut().map(|members| members.remove("detail"));
                }
                assert_eq!(found, *expected, "{label}");
            }
        }
    }
}

/// `~` begins a pattern.
fn matches(expected: &str, found: &str) -> bool {
    match expected.strip_prefix('~') {
        Some(pattern) => regex::Regex::new(pattern).expect("a pattern").is_match(found),
        None => expected == found,
    }
}
