//! The rewriter: the commands that make a value anew, for an append-only file that every server
//! with these commands can read.
//!
//! ```
//! # use plinth_module::error::Result;
//! # use plinth_module::rewrite::Rewriter;
//! fn of_a_set(members: &[&[u8]], out: &mut Rewriter<'_>) -> Result {
//!     let mut pieces = out.pieces("SADD"); // SADD key member member ..., and again
//!     members.iter().for_each(|member| pieces.push(&[member]));
//!     pieces.finish()
//! }
//! ```

use crate::abi::bytes::{Bytes, Opaque};
use crate::error::{Result, check};
use crate::host;

/// Words of one piece, about.
const PIECE_WORDS: usize = 128;
/// Bytes of one piece, about.
const PIECE_BYTES: usize = 64 * 1024;

/// Takes the commands of one value. Lives for the call of `rewrite`.
pub struct Rewriter<'r> {
    raw: Opaque,
    key: &'r [u8],
}

impl<'r> Rewriter<'r> {
    /// # Safety
    /// `raw` is the rewriter that the host handed to the running `rewrite`.
    pub(crate) unsafe fn new(raw: Opaque, key: &'r [u8]) -> Rewriter<'r> {
        Rewriter { raw, key }
    }

    /// The key whose value it is.
    pub fn key(&self) -> &'r [u8] {
        self.key
    }

    /// The next command: its name, and the rest as a client would send it. What this fails with,
    /// `rewrite` is to fail with.
    pub fn emit(&mut self, words: &[&[u8]]) -> Result {
        let words: Vec<Bytes> = words.iter().map(|word| Bytes::of(word)).collect();
        self.emit_bytes(&words)
    }

    fn emit_bytes(&mut self, words: &[Bytes]) -> Result {
        // SAFETY: the rewriter is valid while the value is; the words are borrowed for the call.
        check(unsafe { (host::rewrite().emit)(self.raw, words.as_ptr(), words.len() as u32) })
    }

    /// Commands of a name for the key, each with as many elements behind it as make a good piece.
    pub fn pieces<'p>(&'p mut self, name: &'p str) -> Pieces<'p, 'r> {
        Pieces { out: self, name, bytes: Vec::new(), ends: Vec::new(), done: Ok(()) }
    }
}

/// Elements that are put together to commands. See [`Rewriter::pieces`].
pub struct Pieces<'p, 'r> {
    out: &'p mut Rewriter<'r>,
    name: &'p str,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    done: Result,
}

impl Pieces<'_, '_> {
    /// Adds an element, whose words stay together. A failure is kept for [`finish`](Pieces::finish).
    pub fn push(&mut self, element: &[&[u8]]) {
        if self.done.is_err() {
            return;
        }
        let more: usize = element.iter().map(|word| word.len()).sum();
        if self.ends.len() >= PIECE_WORDS || !self.ends.is_empty() && self.bytes.len() + more > PIECE_BYTES {
            self.flush();
        }
        for word in element {
            self.bytes.extend_from_slice(word);
            self.ends.push(self.bytes.len());
        }
    }

    fn flush(&mut self) {
        let mut words = vec![Bytes::of(self.name.as_bytes()), Bytes::of(self.out.key)];
        let mut start = 0;
        for end in &self.ends {
            words.push(Bytes::of(&self.bytes[start..*end]));
            start = *end;
        }
        self.done = self.out.emit_bytes(&words);
        self.bytes.clear();
        self.ends.clear();
    }

    /// Gives what is left. Fails as [`Rewriter::emit`] did for any of the commands.
    pub fn finish(mut self) -> Result {
        if self.done.is_ok() && !self.ends.is_empty() {
            self.flush();
        }
        self.done
    }
}
