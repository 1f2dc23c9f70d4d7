//! A Python number, date or time, as something that compares in Rust.
//!
//! Instants become microseconds since year 1 in UTC, dates their ordinal, integers that fit and floats
//! [`Number`]s: none of these comparisons runs Python code or rounds. Only large integers and `Decimal`s are
//! compared by Python, exactly, as plain `int` and `decimal.Decimal`.

use std::cmp::Ordering;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyFloat, PyInt, PyTimeAccess,
    PyType,
};

use crate::check::Number;

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Decimal,
    Date,
    /// A datetime without a zone.
    Naive,
    /// A datetime with a zone.
    Aware,
}

impl Kind {
    /// The kind of a range between bounds of two kinds: an integer goes with floats and with Decimals, nothing
    /// else goes together.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Self::Int, real @ (Self::Float | Self::Decimal))
            | (real @ (Self::Float | Self::Decimal), Self::Int) => Some(real),
            _ => None,
        }
    }

    /// Whether a range of this kind may hold a value of the other: `1.0` is no `1`, but 1 is a number among
    /// floats.
    pub(super) fn holds(self, value: Self) -> bool {
        self.joined(value) == Some(self)
    }
}

/// A value of a known kind, ready to compare with others of a kind that goes with it.
pub(super) enum Comparable {
    Number(Number),
    /// A large `int`, or a `Decimal` that is not NaN; no subclass, so that comparing runs no code of others.
    Exact(Py<PyAny>),
    /// Days, or microseconds, since the beginning of year 1.
    Time(i64),
}

impl Comparable {
    /// `None` for a value of no known kind.
    pub(super) fn of(value: &Bound<'_, PyAny>) -> PyResult<Option<(Kind, Self)>> {
        if value.is_instance_of::<PyBool>() {
            return Ok(None);
        }
        if let Ok(int) = value.cast::<PyInt>() {
            return of_int(int).map(|it| Some((Kind::Int, it)));
        }
        if let Ok(float) = value.cast::<PyFloat>() {
            return Ok(Some((Kind::Float, Self::Number(Number::Float(float.value())))));
        }
        if let Ok(datetime) = value.cast::<PyDateTime>() {
            return of_datetime(datetime).map(Some);
        }
        if let Ok(date) = value.cast::<PyDate>() {
            return Ok(Some((Kind::Date, Self::Time(ordinal(date)))));
        }
        Ok(of_decimal(value)?.map(|it| (Kind::Decimal, it)))
    }
}

impl PartialEq for Comparable {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Comparable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Time(_), _) | (_, Self::Time(_)) => None,
            // NaN, before Python raises over it.
            (Self::Number(Number::Float(nan)), _) | (_, Self::Number(Number::Float(nan)))
                if nan.is_nan() =>
            {
                None
            }
            // Comparing plain numbers fails for want of memory only; then the value is in no range.
            (a, b) => Python::attach(|py| a.python(py).ok()?.compare(b.python(py).ok()?).ok()),
        }
    }
}

impl Comparable {
    fn python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Number(Number::Int(int)) | Self::Time(int) => int.into_pyobject(py)?.into_any(),
            Self::Number(Number::Float(float)) => PyFloat::new(py, *float).into_any(),
            Self::Exact(value) => value.bind(py).clone(),
        })
    }
}

fn of_int(int: &Bound<'_, PyInt>) -> PyResult<Comparable> {
    if let Ok(small) = int.extract::<i64>() {
        return Ok(Comparable::Number(Number::Int(small)));
    }
    // `int`'s own conversion: a subclass may compare in another way.
    let plain = int.py().get_type::<PyInt>().call_method1("__int__", (int,))?;
    Ok(Comparable::Exact(plain.unbind()))
}

fn of_decimal(value: &Bound<'_, PyAny>) -> PyResult<Option<Comparable>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = DECIMAL.import(value.py(), "decimal", "Decimal")?;
    if !value.is_instance(class)? {
        return Ok(None);
    }
    let plain = class.call1((value,))?;
    if plain.call_method0("is_nan")?.is_truthy()? {
        return Ok(Some(Comparable::Number(Number::Float(f64::NAN))));
    }
    Ok(Some(Comparable::Exact(plain.unbind())))
}

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

fn of_datetime(datetime: &Bound<'_, PyDateTime>) -> PyResult<(Kind, Comparable)> {
    let seconds = i64::from(datetime.get_hour()) * 3600
        + i64::from(datetime.get_minute()) * 60
        + i64::from(datetime.get_second());
    let micros = seconds * 1_000_000 + i64::from(datetime.get_microsecond());
    let local = ordinal(datetime) * MICROSECONDS_A_DAY + micros;
    // Asked even with a zone set: a zone may not know its offset, and then Python counts the time as naive.
    let offset = datetime.call_method0("utcoffset")?;
    let Ok(offset) = offset.cast::<PyDelta>() else {
        return Ok((Kind::Naive, Comparable::Time(local)));
    };
    let seconds = i64::from(offset.get_days()) * 86_400 + i64::from(offset.get_seconds());
    let offset = seconds * 1_000_000 + i64::from(offset.get_microseconds());
    Ok((Kind::Aware, Comparable::Time(local - offset)))
}

/// Days since 0001-01-01 in the proleptic Gregorian calendar.
fn ordinal(date: &impl PyDateAccess) -> i64 {
    // Years begin in March here, so that the leap day is the last one (H. Hinnant, chrono-Compatible Low-Level
    // Date Algorithms, `days_from_civil`). Years are 1 to 9999: nothing is negative.
    let (month, day) = (i64::from(date.get_month()), i64::from(date.get_day()));
    let year = i64::from(date.get_year()) - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 306
}
