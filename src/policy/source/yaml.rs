//! YAML 1.2: one document, read as the JSON that it means.
//!
//! Refused: repeated keys, merge keys, keys that are no scalars, tags of one's own, `%YAML 1.1`, a second
//! document, aliases that expand beyond the number of values allowed. A key is its text, so that the response
//! code `200:` is the member `"200"`; a plain scalar is what the Core Schema says (`scalar.rs`).

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Data, Node};
use super::{MAX_BYTES, MAX_DEPTH, MAX_NODES, scalar, whole};
use crate::json::pointer;
use crate::policy::fault::Fault;

pub(super) fn read(name: &str, text: &str) -> Result<Node, Vec<Fault>> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(vec![whole(name, 0, format!("is larger than {MAX_BYTES} bytes"))]);
    }
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut builder = Builder::new(name);
    for event in Parser::new_from_str_with_options(text, options) {
        let done = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                builder.fault(error.marker().line(), format!("is no YAML: {}", error.info()));
                None
            }
        };
        if done.is_none() {
            break;
        }
    }
    builder.finish()
}

/// A collection that is being read.
struct Open {
    /// Its line, and the anchor that it defines, or 0.
    line: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    Items(Vec<Node>),
    Members {
        members: Vec<(String, Node)>,
        seen: HashSet<String>,
        /// The key whose value comes next, with its line.
        key: Option<(String, usize)>,
    },
}

/// An anchored value, and how deep it is.
struct Anchored {
    node: Node,
    height: usize,
    size: usize,
}

struct Builder<'n> {
    name: &'n str,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    /// Values so far, with those that aliases repeat.
    nodes: usize,
    faults: Vec<Fault>,
}

impl<'n> Builder<'n> {
    fn new(name: &'n str) -> Self {
        let (open, faults, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        Self { name, open, root: None, anchors, nodes: 0, faults }
    }

    fn finish(mut self) -> Result<Node, Vec<Fault>> {
        if self.faults.is_empty() && self.root.is_none() {
            self.fault(0, "is empty");
        }
        match self.root {
            Some(root) if self.faults.is_empty() => Ok(root),
            _ => Err(self.faults),
        }
    }

    fn fault(&mut self, line: usize, message: impl Into<String>) {
        let mut path = String::new();
        for open in &self.open {
            match &open.content {
                Content::Items(items) => pointer::push(&mut path, &items.len().to_string()),
                Content::Members { key: Some((key, _)), .. } => pointer::push(&mut path, key),
                Content::Members { key: None, .. } => {}
            }
        }
        self.faults.push(Fault { pointer: path, ..whole(self.name, line, message) });
    }

    /// Takes one event; `None` ends the reading.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is not exhaustive")]
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(_, version) => {
                if self.root.is_some() {
                    self.fault(line, "a second document begins here: a policy is one");
                    return None;
                }
                if version.is_some_and(|version| (version.major, version.minor) != (1, 2)) {
                    self.fault(line, "only YAML 1.2 is read: remove the %YAML directive");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(&text, style, tag.as_deref(), (line, anchor));
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), "seq", line);
                return self.begin(line, anchor, Content::Items(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), "map", line);
                let (members, seen) = (Vec::new(), HashSet::new());
                return self.begin(line, anchor, Content::Members { members, seen, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            Event::Alias(id) => return self.alias(id, line),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            // Not asked for: comments, anchors apart from their values, aliases without one. An event of a later
            // version must not be passed over.
            _ => {
                self.fault(line, "is YAML that is not understood here");
                return None;
            }
        }
        Some(())
    }

    /// Refuses a collection's tag other than its own.
    fn tagged(&mut self, tag: Option<&Tag>, own: &str, line: usize) {
        if tag.is_some_and(|tag| tag.core_suffix() != Some(own)) {
            self.fault(line, "tags of one's own mean nothing here: remove the tag");
        }
    }

    /// Whether a key is expected.
    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Members { key: None, .. }, .. }))
    }

    fn begin(&mut self, line: usize, anchor: usize, content: Content) -> Option<()> {
        if self.awaits_key() {
            self.fault(line, "a key is a scalar; this one is a list or a mapping");
            return None;
        }
        if self.open.len() >= MAX_DEPTH {
            self.fault(line, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.open.push(Open { line, anchor, content });
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let Open { line, anchor, content } = self.open.pop()?;
        let data = match content {
            Content::Items(items) => Data::Array(items),
            Content::Members { members, .. } => Data::Object(members),
        };
        self.value(Node::new(line, data), line, anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        (line, anchor): (usize, usize),
    ) -> Option<()> {
        let plain = style == ScalarStyle::Plain;
        if self.awaits_key() {
            return self.key(text, plain && tag.is_none(), line);
        }
        let implicit =
            if plain { scalar::resolve(text) } else { Ok(Data::String(text.to_owned())) };
        let resolved = match tag.map(Tag::core_suffix) {
            None => implicit,
            Some(Some("str")) => Ok(Data::String(text.to_owned())),
            Some(Some(tag)) => tagged_scalar(tag, scalar::resolve(text)),
            Some(None) => Err("tags of one's own mean nothing here: remove the tag"),
        };
        let data = resolved.unwrap_or_else(|message| {
            self.fault(line, message);
            Data::Null
        });
        let doubtful = plain && tag.is_none() && scalar::is_doubtful(text);
        self.value(Node { line, data, doubtful }, line, anchor)
    }

    fn key(&mut self, text: &str, plain: bool, line: usize) -> Option<()> {
        let Some(Open { content: Content::Members { seen, key, .. }, .. }) = self.open.last_mut()
        else {
            return None;
        };
        let repeated = !seen.insert(text.to_owned());
        *key = Some((text.to_owned(), line));
        if repeated {
            self.fault(line, "this key occurs twice in its mapping");
        }
        if plain && text == "<<" {
            self.fault(
                line,
                "merge keys are not part of YAML 1.2: write the members out, or use $ref",
            );
        }
        if plain && (text.is_empty() || text == "~") {
            self.fault(line, "a member without a name");
        }
        Some(())
    }

    fn alias(&mut self, id: usize, line: usize) -> Option<()> {
        if self.awaits_key() {
            self.fault(line, "a key is a scalar of its own, not an alias");
            return None;
        }
        // An anchor exists once its value is complete, so an alias inside it does not find it.
        let Some(anchored) = self.anchors.get(&id) else {
            self.fault(line, "an alias inside its own anchor");
            return None;
        };
        if self.open.len().saturating_add(anchored.height) > MAX_DEPTH {
            self.fault(line, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        let size = anchored.size;
        // Counted before it is copied: a few lines of aliases to aliases would be gigabytes.
        if self.nodes.saturating_add(size) > MAX_NODES {
            self.fault(line, format!("more than {MAX_NODES} values once aliases are expanded"));
            return None;
        }
        let mut node = anchored.node.clone();
        node.line = line;
        self.nodes = self.nodes.saturating_add(size.saturating_sub(1));
        self.value(node, line, 0)
    }

    /// Puts a complete value where it belongs.
    fn value(&mut self, mut node: Node, line: usize, anchor: usize) -> Option<()> {
        self.nodes = self.nodes.saturating_add(1);
        if anchor != 0 {
            let (size, height) = extent(&node);
            self.nodes = self.nodes.saturating_add(size);
            self.anchors.insert(anchor, Anchored { node: node.clone(), height, size });
        }
        if self.nodes > MAX_NODES {
            self.fault(line, format!("more than {MAX_NODES} values"));
            return None;
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Items(items)) => items.push(node),
            Some(Content::Members { members, key, .. }) => {
                let (key, line) = key.take()?;
                node.line = line;
                members.push((key, node));
            }
        }
        Some(())
    }
}

/// What a tag of the Core Schema makes of a scalar; a scalar that is not of its tag is refused.
fn tagged_scalar(tag: &str, resolved: Result<Data, &'static str>) -> Result<Data, &'static str> {
    let data = resolved?;
    let fits = match (&data, tag) {
        (Data::Null, "null") | (Data::Bool(_), "bool") | (Data::Number(_), "float") => true,
        (Data::Number(number), "int") => !number.to_string().contains(['.', 'e', 'E']),
        _ => false,
    };
    if fits { Ok(data) } else { Err("the value is not of its tag's type") }
}

/// Values in it, and levels. Recurses no deeper than [`MAX_DEPTH`].
fn extent(node: &Node) -> (usize, usize) {
    let add = |(size, height): (usize, usize), child: &Node| {
        let (child_size, child_height) = extent(child);
        (size.saturating_add(child_size), height.max(child_height.saturating_add(1)))
    };
    match &node.data {
        Data::Array(items) => items.iter().fold((1, 1), add),
        Data::Object(members) => members.iter().map(|(_, value)| value).fold((1, 1), add),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => (1, 0),
    }
}
