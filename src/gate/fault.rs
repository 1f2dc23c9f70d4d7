//! Why a request is refused, and as much of where as may be told.

#![forbid(unsafe_code)]

use crate::json::{self, Place};
use crate::policy::model::Parameter;
use crate::reason::Reason;
use crate::schema::Violation;

/// A reason to refuse, with its place and what only its own answer says.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) detail: Detail,
    /// A header for the refusal: what the client could do instead.
    pub(super) header: Option<(&'static str, String)>,
    /// Refused in every mode, whatever its reason.
    pub(super) firm: bool,
}

/// Where a fault lies. Holds names that the policy declares and positions, nothing that was submitted.
#[derive(Debug, Default)]
pub(super) enum Detail {
    #[default]
    None,
    /// In the text of a body.
    Text(Box<TextPlace>),
    /// A declared parameter.
    Parameter { location: &'static str, name: String },
    /// A declared parameter whose value violates its schema.
    ParameterValue { location: &'static str, name: String, violation: Box<Violation> },
    /// A body that violates its schema.
    Violation(Box<Violation>),
}

/// A position in a malformed body.
#[derive(Debug)]
pub(super) struct TextPlace {
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Fault {
    pub(super) fn of(reason: Reason) -> Self {
        Self::at(reason, Detail::None)
    }

    fn at(reason: Reason, detail: Detail) -> Self {
        Self { reason, detail, header: None, firm: false }
    }

    /// The same, with a header for its answer.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// An operation that this client may not call, and may not know of.
    pub(super) fn hidden() -> Self {
        Self { firm: true, ..Self::of(Reason::RouteUnknown) }
    }

    /// A fault of a declared parameter as a whole.
    pub(super) fn parameter(reason: Reason, parameter: &Parameter) -> Self {
        let (location, name) = (parameter.location.name(), parameter.name.clone());
        Self::at(reason, Detail::Parameter { location, name })
    }

    /// A declared parameter's value against its schema.
    pub(super) fn value(parameter: &Parameter, violation: Violation) -> Self {
        let (location, name) = (parameter.location.name(), parameter.name.clone());
        if violation.is_difference() {
            return Self::of(Reason::GateDiffers);
        }
        let violation = Box::new(violation);
        let detail = Detail::ParameterValue { location, name, violation };
        Self::at(Reason::ParamSchema, detail)
    }

    /// A malformed body.
    pub(super) fn text(error: json::Error, text: &[u8]) -> Self {
        let Place { line, column, .. } = json::place(text, error.offset());
        let detail = Detail::Text(Box::new(TextPlace { offset: error.offset(), line, column }));
        Self::at(error.reason(), detail)
    }

    /// A body against its schema.
    pub(super) fn schema(violation: Box<Violation>) -> Self {
        if violation.is_difference() {
            return Self::of(Reason::GateDiffers);
        }
        Self::at(Reason::SchemaViolation, Detail::Violation(violation))
    }

    /// Whether `monitor` lets it through: never framing and target, never who is calling, never address lists,
    /// never a fault of our own, and never a body that is not what its framing says.
    pub(super) fn is_waivable(&self) -> bool {
        let family = self.reason.code().split('.').next().unwrap_or_default();
        let firm = matches!(family, "framing" | "target" | "client" | "address" | "gate")
            || self.reason == Reason::BodyIncomplete;
        !self.firm && !firm
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::of(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitor_waives_what_is_declared_and_nothing_beneath() {
        let waived: Vec<&str> =
            Reason::all().filter(|r| Fault::of(*r).is_waivable()).map(Reason::code).collect();
        let families =
            ["rate.", "route.", "host.", "scheme.", "websocket.", "param.", "media.", "json."];
        for code in &waived {
            let body = code.starts_with("body.") && *code != "body.incomplete";
            let known =
                body || *code == "schema.violation" || families.iter().any(|f| code.starts_with(f));
            assert!(known, "{code}");
        }
        for family in families {
            assert!(waived.iter().any(|code| code.starts_with(family)), "{family}");
        }
        assert!(!Fault::hidden().is_waivable());
    }
}
