//! An OpenAPI 3.1 document, read into what it demands of requests.
//!
//! Everything in it is enforced, or a pure annotation, or a fault (`keywords.rs` and `dialect.rs` are the closed
//! lists). Only what requests can reach is read: components that nobody refers to demand nothing.
//!
//! | file | what |
//! |---|---|
//! | `document.rs` | the document as a whole |
//! | `paths.rs` | path items and operations |
//! | `parameters.rs`, `kinds.rs` | parameters of simple types |
//! | `body.rs` | JSON bodies |
//! | `schemas.rs`, `dialect.rs` | the schemas of both |
//! | `servers.rs` | hosts, schemes and base paths |
//! | `security.rs` | whether credentials are demanded |
//! | `refs.rs` | references |

#![forbid(unsafe_code)]

mod body;
mod dialect;
mod document;
mod keywords;
mod kinds;
mod parameters;
mod paths;
mod refs;
mod schemas;
mod security;
mod servers;

pub(super) use document::Document;
pub(super) use paths::Draft;
