//! Splitting a line into words, and quoting a word so that it survives splitting.
//!
//! One rule serves configuration lines and the telnet form of a command:
//!
//! ```text
//!   SET key "a\x00b\n"  'it\'s'  plain"and quoted"
//!   ─┬─ ─┬─ ────┬─────  ───┬───  ────────┬────────
//!   bare bare  double    single     a bare word may end in a double-quoted part
//! ```
//!
//! - Double quotes know `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a`; a backslash before
//!   any other byte gives that byte.
//! - Single quotes know `\'` only.
//! - A closing quote must be followed by a blank or by the end of the line.
//! - Either quote may open in the middle of a bare word; the word ends where it closes.
//!
//! Invariants: any byte may be part of a word, zero included; the words of a line
//! are together never longer than the line; `quote` and `Words` are inverse.

/// Longest that a name of a file or a client is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 256;

/// A name as messages show it: as it is, if it is text of one line, and with what is none escaped.
#[must_use]
pub fn shown(name: &[u8]) -> String {
    let (shown, more) = if name.len() > SHOWN_BYTES_MAX { (&name[..SHOWN_BYTES_MAX], "...") } else { (name, "") };
    match std::str::from_utf8(shown) {
        Ok(text) if !text.chars().any(char::is_control) => format!("{text}{more}"),
        _ => format!("{}{more}", shown.escape_ascii()),
    }
}

/// A quote was opened and not closed, or was closed in the middle of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unbalanced quotes")]
pub struct UnbalancedQuotes;

/// The words of one line, taken one at a time.
///
/// ```text
///   let mut words = Words::of(line);
///   while words.append_next(&mut text)? { /* text grew by one word */ }
/// ```
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// Begins at the start of a line, which carries no line end.
    pub fn of(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// Appends the next word, unquoted, to `text`; false when the line has no more words.
    ///
    /// A word may be empty (`""`), so the answer, not the growth of `text`, tells
    /// whether there was one. After an error the rest of the line has no meaning.
    pub fn append_next(&mut self, text: &mut Vec<u8>) -> Result<bool, UnbalancedQuotes> {
        let blanks = self.rest.iter().take_while(|&&byte| is_blank(byte)).count();
        self.rest = &self.rest[blanks..];
        if self.rest.is_empty() {
            return Ok(false);
        }
        let bare = self.rest.iter().take_while(|&&byte| is_bare(byte)).count();
        let (word, rest) = self.rest.split_at(bare);
        text.extend_from_slice(word);
        self.rest = match rest {
            [b'"', quoted @ ..] => closed(append_double_quoted(quoted, text)?)?,
            [b'\'', quoted @ ..] => closed(append_single_quoted(quoted, text)?)?,
            _ => rest,
        };
        Ok(true)
    }
}

/// All words of a line, each in its own vector.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, UnbalancedQuotes> {
    let mut words = Words::of(line);
    let mut all = Vec::new();
    loop {
        let mut word = Vec::new();
        if !words.append_next(&mut word)? {
            return Ok(all);
        }
        all.push(word);
    }
}

/// Appends `word` to `out` in double quotes, so that splitting gives `word` again.
pub fn quote(word: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => {
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                out.extend_from_slice(&[b'\\', b'x', HEX[high], HEX[low]]);
            }
        }
    }
    out.push(b'"');
}

/// Copies up to the closing `"` and returns what follows it.
fn append_double_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let plain = rest.iter().take_while(|&&byte| byte != b'"' && byte != b'\\').count();
        text.extend_from_slice(&rest[..plain]);
        rest = match &rest[plain..] {
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'x', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                text.push(hex_value(*high) << 4 | hex_value(*low));
                rest
            }
            [b'\\', escaped, rest @ ..] => {
                text.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest
            }
            _ => return Err(UnbalancedQuotes),
        };
    }
}

/// Copies up to the closing `'` and returns what follows it.
fn append_single_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let plain = rest.iter().take_while(|&&byte| byte != b'\'' && byte != b'\\').count();
        text.extend_from_slice(&rest[..plain]);
        rest = match &rest[plain..] {
            [b'\'', rest @ ..] => return Ok(rest),
            [b'\\', b'\'', rest @ ..] => {
                text.push(b'\'');
                rest
            }
            [b'\\', rest @ ..] => {
                text.push(b'\\');
                rest
            }
            _ => return Err(UnbalancedQuotes),
        };
    }
}

/// Checks that a word ends where its closing quote does.
fn closed(rest: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    match rest.first() {
        Some(&byte) if !is_blank(byte) => Err(UnbalancedQuotes),
        _ => Ok(rest),
    }
}

/// The bytes that may stand between words: what C's `isspace` says.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The bytes that go on with a bare word. Vertical tab and form feed do, though
/// they are blanks: Redis skips them before a word and keeps them within one.
fn is_bare(byte: u8) -> bool {
    !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'')
}

/// The value of a byte that is known to be a hexadecimal digit.
fn hex_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joins the words with `|`, so that a case reads as one line.
    fn shown(line: &[u8]) -> Result<Vec<u8>, UnbalancedQuotes> {
        split(line).map(|words| words.join(&b'|'))
    }

    #[test]
    fn bare_words_are_separated_by_any_run_of_blanks() {
        assert_eq!(shown(b""), Ok(b"".to_vec()));
        assert_eq!(split(b" \t\r\n").unwrap().len(), 0);
        assert_eq!(shown(b"  a\tb \r c\r"), Ok(b"a|b|c".to_vec()));
        assert_eq!(shown(b"\x0ba\x0bb \x0c c"), Ok(b"a\x0bb|c".to_vec()));
    }

    #[test]
    fn quotes_keep_blanks_and_allow_an_empty_word() {
        assert_eq!(shown(b"a \"b c\" 'd  e'"), Ok(b"a|b c|d  e".to_vec()));
        assert_eq!(split(b"\"\" ''"), Ok(vec![vec![], vec![]]));
        assert_eq!(shown(b"\"a\rb\""), Ok(b"a\rb".to_vec()));
    }

    #[test]
    fn double_quotes_know_the_documented_escapes() {
        let line = br#""\x41\n\r\t\b\a\"\\\q\xZZ\x4""#;
        assert_eq!(shown(line), Ok(b"A\n\r\t\x08\x07\"\\qxZZx4".to_vec()));
        assert_eq!(shown(br#""\x00\xfF""#), Ok(b"\x00\xff".to_vec()));
    }

    #[test]
    fn single_quotes_know_only_the_escaped_quote() {
        assert_eq!(shown(br"'a\'b\n\x41'"), Ok(br"a'b\n\x41".to_vec()));
        assert_eq!(shown(br"'a\'b\n\\'"), Err(UnbalancedQuotes));
    }

    #[test]
    fn a_quoted_part_may_end_a_bare_word_but_not_begin_one() {
        assert_eq!(shown(b"a\"b c\""), Ok(b"ab c".to_vec()));
        assert_eq!(shown(b"a'b c'"), Ok(b"ab c".to_vec()));
        assert_eq!(shown(b"\"a\"b"), Err(UnbalancedQuotes));
        assert_eq!(shown(b"'a'\"b\""), Err(UnbalancedQuotes));
        assert_eq!(shown(b"\"a\"\x0bb"), Ok(b"a|b".to_vec()));
    }

    #[test]
    fn an_open_quote_is_an_error() {
        for line in [&b"\"a"[..], b"'a", b"a \"", b"'", br#""a\"#, br#""a\""#, br"'a\"] {
            assert_eq!(shown(line), Err(UnbalancedQuotes), "{line:?}");
        }
    }

    #[test]
    fn a_backslash_outside_quotes_and_a_zero_byte_are_plain() {
        assert_eq!(shown(br"a\nb \"), Ok(br"a\nb|\".to_vec()));
        assert_eq!(shown(b"a\0b \"c\0d\""), Ok(b"a\0b|c\0d".to_vec()));
    }

    #[test]
    fn quoting_any_bytes_and_splitting_gives_them_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut line = Vec::new();
        for word in [&all[..], b"", b"plain", b"it's \"so\"", br"\x41"] {
            line.push(b' ');
            quote(word, &mut line);
            assert_eq!(split(&line).unwrap().last().unwrap(), word);
        }
        assert_eq!(split(&line).unwrap().len(), 5);
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
    }
}
