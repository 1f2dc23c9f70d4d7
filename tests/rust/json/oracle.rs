//! A slow, obvious, recursive reader of strict JSON: what the real one is held to.
//!
//! It knows the grammar, repeated names, surrogates and the range of doubles; no ceilings, and no reasons.

use secval::json::{Kind, Value};

/// A value, and the span of its text.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) node: Node,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// As it stands in the text, and whether it is an integer literal.
    Number(String, bool),
    String(String),
    Array(Vec<Tree>),
    /// Names, and values.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn new(node: Node, start: usize) -> Self {
        Self { node, start, end: 0 }
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node && self.start == other.start
    }
}

/// Reads one value; nothing else but white space may be around it.
pub(crate) fn read(text: &str) -> Option<Tree> {
    let mut reader = Reader { text, at: 0 };
    reader.blank();
    let tree = reader.value()?;
    reader.blank();
    (reader.at == text.len()).then_some(tree)
}

/// A document as the oracle's tree, spans left out.
pub(crate) fn tree(value: Value<'_>) -> Node {
    match value.kind() {
        Kind::Null => Node::Null,
        Kind::Bool => Node::Bool(value.as_bool().expect("a bool")),
        Kind::String => Node::String(value.as_str().expect("a string").to_owned()),
        Kind::Number => {
            let number = value.as_number().expect("a number");
            Node::Number(number.text().to_owned(), number.is_integer_literal())
        }
        Kind::Array => {
            assert_eq!(value.items().count(), value.len());
            Node::Array(value.items().map(Tree::of).collect())
        }
        Kind::Object => {
            assert_eq!(value.members().count(), value.len());
            Node::Object(value.members().map(|(n, v)| (n.to_owned(), Tree::of(v))).collect())
        }
    }
}

impl Tree {
    fn of(value: Value<'_>) -> Self {
        Self::new(tree(value), value.offset())
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.text[self.at..].starts_with(token).then(|| self.at += token.len())
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Tree> {
        let start = self.at;
        let node = match self.peek()? {
            'n' => self.take("null").map(|()| Node::Null)?,
            't' => self.take("true").map(|()| Node::Bool(true))?,
            'f' => self.take("false").map(|()| Node::Bool(false))?,
            '"' => Node::String(self.string()?),
            '[' => self.array()?,
            '{' => self.object()?,
            _ => self.number()?,
        };
        Some(Tree { node, start, end: self.at })
    }

    fn array(&mut self) -> Option<Node> {
        self.take("[")?;
        let mut items = Vec::new();
        self.blank();
        if self.take("]").is_some() {
            return Some(Node::Array(items));
        }
        loop {
            self.blank();
            items.push(self.value()?);
            self.blank();
            if self.take("]").is_some() {
                return Some(Node::Array(items));
            }
            self.take(",")?;
        }
    }

    fn object(&mut self) -> Option<Node> {
        self.take("{")?;
        let mut members: Vec<(String, Tree)> = Vec::new();
        self.blank();
        if self.take("}").is_some() {
            return Some(Node::Object(members));
        }
        loop {
            self.blank();
            let name = self.string()?;
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return None;
            }
            self.blank();
            self.take(":")?;
            self.blank();
            members.push((name, self.value()?));
            self.blank();
            if self.take("}").is_some() {
                return Some(Node::Object(members));
            }
            self.take(",")?;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let character = self.peek()?;
            self.at += character.len_utf8();
            match character {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => units.push(self.escape()?),
                control if control < ' ' => return None,
                other => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(match character {
            '"' | '\\' | '/' => u16::try_from(u32::from(character)).ok()?,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                let plain = digits.chars().all(|digit| digit.is_ascii_hexdigit());
                plain.then(|| u16::from_str_radix(digits, 16).ok())??
            }
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<Node> {
        let start = self.at;
        let _ = self.take("-");
        let digits = self.digits()?;
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        let mut integer = true;
        if self.take(".").is_some() {
            integer = false;
            self.digits()?;
        }
        if self.take("e").or_else(|| self.take("E")).is_some() {
            integer = false;
            let _ = self.take("-").or_else(|| self.take("+"));
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        let finite = text.parse::<f64>().ok()?.is_finite();
        (integer || finite).then(|| Node::Number(text.to_owned(), integer))
    }

    fn digits(&mut self) -> Option<String> {
        let start = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        (self.at > start).then(|| self.text[start..self.at].to_owned())
    }
}
