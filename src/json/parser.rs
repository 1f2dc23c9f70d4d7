//! The grammar of RFC 8259, one pass, no recursion.
//!
//! The first fault in the order of the text is the one reported, but for three that are looked for before
//! anything is read: more bytes than the ceiling, an encoding that is not UTF-8, bytes that are not UTF-8.
//!
//! Offsets are 32 bits wide and wrap: every step forward follows a byte that was there, and a text has at most
//! `u32::MAX` of them. What is beyond the end reads as a NUL, which is no part of any JSON text.
//!
//! Where a member's name is matched: in `Parser::name`. An observer may recognise it, and then keeps account of
//! it (see [`Observer`] for why none can be repeated); all other names are compared in `names.rs`.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![allow(clippy::inline_always, reason = "one loop: calls within it were a quarter of its time")]

use std::borrow::Cow;
use std::convert::Infallible;

use smallvec::SmallVec;

use super::document::{self, Content, Document, Unproven};
use super::error::{Error, Stopped};
use super::limits::Limits;
use super::marks;
use super::names::Names;
use super::numbers::{self, Number};
use super::observer::{Ahead, Known, Observer, Silent, Uncompared};
use super::strings;
use super::tape::{Node, Open, Parts, Tag, Tape, narrow, widen, wrapped};
use crate::reason::Reason;

/// Reads one JSON value.
///
/// `reuse` are buffers of an earlier document ([`Document::into_tape`]), or new ones.
pub fn parse<'t>(text: Cow<'t, [u8]>, limits: &Limits, reuse: Tape) -> Result<Document<'t>, Error> {
    parse_observed(text, limits, reuse, &mut Silent).map_err(only_json)
}

/// Reads one JSON value of a text that is a string already.
pub fn parse_str<'t>(
    text: Cow<'t, str>,
    limits: &Limits,
    reuse: Tape,
) -> Result<Document<'t>, Error> {
    check_size(text.len(), limits)?;
    let mut tape = reuse;
    tape.look_at(text.as_bytes());
    read(&text, limits, &mut tape, &mut Silent).map_err(only_json)?;
    Ok(Document::new(text, tape))
}

/// Reads one JSON value while an observer follows, who may stop it.
pub fn parse_observed<'t, O: Observer>(
    text: Cow<'t, [u8]>,
    limits: &Limits,
    reuse: Tape,
    observer: &mut O,
) -> Result<Document<'t>, Stopped<O::Fault>> {
    let mut tape = reuse;
    match text {
        Cow::Borrowed(bytes) => {
            let text = follow(bytes, limits, &mut tape, observer)?;
            Ok(Document::new(Cow::Borrowed(text), tape))
        }
        Cow::Owned(bytes) => {
            follow(&bytes, limits, &mut tape, observer)?;
            // Read, so it is UTF-8: this says only that the bytes become a string.
            let text = String::from_utf8(bytes).unwrap_or_default();
            Ok(Document::new(Cow::Owned(text), tape))
        }
    }
}

/// The same for bytes that stay where they are: the text, which the tape is filled with.
pub fn follow<'t, O: Observer>(
    text: &'t [u8],
    limits: &Limits,
    tape: &mut Tape,
    observer: &mut O,
) -> Result<&'t str, Stopped<O::Fault>> {
    check_size(text.len(), limits)?;
    tape.look_at(text);
    let text = decode(text, tape.is_ascii())?;
    read(text, limits, tape, observer)?;
    Ok(text)
}

/// Reads one JSON value, and leaves it to the caller to find out whether member names are repeated: whoever
/// puts the members into maps sees that anyway, when a map is smaller than its object.
///
/// A fault is not always the first of the text, since a repeated name may come before it; [`parse`] says.
pub fn parse_unproven<'t>(
    text: Cow<'t, [u8]>,
    limits: &Limits,
    reuse: Tape,
) -> Result<Unproven<'t>, Error> {
    parse_observed(text, limits, reuse, &mut Uncompared).map(Unproven::new).map_err(only_json)
}

fn only_json(stopped: Stopped<Infallible>) -> Error {
    match stopped {
        Stopped::Json(error) => error,
        Stopped::Fault(never) => match never {},
    }
}

fn check_size(bytes: usize, limits: &Limits) -> Result<(), Error> {
    let ceiling = limits.byte_ceiling();
    if bytes > ceiling { Err(Error::new(Reason::JsonBytes, ceiling)) } else { Ok(()) }
}

/// The text as UTF-8, or what it is instead. All of it may be known to be ASCII.
#[inline]
fn decode(text: &[u8], ascii: bool) -> Result<&str, Error> {
    // A JSON text begins with an ASCII character; with a NUL beside it, or a byte order mark before it, that
    // is UTF-16 or UTF-32 (RFC 4627, 3).
    if let Some([0xfe, 0xff] | [0xff, 0xfe] | [0, _] | [_, 0]) = text.get(..2) {
        return Err(Error::new(Reason::JsonUtf16, 0));
    }
    if ascii {
        #[expect(unsafe_code, reason = "a second look at every byte would tell nothing new")]
        // SAFETY: all bytes are ASCII, and ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(text) });
    }
    // The fast check says only that, the slow one says where.
    simdutf8::basic::from_utf8(text).or_else(|_| {
        str::from_utf8(text).map_err(|error| Error::new(Reason::JsonUtf8, error.valid_up_to()))
    })
}

fn read<O: Observer>(
    text: &str,
    limits: &Limits,
    tape: &mut Tape,
    observer: &mut O,
) -> Result<(), Stopped<O::Fault>> {
    if text.starts_with('\u{feff}') {
        return Err(Error::new(Reason::JsonBom, 0).into());
    }
    let Parts { nodes, unescaped, ascii, marks, open, names } = tape.parts();
    let tail = tail(text.as_bytes());
    let ceiling = |limit: Option<usize>| limit.map_or(u32::MAX, narrow);
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        ascii: *ascii,
        tail: &tail,
        marks,
        nodes,
        unescaped,
        open,
        names,
        observer,
        node: 0,
        count: widen(u32::MAX),
        closing: OUTSIDE,
        depth: limits.max_depth,
        values: ceiling(limits.max_nodes),
        members: widen(ceiling(limits.max_members)),
        string_bytes: ceiling(limits.max_string_bytes),
        number_chars: narrow(limits.max_number_chars),
    };
    parser.run()
}

struct Parser<'p, O> {
    text: &'p str,
    bytes: &'p [u8],
    /// All of them are ASCII.
    ascii: bool,
    /// The last of them, and NULs behind: near the end as many can be looked at as before.
    tail: &'p [u8; 2 * AHEAD],
    marks: &'p [u64],
    nodes: &'p mut Vec<Node>,
    unescaped: &'p mut String,
    /// The containers around the innermost one, and nothing at the bottom.
    open: &'p mut SmallVec<[Open; 8]>,
    names: &'p mut Names,
    observer: &'p mut O,
    /// The innermost container, if there is one: its node, its children so far (wider than on the stack, so that it is
    /// moved by itself: it was just written), and the byte that ends it.
    node: u32,
    count: usize,
    closing: u8,
    /// Levels left.
    depth: usize,
    /// Values left.
    values: u32,
    /// Ceilings; `u32::MAX` is none.
    members: usize,
    string_bytes: u32,
    number_chars: u32,
}

/// Bytes that an observer who predicts a name can look at, if the text goes on.
const AHEAD: usize = 32;

/// What closes the outermost value: the end of the text reads so. Nothing is full there but one value, so it has as many
/// children as can be.
const OUTSIDE: u8 = 0;

/// A byte that is no white space, and where it is.
type Token = (u32, u8);

impl<O: Observer> Parser<'_, O> {
    /// Reads the text in the fastest way that this processor has.
    fn run(&mut self) -> Result<(), Stopped<O::Fault>> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
        {
            #[expect(unsafe_code, reason = "the same code with better instructions")]
            // SAFETY: the processor has these, as has just been asked; the function has no other condition.
            return unsafe { self.run_on_avx2() };
        }
        self.run_through()
    }

    /// The whole loop once more, as compiled for processors since 2013: names are compared in one register.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    fn run_on_avx2(&mut self) -> Result<(), Stopped<O::Fault>> {
        self.run_through()
    }

    #[inline(always)]
    fn run_through(&mut self) -> Result<(), Stopped<O::Fault>> {
        let (mut at, mut byte) = self.token(0);
        if self.ended(at) {
            return Err(fault(Reason::JsonEmpty, at).into());
        }
        loop {
            let next = match byte {
                b'"' => self.string(at)?,
                b'{' | b'[' => match self.begin(at, byte == b'{')? {
                    Begun::Child(token) => {
                        (at, byte) = token;
                        continue;
                    }
                    Begun::Empty(next) => next,
                },
                b'-' | b'0'..=b'9' => self.number(at)?,
                b't' => self.literal(at, "true", Tag::Bool, 1)?,
                b'f' => self.literal(at, "false", Tag::Bool, 0)?,
                b'n' => self.literal(at, "null", Tag::Null, 0)?,
                _ => return Err(self.no_value(at, byte).into()),
            };
            match self.after(next)? {
                Some(token) => (at, byte) = token,
                None => return Ok(()),
            }
        }
    }

    #[inline(always)]
    fn string(&mut self, at: u32) -> Result<u32, Stopped<O::Fault>> {
        self.count_value(at)?;
        let from = at.wrapping_add(1);
        let stop = marks::next(self.marks, from);
        if self.byte(stop) != b'"' {
            return self.uncommon_string(at);
        }
        let length = stop.wrapping_sub(from);
        if length > self.string_bytes {
            return Err(fault(Reason::JsonStringBytes, at).into());
        }
        let node = Node::new(Tag::String, at, from, length);
        let index = self.push(node);
        let content = Content::within(self.text, &node, self.ascii);
        self.observer.string(index, content).map_err(Stopped::Fault)?;
        Ok(stop.wrapping_add(1))
    }

    /// The same, for a string that has escapes, or is at fault.
    #[inline(never)]
    fn uncommon_string(&mut self, at: u32) -> Result<u32, Stopped<O::Fault>> {
        let (next, node) = self.content(at, Tag::String)?;
        let index = self.push(node);
        let source = if node.escaped { &*self.unescaped } else { self.text };
        let content = Content::within(source, &node, false);
        self.observer.string(index, content).map_err(Stopped::Fault)?;
        Ok(next)
    }

    #[inline(always)]
    fn number(&mut self, at: u32) -> Result<u32, Stopped<O::Fault>> {
        let begun = numbers::Begun::at(self.bytes, at);
        let Some((value, next)) = begun.integer(self.bytes, self.number_chars) else {
            return self.long_number(at, begun);
        };
        self.count_value(at)?;
        let index = self.push(Node::wide(Tag::Integer, at, u64::from(value)));
        let value = Number::Integer(i64::from(value));
        let number = document::Number::within(self.text, at..next, value);
        self.observer.number(index, number).map_err(Stopped::Fault)?;
        Ok(next)
    }

    /// The same for a number that is no short integer.
    #[inline(never)]
    fn long_number(&mut self, at: u32, begun: numbers::Begun) -> Result<u32, Stopped<O::Fault>> {
        let read = numbers::read_on(self.text, begun, self.number_chars)?;
        self.count_value(at)?;
        let index = self.push(match read.value {
            Number::Integer(value) => Node::wide(Tag::Integer, at, value.cast_unsigned()),
            Number::Big => Node::new(Tag::BigInteger, at, 0, 0),
            Number::Float(value) => Node::wide(Tag::Float, at, value.to_bits()),
        });
        let number = document::Number::within(self.text, at..read.next, read.value);
        self.observer.number(index, number).map_err(Stopped::Fault)?;
        Ok(read.next)
    }

    #[inline(always)]
    fn literal(
        &mut self,
        at: u32,
        word: &'static str,
        tag: Tag,
        a: u32,
    ) -> Result<u32, Stopped<O::Fault>> {
        let next = at.wrapping_add(narrow(word.len()));
        if self.bytes.get(widen(at)..widen(next)) != Some(word.as_bytes()) {
            return Err(self.no_literal(at, word).into());
        }
        self.count_value(at)?;
        let index = self.push(Node::new(tag, at, a, 0));
        let told = if tag == Tag::Null {
            self.observer.null(index)
        } else {
            self.observer.bool(index, a == 1)
        };
        told.map_err(Stopped::Fault)?;
        Ok(next)
    }

    /// `{` or `[`, and what follows it: its end, or its first value.
    #[inline(always)]
    fn begin(&mut self, at: u32, object: bool) -> Result<Begun, Stopped<O::Fault>> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(fault(Reason::JsonDepth, at).into());
        };
        self.count_value(at)?;
        self.depth = depth;
        let (tag, closing) = if object { (Tag::Object, b'}') } else { (Tag::Array, b']') };
        let node = self.push(Node::new(tag, at, 0, 0));
        let (outer, count) = (self.node, wrapped(self.count));
        self.open.push(Open { node: outer, count, closing: self.closing });
        (self.node, self.count, self.closing) = (node, 0, closing);
        let told = if object {
            self.names.begin();
            self.observer.begin_object(node)
        } else {
            self.observer.begin_array(node)
        };
        told.map_err(Stopped::Fault)?;
        let (at, byte) = self.token(at.wrapping_add(1));
        if byte == closing {
            self.end()?;
            return Ok(Begun::Empty(at.wrapping_add(1)));
        }
        self.child(at, (at, byte)).map(Begun::Child)
    }

    /// After a complete value: closes what ends here, and goes to the next value, if there is one.
    #[inline(always)]
    fn after(&mut self, mut next: u32) -> Result<Option<Token>, Stopped<O::Fault>> {
        loop {
            let (at, byte) = self.token(next);
            next = at.wrapping_add(1);
            if byte == b',' {
                let first = self.token(next);
                return self.child(at, first).map(Some);
            }
            if byte != self.closing {
                return Err(self.not_closed(at).into());
            }
            if byte == OUTSIDE {
                return if self.ended(at) { Ok(None) } else { Err(self.not_closed(at).into()) };
            }
            self.end()?;
        }
    }

    /// One more child of the innermost container, which begins with a token: reads a member's name. Gives where its
    /// value begins. `before` is the comma, if there is one.
    #[inline(always)]
    fn child(&mut self, before: u32, first: Token) -> Result<Token, Stopped<O::Fault>> {
        if self.count >= self.members {
            return Err(self.no_more(before, first).into());
        }
        self.count = self.count.wrapping_add(1);
        if self.closing != b'}' {
            return Ok(first);
        }
        let (at, byte) = first;
        if byte != b'"' {
            return Err(self.no_name(at, byte).into());
        }
        self.name(at)
    }

    /// A member's name and its colon. Gives where its value begins.
    #[inline(always)]
    fn name(&mut self, at: u32) -> Result<Token, Stopped<O::Fault>> {
        let node = self.next_index();
        let rest = self.bytes.get(widen(at)..).unwrap_or_default();
        let block = rest.first_chunk();
        let block = block.unwrap_or_else(|| near_end(self.bytes.len(), self.tail, at));
        if let Some(bytes) =
            self.observer.predicted(node, Ahead { block, rest }).map_err(Stopped::Fault)?
        {
            return self.predicted(at, narrow(bytes)).map_err(Stopped::Json);
        }
        self.read_name(at)
    }

    /// The same for a name that nobody has recognised.
    #[inline]
    fn read_name(&mut self, at: u32) -> Result<Token, Stopped<O::Fault>> {
        let from = at.wrapping_add(1);
        let stop = marks::next(self.marks, from);
        let length = stop.wrapping_sub(from);
        if self.byte(stop) != b'"' || length > self.string_bytes {
            return self.uncommon_name(at);
        }
        self.new_name(at, stop.wrapping_add(1), Node::new(Tag::Name, at, from, length))
    }

    /// The same for a name that has escapes, or is at fault.
    #[inline(never)]
    fn uncommon_name(&mut self, at: u32) -> Result<Token, Stopped<O::Fault>> {
        let (next, name) = self.content(at, Tag::Name)?;
        self.new_name(at, next, name)
    }

    #[inline(always)]
    fn new_name(&mut self, at: u32, next: u32, name: Node) -> Result<Token, Stopped<O::Fault>> {
        let index = self.push(name);
        let Self { text, nodes, unescaped, names, observer, .. } = self;
        let content = name.content(text, unescaped);
        let new = match observer.name(index, content).map_err(Stopped::Fault)? {
            Known::New => true,
            Known::Repeated => false,
            Known::Unknown => {
                names.add(content, index, |other| name_text(text, nodes, unescaped, other))
            }
        };
        if !new {
            return Err(fault(Reason::JsonDuplicateKey, at).into());
        }
        let (at, byte) = self.token(next);
        if byte != b':' {
            return Err(self.unless_ended(Reason::JsonExpectedColon, at).into());
        }
        Ok(self.token(at.wrapping_add(1)))
    }

    /// A name that the observer has recognised: so many bytes with its quotes and its colon.
    #[inline(always)]
    fn predicted(&mut self, at: u32, bytes: u32) -> Result<Token, Error> {
        let length = bytes.wrapping_sub(3);
        if length > self.string_bytes {
            return Err(fault(Reason::JsonStringBytes, at));
        }
        self.push(Node::new(Tag::Name, at, at.wrapping_add(1), length));
        Ok(self.token(at.wrapping_add(bytes)))
    }

    /// The end of the innermost container.
    #[inline]
    fn end(&mut self) -> Result<(), Stopped<O::Fault>> {
        let (node, count, closing) = (self.node, wrapped(self.count), self.closing);
        let end = self.next_index();
        if let Some(opened) = self.nodes.get_mut(widen(node)) {
            (opened.a, opened.b) = (count, end);
        }
        self.depth = self.depth.wrapping_add(1);
        if let Some(outer) = self.open.pop() {
            (self.node, self.count, self.closing) = (outer.node, widen(outer.count), outer.closing);
        }
        if closing == b']' {
            return self.observer.end_array(node, count).map_err(Stopped::Fault);
        }
        let Self { text, nodes, unescaped, names, .. } = self;
        if let Some(repeated) = names.end(|other| name_text(text, nodes, unescaped, other)) {
            let start = nodes.get(widen(repeated)).map_or(0, |node| node.start);
            return Err(fault(Reason::JsonDuplicateKey, start).into());
        }
        self.observer.end_object(node, count).map_err(Stopped::Fault)
    }

    /// Reads the string whose opening quote is at `at`, whatever it has in it: the byte after it, and its node.
    fn content(&mut self, at: u32, tag: Tag) -> Result<(u32, Node), Error> {
        let read = strings::read(self.text, self.marks, widen(at), self.unescaped)?;
        let mut node = Node::new(tag, at, narrow(read.from), narrow(read.len));
        node.escaped = read.escaped;
        if node.b > self.string_bytes {
            return Err(fault(Reason::JsonStringBytes, at));
        }
        Ok((narrow(read.next), node))
    }

    #[inline]
    fn count_value(&mut self, at: u32) -> Result<(), Error> {
        match self.values.checked_sub(1) {
            Some(left) => self.values = left,
            None => return Err(fault(Reason::JsonNodes, at)),
        }
        Ok(())
    }

    /// The index of the node that is pushed next.
    #[inline]
    fn next_index(&self) -> u32 {
        wrapped(self.nodes.len())
    }

    /// Adds a node to the tape: its index.
    #[inline(always)]
    fn push(&mut self, node: Node) -> u32 {
        let index = self.next_index();
        self.nodes.push(node);
        index
    }

    /// The next byte that is no white space, from `at` on.
    #[inline]
    fn token(&self, mut at: u32) -> Token {
        loop {
            let byte = self.byte(at);
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return (at, byte);
            }
            at = at.wrapping_add(1);
        }
    }

    #[inline]
    fn byte(&self, at: u32) -> u8 {
        self.bytes.get(widen(at)).copied().unwrap_or(0)
    }

    #[inline]
    fn ended(&self, at: u32) -> bool {
        widen(at) >= self.bytes.len()
    }

    /// What is missing at `at`, or that the text ends there.
    #[cold]
    fn unless_ended(&self, reason: Reason, at: u32) -> Error {
        fault(if self.ended(at) { Reason::JsonTruncated } else { reason }, at)
    }

    /// Neither a comma nor the container's end.
    #[cold]
    fn not_closed(&self, at: u32) -> Error {
        if self.closing == OUTSIDE {
            return fault(Reason::JsonTrailing, at);
        }
        self.unless_ended(Reason::JsonExpectedComma, at)
    }

    /// One child too many, if the text's only value is not what has them.
    #[cold]
    fn no_more(&self, before: u32, (at, byte): Token) -> Error {
        if self.closing == OUTSIDE {
            return fault(Reason::JsonTrailing, before);
        }
        if byte == self.closing {
            return fault(Reason::JsonTrailingComma, at);
        }
        self.unless_ended(Reason::JsonMembers, at)
    }

    #[cold]
    fn no_name(&self, at: u32, byte: u8) -> Error {
        if byte == b'}' {
            return fault(Reason::JsonTrailingComma, at);
        }
        self.unless_ended(Reason::JsonExpectedName, at)
    }

    #[cold]
    fn no_value(&self, at: u32, byte: u8) -> Error {
        let reason = match byte {
            // An empty array has ended before: there was a comma.
            b']' if self.closing == b']' => Reason::JsonTrailingComma,
            b'+' | b'.' => Reason::JsonNumber,
            letter if letter.is_ascii_alphabetic() => Reason::JsonLiteral,
            _ => Reason::JsonExpectedValue,
        };
        self.unless_ended(reason, at)
    }

    #[cold]
    fn no_literal(&self, at: u32, word: &str) -> Error {
        let rest = self.bytes.get(widen(at)..).unwrap_or_default();
        if word.as_bytes().starts_with(rest) {
            return Error::new(Reason::JsonTruncated, self.bytes.len());
        }
        fault(Reason::JsonLiteral, at)
    }
}

/// What follows an opening bracket.
enum Begun {
    /// Its first value is here.
    Child(Token),
    /// It was closed at once; this is the byte after it.
    Empty(u32),
}

/// The last bytes of a text, and NULs behind.
#[inline]
fn tail(text: &[u8]) -> [u8; 2 * AHEAD] {
    let mut tail = [0; 2 * AHEAD];
    let (last, _) = tail.split_at_mut(AHEAD);
    match text.last_chunk::<AHEAD>() {
        Some(all) => last.copy_from_slice(all),
        None => last.iter_mut().zip(text).for_each(|(to, from)| *to = *from),
    }
    tail
}

/// The last bytes of a text of this length from `at` on, and NULs.
#[inline(never)]
fn near_end(length: usize, tail: &[u8; 2 * AHEAD], at: u32) -> &[u8; AHEAD] {
    const NULS: [u8; AHEAD] = [0; AHEAD];
    let first = length.saturating_sub(AHEAD);
    let rest = tail.get(widen(at).saturating_sub(first)..);
    rest.and_then(<[u8]>::first_chunk).unwrap_or(&NULS)
}

fn fault(reason: Reason, at: u32) -> Error {
    Error::new(reason, widen(at))
}

fn name_text<'d>(text: &'d str, nodes: &[Node], unescaped: &'d str, node: u32) -> &'d str {
    nodes.get(widen(node)).map_or("", |node| node.content(text, unescaped))
}
