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
use std::time::{Duration, Instant};

/// SplitMix64: small, and good enough to choose bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Bytes of which most are of a small alphabet, so that repetitions are common.
    fn text(&mut self, len_max: usize) -> Vec<u8> {
        let len = self.below(len_max + 1);
        (0..len).map(|_| if self.below(12) == 0 { self.next() as u8 } else { b"abc]"[self.below(4)] }).collect()
    }
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

fn run_case(seed: u64) {
    let mut random = Random(seed);
    let text = random.text(24);
    let wild = random_pattern(&mut random);
    assert_eq!(Pattern::new(&wild).matches(&text), model(&wild, &text), "{wild:?} and {text:?}");
    if !text.is_empty() {
        let fitting = pattern_of(&mut random, &text);
        assert!(Pattern::new(&fitting).matches(&text), "{fitting:?} was made from {text:?}");
        assert!(model(&fitting, &text), "the model does not match {fitting:?}, made from {text:?}");
    }
}

#[test]
fn patterns_match_what_the_model_matches() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let budget = number("PLINTH_FUZZ_SECONDS").map_or(Duration::from_millis(200), Duration::from_secs);
    let begun = Instant::now();
    let mut seed = number("PLINTH_FUZZ_SEED").unwrap_or(0);
    while begun.elapsed() < budget {
        for _ in 0..64 {
            let case = std::panic::catch_unwind(|| run_case(seed));
            if let Err(panic) = case {
                eprintln!("PLINTH_FUZZ_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
            seed += 1;
        }
    }
}
