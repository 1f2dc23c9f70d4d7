//! The grammar of RFC 8259, one pass, no recursion.
//!
//! The first fault in the order of the text is the one reported, but for three that are looked for before
//! anything is read: more bytes than the ceiling, an encoding that is not UTF-8, bytes that are not UTF-8.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::borrow::Cow;

use super::document::{Document, Number};
use super::error::{Error, Stopped};
use super::limits::Limits;
use super::observer::{Known, Observer, Silent};
use super::tape::{Node, Open, Tag, Tape, narrow, widen};
use super::{numbers, strings};
use crate::reason::Reason;

/// Reads one JSON value.
///
/// `reuse` are buffers of an earlier document ([`Document::into_tape`]), or new ones.
pub fn parse<'t>(text: Cow<'t, [u8]>, limits: &Limits, reuse: Tape) -> Result<Document<'t>, Error> {
    match parse_observed(text, limits, reuse, &mut Silent) {
        Ok(document) => Ok(document),
        Err(Stopped::Json(error)) => Err(error),
        Err(Stopped::Fault(never)) => match never {},
    }
}

/// Reads one JSON value of a text that is a string already.
pub fn parse_str<'t>(
    text: Cow<'t, str>,
    limits: &Limits,
    reuse: Tape,
) -> Result<Document<'t>, Error> {
    match read(text, limits, reuse, &mut Silent) {
        Ok(document) => Ok(document),
        Err(Stopped::Json(error)) => Err(error),
        Err(Stopped::Fault(never)) => match never {},
    }
}

/// Reads one JSON value while an observer follows, who may stop it.
pub fn parse_observed<'t, O: Observer>(
    text: Cow<'t, [u8]>,
    limits: &Limits,
    reuse: Tape,
    observer: &mut O,
) -> Result<Document<'t>, Stopped<O::Fault>> {
    check_size(text.len(), limits)?;
    read(decode(text)?, limits, reuse, observer)
}

fn check_size(bytes: usize, limits: &Limits) -> Result<(), Error> {
    let ceiling = limits.byte_ceiling();
    if bytes > ceiling { Err(Error::new(Reason::JsonBytes, ceiling)) } else { Ok(()) }
}

fn read<'t, O: Observer>(
    text: Cow<'t, str>,
    limits: &Limits,
    mut tape: Tape,
    observer: &mut O,
) -> Result<Document<'t>, Stopped<O::Fault>> {
    check_size(text.len(), limits)?;
    if text.starts_with('\u{feff}') {
        return Err(Error::new(Reason::JsonBom, 0).into());
    }
    tape.clear();
    let mut parser = Parser { text: &text, at: 0, limits, tape: &mut tape, observer };
    parser.run()?;
    Ok(Document::new(text, tape))
}

/// The text as UTF-8, or what it is instead.
fn decode(text: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Error> {
    // A JSON text begins with an ASCII character; with a NUL beside it, or a byte order mark before it, that
    // is UTF-16 or UTF-32 (RFC 4627, 3).
    let wide = match text.get(..2) {
        Some([0xfe, 0xff] | [0xff, 0xfe]) => true,
        Some([0, _] | [_, 0]) => text.len() >= 2,
        _ => false,
    };
    if wide {
        return Err(Error::new(Reason::JsonUtf16, 0));
    }
    let invalid = |error: &std::str::Utf8Error| Error::new(Reason::JsonUtf8, error.valid_up_to());
    match text {
        Cow::Borrowed(bytes) => match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            // The fast check says only that, the slow one says where.
            Err(_) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|e| invalid(&e)),
        },
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|e| invalid(&e.utf8_error()))
        }
    }
}

struct Parser<'p, O> {
    text: &'p str,
    at: usize,
    limits: &'p Limits,
    tape: &'p mut Tape,
    observer: &'p mut O,
}

/// What comes after something was read.
enum After {
    /// A value.
    Value,
    /// The end of the text.
    Done,
}

impl<O: Observer> Parser<'_, O> {
    fn run(&mut self) -> Result<(), Stopped<O::Fault>> {
        self.skip_blank();
        if self.peek().is_none() {
            return Err(self.fault(Reason::JsonEmpty).into());
        }
        loop {
            if !self.value()? {
                continue;
            }
            if let After::Done = self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Reads a value, or the opening of one that is not empty. `true` when the value is complete.
    fn value(&mut self) -> Result<bool, Stopped<O::Fault>> {
        let Some(byte) = self.peek() else { return Err(self.fault(Reason::JsonTruncated).into()) };
        match byte {
            b'"' => self.string(),
            b'{' => self.open(Tag::Object),
            b'[' => self.open(Tag::Array),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true", Tag::Bool, 1),
            b'f' => self.literal("false", Tag::Bool, 0),
            b'n' => self.literal("null", Tag::Null, 0),
            b'+' | b'.' => Err(self.fault(Reason::JsonNumber).into()),
            byte if byte.is_ascii_alphabetic() => Err(self.fault(Reason::JsonLiteral).into()),
            _ => Err(self.fault(Reason::JsonExpectedValue).into()),
        }
    }

    fn string(&mut self) -> Result<bool, Stopped<O::Fault>> {
        let node = self.push(Tag::String)?;
        let text = self.content(node)?;
        let text = slice(self.text, &self.tape.unescaped, text);
        self.observer.string(node, text).map_err(Stopped::Fault)?;
        Ok(true)
    }

    fn number(&mut self) -> Result<bool, Stopped<O::Fault>> {
        let start = self.at;
        let read = numbers::read(self.text, start, self.limits.max_number_chars)?;
        let tag = if read.integer { Tag::Integer } else { Tag::Float };
        let node = self.push(tag)?;
        if let Some(last) = self.tape.nodes.last_mut() {
            last.b = narrow(read.next.saturating_sub(start));
        }
        self.at = read.next;
        let number = Number::new(self.text.get(start..read.next).unwrap_or_default(), read.integer);
        self.observer.number(node, number).map_err(Stopped::Fault)?;
        Ok(true)
    }

    fn literal(&mut self, word: &str, tag: Tag, a: u32) -> Result<bool, Stopped<O::Fault>> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            let cut = word.as_bytes().starts_with(rest);
            let error = if cut {
                Error::new(Reason::JsonTruncated, self.text.len())
            } else {
                self.fault(Reason::JsonLiteral)
            };
            return Err(error.into());
        }
        let node = self.push(tag)?;
        if let Some(last) = self.tape.nodes.last_mut() {
            last.a = a;
        }
        self.at = self.at.saturating_add(word.len());
        let told = match tag {
            Tag::Null => self.observer.null(node),
            _ => self.observer.bool(node, a == 1),
        };
        told.map_err(Stopped::Fault)?;
        Ok(true)
    }

    /// `{` or `[`, and what follows it: its end, or its first name, or its first value's place.
    fn open(&mut self, tag: Tag) -> Result<bool, Stopped<O::Fault>> {
        if self.tape.open.len() >= self.limits.max_depth {
            return Err(self.fault(Reason::JsonDepth).into());
        }
        let node = self.push(tag)?;
        let object = tag == Tag::Object;
        self.tape.open.push(Open { node, count: 0, object });
        self.at = self.at.saturating_add(1);
        let told = if object {
            self.tape.names.begin();
            self.observer.begin_object(node)
        } else {
            self.observer.begin_array(node)
        };
        told.map_err(Stopped::Fault)?;
        self.skip_blank();
        match (self.peek(), object) {
            (Some(b'}'), true) | (Some(b']'), false) => {
                self.close()?;
                return Ok(true);
            }
            (_, true) => {
                self.count()?;
                self.name()?;
            }
            (_, false) => self.count()?,
        }
        Ok(false)
    }

    /// After a complete value: closes what ends here, and goes to the next value.
    fn after_value(&mut self) -> Result<After, Stopped<O::Fault>> {
        loop {
            self.skip_blank();
            let Some(open) = self.tape.open.last().copied() else {
                return match self.peek() {
                    None => Ok(After::Done),
                    Some(_) => Err(self.fault(Reason::JsonTrailing).into()),
                };
            };
            match (self.peek(), open.object) {
                (Some(b','), object) => {
                    self.at = self.at.saturating_add(1);
                    self.skip_blank();
                    if matches!((self.peek(), object), (Some(b'}'), true) | (Some(b']'), false)) {
                        return Err(self.fault(Reason::JsonTrailingComma).into());
                    }
                    self.count()?;
                    if object {
                        self.name()?;
                    }
                    return Ok(After::Value);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                (Some(_), _) => return Err(self.fault(Reason::JsonExpectedComma).into()),
                (None, _) => return Err(self.fault(Reason::JsonTruncated).into()),
            }
        }
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Result<(), Stopped<O::Fault>> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.fault(Reason::JsonExpectedName).into()),
            None => return Err(self.fault(Reason::JsonTruncated).into()),
        }
        let start = self.at;
        let node = self.push_uncounted(Tag::String);
        let ahead = self.text.as_bytes().get(start..).unwrap_or_default();
        if let Some(bytes) = self.observer.predicted(node, ahead) {
            return self.predicted_name(bytes).map_err(Stopped::Json);
        }
        let place = self.content(node)?;
        let Tape { nodes, unescaped, names, .. } = &mut *self.tape;
        let name = slice(self.text, unescaped, place);
        let new = match self.observer.name(node, name).map_err(Stopped::Fault)? {
            Known::New => true,
            Known::Repeated => false,
            Known::Unknown => {
                names.add(name, node, |other| name_text(self.text, nodes, unescaped, other))
            }
        };
        if !new {
            return Err(Error::new(Reason::JsonDuplicateKey, start).into());
        }
        self.skip_blank();
        match self.peek() {
            Some(b':') => self.at = self.at.saturating_add(1),
            Some(_) => return Err(self.fault(Reason::JsonExpectedColon).into()),
            None => return Err(self.fault(Reason::JsonTruncated).into()),
        }
        self.skip_blank();
        Ok(())
    }

    /// A name that the observer has recognised: so many bytes with its quotes and its colon.
    fn predicted_name(&mut self, bytes: usize) -> Result<(), Error> {
        let from = self.at.saturating_add(1);
        let len = bytes.saturating_sub(3);
        if self.limits.max_string_bytes.is_some_and(|ceiling| len > ceiling) {
            return Err(self.fault(Reason::JsonStringBytes));
        }
        if let Some(node) = self.tape.nodes.last_mut() {
            (node.a, node.b) = (narrow(from), narrow(len));
        }
        self.at = self.at.saturating_add(bytes);
        self.skip_blank();
        Ok(())
    }

    /// One more member or item of the innermost container.
    fn count(&mut self) -> Result<(), Error> {
        let at = self.at;
        let ceiling = self.limits.max_members.unwrap_or(usize::MAX);
        if let Some(open) = self.tape.open.last_mut() {
            open.count = open.count.saturating_add(1);
            if usize::try_from(open.count).unwrap_or(usize::MAX) > ceiling {
                return Err(Error::new(Reason::JsonMembers, at));
            }
        }
        Ok(())
    }

    /// `}` or `]`
    fn close(&mut self) -> Result<(), Stopped<O::Fault>> {
        self.at = self.at.saturating_add(1);
        let Some(Open { node, count, object }) = self.tape.open.pop() else { return Ok(()) };
        let end = narrow(self.tape.nodes.len());
        if let Some(opened) = self.tape.nodes.get_mut(widen(node)) {
            (opened.a, opened.b) = (count, end);
        }
        if !object {
            return self.observer.end_array(node, count).map_err(Stopped::Fault);
        }
        let Tape { nodes, unescaped, names, .. } = &mut *self.tape;
        let repeated = names.end(|other| name_text(self.text, nodes, unescaped, other));
        if let Some(repeated) = repeated {
            let start = nodes.get(widen(repeated)).map_or(0, |node| node.start);
            return Err(Error::new(Reason::JsonDuplicateKey, widen(start)).into());
        }
        self.observer.end_object(node, count).map_err(Stopped::Fault)
    }

    /// A value's node.
    fn push(&mut self, tag: Tag) -> Result<u32, Error> {
        if let Some(ceiling) = self.limits.max_nodes {
            self.tape.values = self.tape.values.saturating_add(1);
            if self.tape.values > ceiling {
                return Err(self.fault(Reason::JsonNodes));
            }
        }
        Ok(self.push_uncounted(tag))
    }

    fn push_uncounted(&mut self, tag: Tag) -> u32 {
        let index = narrow(self.tape.nodes.len());
        let start = narrow(self.at);
        self.tape.nodes.push(Node { start, a: 0, b: 0, tag, escaped: false, ascii: false });
        index
    }

    /// Reads the string at the current place into its node.
    fn content(&mut self, node: u32) -> Result<strings::Read, Error> {
        let read = strings::read(self.text, self.at, &mut self.tape.unescaped)?;
        if self.limits.max_string_bytes.is_some_and(|ceiling| read.len > ceiling) {
            return Err(self.fault(Reason::JsonStringBytes));
        }
        if let Some(node) = self.tape.nodes.get_mut(widen(node)) {
            (node.a, node.b, node.escaped) = (narrow(read.from), narrow(read.len), read.escaped);
        }
        self.at = read.next;
        Ok(read)
    }

    fn fault(&self, reason: Reason) -> Error {
        Error::new(reason, self.at)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at = self.at.saturating_add(1);
        }
    }
}

fn slice<'d>(text: &'d str, unescaped: &'d str, read: strings::Read) -> &'d str {
    let from = if read.escaped { unescaped } else { text };
    from.get(read.from..read.from.saturating_add(read.len)).unwrap_or_default()
}

fn name_text<'d>(text: &'d str, nodes: &[Node], unescaped: &'d str, node: u32) -> &'d str {
    nodes.get(widen(node)).map_or("", |node| node.content(text, unescaped))
}
