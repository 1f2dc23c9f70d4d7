//! The closed lists: of each object of OpenAPI 3.1, what is enforced, what is a pure annotation, what is refused.
//!
//! Whatever is in no list is a fault, so nothing that a document says is ever ignored in silence. `x-` members
//! are annotations, but for those of secval's own.

use crate::policy::fault::Faults;
use crate::policy::source::At;

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is read, and what it demands is demanded of requests.
    Enforced,
    /// It demands nothing of requests.
    Annotation,
    /// It would demand something that is not enforced: why, and what to write instead.
    Refused(&'static str),
}

/// The keywords of one kind of object.
pub(super) struct Object {
    /// For messages: `a parameter`.
    pub(super) name: &'static str,
    enforced: &'static [&'static str],
    annotations: &'static [&'static str],
    refused: &'static [(&'static str, &'static str)],
}

const LATER_3_2: &str = "OpenAPI 3.2 is not read yet; this reads 3.1";

pub(super) const DOCUMENT: Object = Object {
    name: "the document",
    enforced: &[
        "openapi",
        "info",
        "jsonSchemaDialect",
        "servers",
        "paths",
        "components",
        "security",
    ],
    // What the API itself sends is not judged yet, and `tags` and the rest describe.
    annotations: &["webhooks", "tags", "externalDocs"],
    refused: &[("$self", LATER_3_2), ("swagger", "OpenAPI 2.0 is not read; write OpenAPI 3.1")],
};

pub(super) const INFO: Object = Object {
    name: "info",
    enforced: &["title"],
    annotations: &["summary", "description", "termsOfService", "contact", "license", "version"],
    refused: &[],
};

pub(super) const COMPONENTS: Object = Object {
    name: "components",
    // Read where they are referred to.
    enforced: &["schemas", "parameters", "requestBodies", "securitySchemes", "pathItems"],
    annotations: &["responses", "examples", "headers", "links", "callbacks"],
    refused: &[("mediaTypes", LATER_3_2)],
};

pub(super) const SERVER: Object = Object {
    name: "a server",
    enforced: &["url", "variables"],
    annotations: &["description"],
    refused: &[("name", LATER_3_2)],
};

pub(super) const VARIABLE: Object = Object {
    name: "a server variable",
    enforced: &["enum", "default"],
    annotations: &["description"],
    refused: &[],
};

pub(super) const PATH_ITEM: Object = Object {
    name: "a path item",
    enforced: &[
        "$ref",
        "get",
        "put",
        "post",
        "delete",
        "options",
        "head",
        "patch",
        "trace",
        "servers",
        "parameters",
    ],
    annotations: &["summary", "description"],
    refused: &[("query", LATER_3_2), ("additionalOperations", LATER_3_2)],
};

pub(super) const OPERATION: Object = Object {
    name: "an operation",
    enforced: &["parameters", "requestBody", "security", "servers", "deprecated"],
    // Responses are not judged yet, and what the API calls back is not a request to it.
    annotations: &[
        "tags",
        "summary",
        "description",
        "externalDocs",
        "operationId",
        "responses",
        "callbacks",
    ],
    refused: &[],
};

pub(super) const PARAMETER: Object = Object {
    name: "a parameter",
    enforced: &[
        "name",
        "in",
        "required",
        "schema",
        "style",
        "explode",
        "allowReserved",
        "allowEmptyValue",
    ],
    annotations: &["description", "deprecated", "example", "examples"],
    refused: &[(
        "content",
        "parameters with `content` are not enforced yet: write a `schema` of a simple type",
    )],
};

pub(super) const REQUEST_BODY: Object = Object {
    name: "a request body",
    enforced: &["content", "required"],
    annotations: &["description"],
    refused: &[],
};

pub(super) const MEDIA_TYPE: Object = Object {
    name: "a media type",
    enforced: &["schema"],
    annotations: &["example", "examples"],
    refused: &[
        (
            "encoding",
            "`encoding` speaks of forms and multipart, which are not enforced yet: remove it",
        ),
        ("itemSchema", LATER_3_2),
        ("prefixEncoding", LATER_3_2),
        ("itemEncoding", LATER_3_2),
    ],
};

pub(super) const REFERENCE: Object = Object {
    name: "a reference",
    enforced: &["$ref"],
    annotations: &["summary", "description"],
    refused: &[],
};

pub(super) const SECURITY_SCHEME: Object = Object {
    name: "a security scheme",
    enforced: &["type"],
    // The application checks credentials, so all of these are its own.
    annotations: &[
        "description",
        "name",
        "in",
        "scheme",
        "bearerFormat",
        "flows",
        "openIdConnectUrl",
    ],
    refused: &[("oauth2MetadataUrl", LATER_3_2), ("deprecated", LATER_3_2)],
};

impl Object {
    fn verdict(&self, keyword: &str) -> Option<Verdict> {
        if self.enforced.contains(&keyword) {
            return Some(Verdict::Enforced);
        }
        if self.annotations.contains(&keyword) || is_extension(keyword) {
            return Some(Verdict::Annotation);
        }
        self.refused.iter().find(|(name, _)| *name == keyword).map(|(_, why)| Verdict::Refused(why))
    }

    /// A fault for every member that is refused or in no list; `own` are extensions read by the caller.
    pub(super) fn check(&self, at: &At<'_>, own: &[&str], faults: &mut Faults) {
        for (name, value) in at.members() {
            match self.verdict(name) {
                Some(Verdict::Enforced | Verdict::Annotation) => {}
                Some(Verdict::Refused(why)) => faults.push(value.fault(why)),
                None if own.contains(&name) => {}
                None => faults.push(value.fault(format!(
                    "nothing is known by this name in {}, so nothing would enforce it: correct or remove it",
                    self.name
                ))),
            }
        }
    }
}

/// Whether a member is somebody else's extension. A misspelt one of ours would be a demand that is ignored.
pub(super) fn is_extension(keyword: &str) -> bool {
    keyword.starts_with("x-") && !keyword.starts_with("x-secval-")
}
