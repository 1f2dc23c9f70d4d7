//! Any bytes: accepted exactly when the oracle accepts them, and read as the oracle and `serde_json` read them.

#![no_main]

#[path = "../../rust/json/oracle.rs"]
#[allow(dead_code, reason = "the tests of the package use all of it")]
mod oracle;

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use secval::json::{Limits, Tape, parse, place};
use secval::reason::Reason;

fuzz_target!(|text: &[u8]| {
    match parse(Cow::Borrowed(text), &Limits::default(), Tape::default()) {
        Ok(document) => {
            let tree = std::str::from_utf8(text).ok().and_then(oracle::read);
            assert_eq!(Some(oracle::tree(document.root())), tree.map(|tree| tree.node));
            let read: serde_json::Value = serde_json::from_slice(text).expect("serde reads it");
            assert_eq!(document.to_serde().expect("not too deep"), read);
            bounded(text, document.into_tape());
        }
        Err(error) => {
            assert!(error.offset() <= text.len());
            let _ = place(text, error.offset());
            // Deeper than the oracle's stack should go.
            if error.reason() != Reason::JsonDepth {
                let tree = std::str::from_utf8(text).ok().and_then(oracle::read);
                assert!(tree.is_none(), "{error}");
            }
        }
    }
});

/// Under ceilings, with buffers used before: the same document, or one of the ceilings.
fn bounded(text: &[u8], reuse: Tape) {
    let limits = Limits {
        max_depth: 3,
        max_bytes: Some(256),
        max_nodes: Some(12),
        max_members: Some(4),
        max_string_bytes: Some(8),
        max_number_chars: 6,
    };
    let tree = || std::str::from_utf8(text).ok().and_then(oracle::read).expect("read before");
    match parse(Cow::Borrowed(text), &limits, reuse) {
        Ok(document) => {
            let tree = tree();
            assert_eq!(oracle::tree(document.root()), tree.node);
            assert!(within(&tree, &limits, 1, &mut 0), "over a ceiling");
        }
        Err(error) => {
            let ceilings = [
                Reason::JsonDepth,
                Reason::JsonBytes,
                Reason::JsonNodes,
                Reason::JsonMembers,
                Reason::JsonStringBytes,
                Reason::JsonNumberChars,
            ];
            assert!(ceilings.contains(&error.reason()), "{error}");
            assert!(text.len() > 256 || !within(&tree(), &limits, 1, &mut 0), "{error}");
        }
    }
}

fn within(tree: &oracle::Tree, limits: &Limits, depth: usize, nodes: &mut usize) -> bool {
    use oracle::Node;
    *nodes += 1;
    let most = limits.max_members.expect("set");
    let short = |text: &str| text.len() <= limits.max_string_bytes.expect("set");
    *nodes <= limits.max_nodes.expect("set")
        && match &tree.node {
            Node::Null | Node::Bool(_) => true,
            Node::Number(text, _) => text.len() <= limits.max_number_chars,
            Node::String(text) => short(text),
            Node::Array(items) => {
                depth <= limits.max_depth
                    && items.len() <= most
                    && items.iter().all(|item| within(item, limits, depth + 1, nodes))
            }
            Node::Object(members) => {
                depth <= limits.max_depth
                    && members.len() <= most
                    && members
                        .iter()
                        .all(|(name, one)| short(name) && within(one, limits, depth + 1, nodes))
            }
        }
}
