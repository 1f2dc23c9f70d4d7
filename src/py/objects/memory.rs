//! What is remembered from text to text: names, and objects with the same names in the same order.
//!
//! - **Names** come from a bounded table of `str`s that were made before, with their hashes computed.
//! - **Templates**: an object whose names, in their order, have been seen before is a copy of a dict with those names, into
//!   which the values are written. The names are compared, all of them, before the copy is made.
//!
//! Both tables are bounded, so no sequence of texts makes memory grow; they are shared by all threads and used
//! only by the one that gets hold of them, which under the GIL is nearly always the one that asks.

#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hasher};
use std::mem::replace;

use foldhash::quality::RandomState;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::builder::Frame;
use super::cpython::{
    Fault, Kept, Made, Opened, Pile, Shared, ascii, ascii_bytes, has_names, release, string,
    trusts_layout,
};
use crate::bytes;
use crate::json::{Content, Tokens};

/// The memory of all threads.
pub(super) static MEMORY: Shared<Memory> = Shared::new();

/// Names that are remembered. Real APIs have some hundreds; at half, large ones would push each other out; at
/// double, the table alone is 64 KiB of a cache that holds little more.
const NAMES: usize = 2048;

/// Names whose hashes lead to the same place, and that are remembered side by side. With one, two names of one object that
/// meet there push each other out with every object, and so does its shape; of [`NAMES`] / 4 names more than four meet
/// in one place of 300.
const WAYS: usize = 4;

/// Bytes of a name that is remembered; longer ones are data, not names.
pub(super) const NAME_BYTES: usize = 64;

/// Places for shapes of objects, two in each. With [`TEMPLATE_MEMBERS`] this bounds the table to some 3 MiB.
const TEMPLATES: usize = 512;

/// Members of the largest object that is copied from a template.
pub(super) const TEMPLATE_MEMBERS: usize = 128;

/// Places on the pile, and open containers, that are kept for the next text.
pub(super) const SPARE: usize = 1 << 10;

/// What is remembered from text to text.
pub(super) struct Memory {
    pub(super) names: Names,
    pub(super) templates: Templates,
    /// An empty pile, and no containers.
    pub(super) pile: Pile,
    pub(super) open: Vec<Frame>,
    pub(super) opened: Vec<Opened>,
}

impl Kept for Memory {
    fn new(py: Python<'_>) -> Self {
        let seed = RandomState::default();
        let places = (0..NAMES / WAYS).map(|_| [const { None }; WAYS]).collect();
        let names = Names { seed: seed.clone(), places };
        let usable = trusts_layout(py);
        let places = (0..if usable { TEMPLATES } else { 0 }).map(|_| Place::default()).collect();
        let templates = Templates { seed, places };
        let (pile, open, opened) = (Pile::default(), Vec::new(), Vec::new());
        Self { names, templates, pile, open, opened }
    }
}

/// Names that were met, each in the place of its hash.
pub(super) struct Names {
    /// Other hashes in every process, so that nobody can make names that share a place.
    seed: RandomState,
    places: Vec<[Option<Known>; WAYS]>,
}

struct Known {
    hash: u64,
    name: Py<PyAny>,
}

impl Names {
    /// The `str` of a name that is ASCII.
    #[inline]
    pub(super) fn get(&mut self, py: Python<'_>, text: &[u8]) -> Made {
        let hash = hash(&self.seed, text);
        let index = usize::try_from(hash >> 32).unwrap_or(0) % self.places.len().max(1);
        let place = self.places.get_mut(index).ok_or(Fault::Torn)?;
        for known in place.iter().flatten() {
            if known.hash == hash && bytes::same(ascii_bytes(&known.name), text) {
                return Ok(known.name.clone_ref(py));
            }
        }
        let name = ascii(py, text)?;
        // A `str` keeps its hash: computed here, it is there for every dict.
        name.bind(py).hash()?;
        // The one that came first goes.
        place.rotate_right(1);
        let [newest, ..] = place;
        let oldest = newest.replace(Known { hash, name: name.clone_ref(py) });
        release(py, oldest.map(|known| known.name));
        Ok(name)
    }
}

#[inline]
fn hash(seed: &RandomState, text: &[u8]) -> u64 {
    let mut hasher = seed.build_hasher();
    hasher.write(text);
    hasher.finish()
}

/// Whether a name is of the kind that is remembered.
#[inline]
pub(super) fn is_common(name: Content<'_>) -> bool {
    name.bytes().len() <= NAME_BYTES && (name.ascii || name.bytes().is_ascii())
}

/// The `str` of a name.
pub(super) struct KnownName {
    pub(super) name: Py<PyAny>,
    /// It is of the kind that is remembered.
    pub(super) common: bool,
}

impl Shape {
    pub(super) fn release(self, py: Python<'_>) {
        release(py, Some(self.0.into_any()));
    }
}

impl KnownName {
    pub(super) fn new(py: Python<'_>, names: &mut Names, name: Content<'_>) -> Result<Self, Fault> {
        let common = is_common(name);
        let name = if common { names.get(py, name.bytes())? } else { string(py, name)? };
        Ok(Self { name, common })
    }

    pub(super) fn release(self, py: Python<'_>) {
        release(py, Some(self.name));
    }

    pub(super) fn again(&self, py: Python<'_>) -> Self {
        Self { name: self.name.clone_ref(py), common: self.common }
    }
}

/// Shapes that were met. Those with the same first name and as many members share a place.
pub(super) struct Templates {
    /// As for the names.
    seed: RandomState,
    /// None if the layout of dicts is not as expected.
    places: Vec<Place>,
}

#[derive(Default)]
struct Place {
    /// The hash of the last shape that was met here and is not remembered: at the second time it is.
    met: u64,
    /// The newest first.
    templates: [Option<Template>; 2],
}

struct Template {
    /// The names, in their order: of each its length, and its characters.
    spelled: Box<[u8]>,
    /// The names, each with itself as its value: an object of its own, that nobody else waits for, and no container.
    dict: Py<PyDict>,
}

impl Template {
    /// Whether an object's names are these.
    #[inline]
    fn has(&self, count: usize, tokens: &Tokens<'_>) -> bool {
        let mut rest = &*self.spelled;
        let same = tokens.names().take(count).all(|name| {
            let name = name.bytes();
            let Some((length, spelled)) = rest.split_first() else { return false };
            if usize::from(*length) != name.len() {
                return false;
            }
            let Some((own, others)) = spelled.split_at_checked(name.len()) else { return false };
            rest = others;
            bytes::same(own, name)
        });
        same && rest.is_empty()
    }
}

impl Templates {
    fn place(&self, count: usize, first: &[u8]) -> usize {
        let hash = hash(&self.seed, first) ^ u64::try_from(count).unwrap_or(0);
        usize::try_from(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).unwrap_or(0)
            % self.places.len().max(1)
    }

    /// The template of the object that was told of last.
    pub(super) fn find(&self, count: usize, tokens: &Tokens<'_>) -> Option<&Py<PyDict>> {
        let first = tokens.names().next()?;
        let place = self.places.get(self.place(count, first.bytes()))?;
        let mut templates = place.templates.iter().flatten();
        templates.find(|template| template.has(count, tokens)).map(|template| &template.dict)
    }

    /// The template of these names, all being `str`s of the table.
    #[inline]
    pub(super) fn of(&self, names: &[Py<PyAny>]) -> Option<&Py<PyDict>> {
        let first = names.first()?;
        let place = self.places.get(self.place(names.len(), ascii_bytes(first)))?;
        let mut dicts = place.templates.iter().flatten().map(|template| &template.dict);
        dicts.find(|dict| has_names(dict, names))
    }

    /// Remembers a shape that is met for the second time: its names, all being `str`s of the table.
    pub(super) fn meet(&mut self, py: Python<'_>, names: &[Py<PyAny>]) -> Result<(), Fault> {
        let Some(first) = names.first() else { return Ok(()) };
        let count = names.len();
        let index = self.place(count, ascii_bytes(first));
        let Some(place) = self.places.get_mut(index) else { return Ok(()) };
        // Names are known by their addresses here: the table gives the same `str` for the same name. Should one have
        // been pushed out and made anew, the shape is a new one.
        let met = names.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |hash, name| {
            let address = u64::try_from(name.as_ptr().addr()).unwrap_or(0);
            (hash ^ address).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(23)
        });
        if count > TEMPLATE_MEMBERS || replace(&mut place.met, met) != met {
            return Ok(());
        }
        let (dict, mut spelled) = (PyDict::new(py), Vec::new());
        for name in names {
            dict.set_item(name, name)?;
            let bytes = ascii_bytes(name);
            spelled.push(u8::try_from(bytes.len()).map_err(|_| Fault::Torn)?);
            spelled.extend_from_slice(bytes);
        }
        // With a repeated name it is no template: an object of this shape is to be refused.
        if dict.len() == count {
            let [newest, oldest] = &mut place.templates;
            let template = Template { spelled: spelled.into(), dict: dict.unbind() };
            let gone = replace(oldest, newest.replace(template));
            release(py, gone.map(|template| template.dict.into_any()));
        }
        Ok(())
    }
}

/// The names of an object, in their order, as a dict to be copied.
pub(super) struct Shape(pub(super) Py<PyDict>);

impl Shape {
    /// Nothing if dicts are not as expected, or there are too many names. No two are the same.
    pub(super) fn new(py: Python<'_>, names: &[KnownName]) -> Result<Option<Self>, Fault> {
        if names.len() > TEMPLATE_MEMBERS || !trusts_layout(py) {
            return Ok(None);
        }
        let dict = PyDict::new(py);
        for known in names {
            dict.set_item(&known.name, &known.name)?;
        }
        Ok((dict.len() == names.len()).then(|| Self(dict.unbind())))
    }
}
