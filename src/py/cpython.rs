//! Python objects by CPython's own means: everything unsafe that makes them is in this file.
//!
//! It is compiled for CPython 3.11, 3.12 and 3.13 with the GIL, which it was tested with, and for nothing else
//! (see `build.rs`). What it does beyond the public, safe API, and why that pays:
//!
//! - **Text** is copied into a `str` of the right size and kind, without the decoder's searching and growing.
//! - **Names** come from a bounded table of `str`s that were made before, with their hashes computed.
//! - **Lists** are filled by moving pointers.
//! - **Dicts** are made at their final size (`_PyDict_NewPresized`).
//! - **Templates**: an object whose names, in their order, have been seen before is a copy of an empty-handed
//!   dict with those names, into which the values are written. This relies on the layout of a dict's entries, which
//!   a test at first use has to find as expected; otherwise it is not done.
//!
//! Both tables are bounded, so no sequence of texts makes memory grow; they are shared by all threads and used
//! only by the one that gets hold of them, which under the GIL is nearly always the one that asks.

#![expect(
    unsafe_code,
    reason = "objects are made of uninitialised parts: half the time of the safe API"
)]

use std::hash::{BuildHasher, Hasher};
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;
use std::sync::Mutex;

use foldhash::quality::RandomState;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::objects::{big_integer, torn};
use crate::json::{Content, Token, Value};

unsafe extern "C" {
    /// A dict with room for so many members. Exported by every CPython that this file is compiled for, and
    /// declared in its `cpython/dictobject.h`; since 3.13 in `internal/pycore_dict.h`.
    fn _PyDict_NewPresized(members: ffi::Py_ssize_t) -> *mut ffi::PyObject;
}

/// Names that are remembered. Real APIs have some hundreds; at half, large ones would push each other out; at
/// double, the table alone is 64 KiB of a cache that holds little more.
const NAMES: usize = 2048;

/// Names whose hashes lead to the same place, and that are remembered side by side. With one, two names of one object that
/// meet there push each other out with every object, and so does its shape; of [`NAMES`] / 4 names more than four meet
/// in one place of 300.
const WAYS: usize = 4;

/// Bytes of a name that is remembered; longer ones are data, not names.
const NAME_BYTES: usize = 64;

/// Shapes of objects that are remembered. With [`TEMPLATE_MEMBERS`] this bounds the table to some 3 MiB.
const TEMPLATES: usize = 1024;

/// Members of the largest object that is copied from a template.
const TEMPLATE_MEMBERS: usize = 128;

/// Makes the objects of a value; nothing if a dict came out smaller than its object.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);
    // Not had while another thread, or a finalizer that runs while objects are made, holds it: do without.
    let mut held = MEMORY.try_lock().ok();
    let memory = held.as_deref_mut().map(|memory| memory.get_or_insert_with(|| Memory::new(py)));
    Maker { py, pile: Vec::with_capacity(64), memory }.build(root)
}

struct Maker<'py, 'm> {
    py: Python<'py>,
    /// What has been made and is not in a container yet: of an object its last value, the name of that, and so
    /// on, with the first name on top.
    pile: Vec<Bound<'py, PyAny>>,
    memory: Option<&'m mut Memory>,
}

impl<'py> Maker<'py, '_> {
    fn build(mut self, root: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        for token in root.tokens_from_behind() {
            let made = match token {
                Token::Null => py.None().into_bound(py),
                Token::Bool(value) => pyo3::types::PyBool::new(py, value).to_owned().into_any(),
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Integer(value) => unsafe { owned(py, ffi::PyLong_FromLongLong(value)) }?,
                Token::BigInteger(text) => big_integer(py, text)?,
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Float(value) => unsafe { owned(py, ffi::PyFloat_FromDouble(value)) }?,
                Token::String(content) => string(py, content)?,
                Token::Name(content) => self.name(content)?,
                Token::Array(count) => self.list(count)?,
                Token::Object(count) => match self.dict(count)? {
                    Some(dict) => dict,
                    None => return Ok(None),
                },
            };
            self.pile.push(made);
        }
        self.pile.pop().map(Some).ok_or_else(torn)
    }

    fn name(&mut self, content: Content<'_>) -> PyResult<Bound<'py, PyAny>> {
        let common = content.text.len() <= NAME_BYTES && (content.ascii || content.text.is_ascii());
        match &mut self.memory {
            Some(memory) if common => memory.names.get(self.py, content.text),
            Some(_) | None => string(self.py, content),
        }
    }

    fn list(&mut self, count: usize) -> PyResult<Bound<'py, PyAny>> {
        let from = self.pile.len().checked_sub(count).ok_or_else(torn)?;
        // SAFETY: the GIL is held; the result is a new reference or null.
        let list = unsafe { owned(self.py, ffi::PyList_New(size(count)?)) }?;
        for (index, item) in (0..).zip(self.pile.drain(from..).rev()) {
            // SAFETY: a new list of `count` items, none of which is set; `drain` gives `count` of them, and nothing
            // else runs before all are.
            unsafe { ffi::PyList_SET_ITEM(list.as_ptr(), index, item.into_ptr()) };
        }
        Ok(list)
    }

    fn dict(&mut self, count: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        let from = self.pile.len().checked_sub(count.saturating_mul(2)).ok_or_else(torn)?;
        let mut remember = None;
        if let Some(memory) = &mut self.memory
            && memory.templates.usable
            && (1..=TEMPLATE_MEMBERS).contains(&count)
        {
            let members = self.pile.get(from..).unwrap_or_default();
            match memory.templates.find(self.py, members) {
                Found::Template(dict) => {
                    let copy = copy_template(self.py, dict, self.pile.drain(from..))?;
                    return Ok(Some(copy));
                }
                Found::Again(slot) => remember = Some(slot),
                Found::New => {}
            }
        }
        if let (Some(slot), Some(memory)) = (remember, &mut self.memory) {
            let members = self.pile.get(from..).unwrap_or_default();
            memory.templates.learn(self.py, slot, members)?;
        }
        self.insert(count, from)
    }

    /// A dict by insertion.
    fn insert(&mut self, count: usize, from: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        // SAFETY: the GIL is held; the result is a new reference or null.
        let dict = unsafe { owned(self.py, _PyDict_NewPresized(size(count)?)) }?;
        let mut members = self.pile.drain(from..).rev();
        while let (Some(name), Some(value)) = (members.next(), members.next()) {
            // SAFETY: the GIL is held; all three are live objects, of which the call takes references of its own.
            let failed =
                unsafe { ffi::PyDict_SetItem(dict.as_ptr(), name.as_ptr(), value.as_ptr()) };
            if failed != 0 {
                return Err(PyErr::fetch(self.py));
            }
        }
        // SAFETY: a live dict.
        let length = unsafe { ffi::PyDict_Size(dict.as_ptr()) };
        Ok(if length == size(count)? { Some(dict) } else { None })
    }
}

/// An owned reference, or the error that was raised instead.
///
/// # Safety
///
/// The pointer is a new reference that nobody else gives back, or null with an exception raised.
#[inline]
unsafe fn owned<'py>(py: Python<'py>, object: *mut ffi::PyObject) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as promised by the caller.
    unsafe { Bound::from_owned_ptr_or_err(py, object) }
}

fn size(count: usize) -> PyResult<ffi::Py_ssize_t> {
    ffi::Py_ssize_t::try_from(count).map_err(|_| torn())
}

/// A `str`.
#[inline]
fn string<'py>(py: Python<'py>, content: Content<'_>) -> PyResult<Bound<'py, PyAny>> {
    if content.ascii || content.text.is_ascii() {
        return ascii(py, content.text);
    }
    wide(py, content.text)
}

/// A `str` of text that is known to be ASCII.
#[inline]
fn ascii<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    if text.len() <= 1 {
        // CPython has these ready.
        return Ok(PyString::new(py, text).into_any());
    }
    // SAFETY: the GIL is held; the result is a new reference or null.
    let string = unsafe { owned(py, ffi::PyUnicode_New(size(text.len())?, 127)) }?;
    // SAFETY: a new `str` of this length and of ASCII kind has its characters, a byte each, behind its head; nobody
    // else has seen it.
    unsafe {
        let data = string.as_ptr().cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
        ptr::copy_nonoverlapping(text.as_ptr(), data, text.len());
    }
    Ok(string)
}

/// A `str` of text that is not all ASCII.
fn wide<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let count = text.chars().count();
    if count <= 1 {
        return Ok(PyString::new(py, text).into_any());
    }
    // The largest byte of UTF-8 tells how wide the widest character is: 0xC3 leads U+00FF, 0xEF leads U+FFFF.
    let top = text.bytes().fold(0, u8::max);
    let widest = match top {
        0..=0xC3 => 0xFF,
        0xC4..=0xEF => 0xFFFF,
        _ => 0x10_FFFF,
    };
    // SAFETY: the GIL is held; the result is a new reference or null.
    let string = unsafe { owned(py, ffi::PyUnicode_New(size(count)?, widest)) }?;
    // SAFETY: a new `str` that is not ASCII has its characters behind this head, `count` of the width that its widest
    // character asks for; nobody else has seen it.
    unsafe {
        let data = string.as_ptr().cast::<ffi::PyCompactUnicodeObject>().add(1);
        match widest {
            0xFF => fill(slice::from_raw_parts_mut(data.cast(), count), text, |c| {
                u8::try_from(c).unwrap_or(0)
            }),
            0xFFFF => fill(slice::from_raw_parts_mut(data.cast(), count), text, |c| {
                u16::try_from(c).unwrap_or(0)
            }),
            _ => fill(slice::from_raw_parts_mut(data.cast(), count), text, |c| c),
        }
    }
    Ok(string)
}

/// Writes each character as wide as the `str` has it.
#[inline]
fn fill<T>(characters: &mut [MaybeUninit<T>], text: &str, narrow: impl Fn(u32) -> T) {
    for (place, character) in characters.iter_mut().zip(text.chars()) {
        place.write(narrow(u32::from(character)));
    }
}

/// What is remembered from text to text.
struct Memory {
    names: Names,
    templates: Templates,
}

impl Memory {
    fn new(py: Python<'_>) -> Self {
        let seed = RandomState::default();
        let places = (0..NAMES / WAYS).map(|_| [const { None }; WAYS]).collect();
        let names = Names { seed, places };
        let usable = layout_is_known(py).unwrap_or(false);
        let slots = (0..TEMPLATES).map(|_| Template { hash: 0, dict: None }).collect();
        Self { names, templates: Templates { usable, slots } }
    }
}

/// Names that were met, each in the place of its hash.
struct Names {
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
    fn get<'py>(&mut self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let mut hasher = self.seed.build_hasher();
        hasher.write(text.as_bytes());
        let hash = hasher.finish();
        let index = usize::try_from(hash >> 32).unwrap_or(0) % self.places.len().max(1);
        let place = self.places.get_mut(index).ok_or_else(torn)?;
        for known in place.iter().flatten() {
            if known.hash == hash && ascii_bytes(&known.name) == text.as_bytes() {
                return Ok(known.name.bind(py).clone());
            }
        }
        let name = ascii(py, text)?;
        // A `str` keeps its hash: computed here, it is there for every dict.
        name.hash()?;
        // The one that came first goes.
        place.rotate_right(1);
        let [newest, ..] = place;
        *newest = Some(Known { hash, name: name.clone().unbind() });
        Ok(name)
    }
}

/// The characters of a `str` that this file has made of ASCII.
#[inline]
fn ascii_bytes(string: &Py<PyAny>) -> &[u8] {
    let head = string.as_ptr().cast::<ffi::PyASCIIObject>();
    // SAFETY: a live `str` of ASCII kind, which never changes; its characters, a byte each, are behind its head.
    unsafe {
        let length = usize::try_from((*head).length).unwrap_or(0);
        slice::from_raw_parts(head.add(1).cast::<u8>(), length)
    }
}

/// Shapes that were met, each in the slot of its hash: first the hash alone, at the second time a dict.
struct Templates {
    /// The layout of dicts is as expected.
    usable: bool,
    slots: Vec<Template>,
}

struct Template {
    hash: u64,
    /// The names, in their order, each with the value None. Nobody else ever sees it.
    dict: Option<Py<PyDict>>,
}

enum Found<'t> {
    Template(&'t Py<PyDict>),
    /// Met before, and not remembered yet: its slot.
    Again(usize),
    New,
}

impl Templates {
    /// Looks for the shape of an object whose members are on the pile.
    #[inline]
    fn find(&mut self, py: Python<'_>, members: &[Bound<'_, PyAny>]) -> Found<'_> {
        // Names are known by their addresses: the table of names gives the same `str` for the same name. Should one
        // have been pushed out and made anew, the shape is a new one.
        let names = || members.iter().skip(1).step_by(2).rev();
        let hash = names().fold(0x9E37_79B9_7F4A_7C15_u64, |hash, name| {
            (hash ^ address(name)).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(23)
        });
        let index = usize::try_from(hash >> 32).unwrap_or(0) % TEMPLATES;
        let Some(slot) = self.slots.get_mut(index) else { return Found::New };
        if slot.hash != hash {
            *slot = Template { hash, dict: None };
            return Found::New;
        }
        let Some(dict) = &slot.dict else { return Found::Again(index) };
        let entries = entries(dict.bind(py));
        let same = entries.len() == members.len() / 2
            && entries.iter().zip(names()).all(|(entry, name)| entry.name == name.as_ptr());
        if same { Found::Template(dict) } else { Found::New }
    }

    /// Remembers a shape.
    fn learn(&mut self, py: Python<'_>, slot: usize, members: &[Bound<'_, PyAny>]) -> PyResult<()> {
        let dict = PyDict::new(py);
        for name in members.iter().skip(1).step_by(2).rev() {
            dict.set_item(name, py.None())?;
        }
        // With a repeated name it is no template: an object of this shape is to be refused.
        if dict.len() == members.len() / 2
            && let Some(slot) = self.slots.get_mut(slot)
        {
            slot.dict = Some(dict.unbind());
        }
        Ok(())
    }
}

fn address(object: &Bound<'_, PyAny>) -> u64 {
    u64::try_from(object.as_ptr().addr()).unwrap_or(0)
}

/// A copy of a template with the members' values.
fn copy_template<'py>(
    py: Python<'py>,
    template: &Py<PyDict>,
    members: std::vec::Drain<'_, Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    // A copy of a combined table without gaps has its keys in a table of its own, entry for entry.
    let copy = template.bind(py).copy()?;
    let places = entries(&copy);
    if places.len().saturating_mul(2) != members.len() {
        // Nothing was written: an error, and no dict that says None.
        return Err(torn());
    }
    let mut container = false;
    let mut members = members.rev();
    for entry in places {
        let (Some(_name), Some(value)) = (members.next(), members.next()) else {
            return Err(torn());
        };
        container |= is_container(&value);
        let none = entry.value.replace(value.into_ptr());
        // SAFETY: the reference to None that the copy held, and holds no more.
        unsafe { ffi::Py_DECREF(none) };
    }
    // As insertion does: a dict is watched by the garbage collector once it holds what is.
    // SAFETY: a live dict, not tracked yet: the template holds nothing that is.
    if container && unsafe { ffi::PyObject_GC_IsTracked(copy.as_ptr()) } == 0 {
        // SAFETY: as before.
        unsafe { ffi::PyObject_GC_Track(copy.as_ptr().cast()) };
    }
    Ok(copy.into_any())
}

/// Whether the garbage collector may have to look at an object.
#[inline]
fn is_container(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object has a live type; its flags are set when it is made.
    let flags = unsafe { (*ffi::Py_TYPE(object.as_ptr())).tp_flags };
    flags & ffi::Py_TPFLAGS_HAVE_GC != 0
}

/// The head of a dict's table of keys, as CPython 3.11 to 3.13 have it (`internal/pycore_dict.h`); the indices
/// follow, `1 << log2_index_bytes` bytes of them, then the entries.
#[repr(C)]
struct Keys {
    references: ffi::Py_ssize_t,
    log2_size: u8,
    log2_index_bytes: u8,
    kind: u8,
    version: u32,
    usable: ffi::Py_ssize_t,
    used: ffi::Py_ssize_t,
}

/// The kind of a table all of whose keys are `str`.
const UNICODE: u8 = 1;

/// An entry of such a table.
#[repr(C)]
struct Entry {
    name: *mut ffi::PyObject,
    value: std::cell::Cell<*mut ffi::PyObject>,
}

/// The entries of a dict that holds nothing but `str` keys, none of them ever removed; of any other dict, none.
#[expect(clippy::cast_ptr_alignment, reason = "the indices are 8 bytes or a multiple of that")]
fn entries<'d>(dict: &'d Bound<'_, PyDict>) -> &'d [Entry] {
    let dict = dict.as_ptr().cast::<ffi::PyDictObject>();
    // SAFETY: a live dict; the layout is that of the versions for which this file is compiled, and was found to be
    // so by `layout_is_known`. A combined table has no values of its own. While the slice lives nobody else can
    // reach the dict: it is a template, or a copy that was just made.
    unsafe {
        if !(*dict).ma_values.is_null() {
            return &[];
        }
        let keys = (*dict).ma_keys.cast::<Keys>();
        if (*keys).kind != UNICODE || (*keys).used != (*dict).ma_used {
            return &[];
        }
        let indices = keys.add(1).cast::<u8>();
        let entries = indices.add(1 << (*keys).log2_index_bytes).cast::<Entry>();
        slice::from_raw_parts(entries, usize::try_from((*keys).used).unwrap_or(0))
    }
}

/// Whether dicts have the layout that this file expects, tried out on some.
fn layout_is_known(py: Python<'_>) -> PyResult<bool> {
    for count in [1_usize, 5, 6, 30, 100] {
        let dict = PyDict::new(py);
        let names: Vec<_> = (0..count).map(|n| PyString::new(py, &format!("name {n}"))).collect();
        for name in &names {
            dict.set_item(name, py.None())?;
        }
        let copy = dict.copy()?;
        for dict in [&dict, &copy] {
            let head = dict.as_ptr().cast::<ffi::PyDictObject>();
            // SAFETY: a live dict; a table of keys is never smaller than its head.
            let (used, kind, index_bytes, size) = unsafe {
                let keys = (*head).ma_keys.cast::<Keys>();
                ((*keys).used, (*keys).kind, (*keys).log2_index_bytes, (*keys).log2_size)
            };
            let plausible = used == self::size(count)?
                && kind == UNICODE
                && index_bytes == if size < 8 { size.max(3) } else { size + 1 }
                && size <= 8;
            if !plausible {
                return Ok(false);
            }
            let entries = entries(dict);
            let same = entries.iter().zip(&names).all(|(entry, name)| {
                entry.name == name.as_ptr() && entry.value.get() == py.None().as_ptr()
            });
            if entries.len() != count || !same {
                return Ok(false);
            }
        }
        if !copies_as_insertion_does(py, &dict, &names)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a copy with values written into it is what insertion would have made.
fn copies_as_insertion_does(
    py: Python<'_>,
    template: &Bound<'_, PyDict>,
    names: &[Bound<'_, PyString>],
) -> PyResult<bool> {
    let tracked = |dict: &Bound<'_, PyAny>| {
        // SAFETY: a live object.
        unsafe { ffi::PyObject_GC_IsTracked(dict.as_ptr()) }
    };
    for container in [false, true] {
        let value = || -> PyResult<Bound<'_, PyAny>> {
            Ok(if container {
                PyDict::new(py).into_any()
            } else {
                1_i32.into_pyobject(py)?.into_any()
            })
        };
        let inserted = PyDict::new(py);
        let mut members = Vec::new();
        for name in names.iter().rev() {
            members.push(value()?);
            members.push(name.clone().into_any());
        }
        for name in names {
            inserted.set_item(name, value()?)?;
        }
        let written = copy_template(py, &template.clone().unbind(), members.drain(..))?;
        if !written.eq(&inserted)? || tracked(&written) != tracked(inserted.as_any()) {
            return Ok(false);
        }
    }
    if template.len() != names.len() {
        return Err(PySystemError::new_err("a template was changed"));
    }
    Ok(true)
}
