//! Glob patterns, as CONFIG GET and COMMAND LIST take them.
//!
//! ```text
//!   *        any bytes, none included        [a-c]   one byte of a range or a list
//!   ?        any one byte                    [^ab]   one byte that is not listed
//!   \x       the byte x itself
//! ```
//!
//! A class that is never closed ends with the pattern, and a backslash at the end is
//! itself: no pattern is malformed.
//!
//! Invariant: time is at most pattern length times text length. Only the last `*` is
//! ever gone back to, because a match of what precedes it cannot be bettered.

/// Whether a pattern matches the whole of a text; with `fold`, in any ASCII case.
pub fn matches(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where the pattern goes on behind the last `*`, and where the text does.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, seen));
            continue;
        }
        let Some(&byte) = text.get(seen) else { return at == pattern.len() };
        if at < pattern.len() {
            let (hit, len) = one(&pattern[at..], byte, fold);
            if hit {
                at += len;
                seen += 1;
                continue;
            }
        }
        let Some((behind, begin)) = star else { return false };
        at = behind;
        seen = begin + 1;
        star = Some((behind, seen));
    }
}

/// Whether a text has anything in it that makes it a pattern.
pub fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Whether the first element of a pattern, no `*`, takes a byte, and its length.
fn one(pattern: &[u8], byte: u8, fold: bool) -> (bool, usize) {
    let same = |a: u8| if fold { a.eq_ignore_ascii_case(&byte) } else { a == byte };
    match pattern {
        [b'?', ..] => (true, 1),
        [b'\\', escaped, ..] => (same(*escaped), 2),
        [b'[', class @ ..] => {
            let (hit, len) = in_class(class, byte, fold);
            (hit, len + 1)
        }
        [literal, ..] => (same(*literal), 1),
        [] => (false, 0),
    }
}

/// Whether a class, given from behind its `[`, takes a byte, and its length up to
/// and with its `]`.
fn in_class(class: &[u8], byte: u8, fold: bool) -> (bool, usize) {
    let lower = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    let byte = lower(byte);
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut hit = false;
    loop {
        match class[at..] {
            [b'\\', escaped, ..] => {
                hit |= lower(escaped) == byte;
                at += 2;
            }
            [b']', ..] => return (hit != negated, at + 1),
            [] => return (hit != negated, at),
            [first, b'-', last, ..] => {
                let (first, last) = (lower(first), lower(last));
                hit |= (first.min(last)..=first.max(last)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                hit |= lower(literal) == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), false)
    }

    #[test]
    fn stars_question_marks_and_classes_match_whole_texts() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("a*c", "ac"),
            ("a*b*c", "a-b-b-c"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("[c-a]", "b"),
            (r"\*", "*"),
            (r"[\]]", "]"),
            (r"a\", r"a\"),
            ("[abc", "c"),
            ("", ""),
            ("***", ""),
            ("*port", "cluster-port"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", ""),
            ("", "a"),
            ("?", ""),
            ("a*b", "abc"),
            ("h[^e]llo", "hello"),
            ("[]", "a"),
            ("port", "cluster-port"),
            (r"\*", "a"),
            ("A", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn folding_ignores_case_in_letters_escapes_and_classes() {
        for (pattern, text) in [("MAX*", "maxmemory"), ("[A-C]x", "bX"), (r"\P[O]rt", "port")] {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), true), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let pattern = "a*".repeat(64) + "b";
        assert!(!fits(&pattern, &"a".repeat(4096)));
    }
}
