//! `secval.IPSet`.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

use super::{Outcome, listed, raised};
use crate::check::{self, AddressFault, IpSetFault, network_of, parse_address};
use crate::policy;
use crate::py::errors;
use crate::py::schema::Violation;

const KEYWORD: &str = "address";

/// A set of IPv4 and IPv6 prefixes; the longest that covers an address decides.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is its IPv4 address, in the set and in what is asked.
/// `::/0` is all of IPv6 and no IPv4.
///
/// Addresses are asked for as text or as `ipaddress` objects. Text that is no address, or has a zone, is
/// neither in the set nor out of it: `in` and `longest_match` raise, so that a deny list never lets pass
/// what it could not read.
///
/// Args:
///     prefixes: `"10.0.0.0/8"`, `"2001:db8::/32"`, `"192.0.2.1"`, or `ipaddress` objects. May be empty.
///
/// Raises:
///     PolicyError: Every entry that is malformed, has a zone, or bits set behind its prefix; its pointer is
///         `/INDEX`.
#[pyclass(frozen, name = "IPSet", module = "secval._core")]
pub(in crate::py) struct IpSet(check::IpSet);

#[pymethods]
impl IpSet {
    #[new]
    #[pyo3(signature = (prefixes=None, /), text_signature = "(prefixes=(), /)")]
    fn new(py: Python<'_>, prefixes: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let texts = prefixes.map(entries).transpose()?.unwrap_or_default();
        let set = check::IpSet::new(texts.iter().map(String::as_str));
        set.map(Self).map_err(|faults| {
            let fault = |it: &IpSetFault| fault("addresses", format!("/{}", it.line), 0, &it.kind);
            errors::policy(py, &faults.iter().map(fault).collect::<Vec<_>>())
        })
    }

    /// Reads a file of one prefix a line; `#` and `;` begin comments.
    ///
    /// Args:
    ///     path: The file.
    ///     allow_empty: Without it, a file without a prefix is an error: a feed cut short would allow or deny
    ///         nothing.
    ///
    /// Raises:
    ///     PolicyError: Every fault of the file, with its line.
    ///     OSError: The file cannot be read.
    #[classmethod]
    #[pyo3(signature = (path, *, allow_empty=false))]
    fn from_file(
        _class: &Bound<'_, PyType>,
        path: &Bound<'_, PyAny>,
        allow_empty: bool,
    ) -> PyResult<Self> {
        let py = path.py();
        let name = path.extract::<PathBuf>()?.display().to_string();
        let file = py.import("pathlib")?.getattr("Path")?.call1((path,))?;
        let bytes = file.call_method0("read_bytes")?.extract::<Vec<u8>>()?;
        // A comment may be in any encoding; elsewhere a replacement character is malformed like any other.
        let set = check::IpSet::parse(&String::from_utf8_lossy(&bytes)).map_err(|faults| {
            let fault = |it: &IpSetFault| fault(&name, String::new(), it.line, &it.kind);
            errors::policy(py, &faults.iter().map(fault).collect::<Vec<_>>())
        })?;
        if set.is_empty() && !allow_empty {
            let message = "no prefix in it; `allow_empty=True` if that is meant";
            return Err(errors::policy(py, &[fault(&name, String::new(), 0, &message)]));
        }
        Ok(Self(set))
    }

    fn __contains__(&self, address: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.0.contains(known(address)?))
    }

    /// The longest prefix that covers the address, as text; None if there is none.
    #[pyo3(signature = (address, /))]
    fn longest_match(&self, address: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
        Ok(self.0.longest_match(known(address)?).map(|net| net.to_string()))
    }

    /// What is wrong with the address: nothing if the set covers it, or one violation. Never raises for text.
    #[pyo3(signature = (address, /))]
    fn check(&self, address: &Bound<'_, PyAny>) -> PyResult<Vec<Violation>> {
        Ok(listed(KEYWORD, self.judge(address)?))
    }

    /// Raises `ValidationError` unless the set covers the address.
    #[pyo3(signature = (address, /))]
    fn validate(&self, address: &Bound<'_, PyAny>) -> PyResult<()> {
        raised(address.py(), KEYWORD, self.judge(address)?)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let texts = self.texts().into_pyobject(py)?;
        Ok(texts.try_iter()?.into_any().unbind())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.texts().join(" ").into_pyobject(py)?.hash()
    }

    fn __getnewargs__(&self) -> (Vec<String>,) {
        (self.texts(),)
    }

    fn __repr__(&self) -> String {
        format!("<secval.IPSet of {} prefixes>", self.0.len())
    }
}

/// Whom to count for an address: its network, as a key for a `Limiter`.
///
/// One subscriber has many IPv6 addresses, as a rule a /64 of them, and would have a quota for each.
///
/// Args:
///     address: Text or an `ipaddress` object; an IPv4-mapped IPv6 address is its IPv4.
///     v4: Bits of an IPv4 address that count, 0 to 32.
///     v6: Bits of an IPv6 address that count, 0 to 128.
///
/// Raises:
///     ValidationError: The text is no address, or has a zone.
///     UsageError: More bits than an address has.
///
/// Example:
///     >>> secval.network_key("192.0.2.7"), secval.network_key("2001:db8::7:1")
///     ('192.0.2.7/32', '2001:db8::/64')
#[pyfunction]
#[pyo3(signature = (address, *, v4=32, v6=64))]
pub(in crate::py) fn network_key(address: &Bound<'_, PyAny>, v4: i64, v6: i64) -> PyResult<String> {
    let bits = |given: i64, most| u8::try_from(given).ok().filter(|bits| *bits <= most);
    let (Some(v4), Some(v6)) = (bits(v4, 32), bits(v6, 128)) else {
        let message = "network_key: an address has 32 bits (v4) or 128 (v6)";
        return Err(errors::usage(address.py(), message));
    };
    let network = network_of(known(address)?, v4, v6);
    Ok(network.map(|net| net.to_string()).unwrap_or_default())
}

impl IpSet {
    fn texts(&self) -> Vec<String> {
        self.0.iter().map(|net| net.to_string()).collect()
    }

    fn judge(&self, address: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        Ok(match read(address)? {
            Ok(address) if self.0.contains(address) => Ok(()),
            Ok(_) => Err(("address.unlisted", "is not one of the allowed addresses")),
            Err(fault) => Err(malformed(fault)),
        })
    }
}

fn malformed(fault: AddressFault) -> (&'static str, &'static str) {
    if fault == AddressFault::Zone {
        ("address.zone", "is an address with a zone")
    } else {
        ("address.malformed", "is not an IPv4 or IPv6 address")
    }
}

/// An address that was asked for; whoever asks with something else is told so.
fn known(address: &Bound<'_, PyAny>) -> PyResult<IpAddr> {
    let refuse = |fault| errors::validation(address.py(), listed(KEYWORD, Err(malformed(fault))));
    read(address)?.map_err(refuse)
}

fn read(address: &Bound<'_, PyAny>) -> PyResult<Result<IpAddr, AddressFault>> {
    if let Ok(text) = address.cast::<PyString>() {
        return Ok(text.to_str().map_or(Err(AddressFault::Malformed), parse_address));
    }
    if is_one_of(address, &[&IPV4_ADDRESS])? {
        return Ok(Ok(IpAddr::from(address.getattr("packed")?.extract::<[u8; 4]>()?)));
    }
    if is_one_of(address, &[&IPV6_ADDRESS])? {
        // Its zone is in its text, and not in its bytes.
        if !address.getattr("scope_id")?.is_none() {
            return Ok(Err(AddressFault::Zone));
        }
        return Ok(Ok(IpAddr::from(address.getattr("packed")?.extract::<[u8; 16]>()?)));
    }
    let kind = address.get_type().name()?;
    Err(PyTypeError::new_err(format!("an address is str or an ipaddress address, not {kind}")))
}

fn entries(prefixes: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if prefixes.is_instance_of::<PyString>() {
        return Err(errors::usage(prefixes.py(), "IPSet: a collection of prefixes, not one text"));
    }
    let known = [&IPV4_NETWORK, &IPV6_NETWORK, &IPV4_ADDRESS, &IPV6_ADDRESS];
    let entry = |entry: Bound<'_, PyAny>| {
        if entry.is_instance_of::<PyString>() || is_one_of(&entry, &known)? {
            // A lone surrogate becomes an entry that is malformed.
            return Ok(entry.str()?.to_string_lossy().into_owned());
        }
        let kind = entry.get_type().name()?;
        let message = format!("an entry is str or an ipaddress object, not {kind}");
        Err(PyTypeError::new_err(message))
    };
    prefixes.try_iter()?.map(|it| entry(it?)).collect()
}

/// A fault of a list, as a policy's.
fn fault(file: &str, pointer: String, line: usize, message: &dyn Display) -> policy::Fault {
    policy::Fault { file: file.to_owned(), pointer, line, message: message.to_string() }
}

/// A class of the standard library's `ipaddress`, imported when it is first asked for.
struct Class(&'static str, PyOnceLock<Py<PyType>>);

static IPV4_ADDRESS: Class = Class("IPv4Address", PyOnceLock::new());
static IPV6_ADDRESS: Class = Class("IPv6Address", PyOnceLock::new());
static IPV4_NETWORK: Class = Class("IPv4Network", PyOnceLock::new());
static IPV6_NETWORK: Class = Class("IPv6Network", PyOnceLock::new());

fn is_one_of(value: &Bound<'_, PyAny>, classes: &[&'static Class]) -> PyResult<bool> {
    for Class(name, cell) in classes {
        if value.is_instance(cell.import(value.py(), "ipaddress", name)?)? {
            return Ok(true);
        }
    }
    Ok(false)
}
