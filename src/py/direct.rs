//! Python objects made while their text is judged: nothing is gone through twice.
//!
//! For texts that are judged with the GIL held, by schemas that are judged while the text is read. All others are judged
//! first, and made into objects afterwards (`objects.rs`), with the same result.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use pyo3::prelude::*;

use super::cpython::{Fault, Kept, KnownName, Pieces, Shared, Taken};
use crate::json::{Content, Document, Limits, Number, Tape};
use crate::schema::{DeclaredName, Receiver, SchemaId, Set, Unmade};

/// The names that the schemas of one set declare, as `str`s, each made when it is met: no more than are declared.
pub(super) struct Declared {
    objects: Vec<Vec<Option<KnownName>>>,
}

impl Kept for Declared {
    fn new(_: Python<'_>) -> Self {
        Self { objects: Vec::new() }
    }
}

impl Declared {
    #[inline]
    fn get(&self, name: DeclaredName) -> Option<&KnownName> {
        self.objects.get(index(name.object))?.get(index(name.name))?.as_ref()
    }

    /// Where a name has its place.
    fn place(&mut self, name: DeclaredName) -> Option<&mut Option<KnownName>> {
        let (object, name) = (index(name.object), index(name.name));
        if self.objects.len() <= object {
            self.objects.resize_with(object.saturating_add(1), Vec::new);
        }
        let names = self.objects.get_mut(object)?;
        if names.len() <= name {
            names.resize_with(name.saturating_add(1), || None);
        }
        names.get_mut(name)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Judges a text and makes its objects on the way; nothing if it has to be done one after the other.
pub(super) fn judge<'py, 't>(
    py: Python<'py>,
    set: &Set,
    id: SchemaId,
    declared: &Shared<Declared>,
    text: &'t [u8],
    limits: &Limits,
) -> Option<Result<(Document<'t>, PyResult<Bound<'py, PyAny>>), Unmade<PyErr>>> {
    if !set.is_planned(id) {
        return None;
    }
    let mut maker = Maker { set, declared: declared.take(py)?, pieces: Pieces::new(py)? };
    let text = Cow::Borrowed(text);
    let judged = set.judge_handing(id, text, limits, Tape::spare(), &mut maker);
    Some(match judged {
        Ok(document) => Ok((document, maker.pieces.finish())),
        Err(Unmade::Refused(fault)) => Err(Unmade::Refused(fault)),
        Err(Unmade::Receiver(fault)) => Err(Unmade::Receiver(fault.into_error(py))),
    })
}

struct Maker<'py, 's> {
    set: &'s Set,
    declared: Taken<'py, 's, Declared>,
    pieces: Pieces<'py>,
}

impl Maker<'_, '_> {
    /// A declared name that was not met before.
    #[cold]
    fn meet(&mut self, name: DeclaredName) -> Result<(), Fault> {
        let text = self.set.declared_name(name).ok_or(Fault::Torn)?;
        let known = self.pieces.know(text)?;
        let place = self.declared.place(name).ok_or(Fault::Torn)?;
        self.pieces.name(place.insert(known))
    }
}

impl Receiver for Maker<'_, '_> {
    type Fault = Fault;

    #[inline]
    fn null(&mut self) -> Result<(), Fault> {
        self.pieces.none();
        Ok(())
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Result<(), Fault> {
        self.pieces.bool(value);
        Ok(())
    }

    #[inline]
    fn number(&mut self, value: Number<'_>) -> Result<(), Fault> {
        self.pieces.number(value)
    }

    #[inline]
    fn string(&mut self, value: Content<'_>) -> Result<(), Fault> {
        self.pieces.string(value)
    }

    #[inline]
    fn begin_array(&mut self) -> Result<(), Fault> {
        self.pieces.begin();
        Ok(())
    }

    #[inline]
    fn end_array(&mut self) -> Result<(), Fault> {
        self.pieces.end_list()
    }

    #[inline]
    fn begin_object(&mut self) -> Result<(), Fault> {
        self.pieces.begin();
        Ok(())
    }

    #[inline]
    fn declared(&mut self, name: DeclaredName) -> Result<(), Fault> {
        match self.declared.get(name) {
            Some(known) => self.pieces.name(known),
            None => self.meet(name),
        }
    }

    #[inline(never)]
    fn undeclared(&mut self, name: &str) -> Result<(), Fault> {
        let known = self.pieces.know(name)?;
        self.pieces.name(&known)
    }

    #[inline]
    fn end_object(&mut self) -> Result<(), Fault> {
        self.pieces.end_dict()
    }
}
