//! Why a request is refused, and as much of where as may be told.

#![forbid(unsafe_code)]

use crate::json::{self, Place};
use crate::policy::model::Parameter;
use crate::reason::Reason;
use crate::schema::Violation;

/// A reason to refuse, with its place.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) detail: Detail,
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
        Self { reason, detail, firm: false }
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
        Self::at(Reason::SchemaViolation, Detail::Violation(violation))
    }

    /// Whether `monitor` lets it through: never framing and target, never address lists, never our own.
    pub(super) fn is_waivable(&self) -> bool {
        let family = self.reason.code().split('.').next().unwrap_or_default();
        !self.firm && !matches!(family, "framing" | "target" | "client" | "address" | "gate")
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::of(reason)
    }
}
