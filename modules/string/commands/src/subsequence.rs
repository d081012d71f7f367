//! The longest common subsequence of two strings, a row of 64 cells at a time.
//!
//! The table of lengths `L(i, j)` (of the longest subsequence common to the first `i` bytes of `a`
//! and the first `j` of `b`) grows by 0 or 1 from one cell of a row to the next, so a row is
//! as many bits as `b` has bytes, and the next row follows from it by one addition per 64 of
//! them (Hyyrö, *Bit-parallel LCS-length computation revisited*, 2004):
//!
//! ```text
//!   steps(i)     bit j set: L(i, j + 1) = L(i, j) + 1
//!   matches(c)   bit j set: b[j] = c
//!
//!   flat(i) = not steps(i)
//!   flat(i) = (flat(i-1) + (flat(i-1) and matches(a[i]))) or (flat(i-1) and not matches(a[i]))
//! ```
//!
//! The rows are also all that the way back needs: where bytes differ, the length comes from above
//! exactly when the row steps there. So the table takes a bit for each cell, a thirty-second of
//! the usual one, and a sixtieth of its time.

/// The ways that lead to the longest common subsequence of two strings.
pub struct Subsequence<'s> {
    a: &'s [u8],
    b: &'s [u8],
    /// Words in a row.
    words: usize,
    /// The rows for the first byte of `a`, the first two, and so on.
    steps: Vec<u64>,
    len: usize,
}

/// A run of bytes that both strings share: where it begins, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Position in the first string.
    pub a: usize,
    /// Position in the second string.
    pub b: usize,
    /// Bytes.
    pub len: usize,
}

/// Bit rows for the bytes that occur in the first string.
struct Matches {
    row_of: [u16; 256],
    rows: Vec<u64>,
}

const NO_ROW: u16 = u16::MAX;

impl Matches {
    fn new(a: &[u8], b: &[u8], words: usize) -> Matches {
        let mut row_of = [NO_ROW; 256];
        let mut count = 0;
        for &byte in a {
            if row_of[byte as usize] == NO_ROW {
                row_of[byte as usize] = count;
                count += 1;
            }
        }
        let mut rows = vec![0; words * count as usize];
        for (at, &byte) in b.iter().enumerate() {
            let row = row_of[byte as usize];
            if row != NO_ROW {
                rows[row as usize * words + at / 64] |= 1 << (at % 64);
            }
        }
        Matches { row_of, rows }
    }

    fn of(&self, byte: u8, words: usize) -> &[u64] {
        let row = self.row_of[byte as usize] as usize;
        &self.rows[row * words..(row + 1) * words]
    }
}

/// Computes the next row of flats in place.
fn advance(flats: &mut [u64], matches: &[u64]) {
    let mut carry = false;
    for (flat, &matching) in flats.iter_mut().zip(matches) {
        let (sum, first) = flat.overflowing_add(*flat & matching);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        *flat = sum | *flat & !matching;
    }
}

/// Length of the longest common subsequence, without the way to it.
pub fn len(a: &[u8], b: &[u8]) -> usize {
    let words = b.len().div_ceil(64);
    let matches = Matches::new(a, b, words);
    let mut flats = vec![u64::MAX; words];
    for &byte in a {
        advance(&mut flats, matches.of(byte, words));
    }
    count_steps(&flats)
}

/// Steps in a row. Bits behind the end match nothing, and what matches nothing stays flat.
fn count_steps(flats: &[u64]) -> usize {
    flats.iter().map(|flat| flat.count_zeros() as usize).sum()
}

impl<'s> Subsequence<'s> {
    /// Computes the table.
    pub fn new(a: &'s [u8], b: &'s [u8]) -> Subsequence<'s> {
        let words = b.len().div_ceil(64);
        let matches = Matches::new(a, b, words);
        let mut flats = vec![u64::MAX; words];
        let mut steps = Vec::with_capacity(words * a.len());
        for &byte in a {
            advance(&mut flats, matches.of(byte, words));
            steps.extend(flats.iter().map(|flat| !flat));
        }
        let len = count_steps(&flats);
        Subsequence { a, b, words, steps, len }
    }

    /// Length of the longest common subsequence.
    pub fn common_len(&self) -> usize {
        self.len
    }

    /// Visits the matches on one way through the table, from the strings' ends to their begins.
    /// Of several ways the one that leaves out the later bytes of `b` first. A match ends where
    /// either string does not go on, and where one of them begins.
    pub fn matches(&self, mut visit: impl FnMut(Match)) {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        let mut open: Option<Match> = None;
        while i > 0 && j > 0 {
            if self.a[i - 1] == self.b[j - 1] {
                (i, j) = (i - 1, j - 1);
                open = Some(Match { a: i, b: j, len: open.map_or(1, |open| open.len + 1) });
                continue;
            }
            if let Some(open) = open.take() {
                visit(open);
            }
            let at = j - 1;
            if self.steps[(i - 1) * self.words + at / 64] >> (at % 64) & 1 == 1 {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        if let Some(open) = open {
            visit(open);
        }
    }

    /// The longest common subsequence itself.
    pub fn text(&self) -> Vec<u8> {
        let mut text = vec![0; self.len];
        let mut end = self.len;
        self.matches(|found| {
            let begin = end - found.len;
            text[begin..end].copy_from_slice(&self.a[found.a..found.a + found.len]);
            end = begin;
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The table of lengths as textbooks have it, and the way back with the same preference.
    fn model(a: &[u8], b: &[u8]) -> (usize, Vec<u8>, Vec<Match>) {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                table[i][j] =
                    if a[i - 1] == b[j - 1] { table[i - 1][j - 1] + 1 } else { table[i - 1][j].max(table[i][j - 1]) };
            }
        }
        let (mut i, mut j, mut text, mut pairs) = (a.len(), b.len(), Vec::new(), Vec::new());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                text.push(a[i]);
                pairs.push((i, j));
            } else if table[i - 1][j] > table[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        text.reverse();
        let mut matches: Vec<Match> = Vec::new();
        for (i, j) in pairs {
            match matches.last_mut() {
                Some(last) if last.a == i + 1 && last.b == j + 1 => *last = Match { a: i, b: j, len: last.len + 1 },
                _ => matches.push(Match { a: i, b: j, len: 1 }),
            }
        }
        (table[a.len()][b.len()], text, matches)
    }

    fn check(a: &[u8], b: &[u8]) {
        let (expected_len, expected_text, expected_matches) = model(a, b);
        let found = Subsequence::new(a, b);
        assert_eq!((found.common_len(), len(a, b)), (expected_len, expected_len));
        assert_eq!(found.text(), expected_text);
        let mut matches = Vec::new();
        found.matches(|one| matches.push(one));
        assert_eq!(matches, expected_matches);
    }

    #[test]
    fn the_example_of_the_manual_comes_out() {
        check(b"ohmytext", b"mynewtext");
        let found = Subsequence::new(b"ohmytext", b"mynewtext");
        assert_eq!((found.common_len(), found.text()), (6, b"mytext".to_vec()));
        check(b"", b"");
        check(b"", b"x");
        check(b"x", b"");
        check(&[b'a'; 64], &[b'a'; 64]);
        check(&[b'a'; 65], &[b'a'; 130]);
    }

    proptest! {
        #[test]
        fn rows_of_bits_agree_with_the_table_of_lengths(a in "[ab]{0,150}", b in "[abc]{0,150}") {
            check(a.as_bytes(), b.as_bytes());
        }

        #[test]
        fn any_bytes_agree(a: Vec<u8>, b: Vec<u8>) {
            check(&a, &b);
        }
    }
}
