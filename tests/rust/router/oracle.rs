//! A slow, obvious router: every template against the path, every way to split a segment.

use std::collections::BTreeMap;

/// What a path and a method lead to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The operation, and what its parameters capture.
    Operation(usize, Vec<String>),
    /// The methods that the path has.
    MethodUnknown(Vec<String>),
    Unknown,
    /// Some segment can be split in more than one way: unknown, or what the rest says.
    Unclear(Box<Self>),
}

/// A piece of a segment: text, or a parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Text(String),
    Parameter,
}

type Segment = Vec<Piece>;

/// Answers for routes (method and template; their index is the operation), all of them sound.
pub(crate) fn find(routes: &[(String, String)], method: &str, path: &str) -> Answer {
    let Some(path) = path.strip_prefix('/') else { return Answer::Unknown };
    let asked: Vec<&str> = path.split('/').collect();
    let mut templates: BTreeMap<Vec<Segment>, Vec<(String, usize)>> = BTreeMap::new();
    for (operation, (method, template)) in routes.iter().enumerate() {
        let segments = template[1..].split('/').map(pieces).collect();
        templates.entry(segments).or_default().push((method.clone(), operation));
    }
    let (mut hits, mut unclear) = (Vec::new(), false);
    for (segments, methods) in &templates {
        let ways: Vec<Vec<Vec<String>>> =
            segments.iter().zip(&asked).map(|(segment, text)| splits(segment, text)).collect();
        unclear |= ways.iter().any(|ways| ways.len() > 1);
        if segments.len() == asked.len() && ways.iter().all(|ways| ways.len() == 1) {
            hits.push((segments, methods, ways.concat().concat()));
        }
    }
    let beats = |a: &[Segment], b: &[Segment]| {
        let within = |a: &[Segment], b: &[Segment]| a.iter().zip(b).all(|(a, b)| is_within(a, b));
        within(a, b) && !within(b, a)
    };
    let best: Vec<_> = hits
        .iter()
        .filter(|(segments, _, _)| !hits.iter().any(|(other, _, _)| beats(other, segments)))
        .collect();
    let serving = |methods: &[(String, usize)]| {
        let own = |method: &str| methods.iter().find(|(m, _)| m == method).map(|(_, o)| *o);
        own(method).or_else(|| if method == "HEAD" { own("GET") } else { None })
    };
    let answers: Vec<_> = best
        .iter()
        .filter_map(|(_, methods, captures)| serving(methods).map(|o| (o, captures.clone())))
        .collect();
    let answer = match (best.as_slice(), answers.as_slice()) {
        (_, [(operation, captures)]) => Answer::Operation(*operation, captures.clone()),
        ([(_, methods, _)], []) => {
            let mut methods: Vec<String> = methods.iter().map(|(m, _)| m.clone()).collect();
            methods.sort();
            Answer::MethodUnknown(methods)
        }
        _ => Answer::Unknown,
    };
    if unclear { Answer::Unclear(Box::new(answer)) } else { answer }
}

/// `a-{x}.{y}` as text, parameter, text, parameter.
fn pieces(segment: &str) -> Segment {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((text, tail)) = rest.split_once('{') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(Piece::Parameter);
        rest = tail.split_once('}').expect("a sound template").1;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

/// Every way to split a text into the pieces: the parameters' texts, none of them empty.
fn splits(pieces: &[Piece], text: &str) -> Vec<Vec<String>> {
    match pieces.split_first() {
        None if text.is_empty() => vec![Vec::new()],
        None => Vec::new(),
        Some((Piece::Text(own), rest)) => {
            text.strip_prefix(own.as_str()).map_or_else(Vec::new, |tail| splits(rest, tail))
        }
        Some((Piece::Parameter, rest)) => {
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            let ways = ends.flat_map(|end| {
                let head = text[..end].to_owned();
                splits(rest, &text[end..])
                    .into_iter()
                    .map(move |way| [vec![head.clone()], way].concat())
            });
            ways.collect()
        }
    }
}

/// Whether the one segment is at least as concrete as the other, given that a text matches both: it is without
/// parameters, or the same, or of a kind with more text at both ends of the other's only parameter.
fn is_within(a: &Segment, b: &Segment) -> bool {
    let plain = |segment: &Segment| !segment.contains(&Piece::Parameter);
    let ends = |segment: &Segment| {
        let text = |piece: Option<&Piece>| match piece {
            Some(Piece::Text(text)) => text.clone(),
            _ => String::new(),
        };
        (text(segment.first()), text(segment.last()))
    };
    let only = b.iter().filter(|piece| **piece == Piece::Parameter).count() == 1;
    let ((a_first, a_last), (b_first, b_last)) = (ends(a), ends(b));
    plain(a)
        || (!plain(b)
            && (a == b || (only && a_first.starts_with(&b_first) && a_last.ends_with(&b_last))))
}
