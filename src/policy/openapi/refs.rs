//! `$ref`: within the document, and nowhere else. Nothing is ever fetched.

use percent_encoding::percent_decode_str;

use super::keywords;
use crate::policy::fault::{Fault, Faults};
use crate::policy::source::At;

/// References to references that are followed. Real documents have one or two; a circle has no end.
const MOST_HOPS: usize = 16;

/// The object that stands here, or that a Reference Object here names.
pub(super) fn resolve<'s>(at: At<'s>, faults: &mut Faults) -> Option<At<'s>> {
    let mut at = at;
    for _ in 0..MOST_HOPS {
        at.need_object(faults)?;
        let Some(reference) = at.get("$ref") else { return Some(at) };
        keywords::REFERENCE.check(&at, &[], faults);
        let text = reference.need_str(faults)?;
        at = faults.take(target(&reference, text))?;
    }
    faults.push(at.fault("references run in a circle, or in a chain without need"));
    None
}

/// The value that the text of a `$ref` names.
pub(super) fn target<'s>(reference: &At<'s>, text: &str) -> Result<At<'s>, Fault> {
    let Some(fragment) = text.strip_prefix('#') else {
        return Err(reference.fault(
            "only references within this document are read, and nothing is ever fetched: copy what this names \
             into `components` and write \"#/components/…\"",
        ));
    };
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return Err(reference.fault(
            "references to anchors are not read yet: write a JSON Pointer, \"#/components/…\"",
        ));
    }
    let pointer = percent_decode_str(fragment).decode_utf8();
    let pointer =
        pointer.map_err(|_| reference.fault("the reference is not UTF-8 once decoded"))?;
    reference
        .find(&pointer)
        .ok_or_else(|| reference.fault("the document has nothing at this place"))
}
