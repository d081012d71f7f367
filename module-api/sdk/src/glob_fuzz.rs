//! A fuzzer for patterns, as a plain loop.
//!
//! Claims: no pattern panics; the matcher says what the model says; a pattern that was made from a
//! text by replacing parts of it matches that text.
//!
//! It runs for a fraction of a second under `cargo test`. For longer:
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-module glob::fuzz
//!   PLINTH_FUZZ_SEED=123    starts at that case; a failure prints the seed of its case
//! ```

use super::Pattern;
use super::tests::model;
use plinth_fuzz::Random;

/// Bytes of which most are of a small alphabet, so that repetitions are common.
fn text_of(random: &mut Random, len_max: usize) -> Vec<u8> {
    let len = random.below(len_max + 1);
    (0..len).map(|_| if random.once_in(12) { random.word() as u8 } else { b"abc]"[random.below(4)] }).collect()
}

/// What patterns are made of.
const PIECES: [&[u8]; 22] = [
    b"*", b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"[^", b"[a-c]", b"[^b]", b"[c-a", b"\\*", b"a", b"b", b"c",
    b"[]", b"[^]", b"[a-", b"[\\]", b"\x00", b"\xff",
];

fn random_pattern(random: &mut Random) -> Vec<u8> {
    let count = random.below(12);
    (0..count).flat_map(|_| PIECES[random.below(PIECES.len())].iter().copied()).collect()
}

/// A pattern that matches `text`, which is not empty: each byte as itself, escaped, in a class, as
/// `?`, or as part of what a `*` takes.
fn pattern_of(random: &mut Random, text: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        match random.below(6) {
            0 => pattern.push(b'?'),
            1 => {
                pattern.push(b'*');
                at += random.below(text.len() - at + 1);
                continue;
            }
            2 => pattern.extend([b'[', b'^', b'\\', byte.wrapping_add(1), b']']),
            3 => pattern.extend([b'[', b'x', b'\\', byte, b']']),
            4 if byte.is_ascii_alphanumeric() => pattern.push(byte),
            _ => pattern.extend([b'\\', byte]),
        }
        at += 1;
    }
    pattern
}

fn run_case(random: &mut Random) {
    let text = text_of(random, 24);
    let wild = random_pattern(random);
    assert_eq!(Pattern::new(&wild).matches(&text), model(&wild, &text), "{wild:?} and {text:?}");
    if !text.is_empty() {
        let fitting = pattern_of(random, &text);
        assert!(Pattern::new(&fitting).matches(&text), "{fitting:?} was made from {text:?}");
        assert!(model(&fitting, &text), "the model does not match {fitting:?}, made from {text:?}");
    }
}

#[test]
fn patterns_match_what_the_model_matches() {
    plinth_fuzz::run(run_case);
}
