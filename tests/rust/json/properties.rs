//! Any text at all: accepted exactly when the oracle accepts it, and read as the oracle reads it.

use proptest::prelude::*;
use secval::json::{Limits, place};
use secval::reason::Reason;

use super::{oracle, read, tree};

/// JSON text that is likely to be sound, with blanks and escapes of all kinds, and names that repeat at times.
pub(crate) fn sound() -> impl Strategy<Value = String> {
    let blank = "[ \t\r\n]{0,2}";
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    let leaf = (blank, scalar, blank).prop_map(|(a, b, c)| a + &b + &c);
    leaf.prop_recursive(5, 60, 16, move |inner| {
        let member = (blank, string(), blank, inner.clone())
            .prop_map(|(before, name, after, value)| before + &name + &after + ":" + &value);
        prop_oneof![
            prop::collection::vec(inner, 0..16).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..16).prop_map(|m| format!("{{{}}}", m.join(","))),
        ]
    })
}

/// A string's text, quotes included: mostly short, so that names repeat.
fn string() -> impl Strategy<Value = String> {
    let escape = prop_oneof![
        r#"\\["\\/bfnrt]"#,
        r"\\u00[0-7][0-9a-fA-F]",
        r"\\u[0-9a-cA-CeEfF][0-9a-fA-F]{3}",
        r"\\ud[89abAB][0-9a-f]{2}\\u[dD][c-f][0-9a-f]{2}",
    ];
    let part = prop_oneof![4 => "[a-c]", 2 => "[ -!#-\\[\\]-~]{1,40}", 1 => "[é€😀\u{7f}\u{2028}]{1,9}", 2 => escape];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

/// Text of JSON's own characters, mostly unsound.
pub(crate) fn noise() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[\\[\\]{},:\" ]",
        1 => "[-+.eE0-9]{1,4}",
        1 => Just("\"a\":".to_owned()),
        1 => "true|false|null|tru|nul|\\\\|\\\\u00|\\\\ud800|\n|\t|\u{0}|é|\u{feff}",
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

/// One change of a byte, an insertion, a cut.
fn mutate(text: &str, at: prop::sample::Index, byte: u8, how: u8) -> Vec<u8> {
    let mut text = text.as_bytes().to_vec();
    let at = at.index(text.len() + 1);
    match how % 4 {
        0 => text.truncate(at),
        1 => text.insert(at, byte),
        2 if at < text.len() => text[at] = byte,
        _ if at < text.len() => drop(text.remove(at)),
        _ => {}
    }
    text
}

fn judge(text: &[u8]) -> Result<(), TestCaseError> {
    let oracle = std::str::from_utf8(text).ok().and_then(oracle::read);
    match read(text, &Limits::default()) {
        Ok(document) => {
            let oracle = oracle.map(|oracle| oracle.node);
            prop_assert_eq!(Some(tree(document.root())), oracle);
            prop_assert_eq!(document.text(), text);
            let serde: serde_json::Value = serde_json::from_slice(text).expect("serde reads it");
            prop_assert_eq!(document.to_serde().expect("not too deep"), serde);
        }
        Err(error) => {
            prop_assert!(oracle.is_none() || error.reason() == Reason::JsonDepth, "{}", error);
            prop_assert!(error.offset() <= text.len());
            let _ = place(text, error.offset());
            if error.reason() == Reason::JsonUtf8 {
                return Ok(());
            }
            // What stands before the fault was not at fault: cut off there, the text is only unfinished.
            let cut = read(&text[..error.offset()], &Limits::default());
            if let Err(cut) = cut {
                let unfinished = [Reason::JsonTruncated, Reason::JsonEmpty];
                prop_assert!(unfinished.contains(&cut.reason()), "{} but {}", error, cut);
            }
        }
    }
    Ok(())
}

/// A failing input is printed, and becomes a case of its own by hand: nothing is written to the tree.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sound_texts_are_read(text in sound()) {
        judge(text.as_bytes())?;
    }

    #[test]
    fn changed_texts_are_read_as_the_oracle_does(
        text in sound(), at: prop::sample::Index, byte in prop_oneof![any::<u8>(), prop::sample::select(b"[]{},:\"\\ 0e-.ut".to_vec())], how: u8,
    ) {
        judge(&mutate(&text, at, byte, how))?;
    }

    #[test]
    fn noise_is_read_as_the_oracle_does(text in noise()) {
        judge(text.as_bytes())?;
    }

    #[test]
    fn bytes_are_read_as_the_oracle_does(text: Vec<u8>) {
        judge(&text)?;
    }

    #[test]
    fn doubles_are_correctly_rounded(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
        for text in [format!("{value:?}"), format!("{value:e}"), format!("{value:.40}")] {
            let document = read(text.as_bytes(), &Limits::default()).expect("a number");
            let number = document.root().as_number().expect("a number");
            prop_assert_eq!(number.as_f64().to_bits(), text.parse::<f64>().expect("a double").to_bits());
        }
    }

    #[test]
    fn decimals_are_correctly_rounded(digits: u64, places in 0_usize..25, negative: bool) {
        rounded(digits, places, negative)?;
    }

    /// Texts that lie in the middle of two doubles, or as near to it as 64 bits can say.
    #[test]
    fn middles_of_doubles_are_rounded_to_even(odd in (1_u64 << 53)..(1 << 54), places in 1_u32..4, near in 0..3_u64) {
        // An odd number of 54 bits, over a power of two, is the middle of two doubles.
        let fives = 5_u64.pow(places);
        if let Some(middle) = (odd | 1).checked_mul(fives) {
            rounded((middle + near).saturating_sub(1), usize::try_from(places).expect("small"), false)?;
        }
        rounded((odd | 1) + near - 1, 0, false)?;
    }
}

/// Reads a number of these digits, with a point before so many of them.
fn rounded(digits: u64, places: usize, negative: bool) -> Result<(), TestCaseError> {
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if negative { "-" } else { "" };
    let point = if places > 0 { "." } else { ".0" };
    let text = format!("{sign}{whole}{point}{fraction}");
    let document = read(text.as_bytes(), &Limits::default()).expect("a number");
    let number = document.root().as_number().expect("a number").as_f64();
    prop_assert_eq!(number.to_bits(), text.parse::<f64>().expect("a double").to_bits(), "{}", text);
    Ok(())
}
