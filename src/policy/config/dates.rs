//! Dates: `2026-09-01` is its midnight in UTC; a time needs an offset.

use toml::value::{Datetime, Offset};

use crate::policy::fault::Faults;
use crate::policy::source::At;

/// Seconds since 1970, or a fault.
pub(super) fn read(at: &At<'_>, faults: &mut Faults) -> Option<i64> {
    let seconds = at.str().and_then(|text| text.parse().ok()).and_then(seconds);
    if seconds.is_none() {
        let message =
            "expected a date such as 2026-09-01 (its midnight in UTC), or a time with an offset";
        faults.push(at.fault(message));
    }
    seconds
}

/// `None` for a time without a date, or without an offset: whose clock would it be?
fn seconds(value: Datetime) -> Option<i64> {
    let date = value.date?;
    let days = days(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let (time, offset) = match (value.time, value.offset) {
        (None, None) => return Some(days * 86_400),
        (Some(time), Some(offset)) => (time, offset),
        _ => return None,
    };
    let minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let within = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60;
    let seconds = time.second.map_or(0, i64::from);
    Some(days * 86_400 + within + seconds - minutes * 60)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, year 0 to 9999: Howard Hinnant's
/// `days_from_civil`, whose years begin in March so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_midnight_and_times_need_an_offset() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-86_400)),
            ("2000-02-29", Some(951_782_400)),
            ("2026-09-01", Some(1_788_220_800)),
            ("2026-09-01T12:30:05Z", Some(1_788_265_805)),
            ("2026-09-01T12:30:05+02:00", Some(1_788_258_605)),
            ("2026-09-01T12:30:05", None),
            ("12:30:05", None),
        ] {
            let parsed: Option<Datetime> = text.parse().ok();
            assert_eq!(parsed.and_then(seconds), expected, "{text}");
        }
        assert!("2026-02-30".parse::<Datetime>().is_err());
    }
}
