//! Dates and times of RFC 3339, 5.6: the formats `date`, `time` and `date-time`.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

const DAYS: [u16; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// `full-date`: a day that there is.
pub(super) fn is_date(text: &str) -> bool {
    date(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// `full-time`: with an offset, and a leap second only where one can be.
pub(super) fn is_time(text: &str) -> bool {
    time(text.as_bytes()).is_some()
}

/// `date-time`.
pub(super) fn is_date_time(text: &str) -> bool {
    match date(text.as_bytes()) {
        Some([b'T' | b't', rest @ ..]) => time(rest).is_some(),
        Some(_) | None => false,
    }
}

/// What comes after a date.
fn date(text: &[u8]) -> Option<&[u8]> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    let days = DAYS.get(usize::from(month.checked_sub(1)?))?;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let longer = u16::from(month == 2 && is_leap);
    (1..=days.saturating_add(longer)).contains(&day).then_some(rest)
}

/// A time and its offset, and nothing after them.
fn time(text: &[u8]) -> Option<()> {
    let (hour, minute, rest) = hour_and_minute(text)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            fraction.get(count..).filter(|_| count > 0)?
        }
        _ => rest,
    };
    // Minutes to be taken off, modulo a day, to have it in UTC.
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let (hours, minutes, []) = hour_and_minute(offset)? else { return None };
            let ahead = hours.saturating_mul(60).saturating_add(minutes);
            if *sign == b'+' { ahead } else { DAY.saturating_sub(ahead) }
        }
        _ => return None,
    };
    let local = hour.saturating_mul(60).saturating_add(minute).saturating_add(DAY);
    let is_last = local.saturating_sub(offset) % DAY == DAY - 1;
    (second < 60 || (second == 60 && is_last)).then_some(())
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

fn hour_and_minute(text: &[u8]) -> Option<(u16, u16, &[u8])> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    (hour < 24 && minute < 60).then_some((hour, minute, rest))
}

/// The number that so many digits write, four at most, and what comes after it.
fn digits(text: &[u8], count: usize) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits.iter().try_fold(0_u16, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(u16::from(value))
    });
    Some((number?, rest))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for text in ["2020-02-29", "2000-02-29", "0000-02-29", "9999-12-31", "2021-04-30"] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "2021-02-29",
            "1900-02-29",
            "2021-04-31",
            "2021-00-01",
            "2021-13-01",
            "2021-01-00",
            "2021-1-01",
            "21-01-01",
            "2021-01-01 ",
            "2021/01/01",
            "২021-01-01",
            "+021-01-01",
            "",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn leap_seconds_are_where_they_can_be() {
        for text in [
            "23:59:60Z",
            "23:59:60.5z",
            "00:29:60+00:30",
            "15:59:60-08:00",
            "01:29:60+01:30",
            "23:29:60+23:30",
            "23:59:60-00:00",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in ["23:58:60Z", "22:59:60Z", "23:59:60+00:01", "23:59:61Z", "15:59:60+08:00"] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn times_have_an_offset_and_digits_alone() {
        for text in ["00:00:00Z", "12:34:56.789+23:59", "12:34:56-00:00"] {
            assert!(is_time(text), "{text}");
            assert!(is_date_time(&format!("2020-12-31T{text}")), "{text}");
            assert!(is_date_time(&format!("2020-12-31t{text}")), "{text}");
        }
        for text in [
            "12:34:56",
            "24:00:00Z",
            "12:60:00Z",
            "12:34:56.Z",
            "12:34Z",
            "12:34:56+24:00",
            "12:34:56+00:60",
            "12:34:56+0000",
            "12:34:56ZZ",
            "1,:00:00Z",
            "12:34:56 Z",
        ] {
            assert!(!is_time(text), "{text}");
            assert!(!is_date_time(&format!("2020-12-31T{text}")), "{text}");
        }
        assert!(!is_date_time("2020-12-31 12:34:56Z"));
        assert!(!is_date_time("2020-12-31"));
    }

    /// What is not a digit is none, whatever place it takes.
    #[test]
    fn no_other_character_takes_the_place_of_one() {
        let text = "2020-12-31T23:59:59.5+00:00";
        for at in 0..text.len() {
            for byte in 0..128_u8 {
                let mut other = text.as_bytes().to_vec();
                if other[at] == byte {
                    continue;
                }
                other[at] = byte;
                let other = String::from_utf8(other).expect("ASCII");
                let digit = text.as_bytes()[at].is_ascii_digit() && byte.is_ascii_digit();
                let same = matches!((text.as_bytes()[at], byte), (b'T', b't') | (b'+', b'-'));
                assert!(digit || same || !is_date_time(&other), "{other:?}");
            }
        }
    }
}
