//! Where an offset lies, for people: line, column, and the pointer of the value around it.
//!
//! Reads the text once, from the start to the offset, and a member name that begins there; keeps one small
//! frame per open container and no recursion. It is worked out when somebody asks, never while parsing.
//!
//! The pointer is that of the innermost value that has begun at the offset or before, and has not ended before
//! it. An item begins with its first byte and ends with its last; a member begins with the quote of its name
//! and ends with the last byte of its value, so a repeated member is pointed at by its own name. A container's
//! brackets belong to it. What a faulty number or word, or the end of the text, has left unfinished has not
//! ended. A member whose name is malformed cannot be named: the pointer stops at its object.

#![forbid(unsafe_code)]

use super::{marks, pointer, strings};

/// A place in a text. Lines and columns count from 1, columns in characters, as `json.JSONDecodeError` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Characters (not bytes) before it.
    pub position: usize,
    /// From 1; only `\n` ends a line.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// RFC 6901 pointer to the innermost value that the offset lies in. It names members that the sender wrote.
    pub pointer: String,
}

/// Works out where a byte of a text lies; the text may be malformed from there on, and need not be UTF-8.
///
/// Takes time linear in the text. An offset beyond the text is the text's end.
///
/// ```
/// let text = "{\"name\": \"Zoë\",\n \"tags\": [1, x]}".as_bytes();
/// let place = secval::json::place(text, 30);
/// assert_eq!((place.line, place.column, place.pointer.as_str()), (2, 14, "/tags/1"));
/// ```
pub fn place(text: &[u8], offset: usize) -> Place {
    let offset = offset.min(text.len());
    let (before, _) = text.split_at(offset);
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline.saturating_add(1));
    Place {
        position: characters(before),
        line: memchr::memchr_iter(b'\n', before).count().saturating_add(1),
        column: characters(before.get(line_start..).unwrap_or_default()).saturating_add(1),
        pointer: Scan::new(readable(text), offset).pointer(),
    }
}

/// Characters: all bytes but UTF-8's continuations.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// The part of the text that is UTF-8.
fn readable(text: &[u8]) -> &str {
    match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let valid = text.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    }
}

/// An open container.
#[derive(Debug)]
struct Frame {
    object: bool,
    /// Commas so far.
    index: usize,
    child: Child,
}

/// Which of a container's children the scan is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Child {
    /// One may begin: after the opening bracket or a comma.
    Due,
    /// One has ended.
    Ended,
    /// The item at the frame's index.
    Item,
    /// The member whose name has its opening quote at this byte.
    Member(usize),
    /// A member whose name is malformed.
    Unnamed,
}

struct Scan<'t> {
    text: &'t str,
    offset: usize,
    open: Vec<Frame>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, offset: usize) -> Self {
        Self { text, offset, open: Vec::new() }
    }

    fn pointer(mut self) -> String {
        let mut at = 0;
        while let Some(next) = self.token(at) {
            at = next;
        }
        let mut pointer = String::new();
        for frame in &self.open {
            match frame.child {
                Child::Item => pointer::push_index(&mut pointer, frame.index),
                Child::Member(quote) => match name(self.text, quote) {
                    Some(name) => pointer::push(&mut pointer, &name),
                    None => break,
                },
                Child::Due | Child::Ended | Child::Unnamed => break,
            }
        }
        pointer
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Reads the token at `at`: where to go on, or nothing when the offset is reached.
    fn token(&mut self, at: usize) -> Option<usize> {
        let byte = self.byte(at)?;
        if at > self.offset {
            return None;
        }
        let after = at.saturating_add(1);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b':' => Some(after),
            b',' => {
                if let Some(frame) = self.open.last_mut() {
                    frame.child = Child::Due;
                    frame.index = frame.index.saturating_add(1);
                }
                Some(after)
            }
            b'{' | b'[' => {
                self.begin();
                self.open.push(Frame { object: byte == b'{', index: 0, child: Child::Due });
                Some(after)
            }
            b'}' | b']' => self.close(at, byte == b'}'),
            b'"' => self.string(at),
            _ => self.word(at),
        }
    }

    /// A value begins.
    fn begin(&mut self) {
        if let Some(frame) = self.open.last_mut()
            && !frame.object
            && frame.child == Child::Due
        {
            frame.child = Child::Item;
        }
    }

    /// The value that began last has ended; what is left after the root has no pointer.
    fn end(&mut self, next: usize) -> Option<usize> {
        let frame = self.open.last_mut()?;
        frame.child = Child::Ended;
        Some(next)
    }

    fn close(&mut self, at: usize, object: bool) -> Option<usize> {
        let frame = self.open.last_mut()?;
        if frame.object != object {
            // A bracket that is out of place stands where an item should be, or a comma.
            self.begin();
            return None;
        }
        if at == self.offset {
            // A member that has no value yet is still the one that lacks it.
            return None;
        }
        self.open.pop();
        self.end(at.saturating_add(1))
    }

    fn string(&mut self, at: usize) -> Option<usize> {
        let naming = self.open.last().is_some_and(|f| f.object && f.child == Child::Due);
        let end = string_end(self.text.as_bytes(), at);
        if naming {
            let child = if end.is_some() { Child::Member(at) } else { Child::Unnamed };
            if let Some(frame) = self.open.last_mut() {
                frame.child = child;
            }
            return end;
        }
        self.begin();
        match end {
            Some(end) if end <= self.offset => self.end(end),
            Some(_) | None => None,
        }
    }

    /// A number, a literal, or anything else that is no punctuation.
    fn word(&mut self, at: usize) -> Option<usize> {
        self.begin();
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let delimiter = |byte: &u8| b" \t\n\r,:\"{}[]".contains(byte);
        // A word that the end of the text cuts may go on.
        let length = rest.iter().position(delimiter)?;
        let end = at.saturating_add(length);
        let finished = match rest.get(..length).unwrap_or_default() {
            [b'-' | b'0'..=b'9', .., last] => last.is_ascii_digit(),
            [only] => only.is_ascii_digit(),
            word => matches!(word, b"true" | b"false" | b"null"),
        };
        if end > self.offset || !finished { None } else { self.end(end) }
    }
}

/// The byte after the closing quote of the string whose opening quote is at `quote`.
fn string_end(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote.saturating_add(1);
    loop {
        at = at.saturating_add(memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?);
        match bytes.get(at) {
            Some(b'"') => return Some(at.saturating_add(1)),
            _ => at = at.saturating_add(2),
        }
    }
}

/// The name whose opening quote is at `quote`, unescaped, if it is well-formed.
fn name(text: &str, quote: usize) -> Option<String> {
    let text = text.get(quote..string_end(text.as_bytes(), quote)?)?;
    let (mut marked, mut unescaped) = (marks::Marks::new(), String::new());
    marks::mark(text.as_bytes(), &mut marked);
    let read = strings::read(text, &marked, 0, &mut unescaped).ok()?;
    let end = read.from.saturating_add(read.len);
    if read.escaped { Some(unescaped) } else { text.get(read.from..end).map(str::to_owned) }
}
