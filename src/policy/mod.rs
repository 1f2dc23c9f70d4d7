//! What an API accepts: OpenAPI and `secval.toml`, compiled to operations and routes.

pub mod router;
