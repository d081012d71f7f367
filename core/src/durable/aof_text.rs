//! The text of an append-only file: commands as clients send them, and remarks between.
//!
//! ```text
//!   #TS:1628217470\r\n                          the time of what follows, Unix seconds
//!   #REPL:<id> <offset> <db>\r\n                where in a stream of replication the data are that what comes before makes
//!   *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n             a command: a count, then each word behind its length
//! ```
//!
//! Stricter than what a client may send: no inline form, no empty command. What is not whole at the end of
//! the file is not an error of the form: the file may have been cut off there.
//!
//! Invariant: what a count or a length claims is never allocated, only what is there.

use std::ops::Range;

/// What stands next in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// A command of so many bytes, whose words are in the list.
    Command(usize),
    /// A remark of so many bytes; the time if it is one.
    Remark(usize, Option<i64>),
    /// The bytes end within it.
    Cut,
}

/// There is something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("neither a command nor a remark")]
pub struct Malformed;

/// Most bytes of a count or a length with its line's end.
const HEAD_BYTES_MAX: usize = 32;
/// Most bytes of a remark.
pub const REMARK_BYTES_MAX: usize = 1024;
/// Most words of a command, and most bytes of one.
const WORDS_MAX: u64 = 1 << 30;
const WORD_BYTES_MAX: u64 = 1 << 40;

/// What stands at the beginning of some bytes; where a command's words are is put into `words`.
pub fn next(bytes: &[u8], words: &mut Vec<Range<usize>>) -> Result<Next, Malformed> {
    words.clear();
    match bytes.first() {
        None => return Ok(Next::Cut),
        Some(b'#') => return remark(bytes),
        Some(_) => {}
    }
    let Some((count, mut at)) = head(bytes, 0, b'*', WORDS_MAX)? else { return Ok(Next::Cut) };
    if count == 0 {
        return Err(Malformed);
    }
    for _ in 0..count {
        let Some((len, begin)) = head(bytes, at, b'$', WORD_BYTES_MAX)? else { return Ok(Next::Cut) };
        let end = begin + len as usize;
        match bytes.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Err(Malformed),
            None => return Ok(Next::Cut),
        }
        words.push(begin..end);
        at = end + 2;
    }
    Ok(Next::Command(at))
}

/// A number behind a sign, and where its line ends; `None` if it is cut off.
fn head(bytes: &[u8], at: usize, sign: u8, most: u64) -> Result<Option<(u64, usize)>, Malformed> {
    let line = &bytes[at.min(bytes.len())..bytes.len().min(at + HEAD_BYTES_MAX)];
    let Some((first, digits)) = line.split_first() else { return Ok(None) };
    if *first != sign {
        return Err(Malformed);
    }
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &digits[count..] {
        [] | [b'\r'] if digits.len() + 1 < HEAD_BYTES_MAX => return Ok(None),
        [b'\r', b'\n', ..] if count > 0 => {}
        _ => return Err(Malformed),
    }
    let number = std::str::from_utf8(&digits[..count]).ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number| *number <= most).ok_or(Malformed)?;
    Ok(Some((number, at + count + 3)))
}

fn remark(bytes: &[u8]) -> Result<Next, Malformed> {
    let line = &bytes[..bytes.len().min(REMARK_BYTES_MAX)];
    let Some(end) = line.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() < REMARK_BYTES_MAX { Ok(Next::Cut) } else { Err(Malformed) };
    };
    let text = line[..end].trim_ascii_end();
    let time = text.strip_prefix(b"#TS:").and_then(crate::base::number::parse_i64);
    Ok(Next::Remark(end + 1, time))
}

/// The remark that the data which all before it makes are those of a stream's id at an offset, where it has selected a
/// database.
pub fn place_remark(id: &str, offset: i64, db: i64) -> String {
    format!("#REPL:{id} {offset} {db}\r\n")
}

/// What such a remark says; `None` for another.
pub fn place(remark: &[u8]) -> Option<(String, i64, i64)> {
    let text = std::str::from_utf8(remark.strip_prefix(b"#REPL:")?).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (id, offset, db) = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then(|| (id.to_owned(), offset, db))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let remark = place_remark(id, 77, 3);
        assert_eq!(next(remark.as_bytes(), &mut Vec::new()), Ok(Next::Remark(remark.len(), None)));
        assert_eq!(place(remark.as_bytes()), Some((id.to_owned(), 77, 3)));
        for other in ["#TS:5\r\n", "#REPL:\r\n", "#REPL:a 1\r\n", "#REPL:a b 1\r\n", "#REPL:a 1 2 3\r\n"] {
            assert_eq!(place(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn commands_and_remarks_are_read_one_by_one() {
        let text = b"#TS:1628217470\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n#other\n";
        let mut words = Vec::new();
        assert_eq!(next(text, &mut words), Ok(Next::Remark(16, Some(1_628_217_470))));
        assert_eq!(next(&text[16..], &mut words), Ok(Next::Command(19)));
        let texts: Vec<&[u8]> = words.iter().map(|word| &text[16..][word.clone()]).collect();
        assert_eq!(texts, [b"GET".as_slice(), b""]);
        assert_eq!(next(&text[35..], &mut words), Ok(Next::Remark(7, None)));
    }

    #[test]
    fn a_text_cut_off_anywhere_is_cut_and_not_wrong() {
        let mut words = Vec::new();
        for text in [&b"*2\r\n$3\r\nGET\r\n$12\r\nabcdefghijkl\r\n"[..], b"#TS:1\r\n"] {
            for end in 0..text.len() {
                assert_eq!(next(&text[..end], &mut words), Ok(Next::Cut), "{end}");
            }
        }
        // Whatever a length claims, nothing is allocated for it.
        assert_eq!(next(b"*1000000000\r\n$1000000000000\r\nx", &mut words), Ok(Next::Cut));
        assert!(words.capacity() < 100);
    }

    #[test]
    fn what_is_neither_command_nor_remark_is_refused() {
        let mut words = Vec::new();
        for text in ["!!!", "*0\r\n", "*-1\r\n", "*1\r\n:1\r\n", "*1\n$1\n", "*1\r\n$1\r\nab\r\n", "PING\r\n", "*x\r\n"]
        {
            assert_eq!(next(text.as_bytes(), &mut words), Err(Malformed), "{text}");
        }
        let long = "#".repeat(REMARK_BYTES_MAX + 1);
        assert_eq!(next(long.as_bytes(), &mut words), Err(Malformed));
        assert_eq!(next(format!("*{}", "1".repeat(40)).as_bytes(), &mut words), Err(Malformed));
    }

    #[test]
    fn damaged_text_is_read_within_its_bounds_and_allocates_nothing_for_what_it_claims() {
        plinth_fuzz::run(|random| {
            let mut bytes = Vec::new();
            for _ in 0..random.below(6) {
                if random.once_in(4) {
                    bytes.extend_from_slice(format!("#TS:{}\r\n", random.number()).as_bytes());
                }
                let words: Vec<Vec<u8>> =
                    (0..1 + random.below(4)).map(|_| vec![random.word() as u8; random.below(30)]).collect();
                bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
                for word in words {
                    bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                    bytes.extend_from_slice(&word);
                    bytes.extend_from_slice(b"\r\n");
                }
            }
            random.damage(&mut bytes, b"*$#\r\n0189-\0");
            let (mut rest, mut words) = (&bytes[..], Vec::new());
            while let Ok(Next::Command(len) | Next::Remark(len, _)) = next(rest, &mut words) {
                assert!(len > 0 && len <= rest.len());
                assert!(words.iter().all(|word| word.start <= word.end && word.end <= len));
                rest = &rest[len..];
            }
            assert!(words.capacity() <= 2 * bytes.len() + 8);
        });
    }
}
