//! Glob patterns as KEYS, SCAN and the scans of collections take them.
//!
//! ```text
//! *         any bytes, also none         [abc]     one of these
//! ?         any one byte                 [a-z]     one of this range, in either order
//! \x        x itself                     [^abc]    none of these
//! ```
//!
//! Bytes are compared as they are: no case, no encoding. Malformed patterns mean something too, and
//! it is what they mean to Redis: a class that nobody closes ends with the pattern, `[]` is no byte,
//! `[^]` is any, `\` at the end is itself. The empty text is matched by the empty pattern alone, and
//! by `*`, of which it is known at once that it matches everything.
//!
//! Every element but `*` takes exactly one byte. So when what follows a `*` does not fit, only the
//! last `*` needs to take one byte more: an earlier one could but leave the rest less room. Two
//! places to go back to are all that is remembered, and the work is bounded by the product of both
//! lengths.
//!
//! Ranges compare bytes as unsigned; Redis compares them as the C compiler's `char`, which differs
//! between machines for a range from ASCII to beyond it.

/// A pattern, looked at once for the shapes that need no matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern<'p> {
    /// `*`.
    All,
    /// Nothing special in it.
    Exact(&'p [u8]),
    /// One `*`, at the end.
    Prefix(&'p [u8]),
    /// Anything else.
    Glob(&'p [u8]),
}

impl<'p> Pattern<'p> {
    /// The pattern that a text spells.
    pub fn new(text: &'p [u8]) -> Pattern<'p> {
        match text.iter().position(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\')) {
            None => Pattern::Exact(text),
            Some(at) if at + 1 < text.len() || text[at] != b'*' => Pattern::Glob(text),
            Some(0) => Pattern::All,
            Some(at) => Pattern::Prefix(&text[..at]),
        }
    }

    /// Whether it matches the whole of `text`.
    #[inline]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Pattern::All => true,
            Pattern::Exact(exact) => text == *exact,
            Pattern::Prefix(prefix) => text.starts_with(prefix),
            Pattern::Glob(pattern) => matches(pattern, text),
        }
    }
}

/// Whether `pattern` matches the whole of `text`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut taken) = (0, 0);
    // Behind the last `*`, and how much of the text came before what it left.
    let mut star: Option<(usize, usize)> = None;
    while taken < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, taken));
            if at == pattern.len() {
                return true;
            }
            continue;
        }
        if let Some(len) = element(&pattern[at..], text[taken]) {
            at += len;
            taken += 1;
            continue;
        }
        let Some((behind, before)) = star else { return false };
        (at, taken) = (behind, before + 1);
        star = Some((at, taken));
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Length of the element that `pattern` begins with, if it matches `byte`. Not for `*`.
fn element(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => class(rest, byte).map(|len| len + 1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// Length of the class whose `[` comes before `pattern`, if it matches `byte`.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = pattern.first() == Some(&b'^');
    let (mut at, mut found) = (usize::from(negated), false);
    loop {
        let (len, hit) = match &pattern[at..] {
            [] => break,
            [b'\\', literal, ..] => (2, *literal == byte),
            [b']', ..] => {
                at += 1;
                break;
            }
            [from, b'-', to, ..] => (3, (*from.min(to)..=*from.max(to)).contains(&byte)),
            [literal, ..] => (1, *literal == byte),
        };
        at += len;
        found |= hit;
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "glob_fuzz.rs"]
mod fuzz;
