//! What a plain YAML scalar means: the Core Schema of YAML 1.2 (10.3), and nothing of YAML 1.1.

use super::node::Data;

/// What the scalar is, or why it has no place in a document that means JSON.
pub(super) fn resolve(text: &str) -> Result<Data, &'static str> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        _ if is_infinite(text) => {
            return Err("JSON has neither infinity nor NaN: quote the value if it is text");
        }
        _ => match number(text) {
            Some(number) if number.parse::<f64>().is_ok_and(f64::is_infinite) => {
                return Err("the number is larger than any double: quote the value if it is text");
            }
            Some(number) => number.parse().map_or(Data::Null, Data::Number),
            None => Data::String(text.to_owned()),
        },
    })
}

/// Whether readers of YAML 1.1 take the plain scalar for something that JSON can say too, and that is not
/// what YAML 1.2 takes it for.
pub(super) fn is_doubtful(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_start_matches(['-', '+']);
    let octal =
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let grouped = digits.contains('_')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_hexdigit() || b"_.x".contains(&b));
    matches!(lower.as_str(), "yes" | "no" | "on" | "off") || octal || grouped
}

fn is_infinite(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// The scalar as JSON writes it, if it is a number.
fn number(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let decimal = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if !decimal(whole) || !decimal(fraction.unwrap_or_default()) {
        return None;
    }
    if whole.is_empty() && fraction.unwrap_or_default().is_empty() {
        return None;
    }
    let whole = Some(whole.trim_start_matches('0')).filter(|w| !w.is_empty()).unwrap_or("0");
    let mut json = format!("{sign}{whole}");
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !decimal(digits) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    Some(json)
}

fn radix(digits: &str, radix: u32) -> Option<String> {
    // The parser of the standard library would take a sign.
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    u128::from_str_radix(digits, radix).ok().filter(|_| plain).map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match resolve(text) {
            Ok(Data::Null) => "null".to_owned(),
            Ok(Data::Bool(value)) => value.to_string(),
            Ok(Data::Number(value)) => value.to_string(),
            Ok(Data::String(value)) => format!("'{value}'"),
            Ok(Data::Array(_) | Data::Object(_)) => "a collection".to_owned(),
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn plain_scalars_are_read_as_yaml_1_2_reads_them() {
        for (text, expected) in [
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("nULL", "'nULL'"),
            ("True", "true"),
            ("tRUE", "'tRUE'"),
            ("no", "'no'"),
            ("Yes", "'Yes'"),
            ("on", "'on'"),
            ("y", "'y'"),
            ("12", "12"),
            ("+12", "12"),
            ("-012", "-12"),
            ("0", "0"),
            ("00", "0"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0x+1", "'0x+1'"),
            ("0b1", "'0b1'"),
            ("1_000", "'1_000'"),
            ("12:30", "'12:30'"),
            ("2023-10-29", "'2023-10-29'"),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5.0"),
            (".", "'.'"),
            ("-", "'-'"),
            ("+", "'+'"),
            ("1e3", "1e+3"),
            ("1.e-3", "1.0e-3"),
            ("e3", "'e3'"),
            ("1e", "'1e'"),
            ("1e+", "'1e+'"),
            ("1.2.3", "'1.2.3'"),
            ("-.inf", "refused"),
            (".NaN", "refused"),
            ("1e400", "refused"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_yaml_1_1_reads_otherwise_is_doubtful() {
        for text in ["no", "NO", "Yes", "on", "OFF", "010", "-007", "1_000", "0x_1F"] {
            assert!(is_doubtful(text), "{text}");
        }
        for text in ["y", "N", "none", "0", "10", "0.5", "a_b", "_", "12:30", "2023-10-29", ""] {
            assert!(!is_doubtful(text), "{text}");
        }
    }
}
