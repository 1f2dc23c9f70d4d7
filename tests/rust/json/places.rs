//! Where an offset lies, held to the spans that the oracle saw.

use proptest::prelude::*;
use secval::json::{place, pointer};

use super::oracle::{self, Node, Tree};
use super::properties::{config, sound};

/// The pointer of the innermost value whose span holds the offset; a member's span begins with its name.
fn innermost(tree: &Tree, text: &str, offset: usize) -> String {
    let mut found = String::new();
    match &tree.node {
        Node::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if (item.start..item.end).contains(&offset) {
                    pointer::push_index(&mut found, index);
                    found += &innermost(item, text, offset);
                }
            }
        }
        Node::Object(members) => {
            // The first member's name is after the bracket, the others' after the value before and a comma.
            let mut from = tree.start + 1;
            for (name, value) in members {
                let quote = from + text[from..].find('"').expect("a name");
                if (quote..value.end).contains(&offset) {
                    pointer::push(&mut found, name);
                    found += &innermost(value, text, offset);
                }
                from = value.end;
            }
        }
        _ => {}
    }
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_byte_lies_where_the_oracle_says(text in sound()) {
        let Some(tree) = oracle::read(&text) else { return Ok(()) };
        for offset in 0..text.len() {
            let place = place(text.as_bytes(), offset);
            prop_assert_eq!(&place.pointer, &innermost(&tree, &text, offset), "byte {}", offset);
            if text.is_char_boundary(offset) {
                let before = &text[..offset];
                let line = before.rsplit('\n').next().unwrap_or("");
                prop_assert_eq!(place.position, before.chars().count());
                prop_assert_eq!(place.line, before.matches('\n').count() + 1);
                prop_assert_eq!(place.column, line.chars().count() + 1);
            }
        }
    }

    #[test]
    fn any_bytes_have_places(text: Vec<u8>, offset: usize) {
        let place = place(&text, offset);
        prop_assert!(place.position <= text.len());
    }
}
