//! Objects that are made one by one, in the order of a text that is being read: all waits on the pile until its container
//! ends.

#![forbid(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::cpython::{Fault, Opened, Taken, float, integer, release, string};
use super::memory::{KnownName, MEMORY, Memory, SPARE, Shape};
use super::{big_integer, torn};
use crate::json::{Content, Number};

/// Objects that are made one by one, in the order of a text that is being read.
pub(super) struct Pieces<'py> {
    py: Python<'py>,
    memory: Taken<'py, 'static, Memory>,
}

impl<'py> Pieces<'py> {
    /// Nothing if the memory is in use.
    pub(super) fn new(py: Python<'py>) -> Option<Self> {
        let memory = MEMORY.take(py)?;
        Some(Self { py, memory })
    }

    #[inline]
    pub(super) fn none(&mut self) {
        self.memory.pile.values.push(self.py.None());
    }

    #[inline]
    pub(super) fn bool(&mut self, value: bool) {
        let value = PyBool::new(self.py, value).to_owned().into_any().unbind();
        self.memory.pile.values.push(value);
    }

    #[inline]
    pub(super) fn number(&mut self, number: Number<'_>) -> Result<(), Fault> {
        let made = if !number.is_integer_literal() {
            float(self.py, number.as_f64())?
        } else if let Some(value) = number.as_i64() {
            integer(self.py, value)?
        } else {
            big_integer(self.py, number.text())?.unbind()
        };
        self.memory.pile.values.push(made);
        Ok(())
    }

    #[inline]
    pub(super) fn string(&mut self, content: Content<'_>) -> Result<(), Fault> {
        let made = string(self.py, content)?;
        self.memory.pile.values.push(made);
        Ok(())
    }

    /// The `str` of a name, to be used again.
    pub(super) fn know(&mut self, name: &str) -> Result<KnownName, Fault> {
        KnownName::new(self.py, &mut self.memory.names, Content::of(name))
    }

    /// A container begins; `names` is for its end, which gets it back.
    #[inline]
    pub(super) fn begin(&mut self, names: usize) {
        let Memory { pile, opened, .. } = &mut *self.memory;
        opened.push(Opened { values: pile.values.len(), names, uncommon: 0 });
    }

    /// The innermost container ends.
    #[inline]
    pub(super) fn end(&mut self) -> Result<Opened, Fault> {
        self.memory.opened.pop().ok_or(Fault::Torn)
    }

    #[inline]
    pub(super) fn list(&mut self, from: Opened) -> Result<(), Fault> {
        let Memory { pile, .. } = &mut *self.memory;
        let list = pile.list(self.py, from)?;
        pile.values.push(list);
        Ok(())
    }

    /// A dict of a shape; `false` if it has to be made in another way.
    #[inline]
    pub(super) fn shaped(&mut self, from: Opened, shape: &Shape) -> Result<bool, Fault> {
        let Memory { pile, .. } = &mut *self.memory;
        match pile.copy(self.py, from.values, &shape.0)? {
            Some(dict) => {
                pile.values.push(dict);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// A dict of these names.
    pub(super) fn dict(&mut self, from: Opened, names: Vec<KnownName>) -> Result<(), Fault> {
        let Memory { pile, templates, .. } = &mut *self.memory;
        let uncommon = names.iter().filter(|name| !name.common).count();
        let from = Opened { names: pile.names.len(), uncommon, ..from };
        pile.names.extend(names.into_iter().map(|known| known.name));
        let template = if from.uncommon == 0 {
            templates.of(pile.names.get(from.names..).unwrap_or_default())
        } else {
            None
        };
        let copied = match template {
            Some(template) => pile.copy(self.py, from.values, template)?,
            None => None,
        };
        let dict = match copied {
            Some(dict) => {
                release(self.py, pile.names.drain(from.names..));
                dict
            }
            None => pile.dict(self.py, from, Some(templates))?,
        };
        pile.values.push(dict);
        Ok(())
    }

    /// The whole, when all of it is there.
    pub(super) fn finish(mut self) -> PyResult<Bound<'py, PyAny>> {
        let memory = &mut *self.memory;
        let whole = memory.pile.values.pop().filter(|_| memory.opened.is_empty());
        whole.map(|whole| whole.into_bound(self.py)).ok_or_else(torn)
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        self.memory.pile.clear(self.py);
        self.memory.opened.clear();
        self.memory.opened.shrink_to(SPARE);
    }
}
