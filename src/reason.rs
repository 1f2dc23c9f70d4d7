//! Every reason to refuse: its stable code, its HTTP status, and whose fault it is.
//!
//! One table, so that a code means one status everywhere: in a verdict, an exception, a problem document,
//! a log line. A new case is a new row, never a string put together elsewhere. The titles repeat nothing
//! that a client sent and nothing that a policy keeps to itself.
//!
//! ```
//! use secval::reason::{Blame, Reason};
//!
//! let reason = Reason::JsonDuplicateKey;
//! assert_eq!(reason.code(), "json.duplicate_key");
//! assert_eq!((reason.status(), reason.blame()), (400, Blame::Client));
//! assert_eq!(Reason::from_code("json.duplicate_key"), Some(reason));
//! ```

#![forbid(unsafe_code)]

use std::fmt;

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever sent the request.
    Client,
    /// Whoever runs the service: its policy, its server, its sizes.
    Operator,
    /// secval itself.
    Gate,
}

struct Row {
    reason: Reason,
    code: &'static str,
    status: u16,
    blame: Blame,
    title: &'static str,
}

impl Reason {
    /// The stable code, `family.case`.
    #[inline]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The HTTP status that answers it.
    #[inline]
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// Whose fault it is.
    #[inline]
    pub fn blame(self) -> Blame {
        self.row().blame
    }

    /// One sentence for people, without a value of anybody's.
    #[inline]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The reason of a code, if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.code == code).map(|row| row.reason)
    }

    /// All reasons, in the order of a request's way through the gate.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.reason)
    }

    #[inline]
    fn row(self) -> &'static Row {
        // The table is in the order of the variants (tested below).
        &TABLE[self as usize]
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Why a request, or a text, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    // Framing: what the bytes around the request say about themselves.
    /// `framing.method_invalid`: the method is not a token of RFC 9110.
    FramingMethodInvalid,
    /// `framing.method_override`: a method-override header is not accepted.
    FramingMethodOverride,
    /// `framing.host_missing`: the request has no Host.
    FramingHostMissing,
    /// `framing.host_repeated`: the request has more than one Host.
    FramingHostRepeated,
    /// `framing.host_invalid`: the Host is not a host with an optional port.
    FramingHostInvalid,
    /// `framing.header_invalid`: a header's name is not a token, its value holds a control character, or its name is another spelling of one that is judged.
    FramingHeaderInvalid,
    /// `framing.header_repeated`: a header that may occur once occurs more than once.
    FramingHeaderRepeated,
    /// `framing.length_invalid`: the Content-Length is not a decimal number.
    FramingLengthInvalid,
    /// `framing.length_conflict`: Content-Length and Transfer-Encoding came together.
    FramingLengthConflict,
    /// `framing.transfer_encoding`: a transfer coding other than chunked, or chunked where HTTP does not have it.
    FramingTransferEncoding,
    /// `framing.headers_too_large`: the headers are larger than the policy allows.
    FramingHeadersTooLarge,
    // Target: the raw request target.
    /// `target.invalid`: the request target has a form or a character that is not accepted.
    TargetInvalid,
    /// `target.encoding`: the path has a percent-encoding that is malformed, not UTF-8, or hides a delimiter.
    TargetEncoding,
    /// `target.dot_segment`: the path has a dot segment.
    TargetDotSegment,
    /// `target.empty_segment`: the path has an empty segment.
    TargetEmptySegment,
    /// `target.too_long`: the request target is longer than the policy allows.
    TargetTooLong,
    /// `target.authority_mismatch`: the target's authority is not the Host.
    TargetAuthorityMismatch,
    /// `target.mismatch`: the raw target does not decode to the path that the application would dispatch on.
    TargetMismatch,
    /// `target.raw_missing`: the server gives no raw target: set [request] decoded_target = true, or use one that does.
    TargetRawMissing,
    // Client address: who is on the other end of the socket.
    /// `client.peer_missing`: the connection has no peer address and the policy trusts no such connection.
    ClientPeerMissing,
    /// `client.peer_invalid`: what the server gives as the connection's peer is no address.
    ClientPeerInvalid,
    /// `client.forwarded_invalid`: the forwarding header has a malformed hop.
    ClientForwardedInvalid,
    /// `address.denied`: the client's address is on a deny list.
    AddressDenied,
    /// `address.not_allowed`: the client's address is not on the allow list.
    AddressNotAllowed,
    // Quotas: how often.
    /// `rate.exceeded`: a quota is used up.
    RateExceeded,
    /// `rate.table_full`: the limiter's table is full of live keys.
    RateTableFull,
    // Route: which operation.
    /// `route.unknown`: no such path.
    RouteUnknown,
    /// `route.method_unknown`: the path exists, the method on it does not.
    RouteMethodUnknown,
    /// `route.sunset`: the operation has been retired.
    RouteSunset,
    /// `host.unknown`: the Host is not one of this API's.
    HostUnknown,
    /// `scheme.not_allowed`: the scheme is not one of this API's.
    SchemeNotAllowed,
    /// `websocket.undeclared`: the operation is not a websocket.
    WebsocketUndeclared,
    /// `websocket.required`: the operation is a websocket only.
    WebsocketRequired,
    /// `websocket.origin`: the Origin is not one of this API's.
    WebsocketOrigin,
    // Parameters: path, query and header values.
    /// `param.undeclared`: a query parameter is not declared.
    ParamUndeclared,
    /// `param.repeated`: a parameter occurs more than once.
    ParamRepeated,
    /// `param.missing`: a required parameter is missing.
    ParamMissing,
    /// `param.encoding`: a parameter's percent-encoding is malformed or not UTF-8.
    ParamEncoding,
    /// `param.type`: a parameter's text is not of its declared type.
    ParamType,
    /// `param.schema`: a parameter's value violates its schema.
    ParamSchema,
    // Media: what the body claims to be.
    /// `media.missing`: the body has no Content-Type.
    MediaMissing,
    /// `media.unsupported`: the media type is not declared.
    MediaUnsupported,
    /// `media.charset`: JSON has no charset but UTF-8.
    MediaCharset,
    /// `media.coding`: the content coding is not accepted.
    MediaCoding,
    // Body: the body as bytes.
    /// `body.undeclared`: the operation takes no body.
    BodyUndeclared,
    /// `body.missing`: the operation requires a body.
    BodyMissing,
    /// `body.incomplete`: the body is shorter or longer than its Content-Length, or the client left.
    BodyIncomplete,
    /// `body.too_large`: the body is larger than the policy allows.
    BodyTooLarge,
    // JSON: Strict JSON: RFC 8259 to the letter, and the ceilings.
    /// `json.empty`: there is no JSON value.
    JsonEmpty,
    /// `json.truncated`: the text ends inside a value.
    JsonTruncated,
    /// `json.trailing`: there is more after the value.
    JsonTrailing,
    /// `json.expected_value`: expected a value.
    JsonExpectedValue,
    /// `json.expected_name`: expected a member name in quotes.
    JsonExpectedName,
    /// `json.expected_colon`: expected a colon after the member name.
    JsonExpectedColon,
    /// `json.expected_comma`: expected a comma or the end of the container.
    JsonExpectedComma,
    /// `json.trailing_comma`: a comma is followed by the end of the container.
    JsonTrailingComma,
    /// `json.literal`: not one of true, false and null.
    JsonLiteral,
    /// `json.number`: malformed number.
    JsonNumber,
    /// `json.number_range`: the number is too large for a double.
    JsonNumberRange,
    /// `json.number_chars`: the number has more characters than the ceiling.
    JsonNumberChars,
    /// `json.escape`: malformed escape sequence.
    JsonEscape,
    /// `json.surrogate`: lone surrogate.
    JsonSurrogate,
    /// `json.control`: unescaped control character in a string.
    JsonControl,
    /// `json.utf8`: the text is not UTF-8.
    JsonUtf8,
    /// `json.bom`: the text begins with a byte order mark.
    JsonBom,
    /// `json.utf16`: the text is UTF-16 or UTF-32; only UTF-8 is accepted.
    JsonUtf16,
    /// `json.duplicate_key`: a member name occurs twice in one object.
    JsonDuplicateKey,
    /// `json.depth`: the text is nested deeper than the ceiling.
    JsonDepth,
    /// `json.bytes`: the text has more bytes than the ceiling.
    JsonBytes,
    /// `json.nodes`: the text has more values than the ceiling.
    JsonNodes,
    /// `json.members`: an object has more members, or an array more items, than the ceiling.
    JsonMembers,
    /// `json.string_bytes`: a string has more bytes than the ceiling.
    JsonStringBytes,
    // Schema: The body against its schema.
    /// `schema.violation`: the body violates its schema.
    SchemaViolation,
    // Our own: nothing the client could have done better.
    /// `gate.differs`: secval's two validators do not agree; the request is refused.
    GateDiffers,
    /// `gate.fault`: the gate failed; the request is refused.
    GateFault,
}

const fn row(
    reason: Reason,
    code: &'static str,
    status: u16,
    blame: Blame,
    title: &'static str,
) -> Row {
    Row { reason, code, status, blame, title }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    row(Reason::FramingMethodInvalid, "framing.method_invalid", 400, Blame::Client, "the method is not a token of RFC 9110"),
    row(Reason::FramingMethodOverride, "framing.method_override", 400, Blame::Client, "a method-override header is not accepted"),
    row(Reason::FramingHostMissing, "framing.host_missing", 400, Blame::Client, "the request has no Host"),
    row(Reason::FramingHostRepeated, "framing.host_repeated", 400, Blame::Client, "the request has more than one Host"),
    row(Reason::FramingHostInvalid, "framing.host_invalid", 400, Blame::Client, "the Host is not a host with an optional port"),
    row(Reason::FramingHeaderInvalid, "framing.header_invalid", 400, Blame::Client, "a header's name is not a token, its value holds a control character, or its name is another spelling of one that is judged"),
    row(Reason::FramingHeaderRepeated, "framing.header_repeated", 400, Blame::Client, "a header that may occur once occurs more than once"),
    row(Reason::FramingLengthInvalid, "framing.length_invalid", 400, Blame::Client, "the Content-Length is not a decimal number"),
    row(Reason::FramingLengthConflict, "framing.length_conflict", 400, Blame::Client, "Content-Length and Transfer-Encoding came together"),
    row(Reason::FramingTransferEncoding, "framing.transfer_encoding", 400, Blame::Client, "a transfer coding other than chunked, or chunked where this version of HTTP does not have it"),
    row(Reason::FramingHeadersTooLarge, "framing.headers_too_large", 431, Blame::Client, "the headers are larger than the policy allows"),
    row(Reason::TargetInvalid, "target.invalid", 400, Blame::Client, "the request target has a form or a character that is not accepted"),
    row(Reason::TargetEncoding, "target.encoding", 400, Blame::Client, "the path has a percent-encoding that is malformed, not UTF-8, or hides a delimiter"),
    row(Reason::TargetDotSegment, "target.dot_segment", 400, Blame::Client, "the path has a dot segment"),
    row(Reason::TargetEmptySegment, "target.empty_segment", 400, Blame::Client, "the path has an empty segment"),
    row(Reason::TargetTooLong, "target.too_long", 414, Blame::Client, "the request target is longer than the policy allows"),
    row(Reason::TargetAuthorityMismatch, "target.authority_mismatch", 400, Blame::Client, "the target's authority is not the Host"),
    row(Reason::TargetMismatch, "target.mismatch", 400, Blame::Client, "the raw target does not decode to the path that the application would dispatch on"),
    row(Reason::TargetRawMissing, "target.raw_missing", 500, Blame::Operator, "the server gives no raw target: set [request] decoded_target = true, or use one that does"),
    row(Reason::ClientPeerMissing, "client.peer_missing", 400, Blame::Operator, "the connection has no peer address and the policy trusts no such connection"),
    row(Reason::ClientPeerInvalid, "client.peer_invalid", 400, Blame::Operator, "what the server gives as the connection's peer is no address"),
    row(Reason::ClientForwardedInvalid, "client.forwarded_invalid", 400, Blame::Client, "the forwarding header has a malformed hop"),
    row(Reason::AddressDenied, "address.denied", 403, Blame::Client, "the client's address is on a deny list"),
    row(Reason::AddressNotAllowed, "address.not_allowed", 403, Blame::Client, "the client's address is not on the allow list"),
    row(Reason::RateExceeded, "rate.exceeded", 429, Blame::Client, "a quota is used up"),
    row(Reason::RateTableFull, "rate.table_full", 503, Blame::Operator, "the limiter's table is full of live keys"),
    row(Reason::RouteUnknown, "route.unknown", 404, Blame::Client, "no such path"),
    row(Reason::RouteMethodUnknown, "route.method_unknown", 405, Blame::Client, "the path exists, the method on it does not"),
    row(Reason::RouteSunset, "route.sunset", 410, Blame::Client, "the operation has been retired"),
    row(Reason::HostUnknown, "host.unknown", 421, Blame::Client, "the Host is not one of this API's"),
    row(Reason::SchemeNotAllowed, "scheme.not_allowed", 403, Blame::Client, "the scheme is not one of this API's"),
    row(Reason::WebsocketUndeclared, "websocket.undeclared", 403, Blame::Client, "the operation is not a websocket"),
    row(Reason::WebsocketRequired, "websocket.required", 426, Blame::Client, "the operation is a websocket only"),
    row(Reason::WebsocketOrigin, "websocket.origin", 403, Blame::Client, "the Origin is not one of this API's"),
    row(Reason::ParamUndeclared, "param.undeclared", 400, Blame::Client, "a query parameter is not declared"),
    row(Reason::ParamRepeated, "param.repeated", 400, Blame::Client, "a parameter occurs more than once"),
    row(Reason::ParamMissing, "param.missing", 400, Blame::Client, "a required parameter is missing"),
    row(Reason::ParamEncoding, "param.encoding", 400, Blame::Client, "a parameter's percent-encoding is malformed or not UTF-8"),
    row(Reason::ParamType, "param.type", 400, Blame::Client, "a parameter's text is not of its declared type"),
    row(Reason::ParamSchema, "param.schema", 400, Blame::Client, "a parameter's value violates its schema"),
    row(Reason::MediaMissing, "media.missing", 415, Blame::Client, "the body has no Content-Type"),
    row(Reason::MediaUnsupported, "media.unsupported", 415, Blame::Client, "the media type is not declared"),
    row(Reason::MediaCharset, "media.charset", 415, Blame::Client, "JSON has no charset but UTF-8"),
    row(Reason::MediaCoding, "media.coding", 415, Blame::Client, "the content coding is not accepted"),
    row(Reason::BodyUndeclared, "body.undeclared", 400, Blame::Client, "the operation takes no body"),
    row(Reason::BodyMissing, "body.missing", 400, Blame::Client, "the operation requires a body"),
    row(Reason::BodyIncomplete, "body.incomplete", 400, Blame::Client, "the body is shorter or longer than its Content-Length, or the client left"),
    row(Reason::BodyTooLarge, "body.too_large", 413, Blame::Client, "the body is larger than the policy allows"),
    row(Reason::JsonEmpty, "json.empty", 400, Blame::Client, "there is no JSON value"),
    row(Reason::JsonTruncated, "json.truncated", 400, Blame::Client, "the text ends inside a value"),
    row(Reason::JsonTrailing, "json.trailing", 400, Blame::Client, "there is more after the value"),
    row(Reason::JsonExpectedValue, "json.expected_value", 400, Blame::Client, "expected a value"),
    row(Reason::JsonExpectedName, "json.expected_name", 400, Blame::Client, "expected a member name in quotes"),
    row(Reason::JsonExpectedColon, "json.expected_colon", 400, Blame::Client, "expected a colon after the member name"),
    row(Reason::JsonExpectedComma, "json.expected_comma", 400, Blame::Client, "expected a comma or the end of the container"),
    row(Reason::JsonTrailingComma, "json.trailing_comma", 400, Blame::Client, "a comma is followed by the end of the container"),
    row(Reason::JsonLiteral, "json.literal", 400, Blame::Client, "not one of true, false and null"),
    row(Reason::JsonNumber, "json.number", 400, Blame::Client, "malformed number"),
    row(Reason::JsonNumberRange, "json.number_range", 400, Blame::Client, "the number is too large for a double"),
    row(Reason::JsonNumberChars, "json.number_chars", 400, Blame::Client, "the number has more characters than the ceiling"),
    row(Reason::JsonEscape, "json.escape", 400, Blame::Client, "malformed escape sequence"),
    row(Reason::JsonSurrogate, "json.surrogate", 400, Blame::Client, "lone surrogate"),
    row(Reason::JsonControl, "json.control", 400, Blame::Client, "unescaped control character in a string"),
    row(Reason::JsonUtf8, "json.utf8", 400, Blame::Client, "the text is not UTF-8"),
    row(Reason::JsonBom, "json.bom", 400, Blame::Client, "the text begins with a byte order mark"),
    row(Reason::JsonUtf16, "json.utf16", 400, Blame::Client, "the text is UTF-16 or UTF-32; only UTF-8 is accepted"),
    row(Reason::JsonDuplicateKey, "json.duplicate_key", 400, Blame::Client, "a member name occurs twice in one object"),
    row(Reason::JsonDepth, "json.depth", 400, Blame::Client, "the text is nested deeper than the ceiling"),
    row(Reason::JsonBytes, "json.bytes", 413, Blame::Client, "the text has more bytes than the ceiling"),
    row(Reason::JsonNodes, "json.nodes", 400, Blame::Client, "the text has more values than the ceiling"),
    row(Reason::JsonMembers, "json.members", 400, Blame::Client, "an object has more members, or an array more items, than the ceiling"),
    row(Reason::JsonStringBytes, "json.string_bytes", 400, Blame::Client, "a string has more bytes than the ceiling"),
    row(Reason::SchemaViolation, "schema.violation", 422, Blame::Client, "the body violates its schema"),
    row(Reason::GateDiffers, "gate.differs", 500, Blame::Gate, "secval's two validators do not agree; the request is refused"),
    row(Reason::GateFault, "gate.fault", 500, Blame::Gate, "the gate failed; the request is refused"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.reason as usize, index, "{}", row.code);
        }
        assert_eq!(TABLE.len(), Reason::GateFault as usize + 1);
    }

    #[test]
    fn codes_are_unique_and_lead_back() {
        for reason in Reason::all() {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            assert!(reason.code().split_once('.').is_some());
            assert!((400..=599).contains(&reason.status()));
        }
        assert_eq!(Reason::from_code("no.such"), None);
    }
}
