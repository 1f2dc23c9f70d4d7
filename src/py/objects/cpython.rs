//! Python objects by CPython's own means: everything unsafe that makes them is in this file.
//!
//! It is compiled for CPython 3.11, 3.12 and 3.13 with the GIL, which it was tested with, and for nothing else
//! (see `build.rs`). What it does beyond the public, safe API, and why that pays:
//!
//! - **Text** is written into a `str` of the right size and kind, without the decoder's searching and growing; ASCII with a
//!   head that was taken from a `str` which CPython had made, if a test at import finds that to be all there is to it.
//! - **Lists** are filled by moving pointers.
//! - **Dicts** are made at their final size (`_PyDict_NewPresized`), or copied from one that has their names, and values
//!   written into the copy: nothing is looked up. This relies on the layout of a dict's entries, which a test at first use has
//!   to find as expected; otherwise it is not done.
//!
//! Nobody sees what is half made: a copy is not known to the garbage collector before it is full, and other lists and
//! dicts are made when all that they hold is there, on a pile.

#![expect(
    unsafe_code,
    reason = "objects are made of uninitialised parts: half the time of the safe API"
)]

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::slice;

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::memory::{SPARE, Templates};
use super::torn;
use crate::bytes::{self, units::Width};
use crate::json::Content;

unsafe extern "C" {
    /// A dict with room for so many members. Exported by every CPython that this file is compiled for, and
    /// declared in its `cpython/dictobject.h`; since 3.13 in `internal/pycore_dict.h`.
    fn _PyDict_NewPresized(members: ffi::Py_ssize_t) -> *mut ffi::PyObject;
}

/// The collector waits as long as this lives, if it was on. Nothing is lost: it counts what is made, and runs at the
/// next container that is made afterwards.
pub(super) struct Paused {
    was_on: bool,
}

impl Paused {
    pub(super) fn new() -> Self {
        // SAFETY: the GIL is held by whoever makes objects.
        Self { was_on: unsafe { ffi::PyGC_Disable() } != 0 }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if self.was_on {
            // SAFETY: as before; nothing in between lets go of it, as no Python code runs.
            unsafe { ffi::PyGC_Enable() };
        }
    }
}

/// Why nothing was made.
pub(in crate::py) enum Fault {
    /// A dict came out smaller than its object.
    Repeated,
    /// An exception was raised, and is set.
    Raised,
    Error(Box<PyErr>),
    /// A container has less on the tape, or on the pile, than it holds: it cannot be.
    Torn,
}

impl From<PyErr> for Fault {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self::Error(Box::new(error))
    }
}

impl Fault {
    #[cold]
    pub(super) fn into_error(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Raised => PyErr::fetch(py),
            Self::Error(error) => *error,
            Self::Repeated | Self::Torn => torn(),
        }
    }
}

pub(super) type Made = Result<Py<PyAny>, Fault>;

/// Where the children of a container begin on the pile.
#[derive(Clone, Copy)]
pub(super) struct Opened {
    pub(super) values: usize,
    pub(super) names: usize,
    /// Names so far that are not of the kind that is remembered.
    pub(super) uncommon: usize,
}

/// What has been made and is not in a container yet.
#[derive(Default)]
pub(super) struct Pile {
    pub(super) values: Vec<Py<PyAny>>,
    pub(super) names: Vec<Py<PyAny>>,
}

impl Pile {
    #[inline]
    pub(super) fn open(&self) -> Opened {
        Opened { values: self.values.len(), names: self.names.len(), uncommon: 0 }
    }

    #[inline]
    pub(super) fn clear(&mut self, py: Python<'_>) {
        for objects in [&mut self.values, &mut self.names] {
            if !objects.is_empty() {
                release(py, objects.drain(..));
            }
            objects.shrink_to(SPARE);
        }
    }

    /// A list of what lies here.
    #[inline(never)]
    pub(super) fn list(&mut self, py: Python<'_>, from: Opened) -> Made {
        let count = self.values.len().saturating_sub(from.values);
        // SAFETY: the GIL is held; the result is a new reference or null.
        let list = unsafe { owned(py, ffi::PyList_New(size(count)?)) }?;
        for (index, item) in (0..).zip(self.values.drain(from.values..)) {
            // SAFETY: a new list of `count` items, none of which is set; `drain` gives `count` of them, and nothing
            // else runs before all are.
            unsafe { ffi::PyList_SET_ITEM(list.as_ptr(), index, item.into_ptr()) };
        }
        Ok(list)
    }

    /// A dict of what lies here, by insertion.
    #[inline(never)]
    pub(super) fn dict(
        &mut self,
        py: Python<'_>,
        from: Opened,
        templates: Option<&mut Templates>,
    ) -> Made {
        let names = self.names.get(from.names..).unwrap_or_default();
        let count = names.len();
        if from.uncommon == 0
            && let Some(templates) = templates
        {
            templates.meet(py, names)?;
        }
        // SAFETY: the GIL is held; the result is a new reference or null.
        let dict = unsafe { owned(py, _PyDict_NewPresized(size(count)?)) }?;
        let values = self.values.get(from.values..).unwrap_or_default();
        for (name, value) in names.iter().zip(values) {
            // SAFETY: the GIL is held; all three are live objects, of which the call takes references of its own.
            let failed =
                unsafe { ffi::PyDict_SetItem(dict.as_ptr(), name.as_ptr(), value.as_ptr()) };
            if failed != 0 {
                return Err(Fault::Raised);
            }
        }
        release(py, self.names.drain(from.names..));
        release(py, self.values.drain(from.values..));
        // SAFETY: a live dict.
        let length = unsafe { ffi::PyDict_Size(dict.as_ptr()) };
        if length == size(count)? { Ok(dict) } else { Err(Fault::Repeated) }
    }

    /// The same as a copy of a template that has as many names; nothing if that is not what it must be.
    #[inline]
    pub(super) fn copy(
        &mut self,
        py: Python<'_>,
        from: usize,
        template: &Py<PyDict>,
    ) -> Result<Option<Py<PyAny>>, Fault> {
        let from = from.min(self.values.len());
        let count = self.values.len() - from;
        let Some(mut copying) = copy(py, template, count)? else { return Ok(None) };
        // SAFETY: `count` values from `from` on, of which the pile gives up the references before they are written.
        unsafe {
            let first = self.values.as_ptr().add(from);
            self.values.set_len(from);
            for value in 0..count {
                copying.write(first.add(value).read());
            }
        }
        Ok(Some(copying.finish()))
    }
}

/// A copy of a template, as far as it is written.
pub(super) struct Copying {
    dict: Py<PyAny>,
    /// The entry of the next value.
    next: *const Entry,
    /// Of the values so far, those that are containers.
    containers: usize,
}

impl Copying {
    #[inline]
    pub(super) fn write(&mut self, value: Py<PyAny>) {
        self.containers = self.containers.wrapping_add(usize::from(is_container(&value)));
        // SAFETY: the next of the copy's entries: it has as many as the object has members, which is how many values
        // are written. Nobody else can reach the copy, so the entries stay where they are. What the entry held, a
        // name, is a reference that the copy held, and holds no more.
        unsafe {
            let name = (*self.next).value.replace(value.into_ptr());
            self.next = self.next.add(1);
            ffi::Py_DECREF(name);
        }
    }

    /// The dict, when all values are written.
    #[inline]
    pub(super) fn finish(self) -> Py<PyAny> {
        // As insertion does: a dict is watched by the garbage collector once it holds what is.
        if self.containers > 0 {
            // SAFETY: a live dict that is not tracked yet: `copy` has seen to that.
            unsafe { ffi::PyObject_GC_Track(self.dict.as_ptr().cast()) };
        }
        self.dict
    }
}

/// A copy of a template, ready for so many values; nothing if it is not what it must be.
pub(super) fn copy(
    py: Python<'_>,
    template: &Py<PyDict>,
    count: usize,
) -> Result<Option<Copying>, Fault> {
    // A copy of a combined table without gaps has its keys in a table of its own, entry for entry.
    // SAFETY: the GIL is held, the template is a live dict; the result is a new reference or null.
    let dict = unsafe { owned(py, ffi::PyDict_Copy(template.as_ptr())) }?;
    // SAFETY: a live dict.
    let tracked = unsafe { ffi::PyObject_GC_IsTracked(dict.as_ptr()) } != 0;
    // SAFETY: a live dict that nobody else can reach.
    let places = unsafe { entries(dict.as_ptr()) };
    if tracked || places.len() != count {
        return Ok(None);
    }
    Ok(Some(Copying { dict, next: places.as_ptr(), containers: 0 }))
}

/// Lets go of objects. (The `drop` of `Py` asks for each whether pyo3 knows that the GIL is held. Where it does not, as in
/// `front.rs`, it keeps them for later.)
pub(super) fn release(py: Python<'_>, objects: impl IntoIterator<Item = Py<PyAny>>) {
    for object in objects {
        object.drop_ref(py);
    }
}

/// An owned reference, or the exception that was raised instead.
///
/// # Safety
///
/// The pointer is a new reference that nobody else gives back, or null with an exception raised.
#[inline]
unsafe fn owned(py: Python<'_>, object: *mut ffi::PyObject) -> Made {
    // SAFETY: as promised by the caller.
    unsafe { Bound::from_owned_ptr_or_opt(py, object) }.map(Bound::unbind).ok_or(Fault::Raised)
}

pub(super) fn size(count: usize) -> Result<ffi::Py_ssize_t, Fault> {
    ffi::Py_ssize_t::try_from(count).map_err(|_| Fault::Torn)
}

/// An `int` of 64 bits.
#[inline]
pub(super) fn integer(py: Python<'_>, value: i64) -> Made {
    // SAFETY: the GIL is held; the result is a new reference or null.
    unsafe { owned(py, ffi::PyLong_FromLongLong(value)) }
}

/// A `float`.
#[inline]
pub(super) fn float(py: Python<'_>, value: f64) -> Made {
    // SAFETY: the GIL is held; the result is a new reference or null.
    unsafe { owned(py, ffi::PyFloat_FromDouble(value)) }
}

/// A `str`.
#[inline]
pub(super) fn string(py: Python<'_>, content: Content<'_>) -> Made {
    if content.ascii || bytes::is_short_ascii(content.bytes()) {
        ascii(py, content.bytes())
    } else {
        any(py, content)
    }
}

/// A `str` of bytes that are known to be ASCII.
#[inline]
pub(super) fn ascii(py: Python<'_>, bytes: &[u8]) -> Made {
    // SAFETY: a new reference or null.
    unsafe { owned(py, new_ascii(py, bytes)) }
}

/// The same as a new reference, or null with an exception raised: in a register, as it is made at every other value.
#[inline(never)]
fn new_ascii(py: Python<'_>, bytes: &[u8]) -> *mut ffi::PyObject {
    let length = bytes.len();
    if length > 1
        && let Some(Some(head)) = HEAD.get(py)
    {
        let needed = size_of::<ffi::PyASCIIObject>() + length + 1;
        // SAFETY: the GIL is held; memory for a head, the characters, and a NUL behind them. The head is that of a `str`
        // which CPython made and nobody had seen, but for the length; a tried one, see `head`.
        unsafe {
            let string = ffi::PyObject_Malloc(needed).cast::<ffi::PyASCIIObject>();
            if string.is_null() {
                return ffi::PyErr_NoMemory();
            }
            ptr::copy_nonoverlapping(&raw const head.0, string, 1);
            (*string).length = length.cast_signed();
            let data = string.add(1).cast::<u8>();
            copy_bytes(bytes, data);
            data.add(length).write(0);
            return string.cast();
        }
    }
    ascii_by_cpython(py, bytes)
}

/// The same, as CPython makes it.
#[inline(never)]
fn ascii_by_cpython(py: Python<'_>, bytes: &[u8]) -> *mut ffi::PyObject {
    if bytes.len() <= 1 {
        // CPython has these ready.
        let text = str::from_utf8(bytes).unwrap_or_default();
        return PyString::new(py, text).into_any().into_ptr();
    }
    // SAFETY: the GIL is held. A new `str` of this length and of ASCII kind has its characters, a byte each, behind its head;
    // nobody else has seen it.
    unsafe {
        let string = ffi::PyUnicode_New(bytes.len().cast_signed(), 127);
        if !string.is_null() {
            let data = string.cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
            copy_bytes(bytes, data);
        }
        string
    }
}

/// The head of a new `str` of ASCII; nothing if CPython does more to make one than to write it.
static HEAD: PyOnceLock<Option<Head>> = PyOnceLock::new();

struct Head(ffi::PyASCIIObject);

// SAFETY: numbers, and the address of a type that lives as long as the interpreter.
unsafe impl Send for Head {}
// SAFETY: as before; it never changes.
unsafe impl Sync for Head {}

/// Tries out what this file expects of CPython: how dicts are made from now on.
pub(in crate::py) fn prepare(py: Python<'_>) -> &'static str {
    HEAD.get_or_init(py, || if cfg!(secval_plain_str) { head(py) } else { None });
    if trusts_layout(py) { "templates" } else { "insertion" }
}

/// The head that strings of several lengths have in common.
fn head(py: Python<'_>) -> Option<Head> {
    let mut common = None;
    for length in [2, 7, 8, 40, 300, 5_000] {
        // SAFETY: the GIL is held; the result is a new reference or null.
        let string = unsafe { owned(py, ffi::PyUnicode_New(length, 127)) }.ok()?;
        let place = string.as_ptr().cast::<ffi::PyASCIIObject>();
        // SAFETY: a live `str` of ASCII kind, whose head is what is read, and behind whose characters a NUL was written.
        let (head, references, end) = unsafe {
            let characters = place.add(1).cast::<u8>();
            let end = characters.add(usize::try_from(length).ok()?).read();
            (place.read(), ffi::Py_REFCNT(string.as_ptr()), end)
        };
        // Of the state, CPython writes eight bits.
        let said = (head.ob_base.ob_type, head.hash, head.state & 0xff);
        if head.length != length || references != 1 || end != 0 {
            return None;
        }
        match common {
            None => common = Some((said, Head(head))),
            Some((same, _)) if same == said => {}
            Some(_) => return None,
        }
    }
    common.map(|(_, head)| head)
}

/// Copies some bytes, mostly few: two overlapping words are faster than a call.
///
/// # Safety
///
/// As many bytes may be written from `to` on.
#[inline]
unsafe fn copy_bytes(bytes: &[u8], to: *mut u8) {
    let length = bytes.len();
    // SAFETY: each write is of `N` bytes at a place of at most `length - N`.
    unsafe {
        if length > 32 {
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, length);
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk::<16>()) {
            to.cast::<[u8; 16]>().write_unaligned(*first);
            to.add(length - 16).cast::<[u8; 16]>().write_unaligned(*last);
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk::<8>()) {
            to.cast::<[u8; 8]>().write_unaligned(*first);
            to.add(length - 8).cast::<[u8; 8]>().write_unaligned(*last);
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk::<4>()) {
            to.cast::<[u8; 4]>().write_unaligned(*first);
            to.add(length - 4).cast::<[u8; 4]>().write_unaligned(*last);
        } else {
            for (index, byte) in bytes.iter().enumerate() {
                to.add(index).write(*byte);
            }
        }
    }
}

/// A `str` of text that may not be ASCII.
#[inline(never)]
fn any(py: Python<'_>, content: Content<'_>) -> Made {
    let part = content.part();
    let (count, width) = part.measure();
    let widest = match width {
        Width::Ascii => return ascii(py, content.bytes()),
        _ if count == 1 => return character(py, content.text()),
        Width::Byte => 0xFF,
        Width::Half => 0xFFFF,
        Width::Word => 0x10_FFFF,
    };
    // SAFETY: the GIL is held; the result is a new reference or null.
    let string = unsafe { owned(py, ffi::PyUnicode_New(size(count)?, widest)) }?;
    // SAFETY: a new `str` that is not ASCII has its characters behind this head, `count` of the width that its widest
    // character asks for; nobody else has seen it.
    let written = unsafe {
        let data = string.as_ptr().cast::<ffi::PyCompactUnicodeObject>().add(1);
        match width {
            Width::Ascii | Width::Byte => {
                part.write_bytes(slice::from_raw_parts_mut(data.cast(), count))
            }
            Width::Half => part.write_halves(slice::from_raw_parts_mut(data.cast(), count)),
            Width::Word => part.write_words(slice::from_raw_parts_mut(data.cast(), count)),
        }
    };
    if written == count { Ok(string) } else { Err(Fault::Torn) }
}

/// A `str` of one character, which CPython may have ready.
fn character(py: Python<'_>, text: &str) -> Made {
    let character = text.chars().next().map_or(0, u32::from);
    // SAFETY: the GIL is held; the result is a new reference or null.
    unsafe { owned(py, ffi::PyUnicode_FromOrdinal(character.cast_signed())) }
}

/// What is kept for all threads. Only who holds the GIL looks at it, and it is taken by one at a time.
pub(in crate::py) struct Shared<T> {
    taken: Cell<bool>,
    kept: UnsafeCell<Option<T>>,
}

// SAFETY: both cells are used with the GIL held alone, as `py` says each time.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: what is kept are Python objects, which belong to no thread, and numbers.
unsafe impl<T> Send for Shared<T> {}

/// What is kept, until it is dropped: by whoever took it, while the GIL is held.
pub(super) struct Taken<'py, 's, T> {
    mark: &'s Cell<bool>,
    kept: &'s mut T,
    _held: PhantomData<Python<'py>>,
}

impl<T> Shared<T> {
    pub(in crate::py) const fn new() -> Self {
        Self { taken: Cell::new(false), kept: UnsafeCell::new(None) }
    }

    /// What is kept, made at its first use. Not while another thread, or a finalizer that runs while objects are made, has
    /// it: do without.
    #[inline]
    pub(super) fn take<'py>(&self, py: Python<'py>) -> Option<Taken<'py, '_, T>>
    where
        T: Kept,
    {
        if self.taken.replace(true) {
            return None;
        }
        // SAFETY: nobody else has it: it is marked as taken, and only who took it gives it back.
        let kept = unsafe { &mut *self.kept.get() };
        let mark = &self.taken;
        Some(Taken { mark, kept: kept.get_or_insert_with(|| T::new(py)), _held: PhantomData })
    }
}

/// What can be kept.
pub(super) trait Kept {
    fn new(py: Python<'_>) -> Self;
}

impl<T> Deref for Taken<'_, '_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.kept
    }
}

impl<T> DerefMut for Taken<'_, '_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.kept
    }
}

impl<T> Drop for Taken<'_, '_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mark.set(false);
    }
}

/// The characters of a `str` that this file has made of ASCII.
#[inline]
pub(super) fn ascii_bytes(string: &Py<PyAny>) -> &[u8] {
    let head = string.as_ptr().cast::<ffi::PyASCIIObject>();
    // SAFETY: a live `str` of ASCII kind, which never changes; its characters, a byte each, are behind its head.
    unsafe {
        let length = usize::try_from((*head).length).unwrap_or(0);
        slice::from_raw_parts(head.add(1).cast::<u8>(), length)
    }
}

/// Whether the garbage collector may have to look at an object.
#[inline]
fn is_container(object: &Py<PyAny>) -> bool {
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

/// Whether a template has these names, in this order: the same objects.
#[inline]
pub(super) fn has_names(template: &Py<PyDict>, names: &[Py<PyAny>]) -> bool {
    // SAFETY: a template is a live dict that nobody else can reach.
    let entries = unsafe { entries(template.as_ptr()) };
    let same = |(entry, name): (&Entry, &Py<PyAny>)| entry.name == name.as_ptr();
    entries.len() == names.len() && entries.iter().zip(names).all(same)
}

/// The entries of a dict that holds nothing but `str` keys, none of them ever removed; of any other dict, none.
///
/// # Safety
///
/// A live dict, of a layout that was found to be as expected or is being tried, and that nobody else can reach while
/// the slice lives.
#[expect(clippy::cast_ptr_alignment, reason = "the indices are 8 bytes or a multiple of that")]
unsafe fn entries<'d>(dict: *mut ffi::PyObject) -> &'d [Entry] {
    let dict = dict.cast::<ffi::PyDictObject>();
    // SAFETY: as promised by the caller; the layout is that of the versions for which this file is compiled. A
    // combined table has no values of its own.
    unsafe {
        if !(*dict).ma_values.is_null() {
            return &[];
        }
        let keys = (*dict).ma_keys.cast::<Keys>();
        // Of an empty dict CPython has keys of its own, with no room for entries.
        if (*keys).kind != UNICODE || (*keys).used != (*dict).ma_used || (*keys).used == 0 {
            return &[];
        }
        let indices = keys.add(1).cast::<u8>();
        let entries = indices.add(1 << (*keys).log2_index_bytes).cast::<Entry>();
        slice::from_raw_parts(entries, usize::try_from((*keys).used).unwrap_or(0))
    }
}

/// Whether dicts have the layout that this file expects, and may be copied from templates: it is tried when the module is
/// imported, and `SECVAL_TEMPLATES=0` in the environment says no.
pub(super) fn trusts_layout(py: Python<'_>) -> bool {
    static KNOWN: PyOnceLock<bool> = PyOnceLock::new();
    *KNOWN.get_or_init(py, || {
        let wanted = std::env::var_os("SECVAL_TEMPLATES").is_none_or(|wanted| wanted != "0");
        wanted && layout_is_known(py).unwrap_or(false)
    })
}

/// The same, tried out on some.
fn layout_is_known(py: Python<'_>) -> PyResult<bool> {
    for count in [1_isize, 5, 6, 30, 100] {
        let dict = PyDict::new(py);
        let names: Vec<_> = (0..count).map(|n| PyString::new(py, &format!("name {n}"))).collect();
        for name in &names {
            dict.set_item(name, name)?;
        }
        let copy = dict.copy()?;
        for dict in [&dict, &copy] {
            let head = dict.as_ptr().cast::<ffi::PyDictObject>();
            // SAFETY: a live dict; a table of keys is never smaller than its head.
            let (used, kind, index_bytes, size) = unsafe {
                let keys = (*head).ma_keys.cast::<Keys>();
                ((*keys).used, (*keys).kind, (*keys).log2_index_bytes, (*keys).log2_size)
            };
            let plausible = used == count
                && kind == UNICODE
                && index_bytes == if size < 8 { size.max(3) } else { size + 1 }
                && size <= 8;
            if !plausible {
                return Ok(false);
            }
            // SAFETY: a live dict of this function's own.
            let entries = unsafe { entries(dict.as_ptr()) };
            let same = entries.iter().zip(&names).all(|(entry, name)| {
                entry.name == name.as_ptr() && entry.value.get() == name.as_ptr()
            });
            if entries.len() != names.len() || !same {
                return Ok(false);
            }
        }
        if !copies_as_insertion_does(py, &dict, &names)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The version of a dict, by which its state is told from all others'.
#[allow(
    deprecated,
    reason = "since 3.12; it is there in all versions for which this file is compiled"
)]
fn version(dict: &Bound<'_, PyAny>) -> u64 {
    // SAFETY: a live dict.
    unsafe { (*dict.as_ptr().cast::<ffi::PyDictObject>()).ma_version_tag }
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
        let template = template.clone().unbind();
        let Ok(Some(mut copying)) = copy(py, &template, names.len()) else {
            return Ok(false);
        };
        for name in names {
            copying.write(value()?.unbind());
            inserted.set_item(name, value()?)?;
        }
        let written = copying.finish().into_bound(py);
        let versions =
            [written.as_any(), inserted.as_any(), template.bind(py).as_any()].map(version);
        let [own, inserted_version, template_version] = versions;
        // Whoever has cached something of another dict must not take this one for it.
        let is_new = own != inserted_version && own != template_version;
        // Since 3.12 the lowest bits say who watches a dict: nobody watches one that is new.
        let unwatched = py.version_info() < (3, 12) || own.trailing_zeros() >= 8;
        if !written.eq(&inserted)?
            || tracked(&written) != tracked(inserted.as_any())
            || !is_new
            || !unwatched
        {
            return Ok(false);
        }
    }
    if template.len() != names.len() {
        return Err(PySystemError::new_err("a template was changed"));
    }
    Ok(true)
}
