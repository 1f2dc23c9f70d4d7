//! Policies and their faults, as data (`tests/data/policy`), and what no document may do to the compiler.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use secval::policy::{Policy, Source, summary};
use serde_json::Value;

/// One case of a `.case` file: files by name, and what is expected of them.
#[derive(Debug, Default, Clone)]
struct Case {
    title: String,
    files: Vec<(String, String)>,
}

impl Case {
    fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// `FILE:LINE POINTER -- message` of each fault that is expected, in their order.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, text) in self.files.iter().filter(|(name, _)| is_file(name)) {
            for (number, line) in (1..).zip(text.lines()) {
                faults.extend(
                    line.split(" #! ").skip(1).map(|mark| format!("{name}:{number} {mark}")),
                );
            }
        }
        faults.extend(self.file("faults").iter().flat_map(|text| text.lines().map(str::to_owned)));
        faults
    }

    /// Writes its files to a folder of their own, and compiles them.
    fn compile(&self, folder: &Path) -> Result<Policy, Vec<secval::policy::Fault>> {
        for (name, text) in self.files.iter().filter(|(name, _)| is_file(name)) {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let names = ["secval.toml", "openapi.yaml", "openapi.json"];
        let policy = names.iter().find(|name| self.file(name).is_some()).expect("a policy");
        Policy::load(&folder.join(policy))
    }
}

fn is_file(name: &str) -> bool {
    name.contains('.')
}

/// The cases of a file; what stands before the first is shared by all.
fn cases(text: &str) -> Vec<Case> {
    let mut cases = vec![Case::default()];
    for line in text.lines() {
        let case = cases.last_mut().expect("the shared one is always there");
        if let Some(title) = line.strip_prefix("=== ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
        } else if let Some(name) = line.strip_prefix("--- ") {
            case.files.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = case.files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let shared = cases.remove(0);
    for case in &mut cases {
        for (name, text) in &mut case.files {
            // The blank line before the next case belongs to nobody.
            if let Some(trimmed) = text.strip_suffix("\n\n") {
                *text = format!("{trimmed}\n");
            }
            let _ = name;
        }
        for (name, text) in &shared.files {
            if case.file(name).is_none() {
                case.files.push((name.clone(), text.clone()));
            }
        }
    }
    cases
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy")
}

/// Whether a value has all that is expected of it: members may be more, lists may not.
fn has(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(name, part)| value.get(name).is_some_and(|own| has(own, part)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected).all(|(v, e)| has(v, e))
        }
        _ => value == expected,
    }
}

/// What is wrong with a case; empty when it is as expected.
fn judge(case: &Case, folder: &Path) -> String {
    let mut wrong = String::new();
    let mut expected = case.faults();
    match case.compile(folder) {
        Ok(policy) => {
            for fault in expected {
                let _ = writeln!(wrong, "    missing  {fault}");
            }
            let summary = summary::operations(&policy);
            if let Some(text) = case.file("operations") {
                let operations: Value = serde_json::from_str(text).expect("JSON");
                if !has(&summary, &operations) {
                    let _ = writeln!(wrong, "    operations are {summary:#}");
                }
            }
        }
        Err(faults) => {
            assert!(faults.is_sorted(), "faults come in the order of their places");
            for fault in faults {
                let path = Path::new(&fault.file).strip_prefix(folder).expect("a file of the case");
                let pointer = if fault.pointer.is_empty() { "-" } else { &fault.pointer };
                let found =
                    format!("{}:{} {pointer} -- {}", path.display(), fault.line, fault.message);
                match expected.iter().position(|own| found.starts_with(own.as_str())) {
                    Some(index) => _ = expected.remove(index),
                    None => _ = writeln!(wrong, "    beyond   {found}"),
                }
            }
            for fault in expected {
                let _ = writeln!(wrong, "    missing  {fault}");
            }
        }
    }
    wrong
}

#[test]
fn every_fault_is_reported_at_its_place() {
    let mut wrong = String::new();
    let mut count = 0;
    let scratch = std::env::temp_dir().join(format!("secval-policy-{}", std::process::id()));
    for entry in fs::read_dir(data()).expect("the cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "case") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for (index, case) in cases(&fs::read_to_string(&path).expect("cases")).iter().enumerate() {
            count += 1;
            let found = judge(case, &scratch.join(format!("{name}-{index}")));
            if !found.is_empty() {
                let _ = writeln!(wrong, "{name}: {}\n{found}", case.title);
            }
        }
    }
    let _ = fs::remove_dir_all(&scratch);
    assert!(count > 80, "only {count} cases were found");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_value_from_memory_has_no_lines() {
    let document = serde_json::json!({"openapi": "3.1.0", "infos": {}});
    let faults = Policy::compile(Source::memory("openapi", &document).expect("a value"), None);
    let faults = faults.expect_err("no document");
    assert!(faults.iter().all(|fault| fault.line == 0 && fault.file == "openapi"));
    assert!(faults.iter().any(|fault| fault.pointer == "/infos"));

    let mut deep = Value::Null;
    for _ in 0..200 {
        deep = Value::Array(vec![deep]);
    }
    let faults = Source::memory("openapi", &deep).expect_err("too deep");
    assert_eq!(faults.len(), 1);
}

/// The folder of the public documents, if it is there.
fn public() -> Option<PathBuf> {
    let folder = std::env::var_os("SECVAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = folder.join("openapi");
    assert!(
        folder.exists() || std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "$SECVAL_DATA has no openapi, and with CI=true no suite may be missing"
    );
    folder.exists().then_some(folder)
}

/// Compiles a public document whose credentials the application checks, under any host.
fn compile_public(path: &Path) -> Result<Policy, Vec<secval::policy::Fault>> {
    let config = "version = 1\n[api]\nhosts = [\"*\"]\n\
        formats = { snowflake = \"^[0-9]{1,20}$\", nonce = \"any\" }\n[auth]\nrequired = \"app\"";
    Policy::compile(Source::file(path)?, Some(Source::toml("secval.toml", config)?))
}

#[test]
fn public_documents_compile_or_say_why_not() {
    let Some(folder) = public() else {
        println!("$SECVAL_DATA has no openapi: public_documents_compile_or_say_why_not is skipped");
        return;
    };
    for (name, operations) in [
        ("museum.yaml", 8),
        ("examples/v3.1/tictactoe.yaml", 3),
        ("examples/v3.1/tictactoe.json", 3),
        ("examples/v3.1/non-oauth-scopes.yaml", 1),
        ("examples/v3.1/non-oauth-scopes.json", 1),
    ] {
        match compile_public(&folder.join(name)) {
            Ok(policy) => assert_eq!(policy.operations.len(), operations, "{name}"),
            Err(faults) => panic!("{name}: {faults:#?}"),
        }
    }
    for (name, messages) in [
        ("examples/v3.0/petstore.yaml", &["OpenAPI 3.0 is not read yet; this reads 3.1"][..]),
        ("examples/v3.2/3.2-tags-example.json", &["OpenAPI 3.2 is not read yet; this reads 3.1"]),
        ("examples/v3.1/webhook-example.yaml", &["`paths` is missing"]),
        (
            "discord.json",
            &[
                "only JSON is enforced yet",
                "what a string contains is not judged",
                "lists and objects as parameters are not enforced yet",
                "no text can be of this schema's type",
            ],
        ),
    ] {
        let faults = compile_public(&folder.join(name)).expect_err("something is not enforced yet");
        for fault in &faults {
            let known = messages.iter().any(|message| fault.message.starts_with(message));
            assert!(known && fault.line > 0, "{name}: {fault:?}");
        }
        for message in messages {
            let met = faults.iter().any(|fault| fault.message.starts_with(message));
            assert!(met, "{name}: {message}");
        }
    }
}
