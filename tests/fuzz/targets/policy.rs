//! Any bytes as a policy: sources and compiler answer with a policy or with faults, never with a panic; and a policy
//! that compiles makes a gate that answers.
//!
//! A document that begins with a brace is read as JSON, others as YAML. A NUL ends it; what follows is its `secval.toml`.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use secval::clock::ManualClock;
use secval::gate::{Asked, Gate, Head, Version};
use secval::policy::{Policy, Source, summary};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (document, config) = text.split_once('\0').unwrap_or((&text, ""));
    let document = if document.trim_ascii_start().starts_with('{') {
        Source::json("fuzz.json", document)
    } else {
        Source::yaml("fuzz.yaml", document)
    };
    // Lists of addresses are files: a fuzzer opens none.
    let opens = ["allow", "deny", "addresses", "openapi"].iter().any(|word| config.contains(word));
    let config = if config.is_empty() || opens { None } else { Some(Source::toml("fuzz.toml", config)) };
    let (Ok(document), Ok(config)) = (document, config.transpose()) else { return };
    match Policy::compile(document, config) {
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            assert!(faults.iter().all(|fault| !fault.message.is_empty()), "{faults:?}");
        }
        Ok(policy) => judge(policy),
    }
});

/// One request for each operation: any answer but a fault of the gate's own.
fn judge(policy: Policy) {
    let asked: Vec<(String, String)> = (policy.operations.iter())
        .flat_map(|one| {
            let path = |base: &String| (one.method.clone(), format!("{base}{}", one.template));
            one.bases.iter().map(path).collect::<Vec<_>>()
        })
        .take(50)
        .collect();
    let _ = summary::operations(&policy);
    let Ok(gate) = Gate::new(policy, Arc::new(ManualClock::new(1_000_000, 0))) else { return };
    for (method, path) in asked {
        let head = Head {
            method: &method,
            target: Asked::Raw(path.as_bytes()),
            dispatch: None,
            headers: &[(b"host", b"localhost"), (b"content-type", b"application/json")],
            peer: Some("192.0.2.1"),
            scheme: "https",
            version: Version::Http11,
            websocket: false,
        };
        let verdict = gate.judge(&head, br#"{"a": [1, "b", null]}"#);
        let reason = verdict.reason().map(|reason| reason.code());
        assert_ne!(reason, Some("gate.fault"), "{method} {path}");
    }
}
