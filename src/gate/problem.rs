//! The answer to a refused request: `application/problem+json` (RFC 9457).
//!
//! It carries the reason's code, the request's id, and the place of a fault as positions, pointers and names
//! that the policy itself declares. Nothing in it was submitted, and no enum, const or pattern is shown.

#![forbid(unsafe_code)]

use serde_json::{Map, Value, json};

use super::fault::Detail;
use crate::reason::Reason;

/// Writes the problem document of a refusal.
pub(super) fn write(reason: Reason, detail: &Detail, pointers: bool, request_id: &str) -> Vec<u8> {
    let mut problem = Map::new();
    let mut put = |name: &str, value: Value| problem.insert(name.to_owned(), value);
    put("type", "about:blank".into());
    put("title", phrase(reason.status()).into());
    put("status", reason.status().into());
    put("detail", reason.title().into());
    put("reason", reason.code().into());
    put("request_id", request_id.into());
    if pointers && let Some(error) = error(detail) {
        put("errors", Value::Array(vec![error]));
    }
    Value::Object(problem).to_string().into_bytes()
}

fn error(detail: &Detail) -> Option<Value> {
    Some(match detail {
        Detail::None => return None,
        Detail::Text(place) => {
            json!({"offset": place.offset, "line": place.line, "column": place.column})
        }
        Detail::Parameter { location, name } => json!({"in": location, "name": name}),
        Detail::ParameterValue { location, name, violation } => json!({
            "in": location, "name": name, "keyword": violation.keyword, "detail": violation.message
        }),
        Detail::Violation(violation) => json!({
            "pointer": violation.declared, "keyword": violation.keyword, "detail": violation.message
        }),
    })
}

/// The reason phrase of a status that the table of reasons uses (RFC 9110, RFC 6585).
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Refused",
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "tables of cases; a test that panics has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn every_status_in_the_table_has_its_phrase() {
        for reason in Reason::all() {
            assert_ne!(phrase(reason.status()), "Refused", "{}", reason.code());
        }
    }

    #[test]
    fn detail_is_left_out_when_the_policy_says_so() {
        let detail = Detail::Parameter { location: "query", name: "limit".to_owned() };
        let shown = write(Reason::ParamMissing, &detail, true, "id");
        let hidden = write(Reason::ParamMissing, &detail, false, "id");
        let parse = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON");
        assert_eq!(parse(&shown)["errors"], json!([{"in": "query", "name": "limit"}]));
        assert_eq!(parse(&hidden).get("errors"), None);
        assert_eq!(parse(&hidden)["reason"], "param.missing");
        assert_eq!(parse(&hidden)["status"], 400);
    }
}
