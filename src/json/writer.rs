//! Documents from values instead of text: what Python objects and parameters become, under the same rules.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt::Write;

use super::document::Document;
use super::error::Error;
use super::limits::Limits;
use super::numbers::{self, Number};
use super::place::{Place, place};
use super::strings;
use super::tape::{Node, Open, Parts, Tag, Tape, narrow, widen};
use crate::reason::Reason;

/// Writes one document, value by value: its text, and the tape that parsing the text would give.
///
/// What is a fault of a text is a fault here too, with the reason that the text would get and the offset in
/// the text written so far; so are calls in an order that makes no text. The first fault stays: all later
/// calls repeat it. Without recursion; the caller may nest as deep as the limits allow.
///
/// ```
/// use secval::json::{Limits, Writer};
///
/// let mut writer = Writer::new(&Limits::default());
/// writer.begin_object()?;
/// writer.name("ids")?;
/// writer.begin_array()?;
/// writer.number("1.50")?;
/// writer.end_array()?;
/// writer.end_object()?;
/// assert_eq!(writer.finish()?.text(), br#"{"ids":[1.50]}"#);
/// # Ok::<(), secval::json::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    limits: Limits,
    text: String,
    tape: Tape,
    /// Values so far, for the ceiling on them.
    values: usize,
    /// What may come next.
    due: Due,
    fault: Option<Error>,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The document's value, or an item or the array's end.
    Value,
    /// A member's name, or the object's end.
    Name,
    /// The value of the member that has just been named.
    Member,
    /// Nothing: the document is complete.
    Nothing,
}

impl Writer {
    /// A writer under these ceilings.
    pub fn new(limits: &Limits) -> Self {
        let (text, tape) = (String::new(), Tape::default());
        Self { limits: *limits, text, tape, values: 0, due: Due::Value, fault: None }
    }

    /// What has been written so far.
    pub fn text(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where a fault of this writer lies in what it has written, and would have written next.
    pub fn place(&self, error: Error) -> Place {
        let mut text = Cow::Borrowed(self.text());
        if text.len() <= error.offset() {
            // Something must stand where the value would have begun, or the place would be around it.
            text.to_mut().push(b'?');
        }
        place(&text, error.offset())
    }

    /// A fault where the next value, or name, would have begun: it is one that JSON cannot say.
    pub fn refuse(&mut self, reason: Reason) -> Error {
        let refused = self.step(|writer| {
            match writer.due {
                Due::Name => writer.count()?,
                Due::Value | Due::Member | Due::Nothing => writer.begin_value()?,
            }
            Err(writer.here(reason))
        });
        refused.err().unwrap_or_else(|| self.here(reason))
    }

    /// `null`
    pub fn null(&mut self) -> Result<(), Error> {
        self.step(|writer| writer.literal("null", Tag::Null, 0))
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) -> Result<(), Error> {
        let word = if value { "true" } else { "false" };
        self.step(|writer| writer.literal(word, Tag::Bool, u32::from(value)))
    }

    /// A number, in JSON's own spelling; anything else is `json.number`.
    pub fn number(&mut self, text: &str) -> Result<(), Error> {
        self.step(|writer| {
            writer.begin_value()?;
            let at = writer.text.len();
            let malformed = Error::new(Reason::JsonNumber, at);
            let read = numbers::read(text, 0, narrow(writer.limits.max_number_chars));
            let too_much = [Reason::JsonNumberChars, Reason::JsonNumberRange];
            let read = read.map_err(|error| {
                let given = too_much.contains(&error.reason());
                if given { Error::new(error.reason(), at) } else { malformed }
            })?;
            if widen(read.next) != text.len() {
                return Err(malformed);
            }
            writer.count_value()?;
            writer.push(match read.value {
                Number::Integer(value) => {
                    Node::wide(Tag::Integer, narrow(at), value.cast_unsigned())
                }
                Number::Big => Node::new(Tag::BigInteger, narrow(at), 0, 0),
                Number::Float(value) => Node::wide(Tag::Float, narrow(at), value.to_bits()),
            });
            writer.text.push_str(text);
            writer.complete();
            Ok(())
        })
    }

    /// A string.
    pub fn string(&mut self, text: &str) -> Result<(), Error> {
        self.step(|writer| {
            writer.begin_value()?;
            writer.count_value()?;
            writer.content(Tag::String, text)?;
            writer.complete();
            Ok(())
        })
    }

    /// `[`
    pub fn begin_array(&mut self) -> Result<(), Error> {
        self.step(|writer| writer.begin(Tag::Array))
    }

    /// `]`
    pub fn end_array(&mut self) -> Result<(), Error> {
        self.step(|writer| writer.end(false))
    }

    /// `{`
    pub fn begin_object(&mut self) -> Result<(), Error> {
        self.step(|writer| writer.begin(Tag::Object))
    }

    /// `}`
    pub fn end_object(&mut self) -> Result<(), Error> {
        self.step(|writer| writer.end(true))
    }

    /// A member's name; a repeated one is `json.duplicate_key`.
    pub fn name(&mut self, name: &str) -> Result<(), Error> {
        self.step(|writer| {
            match writer.due {
                Due::Name => {}
                Due::Member => return Err(writer.here(Reason::JsonExpectedColon)),
                Due::Value => return Err(writer.here(Reason::JsonExpectedValue)),
                Due::Nothing => return Err(writer.here(Reason::JsonTrailing)),
            }
            writer.count()?;
            let start = writer.text.len();
            let node = narrow(writer.tape.read().nodes.len());
            writer.content(Tag::Name, name)?;
            let Self { text, tape, .. } = writer;
            let Parts { nodes, unescaped, names, .. } = tape.parts();
            let other = |other: u32| {
                nodes.get(widen(other)).map_or("", |node| node.content(text, unescaped))
            };
            if !names.add(name, node, other) {
                return Err(Error::new(Reason::JsonDuplicateKey, start));
            }
            writer.text.push(':');
            writer.due = Due::Member;
            Ok(())
        })
    }

    /// The document, if it is complete.
    pub fn finish(mut self) -> Result<Document<'static>, Error> {
        self.step(|writer| match writer.due {
            Due::Nothing => Ok(()),
            Due::Value if writer.text.is_empty() => Err(writer.here(Reason::JsonEmpty)),
            Due::Value | Due::Name | Due::Member => Err(writer.here(Reason::JsonTruncated)),
        })?;
        Ok(Document::new(Cow::Owned(self.text), self.tape))
    }

    /// Runs one call, unless an earlier one has failed.
    fn step(&mut self, call: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let ceiling = self.limits.byte_ceiling();
        let mut done = call(self);
        if done.is_ok() && self.text.len() > ceiling {
            done = Err(Error::new(Reason::JsonBytes, ceiling));
        }
        self.fault = done.err();
        done
    }

    fn literal(&mut self, word: &str, tag: Tag, a: u32) -> Result<(), Error> {
        self.begin_value()?;
        self.count_value()?;
        self.push(Node::new(tag, narrow(self.text.len()), a, 0));
        self.text.push_str(word);
        self.complete();
        Ok(())
    }

    fn begin(&mut self, tag: Tag) -> Result<(), Error> {
        self.begin_value()?;
        if self.tape.read().open.len() >= self.limits.max_depth {
            return Err(self.here(Reason::JsonDepth));
        }
        let object = tag == Tag::Object;
        self.count_value()?;
        let node = narrow(self.tape.read().nodes.len());
        self.push(Node::new(tag, narrow(self.text.len()), 0, 0));
        self.tape.parts().open.push(Open {
            node,
            count: 0,
            closing: if object { b'}' } else { b']' },
        });
        if object {
            self.tape.parts().names.begin();
        }
        self.text.push(if object { '{' } else { '[' });
        self.due = if object { Due::Name } else { Due::Value };
        Ok(())
    }

    fn end(&mut self, object: bool) -> Result<(), Error> {
        let Some(open) = self.tape.read().open.last().copied() else {
            return Err(self.here(Reason::JsonExpectedValue));
        };
        if (open.closing == b'}') != object {
            return Err(self.here(Reason::JsonExpectedComma));
        }
        if self.due == Due::Member {
            return Err(self.here(Reason::JsonExpectedValue));
        }
        self.tape.parts().open.pop();
        self.text.push(if object { '}' } else { ']' });
        let end = narrow(self.tape.read().nodes.len());
        if let Some(opened) = self.tape.parts().nodes.get_mut(widen(open.node)) {
            (opened.a, opened.b) = (open.count, end);
        }
        if object {
            let Self { text, tape, .. } = self;
            let Parts { nodes, unescaped, names, .. } = tape.parts();
            let other = |other: u32| {
                nodes.get(widen(other)).map_or("", |node| node.content(text, unescaped))
            };
            if let Some(repeated) = names.end(other) {
                let start = nodes.get(widen(repeated)).map_or(0, |node| node.start);
                return Err(Error::new(Reason::JsonDuplicateKey, widen(start)));
            }
        }
        self.complete();
        Ok(())
    }

    /// Before a value: whether one may come, and the comma if it is not the first item.
    fn begin_value(&mut self) -> Result<(), Error> {
        match self.due {
            Due::Value if self.tape.read().open.is_empty() => Ok(()),
            Due::Value => self.count(),
            Due::Member => Ok(()),
            Due::Name => Err(self.here(Reason::JsonExpectedName)),
            Due::Nothing => Err(self.here(Reason::JsonTrailing)),
        }
    }

    /// One more member or item of the innermost container.
    fn count(&mut self) -> Result<(), Error> {
        let ceiling = self.limits.max_members.unwrap_or(usize::MAX);
        let Some(open) = self.tape.parts().open.last_mut() else { return Ok(()) };
        if open.count > 0 {
            self.text.push(',');
        }
        open.count = open.count.saturating_add(1);
        if widen(open.count) > ceiling { Err(self.here(Reason::JsonMembers)) } else { Ok(()) }
    }

    /// After a value: what is around it goes on.
    fn complete(&mut self) {
        self.due = match self.tape.read().open.last() {
            None => Due::Nothing,
            Some(Open { closing: b'}', .. }) => Due::Name,
            Some(Open { .. }) => Due::Value,
        };
    }

    fn count_value(&mut self) -> Result<(), Error> {
        self.values = self.values.saturating_add(1);
        match self.limits.max_nodes {
            Some(ceiling) if self.values > ceiling => Err(self.here(Reason::JsonNodes)),
            Some(_) | None => Ok(()),
        }
    }

    fn push(&mut self, node: Node) {
        self.tape.parts().nodes.push(node);
    }

    /// Writes a string in quotes; what needs escapes is kept unescaped too, as the parser does.
    fn content(&mut self, tag: Tag, content: &str) -> Result<(), Error> {
        if self.limits.max_string_bytes.is_some_and(|ceiling| content.len() > ceiling) {
            return Err(self.here(Reason::JsonStringBytes));
        }
        let start = narrow(self.text.len());
        self.text.push('"');
        let plain = strings::plain_end(content.as_bytes(), 0) == content.len();
        let from = if plain { self.text.len() } else { self.tape.read().unescaped.len() };
        if plain {
            self.text.push_str(content);
        } else {
            self.tape.parts().unescaped.push_str(content);
            escape(content, &mut self.text);
        }
        self.text.push('"');
        let mut node = Node::new(tag, start, narrow(from), narrow(content.len()));
        node.escaped = !plain;
        self.push(node);
        Ok(())
    }

    fn here(&self, reason: Reason) -> Error {
        Error::new(reason, self.text.len())
    }
}

fn escape(content: &str, text: &mut String) {
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control @ ..' ' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
}
