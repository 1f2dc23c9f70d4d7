//! A request without its body, as a server hands it over.

#![forbid(unsafe_code)]

/// A request without its body. Everything borrows from the caller.
#[derive(Debug, Clone, Copy)]
pub struct Head<'r> {
    /// As it stood in the request line: `GET`. Methods are case-sensitive.
    pub method: &'r str,
    /// What was asked for.
    pub target: Asked<'r>,
    /// Decoded: what the application will dispatch on. When given, the raw target must decode to exactly this.
    pub dispatch: Option<&'r str>,
    /// Names and values, in order, repeats included.
    pub headers: &'r [(&'r [u8], &'r [u8])],
    /// The socket's address, never a header; `None` where there is none (a unix socket).
    pub peer: Option<&'r str>,
    /// `http`, `https`, `ws` or `wss`.
    pub scheme: &'r str,
    /// The version of HTTP.
    pub version: Version,
    /// Whether this is the handshake of a websocket.
    pub websocket: bool,
}

/// The request target, as far as the server gives it.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'r> {
    /// Still percent-encoded, with its query.
    Raw(&'r [u8]),
    /// The server has decoded the path; the query is raw. Accepted only with `[request] decoded_target = true`.
    Decoded {
        /// Decoded by the server.
        path: &'r str,
        /// Still encoded.
        query: &'r [u8],
    },
}

/// The version of HTTP, as far as framing depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: Host may be missing.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2 and later: a body needs no header to announce it.
    Later,
}

impl Version {
    /// Reads `1.0`, `1.1`, `2`, `2.0`, `3`, `3.0`, as servers write it; also after `HTTP/`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("HTTP/").unwrap_or(text) {
            "1.0" => Some(Self::Http10),
            "1.1" => Some(Self::Http11),
            "2" | "2.0" | "3" | "3.0" => Some(Self::Later),
            _ => None,
        }
    }
}
