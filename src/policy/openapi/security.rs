//! `security`: what an operation demands of a caller's credentials.
//!
//! The gate does not check credentials yet. So a demand compiles only when the configuration says that the
//! application checks them; what is read here is whether there is a demand, and whether it is a sound one.

use super::keywords;
use super::refs;
use crate::policy::fault::Faults;
use crate::policy::source::At;

/// Where an operation's demand stands; `None` when anybody may call it.
pub(super) fn demand<'s>(
    operation: &At<'s>,
    document: &At<'s>,
    faults: &mut Faults,
) -> Option<At<'s>> {
    let security = operation.get("security").or_else(|| document.get("security"))?;
    security.need_array(faults)?;
    // One of the list is enough; an empty one among them lets everybody in. So does an empty list.
    let open =
        security.items().any(|option| option.is_object() && option.members().next().is_none());
    let any = security.items().next().is_some();
    (any && !open).then_some(security)
}

/// Judges a list of requirements: every name is a declared scheme, every scope a text.
pub(super) fn check(holder: &At<'_>, document: &At<'_>, faults: &mut Faults) {
    let Some(security) = holder.get("security") else { return };
    if security.need_array(faults).is_none() {
        return;
    }
    let schemes =
        document.get("components").and_then(|components| components.get("securitySchemes"));
    for option in security.items() {
        if option.need_object(faults).is_none() {
            continue;
        }
        for (name, scopes) in option.members() {
            if schemes.as_ref().and_then(|schemes| schemes.get(name)).is_none() {
                faults.push(scopes.fault("no such scheme in components/securitySchemes"));
            }
            let _ = scopes.need_strings(faults);
        }
    }
}

/// Judges the declared schemes.
pub(super) fn schemes(components: &At<'_>, faults: &mut Faults) {
    let Some(schemes) = components.get("securitySchemes") else { return };
    if schemes.need_object(faults).is_none() {
        return;
    }
    for (_, scheme) in schemes.members() {
        let Some(scheme) = refs::resolve(scheme, faults) else { continue };
        keywords::SECURITY_SCHEME.check(&scheme, &[], faults);
        let kind = scheme.get("type");
        let known = ["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"];
        match &kind {
            None => faults.push(scheme.fault("`type` is missing")),
            Some(kind) if kind.str().is_some_and(|text| known.contains(&text)) => {}
            Some(kind) => faults.push(kind.fault(format!("expected one of {}", known.join(", ")))),
        }
    }
}
