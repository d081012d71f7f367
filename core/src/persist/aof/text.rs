//! Units of commands as the text of an increment, before it is written.
//!
//! ```text
//!   a unit of one command      SELECT?  command
//!   of several                 MULTI  SELECT?  command  SELECT?  command ...  EXEC
//! ```
//!
//! A unit's commands come one by one, so MULTI is put before the first when there is a second.
//!
//! Invariant: what [`whole`](Text::whole) gives ends with a unit.

/// What MULTI looks like.
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
/// What EXEC looks like.
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";
/// Memory that is kept when all is written.
const KEPT_BYTES: usize = 64 * 1024;

/// Text to be written.
#[derive(Default)]
pub struct Text {
    bytes: Vec<u8>,
    /// Where the unit that goes on begins, and how many commands it has.
    open: Option<(usize, u32)>,
    /// The database that a reader has selected.
    db: Option<u32>,
    /// The time that was noted last, Unix seconds.
    noted_s: i64,
}

impl Text {
    /// Add a command to the unit that goes on; the time is noted if it is given and another second than before.
    pub fn add(&mut self, db: u32, command: &[u8], now_s: Option<i64>) {
        if self.open.is_none() {
            if let Some(now_s) = now_s.filter(|now_s| *now_s != self.noted_s) {
                self.noted_s = now_s;
                self.bytes.extend_from_slice(format!("#TS:{now_s}\r\n").as_bytes());
            }
            self.open = Some((self.bytes.len(), 0));
        }
        if self.db != Some(db) {
            self.db = Some(db);
            append_select(&mut self.bytes, db);
        }
        self.bytes.extend_from_slice(command);
        if let Some((_, commands)) = &mut self.open {
            *commands += 1;
        }
    }

    /// What was added since the last unit belongs together.
    pub fn end_unit(&mut self) {
        if let Some((begin, commands)) = self.open.take()
            && commands > 1
        {
            self.bytes.splice(begin..begin, MULTI.iter().copied());
            self.bytes.extend_from_slice(EXEC);
        }
    }

    /// Add a remark behind all units, a line with its end.
    pub fn remark(&mut self, line: &str) {
        if self.open.is_none() {
            self.bytes.extend_from_slice(line.as_bytes());
        }
    }

    /// What can be written: whole units.
    pub fn whole(&self) -> &[u8] {
        &self.bytes[..self.open.map_or(self.bytes.len(), |(begin, _)| begin)]
    }

    /// So many bytes of it are written.
    pub fn written(&mut self, bytes: usize) {
        if bytes == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
        } else {
            self.bytes.drain(..bytes);
        }
        if let Some((begin, _)) = &mut self.open {
            *begin -= bytes;
        }
    }

    /// All units, which are no longer kept here.
    pub fn take(&mut self) -> Vec<u8> {
        let end = self.open.as_ref().map_or(self.bytes.len(), |(begin, _)| *begin);
        if let Some((begin, _)) = &mut self.open {
            *begin = 0;
        }
        let rest = self.bytes.split_off(end);
        std::mem::replace(&mut self.bytes, rest)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// What comes next goes to a reader who has selected nothing.
    pub fn restart(&mut self) {
        self.db = None;
    }

    /// Forget all.
    pub fn clear(&mut self) {
        *self = Text::default();
    }
}

/// Append the command that selects a database.
fn append_select(out: &mut Vec<u8>, db: u32) {
    let digits = db.to_string();
    out.extend_from_slice(format!("*2\r\n$6\r\nSELECT\r\n${}\r\n{digits}\r\n", digits.len()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &Text) -> String {
        String::from_utf8_lossy(text.whole()).into_owned()
    }

    const SELECT_0: &str = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
    const SELECT_10: &str = "*2\r\n$6\r\nSELECT\r\n$2\r\n10\r\n";

    #[test]
    fn one_command_stands_alone_and_several_between_multi_and_exec() {
        let mut text = Text::default();
        text.add(0, b"a;", None);
        assert_eq!(shown(&text), "");
        text.end_unit();
        text.add(0, b"b;", None);
        text.add(10, b"c;", None);
        assert_eq!(shown(&text), format!("{SELECT_0}a;"));
        text.end_unit();
        let multi = String::from_utf8_lossy(MULTI);
        let exec = String::from_utf8_lossy(EXEC);
        assert_eq!(shown(&text), format!("{SELECT_0}a;{multi}b;{SELECT_10}c;{exec}"));
        text.end_unit();
        assert_eq!(text.len(), shown(&text).len());
    }

    #[test]
    fn what_is_written_goes_and_what_is_open_stays() {
        let mut text = Text::default();
        text.add(3, b"a;", None);
        text.end_unit();
        text.add(3, b"b;", None);
        text.written(text.whole().len());
        assert_eq!((shown(&text).as_str(), text.len()), ("", 2));
        text.add(3, b"c;", None);
        text.end_unit();
        text.written(4);
        assert!(shown(&text).ends_with(&format!("b;c;{}", String::from_utf8_lossy(EXEC))));
        text.written(text.len());
        text.restart();
        text.add(0, b"d;", None);
        text.end_unit();
        assert_eq!(shown(&text), format!("{SELECT_0}d;"));
    }

    #[test]
    fn the_time_is_noted_once_a_second_and_never_within_a_unit() {
        let mut text = Text::default();
        text.add(0, b"a;", Some(5));
        text.add(0, b"b;", Some(6));
        text.end_unit();
        text.add(0, b"c;", Some(5));
        text.end_unit();
        text.add(0, b"d;", Some(7));
        text.end_unit();
        let (multi, exec) = (String::from_utf8_lossy(MULTI), String::from_utf8_lossy(EXEC));
        assert_eq!(shown(&text), format!("#TS:5\r\n{multi}{SELECT_0}a;b;{exec}c;#TS:7\r\nd;"));
    }
}
