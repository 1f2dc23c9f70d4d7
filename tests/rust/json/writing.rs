//! The writer: what it writes is read back as the same document, and it keeps the parser's rules.

use proptest::prelude::*;
use secval::json::{Document, Error, Limits, Writer};
use secval::reason::Reason;

use super::oracle::{self, Node};
use super::properties::{config, sound};
use super::{read, tree};

/// Writes a tree; recursive, as a test may be.
fn write(writer: &mut Writer, node: &Node) -> Result<(), Error> {
    match node {
        Node::Null => writer.null(),
        Node::Bool(value) => writer.bool(*value),
        Node::Number(text, _) => writer.number(text),
        Node::String(text) => writer.string(text),
        Node::Array(items) => {
            writer.begin_array()?;
            items.iter().try_for_each(|item| write(writer, &item.node))?;
            writer.end_array()
        }
        Node::Object(members) => {
            writer.begin_object()?;
            for (name, value) in members {
                writer.name(name)?;
                write(writer, &value.node)?;
            }
            writer.end_object()
        }
    }
}

fn written(node: &Node, limits: &Limits) -> Result<Document<'static>, Error> {
    let mut writer = Writer::new(limits);
    write(&mut writer, node)?;
    writer.finish()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_reads_back(text in sound()) {
        let Some(oracle) = oracle::read(&text) else { return Ok(()) };
        let document = written(&oracle.node, &Limits::default()).expect("it was read, so it is sound");
        let text = document.text().to_vec();
        let again = read(&text, &Limits::default()).expect("sound text");
        // Offsets included: the writer's tape is the one that parsing its text gives.
        prop_assert_eq!(tree(document.root()), tree(again.root()));
        prop_assert_eq!(document.to_serde().ok(), again.to_serde().ok());
    }

    #[test]
    fn ceilings_are_the_parsers(text in sound(), ceiling in 0_usize..12, which in 0..6) {
        let Some(oracle) = oracle::read(&text) else { return Ok(()) };
        let whole = written(&oracle.node, &Limits::default()).expect("sound");
        let mut limits = Limits::default();
        match which {
            0 => limits.max_depth = ceiling,
            1 => limits.max_bytes = Some(ceiling * 8),
            2 => limits.max_nodes = Some(ceiling),
            3 => limits.max_members = Some(ceiling),
            4 => limits.max_string_bytes = Some(ceiling),
            _ => limits.max_number_chars = ceiling,
        }
        let wrote = written(&oracle.node, &limits).map(|_| ());
        let parsed = read(whole.text(), &limits).map(|_| ());
        prop_assert_eq!(wrote.map_err(|e| (e.reason(), e.offset())), parsed.map_err(|e| (e.reason(), e.offset())));
    }
}

#[test]
fn repeated_names_are_refused_and_stay_refused() {
    let mut writer = Writer::new(&Limits::default());
    let mut call = || {
        writer.begin_object()?;
        writer.name("a\n")?;
        writer.null()?;
        writer.name("b")?;
        writer.null()?;
        writer.name("a\n")
    };
    assert_eq!(call(), Err(Error::new(Reason::JsonDuplicateKey, 21)));
    assert_eq!(writer.text(), br#"{"a\n":null,"b":null,"a\n""#);
    assert_eq!(writer.null(), Err(Error::new(Reason::JsonDuplicateKey, 21)));
    assert_eq!(writer.finish().map(|_| ()), Err(Error::new(Reason::JsonDuplicateKey, 21)));
}

#[test]
fn numbers_are_json_numbers() {
    let number = |text: &str| {
        let mut writer = Writer::new(&Limits::default());
        writer.number(text).map_err(Error::reason)
    };
    for text in ["0", "-0", "1.50", "1E+3", "0e-7", "123456789012345678901234567890"] {
        assert_eq!(number(text), Ok(()), "{text}");
    }
    for text in [
        "", "-", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "Infinity", "1 ", " 1", "1,2", "1_0",
        "١",
    ] {
        assert_eq!(number(text), Err(Reason::JsonNumber), "{text}");
    }
    assert_eq!(number("1e400"), Err(Reason::JsonNumberRange));
    assert_eq!(number(&"1".repeat(1025)), Err(Reason::JsonNumberChars));
}

#[test]
fn calls_in_an_order_that_makes_no_text_are_refused() {
    type Call = fn(&mut Writer) -> Result<(), Error>;
    let null: Call = Writer::null;
    let name: Call = |writer| writer.name("a");
    let cases: [(&[Call], Reason); 12] = [
        (&[], Reason::JsonEmpty),
        (&[null, null], Reason::JsonTrailing),
        (&[null, name], Reason::JsonTrailing),
        (&[name], Reason::JsonExpectedValue),
        (&[Writer::begin_array, name], Reason::JsonExpectedValue),
        (&[Writer::begin_array], Reason::JsonTruncated),
        (&[Writer::begin_array, Writer::end_object], Reason::JsonExpectedComma),
        (&[Writer::end_array], Reason::JsonExpectedValue),
        (&[Writer::begin_object, null], Reason::JsonExpectedName),
        (&[Writer::begin_object, name, name], Reason::JsonExpectedColon),
        (&[Writer::begin_object, name, Writer::end_object], Reason::JsonExpectedValue),
        (
            &[Writer::begin_object, Writer::end_object, Writer::end_object],
            Reason::JsonExpectedValue,
        ),
    ];
    for (index, (calls, reason)) in cases.iter().enumerate() {
        let mut writer = Writer::new(&Limits::default());
        let done = calls.iter().try_for_each(|call| call(&mut writer));
        let finished = writer.finish().map(|_| ()).map_err(Error::reason);
        assert_eq!(finished, Err(*reason), "case {index}");
        assert!(
            done.is_ok()
                || done == Err(Error::new(*reason, done.map_or_else(Error::offset, |()| 0)))
        );
    }
}
