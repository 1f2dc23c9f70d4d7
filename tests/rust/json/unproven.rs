//! Reading without comparing names: whoever counts what comes out finds every repeated name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use secval::json::{Limits, Tape, Token, Value, parse_unproven};
use secval::reason::Reason;

use super::oracle::{self, Node};
use super::properties::{config, noise, sound};
use super::read;

/// The value as a tree, made from behind; nothing if a map came out smaller than its object.
fn build(value: Value<'_>) -> Option<Node> {
    let mut pile: Vec<Node> = Vec::new();
    for token in value.tokens_from_behind() {
        let made = match token {
            Token::Null => Node::Null,
            Token::Bool(value) => Node::Bool(value),
            Token::Integer(value) => Node::Number(value.to_string(), true),
            Token::BigInteger(text) => Node::Number(text.to_owned(), true),
            Token::Float(value) => Node::Number(format!("{value:e}"), false),
            Token::String(content) | Token::Name(content) => {
                assert!(!content.ascii || content.text().is_ascii());
                Node::String(content.text().to_owned())
            }
            Token::Array(count) => {
                let items = (0..count).map(|_| pile.pop().expect("an item"));
                Node::Array(items.map(|item| oracle::Tree::new(item, 0)).collect())
            }
            Token::Object(count) => {
                let mut members = BTreeMap::new();
                for _ in 0..count {
                    let Some(Node::String(name)) = pile.pop() else { panic!("a name") };
                    members.insert(name, oracle::Tree::new(pile.pop().expect("a member"), 0));
                }
                if members.len() < count {
                    return None;
                }
                Node::Object(members.into_iter().collect())
            }
        };
        pile.push(made);
    }
    assert_eq!(pile.len(), 1);
    pile.pop()
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
