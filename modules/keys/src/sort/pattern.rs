//! The patterns of BY and GET.
//!
//! ```text
//!   user_*_x->name
//!   ^^^^^ ^^  ^^^^
//!   before after field        key of element 7: user_7_x
//! ```

/// What a pattern asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern<'p> {
    /// The element itself: `#`.
    Element,
    /// Another key, or a field of it.
    Key {
        /// What stands before the element in the key's name.
        before: &'p [u8],
        /// What stands behind it.
        after: &'p [u8],
        /// The field of a hash; without it a string.
        field: Option<&'p [u8]>,
    },
    /// Nothing, for any element: there is no `*`.
    Nothing,
}

impl<'p> Pattern<'p> {
    /// Reads a pattern. An arrow counts behind the `*` only, and with a field's name after it.
    pub(crate) fn new(text: &'p [u8]) -> Pattern<'p> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|&byte| byte == b'*') else { return Pattern::Nothing };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        match rest.windows(2).position(|pair| pair == b"->") {
            Some(arrow) if arrow + 2 < rest.len() => {
                Pattern::Key { before, after: &rest[..arrow], field: Some(&rest[arrow + 2..]) }
            }
            _ => Pattern::Key { before, after: rest, field: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn key<'p>(before: &'p str, after: &'p str, field: Option<&'p str>) -> Pattern<'p> {
        Pattern::Key { before: before.as_bytes(), after: after.as_bytes(), field: field.map(str::as_bytes) }
    }

    #[test]
    fn a_pattern_is_taken_apart_at_its_first_star() {
        assert_eq!(Pattern::new(b"#"), Pattern::Element);
        assert_eq!(Pattern::new(b"nosort"), Pattern::Nothing);
        assert_eq!(Pattern::new(b"w_*"), key("w_", "", None));
        assert_eq!(Pattern::new(b"*"), key("", "", None));
        assert_eq!(Pattern::new(b"a*b*c"), key("a", "b*c", None));
        assert_eq!(Pattern::new(b"h*->f"), key("h", "", Some("f")));
        assert_eq!(Pattern::new(b"h*x->f*"), key("h", "x", Some("f*")));
    }

    #[test]
    fn an_arrow_without_a_field_belongs_to_the_key() {
        assert_eq!(Pattern::new(b"h*->"), key("h", "->", None));
        assert_eq!(Pattern::new(b"h->*"), key("h->", "", None));
    }
}
