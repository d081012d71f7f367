//! Claims about patterns, and the model that the property tests and the fuzzer compare with.

use super::*;
use proptest::prelude::*;

/// One element of a pattern, spelled out: which bytes it takes, or `None` for `*`.
type Element = Option<[bool; 256]>;

/// The elements of a pattern.
fn elements(pattern: &[u8]) -> Vec<Element> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        let mut takes = [false; 256];
        match pattern[at] {
            b'*' => {
                all.push(None);
                at += 1;
                continue;
            }
            b'?' => takes = [true; 256],
            b'[' => at = model_class(pattern, at + 1, &mut takes),
            b'\\' if at + 1 < pattern.len() => {
                at += 1;
                takes[pattern[at] as usize] = true;
            }
            other => takes[other as usize] = true,
        }
        all.push(Some(takes));
        at += 1;
    }
    all
}

/// Reads a class from behind its `[`; where its last byte is.
fn model_class(pattern: &[u8], mut at: usize, takes: &mut [bool; 256]) -> usize {
    let negated = at < pattern.len() && pattern[at] == b'^';
    at += usize::from(negated);
    while at < pattern.len() && pattern[at] != b']' {
        let left = pattern.len() - at;
        if pattern[at] == b'\\' && left >= 2 {
            takes[pattern[at + 1] as usize] = true;
            at += 2;
        } else if left >= 3 && pattern[at + 1] == b'-' {
            let (low, high) = (pattern[at].min(pattern[at + 2]), pattern[at].max(pattern[at + 2]));
            takes[low as usize..=high as usize].fill(true);
            at += 3;
        } else {
            takes[pattern[at] as usize] = true;
            at += 1;
        }
    }
    if negated {
        takes.iter_mut().for_each(|take| *take = !*take);
    }
    at
}

/// Whether a pattern matches, by filling a table of all pairs of beginnings.
pub(super) fn model(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty() || pattern == b"*";
    }
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for element in elements(pattern) {
        match element {
            None => {
                let first = row.iter().position(|reached| *reached).unwrap_or(row.len());
                row[first..].fill(true);
            }
            Some(takes) => {
                for at in (1..row.len()).rev() {
                    row[at] = row[at - 1] && takes[text[at - 1] as usize];
                }
                row[0] = false;
            }
        }
    }
    row[text.len()]
}

fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let compiled = Pattern::new(pattern.as_bytes());
    for text in yes {
        assert!(compiled.matches(text.as_bytes()), "{pattern} should match {text}");
        assert!(model(pattern.as_bytes(), text.as_bytes()), "the model thinks {pattern} does not match {text}");
    }
    for text in no {
        assert!(!compiled.matches(text.as_bytes()), "{pattern} should not match {text}");
        assert!(!model(pattern.as_bytes(), text.as_bytes()), "the model thinks {pattern} matches {text}");
    }
}

#[test]
fn plain_shapes_are_recognised() {
    assert_eq!(Pattern::new(b"*"), Pattern::All);
    assert_eq!(Pattern::new(b""), Pattern::Exact(b""));
    assert_eq!(Pattern::new(b"user:1]"), Pattern::Exact(b"user:1]"));
    assert_eq!(Pattern::new(b"user:*"), Pattern::Prefix(b"user:"));
    for glob in ["**", "*a", "a**", "a?", "a[", "a\\", "a\\*", "?*"] {
        assert_eq!(Pattern::new(glob.as_bytes()), Pattern::Glob(glob.as_bytes()));
    }
}

#[test]
fn stars_and_question_marks_take_any_bytes() {
    check("*", &["", "a", "abc"], &[]);
    check("a*", &["a", "abc"], &["", "ba"]);
    check("*a", &["a", "ba", "aaaa"], &["", "ab"]);
    check("*ab*cd*", &["abcd", "xabxcdx", "ababcdcd"], &["acbd", "abc"]);
    check("h?llo", &["hello", "hallo"], &["hllo", "heello"]);
    check("??", &["ab"], &["", "a", "abc"]);
    check("?*?", &["ab", "abc"], &["a"]);
}

#[test]
fn a_class_takes_one_byte() {
    check("[abc]x", &["ax", "cx"], &["dx", "x", "aax"]);
    check("[a-c]", &["a", "b", "c"], &["d", "-", ""]);
    check("[c-a]", &["a", "b", "c"], &["d"]);
    check("[^a-c]", &["d", "^"], &["a", "b"]);
    check("[a^]", &["a", "^"], &["b"]);
    check("[\\]]x", &["]x"], &["\\x"]);
    check("[\\^a]", &["^", "a"], &["\\"]);
    check("*[0-9]", &["a1", "9"], &["a1a"]);
}

#[test]
fn malformed_patterns_mean_what_they_mean_to_redis() {
    check("[ab", &["a", "b"], &["ab", "c", "["]);
    check("x[", &[], &["x", "x[", "xa"]);
    check("[^", &["a", "^"], &["", "ab"]);
    check("[]", &[], &["", "]", "a"]);
    check("[^]", &["a", "]"], &["", "ab"]);
    check("[]a]", &[], &["a", "]", "aa]"]);
    check("[a-]", &["a", "]", "^"], &["b", "-"]);
    check("[a-", &["a", "-"], &["b"]);
    check("[a\\", &["a", "\\"], &["b"]);
    check("\\", &["\\"], &["", "a"]);
    check("a\\", &["a\\"], &["a"]);
    check("\\*", &["*"], &["\\*", "a"]);
    check("**", &["a", "ab"], &[""]);
}

#[test]
fn bytes_beyond_ascii_are_bytes() {
    assert!(Pattern::new(b"[\xe0-\xff]?").matches(b"\xf0\x00"));
    assert!(!Pattern::new(b"[\xe0-\xff]").matches(b"\x7f"));
}

/// A matcher that tries every way to share the text between the stars needs longer than anybody
/// waits for this.
#[test]
fn many_stars_take_no_exponential_time() {
    let text = "a".repeat(10_000);
    let pattern = format!("{}b", "a*".repeat(500));
    assert!(!Pattern::new(pattern.as_bytes()).matches(text.as_bytes()));
    let classes = format!("{}b", "*[^xyz]".repeat(500));
    assert!(!Pattern::new(classes.as_bytes()).matches(text.as_bytes()));
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_the_model(pattern in "[ab^\\-\\\\\\]\\[*?]{0,12}", text in "[ab^\\-\\]\\\\]{0,8}") {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(Pattern::new(pattern).matches(text), model(pattern, text));
    }

    #[test]
    fn an_escaped_text_matches_itself_only(text in proptest::collection::vec(any::<u8>(), 1..20), other in any::<u8>()) {
        let pattern: Vec<u8> = text.iter().flat_map(|byte| [b'\\', *byte]).collect();
        prop_assert!(Pattern::new(&pattern).matches(&text));
        let longer = [text.as_slice(), &[other]].concat();
        prop_assert!(!Pattern::new(&pattern).matches(&longer));
        prop_assert!(!Pattern::new(&pattern).matches(&text[1..]));
    }

    #[test]
    fn any_bytes_can_be_a_pattern(pattern in proptest::collection::vec(any::<u8>(), 0..40), text in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(Pattern::new(&pattern).matches(&text), model(&pattern, &text));
    }
}
