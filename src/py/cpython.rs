//! Python objects by CPython's own means: everything unsafe that makes them is in this file.
//!
//! It is compiled for CPython 3.11, 3.12 and 3.13 with the GIL, which it was tested with, and for nothing else
//! (see `build.rs`). What it does beyond the public, safe API, and why that pays:
//!
//! - **Text** is written into a `str` of the right size and kind, without the decoder's searching and growing.
//! - **Names** come from a bounded table of `str`s that were made before, with their hashes computed.
//! - **Lists** are filled by moving pointers.
//! - **Dicts** are made at their final size (`_PyDict_NewPresized`).
//! - **Templates**: an object whose names, in their order, have been seen before is a copy of a dict with those
//!   names, into which the values are written as they are made. The names are compared, all of them, before the copy is
//!   made, and nothing is looked up. This relies on the layout of a dict's entries, which a test at first use has to find
//!   as expected; otherwise it is not done.
//!
//! Nobody sees what is half made: a copy is not known to the garbage collector before it is full, and other lists and
//! dicts are made when all that they hold is there, on a pile.
//!
//! Both tables are bounded, so no sequence of texts makes memory grow; they are shared by all threads and used
//! only by the one that gets hold of them, which under the GIL is nearly always the one that asks.

#![expect(
    unsafe_code,
    reason = "objects are made of uninitialised parts: half the time of the safe API"
)]

use std::cell::{Cell, UnsafeCell};
use std::hash::{BuildHasher, Hasher};
use std::marker::PhantomData;
use std::mem::{replace, take};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::slice;

use foldhash::quality::RandomState;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyString};

use super::objects::{big_integer, torn};
use crate::bytes;
use crate::bytes::units::Width;
use crate::json::{Content, Number, Token, Tokens, Value};

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

/// Places for shapes of objects, two in each. With [`TEMPLATE_MEMBERS`] this bounds the table to some 3 MiB.
const TEMPLATES: usize = 512;

/// Members of the largest object that is copied from a template.
const TEMPLATE_MEMBERS: usize = 128;

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

/// The memory of all threads.
static MEMORY: Shared<Memory> = Shared::new();

/// Nodes from which on the collector waits until all objects are there. It looks at every new container again and again,
/// a third of the time of a megabyte; bodies of some kilobytes are done before it would run more than once or twice.
const PAUSE_FROM: usize = 10_000;

/// The collector waits as long as this lives, if it was on. Nothing is lost: it counts what is made, and runs at the
/// next container that is made afterwards.
struct Paused {
    was_on: bool,
}

impl Paused {
    fn new() -> Self {
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
pub(super) enum Fault {
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

type Made = Result<Py<PyAny>, Fault>;

/// A container that is not finished. It is moved at every bracket, so it is made of whole words.
struct Frame {
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

/// Where the children of a container begin on the pile.
#[derive(Clone, Copy)]
pub(super) struct Opened {
    values: usize,
    pub(super) names: usize,
    /// Names so far that are not of the kind that is remembered.
    uncommon: usize,
}

/// What has been made and is not in a container yet.
#[derive(Default)]
struct Pile {
    values: Vec<Py<PyAny>>,
    names: Vec<Py<PyAny>>,
}

impl Pile {
    #[inline]
    fn open(&self) -> Opened {
        Opened { values: self.values.len(), names: self.names.len(), uncommon: 0 }
    }

    #[inline]
    fn clear(&mut self, py: Python<'_>) {
        for objects in [&mut self.values, &mut self.names] {
            if !objects.is_empty() {
                release(py, objects.drain(..));
            }
            objects.shrink_to(SPARE);
        }
    }

    /// A list of what lies here.
    #[inline(never)]
    fn list(&mut self, py: Python<'_>, from: Opened) -> Made {
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
    fn dict(&mut self, py: Python<'_>, from: Opened, templates: Option<&mut Templates>) -> Made {
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
    fn copy(
        &mut self,
        py: Python<'_>,
        from: usize,
        template: &Py<PyDict>,
    ) -> Result<Option<Py<PyAny>>, Fault> {
        let count = self.values.len().saturating_sub(from);
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
struct Copying {
    dict: Py<PyAny>,
    /// The entry of the next value.
    next: *const Entry,
    /// Of the values so far, those that are containers.
    containers: usize,
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
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Integer(value) => unsafe { owned(py, ffi::PyLong_FromLongLong(value)) }?,
                Token::BigInteger(text) => big_integer(py, text)?.unbind(),
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Float(value) => unsafe { owned(py, ffi::PyFloat_FromDouble(value)) }?,
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Array(0) => unsafe { owned(py, ffi::PyList_New(0)) }?,
                // SAFETY: the GIL is held; the result is a new reference or null.
                Token::Object(0) => unsafe { owned(py, ffi::PyDict_New()) }?,
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

/// Objects that are made one by one, in the order of a text that is being read.
pub(super) struct Pieces<'py> {
    py: Python<'py>,
    memory: Taken<'py, 'static, Memory>,
}

/// The `str` of a name.
pub(super) struct KnownName {
    name: Py<PyAny>,
    /// It is of the kind that is remembered.
    common: bool,
}

impl Shape {
    pub(super) fn release(self, py: Python<'_>) {
        release(py, Some(self.0.into_any()));
    }
}

impl KnownName {
    pub(super) fn release(self, py: Python<'_>) {
        release(py, Some(self.name));
    }

    pub(super) fn again(&self, py: Python<'_>) -> Self {
        Self { name: self.name.clone_ref(py), common: self.common }
    }
}

/// The names of an object, in their order, as a dict to be copied.
pub(super) struct Shape(Py<PyDict>);

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
            // SAFETY: the GIL is held; the result is a new reference or null.
            unsafe { owned(self.py, ffi::PyFloat_FromDouble(number.as_f64())) }?
        } else if let Some(value) = number.as_i64() {
            // SAFETY: the GIL is held; the result is a new reference or null.
            unsafe { owned(self.py, ffi::PyLong_FromLongLong(value)) }?
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
        let content = Content::of(name);
        let common = is_common(content);
        let name = if common {
            self.memory.names.get(self.py, content.bytes())?
        } else {
            string(self.py, content)?
        };
        Ok(KnownName { name, common })
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

impl Copying {
    #[inline]
    fn write(&mut self, value: Py<PyAny>) {
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
    fn finish(self) -> Py<PyAny> {
        // As insertion does: a dict is watched by the garbage collector once it holds what is.
        if self.containers > 0 {
            // SAFETY: a live dict that is not tracked yet: `copy` has seen to that.
            unsafe { ffi::PyObject_GC_Track(self.dict.as_ptr().cast()) };
        }
        self.dict
    }
}

/// A copy of a template, ready for so many values; nothing if it is not what it must be.
fn copy(py: Python<'_>, template: &Py<PyDict>, count: usize) -> Result<Option<Copying>, Fault> {
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
fn release(py: Python<'_>, objects: impl IntoIterator<Item = Py<PyAny>>) {
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

fn size(count: usize) -> Result<ffi::Py_ssize_t, Fault> {
    ffi::Py_ssize_t::try_from(count).map_err(|_| Fault::Torn)
}

/// Whether a name is of the kind that is remembered.
#[inline]
fn is_common(name: Content<'_>) -> bool {
    name.bytes().len() <= NAME_BYTES && (name.ascii || name.bytes().is_ascii())
}

/// A `str`.
#[inline]
fn string(py: Python<'_>, content: Content<'_>) -> Made {
    if content.ascii { ascii(py, content.bytes()) } else { any(py, content) }
}

/// A `str` of bytes that are known to be ASCII.
#[inline]
fn ascii(py: Python<'_>, bytes: &[u8]) -> Made {
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

/// Tries out what this file expects of CPython.
pub(super) fn prepare(py: Python<'_>) {
    HEAD.get_or_init(py, || if cfg!(secval_plain_str) { head(py) } else { None });
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

/// Places on the pile, and open containers, that are kept for the next text.
const SPARE: usize = 1 << 10;

/// What is kept for all threads. Only who holds the GIL looks at it, and it is taken by one at a time.
pub(super) struct Shared<T> {
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
    pub(super) const fn new() -> Self {
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

/// What is remembered from text to text.
struct Memory {
    names: Names,
    templates: Templates,
    /// An empty pile, and no containers.
    pile: Pile,
    open: Vec<Frame>,
    opened: Vec<Opened>,
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
    fn get(&mut self, py: Python<'_>, text: &[u8]) -> Made {
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

/// Shapes that were met. Those with the same first name and as many members share a place.
struct Templates {
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
    fn find(&self, count: usize, tokens: &Tokens<'_>) -> Option<&Py<PyDict>> {
        let first = tokens.names().next()?;
        let place = self.places.get(self.place(count, first.bytes()))?;
        let mut templates = place.templates.iter().flatten();
        templates.find(|template| template.has(count, tokens)).map(|template| &template.dict)
    }

    /// The template of these names, all being `str`s of the table.
    #[inline]
    fn of(&self, names: &[Py<PyAny>]) -> Option<&Py<PyDict>> {
        let first = names.first()?;
        let place = self.places.get(self.place(names.len(), ascii_bytes(first)))?;
        let dicts = place.templates.iter().flatten().map(|template| &template.dict);
        dicts.into_iter().find(|dict| {
            // SAFETY: a live dict that nobody else can reach.
            let entries = unsafe { entries(dict.as_ptr()) };
            let same = |(entry, name): (&Entry, &Py<PyAny>)| entry.name == name.as_ptr();
            entries.len() == names.len() && entries.iter().zip(names).all(same)
        })
    }

    /// Remembers a shape that is met for the second time: its names, all being `str`s of the table.
    fn meet(&mut self, py: Python<'_>, names: &[Py<PyAny>]) -> Result<(), Fault> {
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

/// Whether dicts have the layout that this file expects.
fn trusts_layout(py: Python<'_>) -> bool {
    static KNOWN: PyOnceLock<bool> = PyOnceLock::new();
    *KNOWN.get_or_init(py, || layout_is_known(py).unwrap_or(false))
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
        if !written.eq(&inserted)? || tracked(&written) != tracked(inserted.as_any()) {
            return Ok(false);
        }
    }
    if template.len() != names.len() {
        return Err(PySystemError::new_err("a template was changed"));
    }
    Ok(true)
}
