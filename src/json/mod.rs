//! Strict JSON: bytes to a document, in one pass, or a fault with its place.
//!
//! Gives a [`Document`]: a compact tape of 16-byte nodes over the text, read through [`Value`]. Refuses all that
//! RFC 8259 does not allow, and what it leaves open and parsers read in different ways: repeated member names
//! (compared unescaped), lone surrogates, numbers that are no finite double, any encoding but UTF-8, a byte
//! order mark; and whatever goes over the [`Limits`]. Integers are exact, of any length that the limits allow.
//!
//! Costs: one pass over the text after one of UTF-8 validation; 16 bytes a value and a member name; no
//! recursion anywhere, so depth costs heap and never stack. An error is 8 bytes; line, column and pointer are
//! worked out by [`place`] when somebody asks.
//!
//! | file | what |
//! |---|---|
//! | `marks.rs` | the first look: where a string may end |
//! | `parser.rs` | the grammar, and nothing else; `strings.rs`, `numbers.rs`, `names.rs` are its parts |
//! | `observer.rs` | whoever wants to follow the parse: the door for validation in the same pass |
//! | `tape.rs`, `document.rs` | the nodes, and how they are read |
//! | `writer.rs` | documents from values instead of text |
//! | `serde.rs` | documents as `serde_json` values, for policies and schemas |
//! | `place.rs`, `pointer.rs` | where an offset lies, for people |
//!
//! ```
//! use std::borrow::Cow;
//! use secval::json::{self, Limits, Tape};
//! use secval::reason::Reason;
//!
//! let text = br#"{"amount": 12, "currency": "EUR"}"#;
//! let document = json::parse(Cow::Borrowed(text), &Limits::default(), Tape::default()).unwrap();
//! assert_eq!(document.root().get("currency").unwrap().as_str(), Some("EUR"));
//!
//! let twice = br#"{"amount": 12, "\u0061mount": 13}"#;
//! let error = json::parse(Cow::Borrowed(twice), &Limits::default(), Tape::default()).unwrap_err();
//! assert_eq!((error.reason(), error.offset()), (Reason::JsonDuplicateKey, 15));
//! assert_eq!(json::place(twice, error.offset()).column, 16);
//! ```

mod document;
mod error;
mod limits;
mod marks;
mod names;
mod numbers;
mod observer;
mod parser;
mod place;
pub mod pointer;
mod serde;
mod strings;
mod tape;
mod writer;

pub use document::{
    Content, Document, Items, Kind, Members, Names, Number, Token, Tokens, Unproven, Value,
};
pub use error::{Error, Stopped};
pub use limits::Limits;
pub use observer::{Ahead, Known, Observer, Silent};
pub use parser::{follow, parse, parse_observed, parse_str, parse_unproven};
pub use place::{Place, place};
pub use tape::Tape;
pub use writer::Writer;
