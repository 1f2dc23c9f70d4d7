//! Reading without comparing names: whoever counts what comes out finds every repeated name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use secval::json::{Content, Limits, Tape, Token, Tokens, Value, parse_unproven};
use secval::reason::Reason;

use super::oracle::{self, Node};
use super::properties::{config, noise, sound};
use super::read;

/// The value as a tree; nothing if a map came out smaller than its object.
fn build(value: Value<'_>) -> Option<Node> {
    let mut tokens = value.tokens();
    let built = tree(&mut tokens)?;
    assert_eq!(tokens.next(), None);
    Some(built)
}

fn tree(tokens: &mut Tokens<'_>) -> Option<Node> {
    Some(match tokens.next().expect("a value") {
        Token::Null => Node::Null,
        Token::Bool(value) => Node::Bool(value),
        Token::Integer(value) => Node::Number(value.to_string(), true),
        Token::BigInteger(text) => Node::Number(text.to_owned(), true),
        Token::Float(value) => Node::Number(format!("{value:e}"), false),
        Token::String(content) => Node::String(said(content)),
        Token::Name(_) => panic!("a name where a value is"),
        Token::Array(count) => {
            let items = (0..count).map(|_| Some(oracle::Tree::new(tree(tokens)?, 0)));
            Node::Array(items.collect::<Option<_>>()?)
        }
        Token::Object(count) => {
            let mut members = BTreeMap::new();
            for _ in 0..count {
                let Some(Token::Name(name)) = tokens.next() else { panic!("a name") };
                members.insert(said(name), oracle::Tree::new(tree(tokens)?, 0));
            }
            if members.len() < count {
                return None;
            }
            Node::Object(members.into_iter().collect())
        }
    })
}

fn said(content: Content<'_>) -> String {
    assert!(!content.ascii || content.text().is_ascii());
    content.text().to_owned()
}

fn judge(text: &str) -> Result<(), TestCaseError> {
    let strict = read(text.as_bytes(), &Limits::default());
    let unproven =
        parse_unproven(Cow::Borrowed(text.as_bytes()), &Limits::default(), Tape::default());
    match (strict, unproven) {
        (Ok(strict), Ok(unproven)) => {
            prop_assert!(build(unproven.root()).is_some());
            prop_assert_eq!(build(strict.root()), build(unproven.root()));
        }
        (Ok(_), Err(error)) => prop_assert!(false, "only without comparing: {error}"),
        (Err(error), Ok(unproven)) => {
            prop_assert_eq!(error.reason(), Reason::JsonDuplicateKey);
            prop_assert_eq!(build(unproven.root()), None);
        }
        (Err(first), Err(other)) => {
            let earlier = first.reason() == Reason::JsonDuplicateKey;
            prop_assert!(first == other || (earlier && first.offset() <= other.offset()));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sound_texts(text in sound()) {
        judge(&text)?;
    }

    #[test]
    fn noise_of_names(text in noise()) {
        judge(&text)?;
    }

    #[test]
    fn objects_with_repetitions(names in prop::collection::vec("[a-c]{1,2}", 0..9)) {
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":[{{\"x\":1}}]")).collect();
        judge(&format!("[{{{}}}]", members.join(",")))?;
    }
}
