//! Python objects made while their text is judged: nothing is gone through twice.
//!
//! For texts that are judged with the GIL held, by schemas that are judged while the text is read. All others are judged
//! first, and made into objects afterwards (`builder.rs`), with the same result.
//!
//! The judgement knows declared names by numbers, so an object's names in their order are a few numbers. An order that was
//! met before is a shape: a dict that is copied, and into which the values are written.

#![forbid(unsafe_code)]

use std::mem::replace;

use pyo3::prelude::*;

use super::cpython::{Fault, Kept, Opened, Shared, Taken};
use super::memory::{KnownName, Shape};
use super::pieces::Pieces;
use crate::json::{Content, Limits, Number, Tape};
use crate::schema::{DeclaredName, Planned, Receiver, Unmade};

/// A name that is not declared. Numbers of names count from 1.
const OTHER: u32 = 0;

/// Bytes of a text for each name in it that is not declared, below which it is not worth it: such names are looked up one by
/// one, where the builder compares those of a whole object with a template.
const OTHERS_FROM: usize = 128;

/// Texts that are not tried after one of which it was not worth it.
const PAUSE: u32 = 63;

/// Places for names that are kept for the next text.
const SPARE: usize = 1 << 10;

/// What is remembered of the objects that the schemas of one set declare: their names, and some shapes of each.
#[derive(Default)]
pub(in crate::py) struct Declared {
    objects: Vec<Object>,
    /// The names of the objects that are open: the numbers of those that are declared, and [`OTHER`].
    names: Vec<u32>,
    /// Those others.
    others: Vec<KnownName>,
    /// How many of them the text has so far.
    met: usize,
    /// Texts that are not tried.
    pause: u32,
}

#[derive(Default)]
struct Object {
    /// Each made when it is met.
    names: Vec<Option<KnownName>>,
    /// The newest first.
    shapes: [Option<(Box<[u32]>, Shape)>; 2],
    /// The order that was met last and is no shape: at the second time it is.
    met: Box<[u32]>,
}

impl Kept for Declared {
    fn new(_: Python<'_>) -> Self {
        Self::default()
    }
}

impl Declared {
    #[inline]
    fn shape(&self, object: Option<u32>, order: &[u32]) -> Option<&Shape> {
        let shapes = &self.objects.get(index(object?))?.shapes;
        shapes.iter().flatten().find(|(own, _)| **own == *order).map(|(_, shape)| shape)
    }

    /// Whether it is worth it, by what the last texts were like.
    fn begin(&mut self) -> bool {
        self.met = 0;
        let left = self.pause;
        self.pause = left.saturating_sub(1);
        left == 0
    }

    fn end(&mut self, py: Python<'_>, text: &[u8]) {
        if self.met.saturating_mul(OTHERS_FROM) > text.len() {
            self.pause = PAUSE;
        }
        self.clear(py);
    }

    fn object(&mut self, number: u32) -> Result<&mut Object, Fault> {
        if self.objects.len() <= index(number) {
            self.objects.resize_with(index(number).saturating_add(1), Object::default);
        }
        self.objects.get_mut(index(number)).ok_or(Fault::Torn)
    }

    fn clear(&mut self, py: Python<'_>) {
        self.names.clear();
        self.others.drain(..).for_each(|name| name.release(py));
        self.names.shrink_to(SPARE);
        self.others.shrink_to(SPARE);
    }
}

impl Object {
    fn name(
        &mut self,
        number: u32,
        make: impl FnOnce() -> Result<KnownName, Fault>,
    ) -> Result<&KnownName, Fault> {
        if self.names.len() <= index(number) {
            self.names.resize_with(index(number).saturating_add(1), || None);
        }
        let place = self.names.get_mut(index(number)).ok_or(Fault::Torn)?;
        if place.is_none() {
            *place = Some(make()?);
        }
        place.as_ref().ok_or(Fault::Torn)
    }

    /// Remembers an order of declared names that is met for the second time.
    fn meet(&mut self, py: Python<'_>, order: &[u32], names: &[KnownName]) -> Result<(), Fault> {
        if *self.met != *order {
            self.met = order.into();
        } else if let Some(shape) = Shape::new(py, names)? {
            let [newest, oldest] = &mut self.shapes;
            if let Some((_, gone)) = replace(oldest, newest.replace((order.into(), shape))) {
                gone.release(py);
            }
        }
        Ok(())
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Judges a text and makes its objects on the way; nothing if it has to be done one after the other: what is remembered is
/// in use, or it is not worth it.
#[inline]
pub(in crate::py) fn judge<'py>(
    py: Python<'py>,
    schema: Planned<'_>,
    declared: &Shared<Declared>,
    text: &[u8],
    limits: &Limits,
) -> Option<Result<Bound<'py, PyAny>, Unmade<PyErr>>> {
    let mut declared = declared.take(py)?;
    if !declared.begin() {
        return None;
    }
    let mut maker = Maker { py, schema, declared, pieces: Pieces::new(py)? };
    let mut tape = Tape::spare();
    let judged = schema.judge(text, limits, &mut tape, &mut maker);
    tape.keep();
    maker.declared.end(py, text);
    Some(match judged {
        Ok(_) => maker.pieces.finish().map_err(Unmade::Receiver),
        Err(Unmade::Refused(fault)) => Err(Unmade::Refused(fault)),
        Err(Unmade::Receiver(fault)) => Err(Unmade::Receiver(fault.into_error(py))),
    })
}

struct Maker<'py, 's> {
    py: Python<'py>,
    schema: Planned<'s>,
    declared: Taken<'py, 's, Declared>,
    pieces: Pieces<'py>,
}

impl Maker<'_, '_> {
    /// The end of an object whose names are no shape.
    #[inline(never)]
    fn end_unshaped(&mut self, object: Option<u32>, from: Opened) -> Result<(), Fault> {
        let Self { py, schema, declared, pieces } = self;
        let first = from.names.min(declared.names.len());
        let order = declared.names.split_off(first);
        let others = order.iter().filter(|name| **name == OTHER).count();
        let mut others = {
            let first = declared.others.len().saturating_sub(others);
            declared.others.split_off(first).into_iter()
        };
        let mut names = Vec::with_capacity(order.len());
        for name in order.iter().copied() {
            names.push(if name == OTHER {
                others.next().ok_or(Fault::Torn)?
            } else {
                let object = object.ok_or(Fault::Torn)?;
                let spelled = || schema.spelled(DeclaredName { object, name });
                let make = || pieces.know(spelled().ok_or(Fault::Torn)?);
                declared.object(object)?.name(name, make)?.again(*py)
            });
        }
        if let Some(object) = object.filter(|_| !order.contains(&OTHER)) {
            declared.object(object)?.meet(*py, &order, &names)?;
        }
        pieces.dict(from, names)
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
        self.pieces.begin(self.declared.names.len());
        Ok(())
    }

    #[inline]
    fn end_array(&mut self) -> Result<(), Fault> {
        let from = self.pieces.end()?;
        self.pieces.list(from)
    }

    #[inline]
    fn begin_object(&mut self) -> Result<(), Fault> {
        self.pieces.begin(self.declared.names.len());
        Ok(())
    }

    #[inline]
    fn declared(&mut self, name: DeclaredName) -> Result<(), Fault> {
        self.declared.names.push(name.name);
        Ok(())
    }

    #[inline(never)]
    fn undeclared(&mut self, name: &str) -> Result<(), Fault> {
        let known = self.pieces.know(name)?;
        self.declared.others.push(known);
        self.declared.names.push(OTHER);
        self.declared.met += 1;
        Ok(())
    }

    #[inline]
    fn end_object(&mut self, object: Option<u32>) -> Result<(), Fault> {
        let from = self.pieces.end()?;
        let order = self.declared.names.get(from.names..).unwrap_or_default();
        if let Some(shape) = self.declared.shape(object, order)
            && self.pieces.shaped(from, shape)?
        {
            self.declared.names.truncate(from.names);
            return Ok(());
        }
        self.end_unshaped(object, from)
    }
}
