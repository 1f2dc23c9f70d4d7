//! `servers`: under which schemes, hosts and base paths an API is served.
//!
//! Variables are expanded: every value of an `enum`, else the default alone. What is served is what the list
//! says and nothing between: `https://api.example.com/v1` beside `http://localhost` does not make
//! `http://api.example.com`.

use super::keywords;
use crate::policy::fault::{Fault, Faults};
use crate::policy::host;
use crate::policy::model::{Hosts, Origin, Schemes};
use crate::policy::source::At;

/// Expanded servers of one list. Real lists have less than ten; at half of it a few regions times a few
/// versions come near, at double nothing is gained: each is a copy of every route.
const MOST_SERVERS: usize = 64;

/// Base paths that are served under the same origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `""`, or `/v1`: without a slash at its end. At least one.
    pub(super) bases: Vec<String>,
    /// In the order of the document.
    pub(super) origins: Vec<Origin>,
}

/// One expanded URL.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Url {
    /// `None` when it is relative: whether it is https, and the host.
    origin: Option<(bool, String)>,
    base: String,
}

/// Where a document, a path item or an operation is served, by its `servers`; `None` when it has none.
///
/// `own`: the hosts that the configuration names, in place of those of the document.
pub(super) fn read(
    holder: &At<'_>,
    own: Option<&Hosts>,
    faults: &mut Faults,
) -> Option<Vec<Place>> {
    let list = holder.get("servers")?;
    list.need_array(faults)?;
    let mut urls: Vec<Url> = list.items().flat_map(|server| expand(&server, faults)).collect();
    if urls.is_empty() {
        // OpenAPI 3.1, 4.8.1: an empty list means `/`.
        urls.push(Url { origin: None, base: String::new() });
    }
    Some(places(&urls, &list, own, faults))
}

/// Where a document without servers is served.
pub(super) fn default(document: &At<'_>, own: Option<&Hosts>, faults: &mut Faults) -> Vec<Place> {
    let root = Url { origin: None, base: String::new() };
    places(&[root], document, own, faults)
}

fn places(urls: &[Url], list: &At<'_>, own: Option<&Hosts>, faults: &mut Faults) -> Vec<Place> {
    let mut bases: Vec<&str> = Vec::new();
    for url in urls {
        if !bases.contains(&url.base.as_str()) {
            bases.push(&url.base);
        }
    }
    let mut places: Vec<Place> = Vec::new();
    for base in bases {
        let here: Vec<&Url> = urls.iter().filter(|url| url.base == base).collect();
        let origins = match own {
            Some(hosts) => given(hosts, &here),
            None => origins(&here),
        };
        if origins.is_empty() && own.is_none() {
            faults.push(list.fault(
                "which Hosts does this API answer to? Write absolute URLs in `servers`, or `[api] hosts = […]` in \
                 secval.toml ([\"*\"] for any)",
            ));
        }
        match places.iter_mut().find(|place| place.origins == origins) {
            Some(place) => place.bases.push(base.to_owned()),
            None => places.push(Place { bases: vec![base.to_owned()], origins }),
        }
    }
    places
}

/// The origins of absolute URLs; none when all are relative. A relative one beside them adds nothing.
fn origins(urls: &[&Url]) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    for (secure, host) in urls.iter().filter_map(|url| url.origin.as_ref()) {
        let known = origins.iter().position(|origin| origin.host.as_ref() == Some(host));
        let index = known.unwrap_or(origins.len());
        if known.is_none() {
            let schemes = Schemes { http: false, https: false };
            origins.push(Origin { host: Some(host.clone()), schemes });
        }
        if let Some(Origin { schemes, .. }) = origins.get_mut(index) {
            schemes.https |= *secure;
            schemes.http |= !*secure;
        }
    }
    origins
}

/// The hosts of the configuration, under the schemes of the URLs; under both where all are relative.
fn given(hosts: &Hosts, urls: &[&Url]) -> Vec<Origin> {
    let mut schemes = Schemes { http: false, https: false };
    for (secure, _) in urls.iter().filter_map(|url| url.origin.as_ref()) {
        schemes.https |= *secure;
        schemes.http |= !*secure;
    }
    if !schemes.http && !schemes.https {
        schemes = Schemes { http: true, https: true };
    }
    match hosts {
        Hosts::Any => vec![Origin { host: None, schemes }],
        Hosts::Names(names) => {
            names.iter().map(|name| Origin { host: Some(name.clone()), schemes }).collect()
        }
    }
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
