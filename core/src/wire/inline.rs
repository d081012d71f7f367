//! The telnet form of a request: one line of words, as a person types it.
//!
//! ```text
//!   SET greeting "hello\x20world"\r\n
//! ```
//!
//! The words follow the quoting of [`crate::base::words`]. Unquoting makes new
//! bytes, so the arguments of such a request are spans into a small text of their
//! own, and not into the query buffer; to whoever runs the command they look alike.
//!
//! Invariant: the text is never longer than the line, which the parser limits to
//! 64 KiB, so that the number of words is limited too.

use crate::base::words::Words;
use crate::wire::request::{ProtocolError, Span, push};

/// Unquotes the words of `line`, which has lost its line feed.
///
/// Appends one span a word to `args` and returns the text that they point into.
/// After an error `args` is as before.
pub(super) fn unquote(line: &[u8], args: &mut Vec<Span>) -> Result<Vec<u8>, ProtocolError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let base = args.len();
    let mut text = Vec::new();
    text.try_reserve_exact(line.len()).map_err(|_| ProtocolError::NoMemory)?;
    let mut words = Words::of(line);
    loop {
        let start = text.len();
        match words.append_next(&mut text) {
            Ok(true) => push(args, Span { start, len: text.len() - start }).inspect_err(|_| args.truncate(base))?,
            Ok(false) => return Ok(text),
            Err(_) => {
                args.truncate(base);
                return Err(ProtocolError::UnbalancedQuotes);
            }
        }
    }
}
