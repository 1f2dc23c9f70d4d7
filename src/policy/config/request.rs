//! `[request]`: how large a request may be; and sizes anywhere.

use std::ops::RangeInclusive;

use super::keys;
use crate::json::Limits;
use crate::policy::fault::Faults;
use crate::policy::model::RequestLimits;
use crate::policy::source::At;

/// Bodies, where nothing else is said. At half of it ordinary batches would be refused; at double every
/// connection that sends slowly holds twice the memory.
const MAX_BODY: usize = 1024 * 1024;

/// Raw targets. RFC 9110 (4.1) asks for at least 8,000 bytes in general; what is declared here is known, and
/// rarely reaches 1,000. At half of it long searches come near, at double nothing is gained.
const MAX_TARGET: usize = 4 * 1024;

/// All header names and values. Browsers' cookies alone may take 4 KiB each; at half of it a few of them would
/// be refused, at double the servers in front refuse first.
const MAX_HEADERS: usize = 16 * 1024;

/// The most that `json.max_depth` may be: the document becomes objects of the application, whose code recurses.
const MOST_DEPTH: u64 = 1024;

pub(super) fn read(table: Option<&At<'_>>, faults: &mut Faults) -> RequestLimits {
    let mut limits = RequestLimits {
        max_body: MAX_BODY,
        max_target: MAX_TARGET,
        max_headers: MAX_HEADERS,
        json: Limits::default(),
        decoded_target: false,
    };
    let Some(table) = table else { return limits };
    keys(table, &["max_body", "max_target", "max_headers", "json", "decoded_target"], faults);
    for (name, limit) in [
        ("max_body", &mut limits.max_body),
        ("max_target", &mut limits.max_target),
        ("max_headers", &mut limits.max_headers),
    ] {
        if let Some(bytes) = table.get(name).and_then(|at| size(&at, faults)) {
            *limit = bytes;
        }
    }
    if let Some(table) = table.get("json") {
        json(&table, &mut limits.json, faults);
    }
    if let Some(at) = table.get("decoded_target") {
        limits.decoded_target = at.need_bool(faults).unwrap_or_default();
    }
    limits
}

/// The ceilings of the JSON reader, by the names of [`Limits`].
fn json(table: &At<'_>, limits: &mut Limits, faults: &mut Faults) {
    const KNOWN: &[&str] = &[
        "max_depth",
        "max_bytes",
        "max_nodes",
        "max_members",
        "max_string_bytes",
        "max_number_chars",
    ];
    if table.need_object(faults).is_none() {
        return;
    }
    keys(table, KNOWN, faults);
    let mut read = |name: &str| table.get(name).and_then(|at| count(&at, faults));
    let (bytes, nodes) = (read("max_bytes"), read("max_nodes"));
    let (members, string) = (read("max_members"), read("max_string_bytes"));
    let (depth, number) = (read("max_depth"), read("max_number_chars"));
    limits.max_bytes = bytes.or(limits.max_bytes);
    limits.max_nodes = nodes.or(limits.max_nodes);
    limits.max_members = members.or(limits.max_members);
    limits.max_string_bytes = string.or(limits.max_string_bytes);
    limits.max_depth = depth.unwrap_or(limits.max_depth);
    limits.max_number_chars = number.unwrap_or(limits.max_number_chars);
    if let Some(at) = table
        .get("max_number_chars")
        .filter(|_| limits.max_number_chars > Limits::MOST_NUMBER_CHARS)
    {
        let most = Limits::MOST_NUMBER_CHARS;
        faults.push(at.fault(format!(
            "at most {most} characters: longer numbers cost too much to compute with"
        )));
    }
    if let Some(at) = table.get("max_depth").filter(|at| at.whole().is_some_and(|d| d > MOST_DEPTH))
    {
        faults.push(
            at.fault(format!("at most {MOST_DEPTH} levels: whatever reads the document recurses")),
        );
    }
}

/// A count, 1 or more.
pub(super) fn count(at: &At<'_>, faults: &mut Faults) -> Option<usize> {
    whole(at, 1..=u32::MAX, faults)
}

/// A whole number within bounds.
pub(super) fn whole(
    at: &At<'_>,
    bounds: RangeInclusive<u32>,
    faults: &mut Faults,
) -> Option<usize> {
    let given = at.whole().and_then(|whole| u32::try_from(whole).ok());
    let fits = given.filter(|given| bounds.contains(given));
    if fits.is_none() {
        let (least, most) = bounds.into_inner();
        faults.push(at.fault(format!("expected a whole number from {least} to {most}")));
    }
    fits.and_then(|whole| usize::try_from(whole).ok())
}

/// Bytes: a number, or a text such as `1MiB`.
pub(super) fn size(at: &At<'_>, faults: &mut Faults) -> Option<usize> {
    let bytes = at.whole().or_else(|| at.str().and_then(bytes));
    // A document's offsets are 32 bits wide; and no size at all refuses everything, which is not a size.
    let bytes = bytes.filter(|bytes| (1..=u64::from(u32::MAX)).contains(bytes));
    if bytes.is_none() {
        faults.push(at.fault(
            "expected a size from 1 byte to 4 GiB: bytes as a number, or a text such as \"64KiB\", \"1MiB\"",
        ));
    }
    bytes.and_then(|bytes| usize::try_from(bytes).ok())
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim_start_matches(' ') {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1MiB", Some(1_048_576)),
            ("64 KiB", Some(65_536)),
            ("3kB", Some(3_000)),
            ("12B", Some(12)),
            ("1mib", None),
            ("1.5MiB", None),
            ("-1", None),
            ("+1", None),
            ("MiB", None),
            ("", None),
            ("99999999999999GiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
