//! The manifest of an append-only file: which files it is made of, as text.
//!
//! ```text
//!   file appendonly.aof.2.base.rdb seq 2 type b        the state at one moment, at most one
//!   file appendonly.aof.1.incr.aof seq 1 type h        history: no longer needed, not removed yet
//!   file appendonly.aof.3.incr.aof seq 3 type i        commands since then, in the order of the lines
//! ```
//!
//! A line is pairs of a key and a value, in any order; pairs that are not known (`startoffset` of Redis
//! 8.2) are passed over. A name with blanks or signs stands in double quotes. Lines that begin with `#` are
//! remarks.
//!
//! Invariants: there is at most one base; sequence numbers of increments go up; a name is not a path. What
//! was written is read back to the same.

use crate::base::words;

/// Most bytes of a line, its end included.
pub const LINE_BYTES_MAX: usize = 1024;
/// Most lines of a manifest: each is a file.
pub const LINES_MAX: usize = 100_000;

/// A file that a manifest names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its name in the folder of the append-only file.
    pub name: String,
    /// Its number, from 1.
    pub seq: u64,
}

/// Largest number, so that the next one is a number still.
const SEQ_MAX: u64 = 1 << 53;

/// What an append-only file is made of.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The state that increments begin from.
    pub base: Option<Part>,
    /// What is no longer needed, the latest first; whether each was a base cannot be told but by its name.
    pub history: Vec<Part>,
    /// Commands, in the order in which they are to be run.
    pub increments: Vec<Part>,
    /// The highest number of a base so far.
    pub base_seq: u64,
    /// The highest number of an increment so far.
    pub increment_seq: u64,
}

/// Why a manifest is not understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is nothing in it.
    #[error("Found an empty AOF manifest")]
    Empty,
    /// A line is at fault: its number from 1, its text, and why.
    #[error("Reading the manifest file, at line {0}: '{1}': {2}")]
    Line(usize, String, LineError),
    /// It has more lines than any can have.
    #[error("The AOF manifest file has more than {LINES_MAX} lines")]
    Lines,
}

/// Why a line is not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// It is longer than any can be.
    #[error("The AOF manifest file contains too long line")]
    Long,
    /// The file ends within it.
    #[error("The AOF manifest file ends within a line")]
    Torn,
    /// It is no pairs, or lacks one.
    #[error("Invalid AOF manifest file format")]
    Format,
    /// The name leads elsewhere.
    #[error("File can't be a path, just a filename")]
    Path,
    /// There is a second base.
    #[error("Found duplicate base file information")]
    Base,
    /// An increment's number is not above that before it.
    #[error("Found a non-monotonic sequence number")]
    Order,
    /// The type is none of `b`, `i`, `h`.
    #[error("Unknown AOF file type")]
    Type,
}

impl Manifest {
    /// Reads a manifest's text.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        if text.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut manifest = Manifest::default();
        for (at, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if at >= LINES_MAX {
                return Err(ManifestError::Lines);
            }
            manifest.take_line(line).map_err(|error| {
                let shown = String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]).trim_end().to_owned();
                ManifestError::Line(at + 1, shown, error)
            })?;
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), LineError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::Long);
        }
        if !line.ends_with(b"\n") {
            return Err(LineError::Torn);
        }
        if line.starts_with(b"#") {
            return Ok(());
        }
        let (part, kind) = read_line(line.trim_ascii())?;
        match kind {
            b'b' if self.base.is_some() => return Err(LineError::Base),
            b'b' => {
                self.base_seq = part.seq;
                self.base = Some(part);
            }
            b'i' if part.seq <= self.increment_seq => return Err(LineError::Order),
            b'i' => {
                self.increment_seq = part.seq;
                self.increments.push(part);
            }
            b'h' => self.history.push(part),
            _ => return Err(LineError::Type),
        }
        Ok(())
    }

    /// The text that [`parse`](Self::parse) reads.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let kinds = [(self.base.as_slice(), 'b'), (&self.history[..], 'h'), (&self.increments[..], 'i')];
        for (parts, kind) in kinds {
            for part in parts {
                out.extend_from_slice(b"file ");
                let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'\'');
                if !part.name.is_empty() && part.name.bytes().all(plain) {
                    out.extend_from_slice(part.name.as_bytes());
                } else {
                    words::quote(part.name.as_bytes(), &mut out);
                }
                out.extend_from_slice(format!(" seq {} type {kind}\n", part.seq).as_bytes());
            }
        }
        out
    }

    /// Whether nothing is to be loaded.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    /// The parts that make up the data, in the order in which they are loaded.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.base.iter().chain(&self.increments)
    }

    /// Take another base in the place of the one that is there, which becomes history.
    pub fn begin_base(&mut self, file: &str, is_rdb: bool) -> &Part {
        if let Some(old) = self.base.take() {
            self.history.insert(0, old);
        }
        self.base_seq += 1;
        let name = format!("{file}.{}.base.{}", self.base_seq, if is_rdb { "rdb" } else { "aof" });
        self.base.insert(Part { name, seq: self.base_seq })
    }

    /// Add an increment behind those that are there.
    pub fn begin_increment(&mut self, file: &str) -> Part {
        self.increment_seq += 1;
        let part = Part { name: format!("{file}.{}.incr.aof", self.increment_seq), seq: self.increment_seq };
        self.increments.push(part.clone());
        part
    }

    /// All increments but the last so many become history.
    pub fn retire_increments(&mut self, kept: usize) {
        let count = self.increments.len().saturating_sub(kept);
        // The earliest comes to the front, as each new one of the history does.
        for part in self.increments.drain(..count).rev() {
            self.history.insert(0, part);
        }
    }
}

/// The file and the type that a line names.
fn read_line(line: &[u8]) -> Result<(Part, u8), LineError> {
    let words = words::split(line).map_err(|_| LineError::Format)?;
    if words.len() < 6 || !words.len().is_multiple_of(2) {
        return Err(LineError::Format);
    }
    let (mut name, mut seq, mut kind) = (None, None, None);
    for pair in words.chunks(2) {
        let (key, value) = (pair[0].to_ascii_lowercase(), &pair[1]);
        match key.as_slice() {
            b"file" => {
                let text = String::from_utf8(value.clone()).map_err(|_| LineError::Format)?;
                if text.contains('/') || matches!(text.as_str(), "." | "..") {
                    return Err(LineError::Path);
                }
                name = Some(text).filter(|text| !text.is_empty());
            }
            b"seq" => seq = crate::base::number::parse_u64(value).filter(|seq| (1..=SEQ_MAX).contains(seq)),
            b"type" => kind = value.first().copied().filter(|_| value.len() == 1),
            _ => {}
        }
    }
    match (name, seq, kind) {
        (Some(name), Some(seq), Some(kind)) => Ok((Part { name, seq }, kind)),
        _ => Err(LineError::Format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, seq: u64) -> Part {
        Part { name: name.into(), seq }
    }

    #[test]
    fn a_manifest_of_each_server_is_read() {
        let redis_7 = b"file a.aof.2.base.rdb seq 2 type b\nfile a.aof.1.incr.aof seq 1 type h\n\
            file a.aof.3.incr.aof seq 3 type i\nfile a.aof.5.incr.aof seq 5 type i\n";
        let manifest = Manifest::parse(redis_7).unwrap();
        assert_eq!(manifest.base, Some(part("a.aof.2.base.rdb", 2)));
        assert_eq!(manifest.history, [part("a.aof.1.incr.aof", 1)]);
        assert_eq!(manifest.increments, [part("a.aof.3.incr.aof", 3), part("a.aof.5.incr.aof", 5)]);
        assert_eq!(manifest.text(), redis_7);
        let redis_8 = b"# remark\nfile a.aof.1.incr.aof seq 1 type i startoffset 120 endoffset 400\n";
        assert_eq!(Manifest::parse(redis_8).unwrap().increments, [part("a.aof.1.incr.aof", 1)]);
        assert!(Manifest::parse(b"# nothing yet\n").unwrap().is_empty());
    }

    #[test]
    fn any_name_is_read_back_as_it_was_written() {
        for name in [" file seq \n\n.aof ", "a\"b", "plain", "it's", "ÿ", "\\"] {
            let mut manifest = Manifest::default();
            manifest.begin_base(name, true);
            manifest.begin_increment(name);
            assert_eq!(Manifest::parse(&manifest.text()).unwrap(), manifest, "{name:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let long = format!("file {} seq 1 type b\n", "x".repeat(LINE_BYTES_MAX));
        for (text, line, error) in [
            ("file a seq 1 type i\n\nfile b seq 2 type i\n", 2, LineError::Format),
            ("filx a seq 1 type b\n", 1, LineError::Format),
            ("file a seq 1 type i newkey\n", 1, LineError::Format),
            ("file a seq 0 type i\n", 1, LineError::Format),
            ("file a seq 18446744073709551615 type i\n", 1, LineError::Format),
            ("file a seq 1\n", 1, LineError::Format),
            ("file a seq 1 type x\n", 1, LineError::Type),
            ("file ../a seq 1 type i\n", 1, LineError::Path),
            ("file a seq 2 type i\nfile b seq 1 type i\n", 2, LineError::Order),
            ("file a seq 1 type b\nfile b seq 2 type b\n", 2, LineError::Base),
            ("file a seq 1 type b", 1, LineError::Torn),
            (&long, 1, LineError::Long),
        ] {
            let refused = Manifest::parse(text.as_bytes());
            assert!(
                matches!(&refused, Err(ManifestError::Line(at, _, why)) if (*at, *why) == (line, error)),
                "{text}: {refused:?}"
            );
        }
        assert_eq!(Manifest::parse(b""), Err(ManifestError::Empty));
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let whole = b"file a.aof.2.base.rdb seq 2 type b\nfile \"b c\" seq 3 type i\n";
        for end in 0..whole.len() {
            let _ = Manifest::parse(&whole[..end]);
            for byte in [0, b'"', b'\n', b' ', 0xff] {
                let mut changed = whole.to_vec();
                changed[end] = byte;
                let _ = Manifest::parse(&changed);
            }
        }
    }

    #[test]
    fn a_rewrite_makes_history_of_what_it_replaces() {
        let mut manifest = Manifest::default();
        manifest.begin_base("a", true);
        manifest.begin_increment("a");
        manifest.begin_increment("a");
        manifest.begin_increment("a");
        manifest.begin_base("a", false);
        manifest.retire_increments(1);
        let text = String::from_utf8(manifest.text()).unwrap();
        assert_eq!(
            text,
            "file a.2.base.aof seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type h\n\
             file a.1.base.rdb seq 1 type h\nfile a.3.incr.aof seq 3 type i\n"
        );
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_is_one_that_can_be_written_again() {
        let (mut read, mut refused) = (0u64, 0u64);
        plinth_fuzz::run(|random| {
            let mut manifest = Manifest::default();
            for _ in 0..random.below(6) {
                match random.below(3) {
                    0 => drop(manifest.begin_base("a file", random.once_in(2))),
                    1 => drop(manifest.begin_increment("a.aof")),
                    _ => manifest.retire_increments(1),
                }
            }
            let mut text = manifest.text();
            random.damage(&mut text, b"bih \n\"\\'/.#019\0\xff");
            match Manifest::parse(&text) {
                Ok(manifest) => {
                    assert!(manifest.parts().all(|part| !part.name.contains('/') && part.seq > 0));
                    assert!(manifest.increments.is_sorted_by(|one, next| one.seq < next.seq));
                    let text = manifest.text();
                    assert!(text.is_empty() || Manifest::parse(&text).as_ref() == Ok(&manifest), "{manifest:?}");
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        });
        assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
    }
}
