//! What an API accepts: OpenAPI and `secval.toml`, compiled to operations and routes.
//!
//! Gives a [`Policy`], all decided and never changing, or every [`Fault`] of every file at once, each with file,
//! pointer and line. A construct that is not enforced is a fault, never ignored.
//!
//! | file | what |
//! |---|---|
//! | `model.rs` | what comes out, and all that the gate reads |
//! | `source/` | JSON, YAML and TOML with the line of each value |
//! | `openapi/` | the document |
//! | `config/` | `secval.toml` |
//! | `assembly.rs` | the two put together |
//! | `router.rs` | method and path to operation |
//! | `summary.rs` | what each operation demands, for people |
//!
//! ```
//! use secval::policy::{Policy, Source};
//!
//! let document = Source::yaml("openapi.yaml", "
//! openapi: 3.1.0
//! info: {title: Greeter, version: '1'}
//! servers: [{url: https://api.example.com/v1}]
//! paths:
//!   /hello/{name}:
//!     get:
//!       parameters: [{name: name, in: path, required: true, schema: {type: string}}]
//!       nicknames: []
//! ").unwrap();
//! let faults = Policy::compile(document, None).unwrap_err();
//! assert_eq!((faults[0].line, faults[0].pointer.as_str()), (9, "/paths/~1hello~1{name}/get/nicknames"));
//! ```

#![forbid(unsafe_code)]

mod assembly;
mod config;
mod fault;
mod host;
pub mod model;
mod openapi;
pub mod router;
mod source;
pub mod summary;

use std::path::Path;

use config::Config;
pub use fault::Fault;
use fault::Faults;
use model::Counting;
pub use model::{Operation, Policy};
pub use source::Source;

impl Policy {
    /// Compiles a document and a configuration; or all faults of both, by file and line.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a source is read once, and is large: it ends here"
    )]
    pub fn compile(document: Source, config: Option<Source>) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let read = Config::read(config.as_ref(), &mut faults);
        if let Some(at) = &read.api.openapi {
            faults.push(at.fault("the document was given already: leave this out"));
        }
        let policy = assembly::assemble(Some(&document), read, None, &mut faults);
        faults.judge(policy)
    }

    /// The shared table that its rates are counted in, if there are any and they are to be shared.
    pub fn shared_table(&self) -> Option<&str> {
        match &self.counting {
            Counting::Shared(name) if !self.rates.is_empty() => Some(name),
            Counting::Shared(_) | Counting::Alone | Counting::Unsaid => None,
        }
    }

    /// Whether it has rates, and does not say which processes count together.
    pub fn is_sharing_unsaid(&self) -> bool {
        self.counting == Counting::Unsaid && !self.rates.is_empty()
    }

    /// Compiles a `secval.toml`, with the document that it names; or an OpenAPI document alone.
    pub fn load(path: &Path) -> Result<Self, Vec<Fault>> {
        let source = Source::file(path)?;
        if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
            return Self::compile(source, None);
        }
        let mut faults = Faults::default();
        let config = Config::read(Some(&source), &mut faults);
        let named = config.api.openapi.as_ref().and_then(source::At::path);
        let document = match named.map(|path| Source::file(&path)) {
            Some(Ok(document)) => Some(document),
            Some(Err(found)) => {
                faults.extend(found);
                None
            }
            None => {
                faults.push(source.root().fault(
                    "which document? Write `[api]`, `openapi = \"openapi.yaml\"`, relative to this file",
                ));
                None
            }
        };
        // Links and `..` resolved: it was read, so it is there.
        let home = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let policy = assembly::assemble(document.as_ref(), config, Some(&home), &mut faults);
        faults.judge(policy)
    }
}
