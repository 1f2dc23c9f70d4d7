//! JSONTestSuite: all `y_` files but the two with repeated names, no `n_` file; and the payloads of a real API.

use std::path::PathBuf;

use secval::json::{Limits, place};
use secval::reason::Reason;

use super::{oracle, read, tree};

/// The files of a folder of public data, by name; empty, and said so, where the data is missing.
pub(crate) fn data(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = std::env::var_os("SECVAL_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        let required = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!required, "{folder} is missing under {}", root.display());
        println!("skipped: no {folder} under {}", root.display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_suite_is_read_to_the_letter() {
    let files = data("json-test-suite/test_parsing");
    assert!(files.is_empty() || files.len() > 300, "part of the suite is missing");
    let mut refused = Vec::new();
    for (name, text) in &files {
        let result = read(text, &Limits::default());
        if let Err(error) = &result {
            // Wherever it is, it can be told.
            let _ = place(text, error.offset());
        }
        match (name.as_bytes().first(), result) {
            (Some(b'y'), Ok(document)) => {
                let text = std::str::from_utf8(text).expect("UTF-8");
                let oracle = oracle::read(text).expect("the oracle reads what is JSON");
                assert_eq!(tree(document.root()), oracle.node, "{name}");
            }
            (Some(b'y'), Err(error)) => refused.push((name.as_str(), error.reason())),
            (Some(b'n'), result) => assert!(result.is_err(), "{name} was accepted"),
            // The implementation's choice: ours is the oracle's too.
            (_, result) => {
                let oracle = std::str::from_utf8(text).ok().and_then(oracle::read);
                let deep = matches!(&result, Err(e) if e.reason() == Reason::JsonDepth);
                assert!(deep || result.is_ok() == oracle.is_some(), "{name}");
            }
        }
    }
    let twice = [
        ("y_object_duplicated_key.json", Reason::JsonDuplicateKey),
        ("y_object_duplicated_key_and_value.json", Reason::JsonDuplicateKey),
    ];
    assert!(files.is_empty() || refused == twice, "{refused:?}");
}

#[test]
fn real_payloads_are_read_as_the_oracle_reads_them() {
    for (name, text) in data("github-webhooks") {
        if std::path::Path::new(&name).extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let document = read(&text, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let oracle = oracle::read(std::str::from_utf8(&text).expect("UTF-8"));
        assert_eq!(tree(document.root()), oracle.expect("JSON").node, "{name}");
    }
}
