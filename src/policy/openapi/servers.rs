//! `servers`: under which schemes, hosts and base paths an API is served.
//!
//! Variables are expanded: every value of an `enum`, else the default alone. What is served is what the list
//! says and nothing between: a list whose hosts have different base paths or schemes is a fault, because
//! the gate judges the three one by one.

use std::collections::BTreeSet;

use super::keywords;
use crate::policy::fault::{Fault, Faults};
use crate::policy::host;
use crate::policy::model::Schemes;
use crate::policy::source::At;

/// Expanded servers of one list. Real lists have less than ten; at half of it a few regions times a few
/// versions come near, at double nothing is gained: each is a copy of every route.
const MOST_SERVERS: usize = 64;

/// Where something is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// `""`, or `/v1`: without a slash at its end. At least one, in the order of the document.
    pub(super) bases: Vec<String>,
    /// `None` when the servers are relative: the document does not know its hosts.
    pub(super) hosts: Option<BTreeSet<String>>,
    pub(super) schemes: Schemes,
}

impl Served {
    /// OpenAPI 3.1, 4.8.1: without servers, `/`.
    fn at_root() -> Self {
        let schemes = Schemes { http: true, https: true };
        Self { bases: vec![String::new()], hosts: None, schemes }
    }
}

/// One expanded URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Url {
    /// `None` when it is relative: whether it is https, and the host.
    origin: Option<(bool, String)>,
    base: String,
}

/// Reads the `servers` of a document, a path item or an operation; `None` when it has none.
///
/// `own_hosts`: the configuration names the hosts, so those of the document decide nothing.
pub(super) fn read(holder: &At<'_>, own_hosts: bool, faults: &mut Faults) -> Option<Served> {
    let list = holder.get("servers")?;
    list.need_array(faults)?;
    let mut urls: Vec<Url> = Vec::new();
    for server in list.items() {
        for mut url in expand(&server, faults) {
            if own_hosts && let Some((_, host)) = &mut url.origin {
                host.clear();
            }
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
    if urls.is_empty() {
        return Some(Served::at_root());
    }
    // A relative one names no origin; where an absolute one has its base path, it adds nothing.
    let absolute: Vec<String> =
        urls.iter().filter(|url| url.origin.is_some()).map(|url| url.base.clone()).collect();
    urls.retain(|url| url.origin.is_some() || !absolute.contains(&url.base));
    if !is_product(&urls) {
        faults.push(list.fault(
            "these servers differ in more than one of scheme, host and base path at once, and the gate would \
             also accept what lies between them: leave servers out that this gate does not serve",
        ));
    }
    Some(served(&urls, own_hosts))
}

/// What is served if nothing says otherwise.
pub(super) fn default() -> Served {
    Served::at_root()
}

fn served(urls: &[Url], own_hosts: bool) -> Served {
    let mut served = Served::at_root();
    served.bases.clear();
    for url in urls {
        if !served.bases.contains(&url.base) {
            served.bases.push(url.base.clone());
        }
    }
    let origins: Vec<&(bool, String)> = urls.iter().filter_map(|url| url.origin.as_ref()).collect();
    if origins.is_empty() {
        return served;
    }
    served.schemes.https = origins.iter().any(|(secure, _)| *secure);
    served.schemes.http = origins.iter().any(|(secure, _)| !*secure);
    if !own_hosts {
        served.hosts = Some(origins.into_iter().map(|(_, host)| host.clone()).collect());
    }
    served
}

/// Whether every base path is served under every origin, and every host under every scheme.
fn is_product(urls: &[Url]) -> bool {
    let bases: BTreeSet<&str> = urls.iter().map(|url| url.base.as_str()).collect();
    let origins: BTreeSet<_> = urls.iter().map(|url| &url.origin).collect();
    let schemes: BTreeSet<_> =
        origins.iter().map(|o| o.as_ref().map(|(secure, _)| *secure)).collect();
    let hosts: BTreeSet<_> = origins.iter().map(|o| o.as_ref().map(|(_, host)| host)).collect();
    let distinct: BTreeSet<&Url> = urls.iter().collect();
    distinct.len() == bases.len() * schemes.len() * hosts.len()
}

/// All URLs of one server.
fn expand(server: &At<'_>, faults: &mut Faults) -> Vec<Url> {
    let mut expand = || {
        server.need_object(faults)?;
        keywords::SERVER.check(server, &[], faults);
        let Some(at) = server.get("url") else {
            faults.push(server.fault("`url` is missing"));
            return None;
        };
        let template = at.need_str(faults)?;
        let texts = faults.take(texts(template, &at, server))?;
        let urls = texts.iter().map(|text| parse(text).map_err(|message| at.fault(message)));
        Some(urls.filter_map(|url| faults.take(url)).collect())
    };
    expand().unwrap_or_default()
}

/// The template with each variable replaced by each of its values.
fn texts(template: &str, at: &At<'_>, server: &At<'_>) -> Result<Vec<String>, Fault> {
    let mut texts = vec![String::new()];
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}').ok_or_else(|| at.fault("a brace is not closed"))?;
        let variable = server.get("variables").and_then(|variables| variables.get(name));
        let variable = variable.ok_or_else(|| {
            at.fault("a variable of this URL is not in `variables`: declare it, with its `default`")
        })?;
        let values = values(&variable)?;
        if texts.len().saturating_mul(values.len()) > MOST_SERVERS {
            return Err(at.fault(format!("the variables make more than {MOST_SERVERS} servers")));
        }
        texts = texts
            .iter()
            .flat_map(|text| values.iter().map(move |value| format!("{text}{literal}{value}")))
            .collect();
        rest = tail;
    }
    Ok(texts.into_iter().map(|text| text + rest).collect())
}

/// The values of a variable: its `enum`, else its default.
fn values(variable: &At<'_>) -> Result<Vec<String>, Fault> {
    let mut faults = Faults::default();
    let mut read = || {
        variable.need_object(&mut faults)?;
        keywords::VARIABLE.check(variable, &[], &mut faults);
        let Some(default) = variable.get("default") else {
            faults.push(variable.fault("`default` is missing"));
            return None;
        };
        let text = default.need_str(&mut faults)?.to_owned();
        let Some(list) = variable.get("enum") else { return Some(vec![text]) };
        let values = list.need_strings(&mut faults)?;
        let values: Vec<String> = values.into_iter().map(|(text, _)| text.to_owned()).collect();
        if !values.contains(&text) {
            faults.push(default.fault("the default is not among the values of `enum`"));
        }
        Some(values)
    };
    let values = read();
    match faults.judge(values) {
        Ok(values) => Ok(values),
        Err(mut found) => Err(found.swap_remove(0)),
    }
}

/// Takes an expanded URL apart.
fn parse(text: &str) -> Result<Url, &'static str> {
    if text.contains(['?', '#']) {
        return Err("a server has neither query nor fragment");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // OpenAPI 3.1, 4.8.5: relative to where the document is; `.` and `v1` would need to know where.
        if !text.starts_with('/') || text.starts_with("//") {
            return Err("expected an absolute URL, or a path that begins with one slash");
        }
        return Ok(Url { origin: None, base: base(text)? });
    };
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => true,
        "http" | "ws" => false,
        _ => return Err("only http, https, ws and wss are served"),
    };
    let (authority, path) =
        rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let host = host::parse(authority)?;
    // A Host header leaves the scheme's own port out.
    let host = host.strip_suffix(if secure { ":443" } else { ":80" }).unwrap_or(&host).to_owned();
    Ok(Url { origin: Some((secure, host)), base: base(path)? })
}

/// The base path, without the slash at its end that every template begins with.
fn base(path: &str) -> Result<String, &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.contains(['{', '}', '%']) {
        return Err("a base path is literal text, without braces and percent-encoding");
    }
    Ok(path.to_owned())
}
