//! Ids: what entries are ordered and found by, a time in ms and a number within it.
//!
//! ```text
//!   1700000000000-3      text, as in commands and replies
//!   ms u64 BE, seq u64 BE      bytes, as in files: they sort as the ids do
//! ```
//!
//! Source: <https://redis.io/docs/latest/develop/data-types/streams/>.

/// An entry's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Id {
    /// Unix time in ms, as a rule.
    pub ms: u64,
    /// Which entry of that millisecond, from 0 on.
    pub seq: u64,
}

/// Longest text of an id.
pub const TEXT_MAX: usize = 41;

impl Id {
    /// The least id, which no entry has.
    pub const MIN: Id = Id { ms: 0, seq: 0 };
    /// The greatest.
    pub const MAX: Id = Id { ms: u64::MAX, seq: u64::MAX };

    /// An id of its two parts.
    #[inline]
    pub const fn new(ms: u64, seq: u64) -> Id {
        Id { ms, seq }
    }

    /// The next id, or `None` behind the greatest.
    #[inline]
    pub fn next(self) -> Option<Id> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Id { seq, ..self }),
            None => Some(Id { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id before, or `None` before the least.
    #[inline]
    pub fn previous(self) -> Option<Id> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Id { seq, ..self }),
            None => Some(Id { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// The sixteen bytes of files, which sort as the ids do.
    #[inline]
    pub fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.ms) << 64) | u128::from(self.seq)).to_be_bytes()
    }

    /// An id of sixteen bytes.
    #[inline]
    pub fn from_bytes(bytes: [u8; 16]) -> Id {
        let both = u128::from_be_bytes(bytes);
        Id { ms: (both >> 64) as u64, seq: both as u64 }
    }

    /// Writes the text to `room`; returns how long it is.
    #[inline]
    pub fn text(self, room: &mut [u8; TEXT_MAX]) -> &[u8] {
        let mut digits = itoa::Buffer::new();
        let ms = digits.format(self.ms).as_bytes();
        let at = ms.len();
        room[..at].copy_from_slice(ms);
        room[at] = b'-';
        let mut digits = itoa::Buffer::new();
        let seq = digits.format(self.seq).as_bytes();
        let end = at + 1 + seq.len();
        room[at + 1..end].copy_from_slice(seq);
        &room[..end]
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// Longest text that is read as an id. Zeros in front may make it longer than [`TEXT_MAX`].
const READ_MAX: usize = 127;

/// A number as it may stand in an id: digits, and what C's `strtoull` passes over before them, because
/// the reference reads numbers with it. (Not the minus that wraps round there behind a space.)
pub fn number(text: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let digits = text.iter().position(|byte| !blank(byte)).map_or(&[][..], |at| &text[at..]);
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Reads an id; without a number after the time that number is `seq`.
pub fn parse(text: &[u8], seq: u64) -> Option<Id> {
    if text.len() > READ_MAX {
        return None;
    }
    match text.iter().position(|byte| *byte == b'-') {
        Some(at) => Some(Id { ms: number(&text[..at])?, seq: number(&text[at + 1..])? }),
        None => Some(Id { ms: number(text)?, seq }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        for id in [Id::MIN, Id::MAX, Id::new(1_700_000_000_000, 3), Id::new(0, u64::MAX)] {
            let mut room = [0; TEXT_MAX];
            assert_eq!(parse(id.text(&mut room), 9), Some(id));
            assert_eq!(Id::from_bytes(id.to_bytes()), id);
            assert_eq!(id.to_string().as_bytes(), id.text(&mut room));
        }
        assert_eq!(parse(b"5", 9), Some(Id::new(5, 9)));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let long = format!("{}-7", "0".repeat(126));
        for text in
            ["", "-", "1-", "-1", "1-2-3", "a", "1-a", "+", "++1", "1 ", " ", "1- -2", "18446744073709551616", &long]
        {
            assert_eq!(parse(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn an_id_may_have_what_the_reference_passes_over() {
        for text in ["5-1", "+5-1", " 5-1", "5-+1", "005-01", "\t5-\n1"] {
            assert_eq!(parse(text.as_bytes(), 0), Some(Id::new(5, 1)), "{text}");
        }
        assert_eq!(parse(format!("{}6-7", "0".repeat(124)).as_bytes(), 0), Some(Id::new(6, 7)));
    }

    #[test]
    fn ids_have_neighbours_but_at_the_ends() {
        assert_eq!(Id::new(1, u64::MAX).next(), Some(Id::new(2, 0)));
        assert_eq!(Id::new(2, 0).previous(), Some(Id::new(1, u64::MAX)));
        assert_eq!((Id::MAX.next(), Id::MIN.previous()), (None, None));
    }

    #[test]
    fn bytes_sort_as_the_ids_do() {
        let mut ids = [Id::new(256, 0), Id::new(1, 256), Id::new(1, 2), Id::new(255, 1)];
        ids.sort_by_key(|id| id.to_bytes());
        assert!(ids.is_sorted());
    }
}
