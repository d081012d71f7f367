//! The slow log: the last commands that took long, with what they were asked.

use std::collections::VecDeque;

/// Most arguments of an entry, the last of which says how many more there were.
const ARGS_MAX: usize = 32;
/// Most bytes of an argument, behind which it is said how many more there were.
const ARG_BYTES_MAX: usize = 128;

/// A command that took long.
pub struct Entry {
    /// Goes up by one with each, as long as the server runs.
    pub id: u64,
    /// When it ended, Unix time in seconds.
    pub at_s: i64,
    /// How long it took, in microseconds.
    pub us: u64,
    /// Its words, shortened.
    pub args: Vec<Vec<u8>>,
    /// Address of the client.
    pub address: String,
    /// Name of the client.
    pub client: Vec<u8>,
}

/// The log, the newest first.
#[derive(Default)]
pub struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

impl SlowLog {
    /// Take in a command, and forget the oldest beyond so many.
    pub fn add<'a>(&mut self, args: impl ExactSizeIterator<Item = &'a [u8]>, of: Entry, most: usize) {
        let entry = Entry { id: self.next_id, args: shortened(args), ..of };
        self.next_id += 1;
        self.entries.push_front(entry);
        self.trim(most);
    }

    /// Forget the oldest beyond so many.
    pub fn trim(&mut self, most: usize) {
        self.entries.truncate(most);
    }

    /// Forget all.
    pub fn clear(&mut self) {
        self.entries = VecDeque::new();
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

/// Words as the log keeps them.
fn shortened<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let count = args.len();
    let kept = if count > ARGS_MAX { ARGS_MAX - 1 } else { count };
    let mut words: Vec<Vec<u8>> = args.take(kept).map(shortened_word).collect();
    if kept < count {
        words.push(format!("... ({} more arguments)", count - kept).into_bytes());
    }
    words
}

fn shortened_word(word: &[u8]) -> Vec<u8> {
    let Some((kept, rest)) = word.split_at_checked(ARG_BYTES_MAX) else { return word.to_vec() };
    if rest.is_empty() {
        return word.to_vec();
    }
    [kept, format!("... ({} more bytes)", rest.len()).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> Entry {
        Entry { id: 0, at_s: 1, us: 2, args: Vec::new(), address: String::new(), client: Vec::new() }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let mut log = SlowLog::default();
        for word in [b"a", b"b", b"c"] {
            log.add([&word[..]].into_iter(), of(), 2);
        }
        let seen: Vec<_> = log.iter().map(|entry| (entry.id, entry.args[0].clone())).collect();
        assert_eq!(seen, [(2, b"c".to_vec()), (1, b"b".to_vec())]);
        log.trim(0);
        assert!(log.is_empty());
    }

    #[test]
    fn many_and_long_words_are_shortened() {
        let long = vec![b'x'; 130];
        let words: Vec<&[u8]> = vec![&long; 40];
        let kept = shortened(words[..32].iter().copied());
        assert_eq!((kept.len(), kept[0].ends_with(b"x... (2 more bytes)")), (32, true));
        let kept = shortened(words.iter().copied());
        assert_eq!((kept.len(), &kept[31][..]), (32, &b"... (9 more arguments)"[..]));
        assert_eq!(shortened_word(&long[..128]), long[..128]);
    }
}
