//! Objects of a document that is there: its tape is gone through once.
//!
//! An object's names are compared with a template before it is begun. If they are the same, the values are written into a
//! copy as they are made; otherwise names and values wait on the pile.

#![forbid(unsafe_code)]

use std::mem::{replace, take};

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList};

use super::big_integer;
use super::cpython::{Copying, Fault, Made, Opened, Paused, Pile, copy, float, integer, string};
use super::memory::{MEMORY, Memory, SPARE, is_common};
use crate::json::{Content, Token, Tokens, Value};

/// Makes the objects of a value; nothing if a dict came out smaller than its object.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut memory = MEMORY.take(py);
    let (pile, open) = match memory.as_deref_mut() {
        Some(memory) => (take(&mut memory.pile), take(&mut memory.open)),
        None => Default::default(),
    };
    let _paused = (root.size() >= PAUSE_FROM).then(Paused::new);
    let memory = memory.as_deref_mut();
    let mut maker = Maker { py, memory, pile, open, top: Frame { left: 1, what: What::Whole } };
    let made = maker.build(root);
    maker.keep();
    match made {
        Ok(whole) => Ok(Some(whole.into_bound(py))),
        Err(Fault::Repeated) => Ok(None),
        Err(fault) => Err(fault.into_error(py)),
    }
}

/// Nodes from which on the collector waits until all objects are there. It looks at every new container again and again,
/// a third of the time of a megabyte; bodies of some kilobytes are done before it would run more than once or twice.
const PAUSE_FROM: usize = 10_000;

/// A container that is not finished. It is moved at every bracket, so it is made of whole words.
pub(super) struct Frame {
    /// Children that are still to come; above none if it is open.
    left: usize,
    what: What,
}

#[repr(u64)]
enum What {
    /// None: what comes next is the whole.
    Whole,
    /// Its items are on the pile.
    List(Opened),
    /// Its names and values are on the pile, in their order.
    Members(Opened),
    Copy(Copying),
}

struct Maker<'py, 'm> {
    py: Python<'py>,
    memory: Option<&'m mut Memory>,
    pile: Pile,
    /// The containers around the innermost one.
    open: Vec<Frame>,
    top: Frame,
}

impl Maker<'_, '_> {
    fn build(&mut self, root: Value<'_>) -> Made {
        let py = self.py;
        let mut tokens = root.tokens();
        loop {
            let made = match tokens.next().ok_or(Fault::Torn)? {
                Token::Name(content) => {
                    self.name(content)?;
                    continue;
                }
                Token::String(content) => string(py, content)?,
                Token::Null => py.None(),
                Token::Bool(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
                Token::Integer(value) => integer(py, value)?,
                Token::BigInteger(text) => big_integer(py, text)?.unbind(),
                Token::Float(value) => float(py, value)?,
                Token::Array(0) => PyList::empty(py).into_any().unbind(),
                Token::Object(0) => PyDict::new(py).into_any().unbind(),
                Token::Array(count) => {
                    self.begin(count, What::List(self.pile.open()));
                    continue;
                }
                Token::Object(count) => {
                    self.begin_object(count, &mut tokens)?;
                    continue;
                }
            };
            if let Some(whole) = self.put(made, &mut tokens)? {
                return Ok(whole);
            }
        }
    }

    #[inline]
    fn begin(&mut self, left: usize, what: What) {
        self.open.push(replace(&mut self.top, Frame { left, what }));
    }

    fn begin_object(&mut self, count: usize, tokens: &mut Tokens<'_>) -> Result<(), Fault> {
        let template = match &self.memory {
            Some(memory) => memory.templates.find(count, tokens),
            None => None,
        };
        let what = match template {
            Some(template) => copy(self.py, template, count)?,
            None => None,
        };
        match what {
            Some(copying) => {
                tokens.skip_one();
                self.begin(count, What::Copy(copying));
            }
            None => self.begin(count, What::Members(self.pile.open())),
        }
        Ok(())
    }

    /// The name of a member whose dict is no copy: out of the way, like all that is rare once shapes are known.
    #[inline(never)]
    fn name(&mut self, content: Content<'_>) -> Result<(), Fault> {
        let What::Members(opened) = &mut self.top.what else {
            return Err(Fault::Torn);
        };
        let common = is_common(content);
        let name = match &mut self.memory {
            Some(memory) if common => memory.names.get(self.py, content.bytes())?,
            Some(_) | None => string(self.py, content)?,
        };
        opened.uncommon = opened.uncommon.wrapping_add(usize::from(!common));
        self.pile.names.push(name);
        Ok(())
    }

    /// Puts a value where it belongs, and so its container, if that is full now. Gives the whole, when it is.
    #[inline]
    fn put(
        &mut self,
        mut made: Py<PyAny>,
        tokens: &mut Tokens<'_>,
    ) -> Result<Option<Py<PyAny>>, Fault> {
        loop {
            self.top.left = self.top.left.checked_sub(1).ok_or(Fault::Torn)?;
            match &mut self.top.what {
                What::Copy(copying) => {
                    copying.write(made);
                    if self.top.left > 0 {
                        // Its names are those of the template: they were compared.
                        tokens.skip_one();
                        return Ok(None);
                    }
                }
                What::List(_) | What::Members(_) => {
                    self.pile.values.push(made);
                    if self.top.left > 0 {
                        return Ok(None);
                    }
                }
                What::Whole => return Ok(Some(made)),
            }
            let outer = self.open.pop().ok_or(Fault::Torn)?;
            made = match replace(&mut self.top, outer).what {
                What::Copy(copying) => copying.finish(),
                What::List(from) => self.pile.list(self.py, from)?,
                What::Members(from) => {
                    let templates = self.memory.as_deref_mut().map(|memory| &mut memory.templates);
                    self.pile.dict(self.py, from, templates)?
                }
                What::Whole => return Err(Fault::Torn),
            };
        }
    }

    /// Keeps what can be used again.
    fn keep(self) {
        let Self { py, memory, mut pile, mut open, .. } = self;
        pile.clear(py);
        let Some(memory) = memory else { return };
        open.clear();
        open.shrink_to(SPARE);
        (memory.pile, memory.open) = (pile, open);
    }
}
