//! `mode`, and the `reason` that `off` needs.

use crate::policy::fault::Faults;
use crate::policy::model::Mode;
use crate::policy::source::At;

/// The mode of a table, if it says one.
pub(super) fn read(table: &At<'_>, faults: &mut Faults) -> Option<Mode> {
    let reason = table.get("reason");
    let said = reason.as_ref().and_then(|at| at.need_str(faults));
    if let Some(reason) =
        reason.as_ref().filter(|_| said.is_some_and(|text| text.trim().is_empty()))
    {
        faults.push(reason.fault("an empty reason is none"));
    }
    let Some(at) = table.get("mode") else {
        if let Some(reason) = reason {
            faults.push(reason.fault("a reason belongs to `mode = \"off\"`, which is not here"));
        }
        return None;
    };
    match at.str() {
        Some("enforce") => Some(Mode::Enforce),
        Some("monitor") => Some(Mode::Monitor),
        Some("off") => {
            if reason.is_none() {
                let message =
                    "nothing is judged in this mode: say why, with `reason = \"…\"` beside it";
                faults.push(at.fault(message));
            }
            Some(Mode::Off)
        }
        _ => {
            faults.push(at.fault("expected \"enforce\", \"monitor\" or \"off\""));
            None
        }
    }
}
