//! Segments: files of units, in which the last one goes on after a restart.
//!
//! ```text
//!   00000000000000000003.aof     #HISTORY:<id>:100 | #UNIT:101:55 ... | #UNIT:102:31 ... | #UNIT:103:80 ...
//!   number of the segment         units before it    number, bytes of its commands behind the mark
//! ```
//!
//! A line that begins with `#` is a remark to whoever reads append-only files, so a segment is one: commands with
//! SELECT where the database changes, and MULTI and EXEC around units of several.
//!
//! Invariants:
//! - Units of a segment follow one another without a gap; where one is missing a new segment begins.
//! - Each is written at once. What a crash leaves of one that was not is cut off when the segment is opened.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Longest line that is taken for a remark of ours.
const REMARK_BYTES_MAX: u64 = 128;

/// A unit as it is told.
pub(crate) struct Unit<'u> {
    /// The history that it is counted in.
    pub(crate) history: &'u str,
    /// Its number there.
    pub(crate) number: u64,
    /// Whether it was read from the server's own file.
    pub(crate) is_replayed: bool,
    /// Its commands with their databases.
    pub(crate) commands: &'u [(u32, &'u [u8])],
}

/// How large segments become, and how many are kept.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes after which the next one begins.
    pub(crate) segment_bytes: u64,
    /// Segments of which the oldest goes when there are more, 0 for no such limit.
    pub(crate) segments_max: usize,
}

/// Where the last segment ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct End {
    /// The history of its units.
    pub(crate) history: String,
    /// The last of them, or the one before the first.
    pub(crate) unit: u64,
}

/// The log.
pub(crate) struct Log {
    folder: PathBuf,
    /// Numbers of the segments, in order.
    segments: Vec<u64>,
    /// The last of them.
    file: Option<File>,
    bytes: u64,
    end: Option<End>,
    /// The database that a reader of the segment has selected.
    db: Option<u32>,
    /// How often a unit did not follow the one before it.
    pub(crate) gaps: u64,
}

/// A segment as it is found.
struct Found {
    end: End,
    /// Where the last whole unit ends.
    bytes: u64,
}

impl Log {
    /// The log in a folder, which is made if it is not there.
    pub(crate) fn open(folder: &Path) -> io::Result<Log> {
        fs::create_dir_all(folder)?;
        let mut segments: Vec<u64> = fs::read_dir(folder)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".aof")?.parse().ok())
            .collect();
        segments.sort_unstable();
        let mut log = Log { folder: folder.to_owned(), segments, file: None, bytes: 0, end: None, db: None, gaps: 0 };
        log.open_last(None)?;
        Ok(log)
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Segments that there are.
    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.folder.join(format!("{segment:020}.aof"))
    }

    /// Go on with the last segment, of which units behind a number go if one is given.
    fn open_last(&mut self, up_to: Option<u64>) -> io::Result<()> {
        (self.file, self.end, self.bytes, self.db) = (None, None, 0, None);
        let Some(&last) = self.segments.last() else { return Ok(()) };
        let mut file = File::options().read(true).write(true).open(self.path(last))?;
        // One without a head is that of a crash, or nothing of ours: nothing is added to it.
        let Some(found) = find_end(&file, up_to)? else { return Ok(()) };
        file.set_len(found.bytes)?;
        file.seek(SeekFrom::End(0))?;
        (self.file, self.end, self.bytes) = (Some(file), Some(found.end), found.bytes);
        Ok(())
    }

    /// Begin a segment, whose first unit follows one of a history.
    fn begin(&mut self, history: &str, before: u64, limits: Limits) -> io::Result<()> {
        let number = self.segments.last().map_or(1, |last| last + 1);
        let mut file = File::options().write(true).create_new(true).open(self.path(number))?;
        self.segments.push(number);
        // Until its head is written it is none to go on with.
        (self.file, self.end) = (None, None);
        let head = format!("#HISTORY:{history}:{before}\r\n");
        file.write_all(head.as_bytes())?;
        self.bytes = head.len() as u64;
        (self.file, self.db) = (Some(file), None);
        self.end = Some(End { history: history.to_owned(), unit: before });
        while limits.segments_max > 0 && self.segments.len() > limits.segments_max {
            let oldest = self.segments.remove(0);
            fs::remove_file(self.path(oldest))?;
        }
        Ok(())
    }

    /// Write a unit down, unless it is there.
    pub(crate) fn take(&mut self, unit: &Unit<'_>, limits: Limits) -> io::Result<()> {
        let before = unit.number.saturating_sub(1);
        match self.end.as_ref().filter(|end| end.history == unit.history && self.file.is_some()).map(|end| end.unit) {
            Some(last) if last == before && self.bytes < limits.segment_bytes => {}
            Some(last) if last == before => self.begin(unit.history, before, limits)?,
            Some(last) if last > before && unit.is_replayed => return Ok(()),
            // The server has lost what came behind: so does the log.
            Some(last) if last > before => {
                self.cut(unit.history, before)?;
                if !self.follows(unit.history, before) {
                    self.begin(unit.history, before, limits)?;
                }
            }
            missing => {
                self.gaps += u64::from(missing.is_some());
                self.begin(unit.history, before, limits)?;
            }
        }
        self.append(unit)
    }

    fn follows(&self, history: &str, before: u64) -> bool {
        self.end.as_ref().is_some_and(|end| end.history == history && end.unit == before)
    }

    /// Drop units behind a number: whole segments, and the end of one.
    fn cut(&mut self, history: &str, up_to: u64) -> io::Result<()> {
        while self.end.as_ref().is_some_and(|end| end.history == history && end.unit > up_to) {
            self.open_last(Some(up_to))?;
            if self.end.as_ref().is_some_and(|end| end.unit > up_to) {
                // It began behind it.
                let Some(last) = self.segments.pop() else { break };
                fs::remove_file(self.path(last))?;
                self.open_last(None)?;
            }
        }
        Ok(())
    }

    fn append(&mut self, unit: &Unit<'_>) -> io::Result<()> {
        let mut db = self.db;
        let mut body = Vec::new();
        if unit.commands.len() > 1 {
            body.extend_from_slice(b"*1\r\n$5\r\nMULTI\r\n");
        }
        for (of, command) in unit.commands {
            if db != Some(*of) {
                let digits = of.to_string();
                body.extend_from_slice(format!("*2\r\n$6\r\nSELECT\r\n${}\r\n{digits}\r\n", digits.len()).as_bytes());
                db = Some(*of);
            }
            body.extend_from_slice(command);
        }
        if unit.commands.len() > 1 {
            body.extend_from_slice(b"*1\r\n$4\r\nEXEC\r\n");
        }
        let mut text = format!("#UNIT:{}:{}\r\n", unit.number, body.len()).into_bytes();
        text.append(&mut body);
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        if let Err(error) = file.write_all(&text) {
            // Half of a unit is none. If it cannot be taken back, the next unit begins a segment.
            if file.set_len(self.bytes).and_then(|()| file.seek(SeekFrom::End(0))).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.bytes += text.len() as u64;
        self.db = db;
        if let Some(end) = &mut self.end {
            end.unit = unit.number;
        }
        Ok(())
    }
}

/// The next line of ours, without its name and its end; `None` at the end, and where there is another.
fn remark(reader: &mut impl BufRead, name: &str) -> io::Result<Option<(String, u64)>> {
    let mut line = Vec::new();
    let count = io::Read::take(&mut *reader, REMARK_BYTES_MAX).read_until(b'\n', &mut line)?;
    let text = String::from_utf8(line).ok();
    let text = text.as_deref().and_then(|text| text.strip_prefix(name)?.strip_suffix("\r\n"));
    Ok(text.map(|text| (text.to_owned(), count as u64)))
}

/// Two parts of a remark.
fn parts(text: &str) -> Option<(&str, u64)> {
    let (first, second) = text.split_once(':')?;
    Some((first, second.parse().ok()?))
}

/// Where the whole units of a segment end, up to one if a number is given; `None` if it has no head.
fn find_end(file: &File, up_to: Option<u64>) -> io::Result<Option<Found>> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let Some((head, mut bytes)) = remark(&mut reader, "#HISTORY:")? else { return Ok(None) };
    let Some((history, before)) = parts(&head) else { return Ok(None) };
    let mut end = End { history: history.to_owned(), unit: before };
    while let Some((text, mark_bytes)) = remark(&mut reader, "#UNIT:")? {
        let Some((number, body)) = parts(&text) else { break };
        let Ok(number) = number.parse::<u64>() else { break };
        let next = bytes.saturating_add(mark_bytes).saturating_add(body);
        if next > len || number != end.unit + 1 || up_to.is_some_and(|last| number > last) {
            break;
        }
        let Ok(skipped) = i64::try_from(body) else { break };
        reader.seek_relative(skipped)?;
        (bytes, end.unit) = (next, number);
    }
    Ok(Some(Found { end, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { segment_bytes: 400, segments_max: 0 };
    const ONE: &str = "1111111111111111111111111111111111111111";
    const OTHER: &str = "2222222222222222222222222222222222222222";

    fn unit(history: &'static str, number: u64, is_replayed: bool) -> Unit<'static> {
        Unit {
            history,
            number,
            is_replayed,
            commands: &[(0, b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"), (3, b"*1\r\n$4\r\nPING\r\n")],
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("change-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    /// Units of each segment: the history's first digit, the number before the first, and the last.
    fn shown(folder: &Path) -> Vec<(char, u64, u64)> {
        let log = Log::open(folder).unwrap();
        let segment = |number: &u64| {
            let file = File::open(log.path(*number)).unwrap();
            let before = find_end(&file, Some(0)).unwrap().unwrap().end;
            let mut file = File::open(log.path(*number)).unwrap();
            file.rewind().unwrap();
            (before.history.chars().next().unwrap(), before.unit, find_end(&file, None).unwrap().unwrap().end.unit)
        };
        log.segments.iter().map(segment).collect()
    }

    #[test]
    fn units_follow_one_another_through_segments_and_restarts() {
        let folder = folder("follow");
        let mut log = Log::open(&folder).unwrap();
        for number in 6..10 {
            log.take(&unit(ONE, number, false), LIMITS).unwrap();
        }
        let mut log = Log::open(&folder).unwrap();
        assert_eq!(log.end(), Some(&End { history: ONE.into(), unit: 9 }));
        // What is read again is there.
        for number in 5..12 {
            log.take(&unit(ONE, number, true), LIMITS).unwrap();
        }
        assert_eq!(shown(&folder), [('1', 5, 8), ('1', 8, 11)]);
        // One that is missing, and another history.
        log.take(&unit(ONE, 14, false), LIMITS).unwrap();
        log.take(&unit(OTHER, 3, false), LIMITS).unwrap();
        assert_eq!(shown(&folder), [('1', 5, 8), ('1', 8, 11), ('1', 13, 14), ('2', 2, 3)]);
        assert_eq!(log.gaps, 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_the_server_has_lost_goes_and_comes_anew() {
        let folder = folder("lost");
        let mut log = Log::open(&folder).unwrap();
        for number in 1..15 {
            log.take(&unit(ONE, number, false), LIMITS).unwrap();
        }
        let whole = shown(&folder);
        assert!(whole.len() > 2, "{whole:?}");
        log.take(&unit(ONE, 3, false), LIMITS).unwrap();
        assert_eq!(shown(&folder), [('1', 0, 3)]);
        let path = log.path(1);
        drop(log);
        // A crash in the middle of one.
        let len = fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(len - 1).unwrap();
        let mut log = Log::open(&folder).unwrap();
        assert_eq!(log.end(), Some(&End { history: ONE.into(), unit: 2 }));
        log.take(&unit(ONE, 3, true), LIMITS).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), len);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_oldest_segments_go_when_there_are_too_many() {
        let folder = folder("many");
        let limits = Limits { segments_max: 2, ..LIMITS };
        let mut log = Log::open(&folder).unwrap();
        for number in 1..30 {
            log.take(&unit(ONE, number, false), limits).unwrap();
        }
        let kept = shown(&folder);
        assert_eq!((kept.len(), kept[0].2, kept[1].2), (2, kept[1].1, 29), "{kept:?}");
        // What is lost began before all that is kept.
        log.take(&unit(ONE, 2, false), limits).unwrap();
        assert_eq!(shown(&folder), [('1', 1, 2)]);
        fs::remove_dir_all(folder).unwrap();
    }
}
