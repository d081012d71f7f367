//! An append-only file, or all that a manifest names.
//!
//! ```text
//!   RDB preamble, if any │ command │ MULTI command command EXEC │ command │ what cannot be read
//!                                                                         └ here --fix cuts
//!   remark of a time │ commands │ remark of a later time │ ...
//!                               └ here --truncate-to-timestamp cuts, before a transaction that is not whole there
//! ```
//!
//! Commands are read and not run. A transaction counts from its EXEC on. Only the last file may be cut: what
//! follows a hole in another would be run on data that it was not made for.

use crate::progress::Progress;
use crate::rdb;
use crate::summary::Summary;
use plinth::durable::aof_manifest::{Manifest, Part};
use plinth::durable::aof_text::{self, Next};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 20;
/// How a manifest's name ends.
const MANIFEST: &str = ".manifest";

/// What is to be done about a file that cannot be read to its end, or is read too far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fix {
    /// Nothing.
    No,
    /// Cut it off if whoever is asked says yes.
    Ask,
    /// Cut it off.
    Yes,
    /// Cut off what was written later than this, Unix seconds.
    Until(i64),
}

impl Fix {
    /// What `--fix` and `--yes` mean.
    pub(crate) fn of(fix: bool, yes: bool) -> Fix {
        match (fix, yes) {
            (false, _) => Fix::No,
            (true, false) => Fix::Ask,
            (true, true) => Fix::Yes,
        }
    }
}

/// Checks a file or what a manifest names; whether all is right, or has been put right.
pub(crate) fn run(file: &Path, fix: Fix) -> bool {
    let name = file.display().to_string();
    if let Err(error) = File::open(file) {
        println!("Cannot open file {name}: {}", plain(&error));
        return false;
    }
    if name.ends_with(MANIFEST) {
        println!("Start checking Multi Part AOF");
        return manifest(file, fix);
    }
    println!("Start checking Old-Style AOF");
    one(file, &name, "AOF", fix, true)
}

fn manifest(file: &Path, fix: Fix) -> bool {
    let parsed = std::fs::read(file)
        .map_err(|error| plain(&error))
        .and_then(|text| Manifest::parse(&text).map_err(|error| error.to_string()));
    let manifest = match parsed {
        Ok(manifest) => manifest,
        Err(error) => {
            println!("*** FATAL AOF MANIFEST FILE ERROR ***\n{error}");
            return false;
        }
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let last = manifest.increments.last().or(manifest.base.as_ref());
    let check = |part: &Part, label: &str| one(&folder.join(&part.name), &part.name, label, fix, last == Some(part));
    if let Some(base) = &manifest.base {
        let form = if is_rdb(&folder.join(&base.name)) { "RDB" } else { "RESP" };
        println!("Start to check BASE AOF ({form} format).");
        if !check(base, "BASE AOF") {
            return false;
        }
    }
    if !manifest.increments.is_empty() {
        println!("Start to check INCR files.");
        if !manifest.increments.iter().all(|part| check(part, "INCR AOF")) {
            return false;
        }
    }
    println!("All AOF files and manifest are valid");
    true
}

/// Whether a file begins as an RDB file does.
fn is_rdb(file: &Path) -> bool {
    let mut magic = [0; 6];
    let read = File::open(file).and_then(|mut open| open.read_exact(&mut magic));
    read.is_ok() && (magic.starts_with(b"REDIS") || magic == *b"VALKEY")
}

/// One file, under a name to be shown. Only the last of several may be cut: what follows another would be run on
/// other data.
fn one(file: &Path, name: &str, label: &str, fix: Fix, is_last: bool) -> bool {
    let size = match std::fs::metadata(file) {
        Ok(of) => of.len(),
        Err(error) => {
            println!("Cannot open file {}: {}, aborting...", file.display(), plain(&error));
            return false;
        }
    };
    if size == 0 {
        println!("{label} {name} is empty");
        return true;
    }
    let mut from = 0;
    if is_rdb(file) {
        let Some(end) = rdb::check_named(file, name, &mut Summary::default()) else {
            println!("RDB preamble of AOF file is not sane, aborting.");
            return false;
        };
        println!("RDB preamble is OK, proceeding with AOF tail...");
        from = end;
    }
    let until = if let Fix::Until(time) = fix { Some(time) } else { None };
    let mut read = Reading { at: from, good: from, line: 1, multi: None, fault: None, until, is_later: false };
    if let Err(error) = read.all(file, size) {
        println!("Cannot read file {name}: {}", plain(&error));
        return false;
    }
    if let Some(fault) = &read.fault {
        println!("0x{:16x}: {fault}", read.at);
    }
    let (good, diff) = (read.good, size - read.good);
    if let (Some(time), None) = (until, &read.fault) {
        if !read.is_later {
            println!("Truncate nothing in AOF {name} to timestamp {time}\n{label} {name} is valid");
            return true;
        }
        return cut_to_time(file, name, (good, time), is_last);
    }
    println!("AOF analyzed: filename={name}, size={size}, ok_up_to={good}, ok_up_to_line={}, diff={diff}", read.line);
    if diff == 0 {
        println!("{label} {name} is valid");
        return true;
    }
    if matches!(fix, Fix::No | Fix::Until(_)) {
        println!("AOF {name} is not valid. Use the --fix option to try fixing it.");
        return false;
    }
    if !is_last {
        println!("Failed to truncate AOF {name} because it is not the last file");
        return false;
    }
    cut(file, name, (size, good), fix)
}

fn cut(file: &Path, name: &str, (size, good): (u64, u64), fix: Fix) -> bool {
    println!("This will shrink the AOF {name} from {size} bytes, with {} bytes, to {good} bytes", size - good);
    if fix == Fix::Ask {
        print!("Continue? [y/N]: ");
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        if !answer.starts_with(['y', 'Y']) {
            println!("Aborting...");
            return false;
        }
    }
    shrink(file, name, good)
}

/// Cuts off what was written after a time, if something was written before.
fn cut_to_time(file: &Path, name: &str, (good, time): (u64, i64), is_last: bool) -> bool {
    if good == 0 {
        println!("AOF {name} has nothing before timestamp {time}, aborting...");
        return false;
    }
    if !is_last {
        println!("Failed to truncate AOF {name} to timestamp {time} because it is not the last file");
        return false;
    }
    shrink(file, &format!("{name} to timestamp {time}"), good)
}

fn shrink(file: &Path, what: &str, good: u64) -> bool {
    let shrunk = OpenOptions::new().write(true).open(file).and_then(|open| {
        open.set_len(good)?;
        open.sync_all()
    });
    match shrunk {
        Ok(()) => println!("Successfully truncated AOF {what}"),
        Err(ref error) => println!("Failed to truncate AOF {what}: {}", plain(error)),
    }
    shrunk.is_ok()
}

/// Commands that are being read.
struct Reading {
    /// Where the next command begins.
    at: u64,
    /// Up to where the file is right.
    good: u64,
    /// Lines up to here, the next included.
    line: u64,
    /// Where a transaction began that has not ended.
    multi: Option<u64>,
    fault: Option<String>,
    /// Read no further than to what was written after this time, if any ...
    until: Option<i64>,
    /// ... and whether there was such.
    is_later: bool,
}

impl Reading {
    fn all(&mut self, file: &Path, size: u64) -> std::io::Result<()> {
        let mut open = File::open(file)?;
        open.seek(SeekFrom::Start(self.at))?;
        let mut source = Progress::new(open, size.saturating_sub(self.at));
        let (mut bytes, mut words) = (Vec::new(), Vec::new());
        let (mut start, mut wanted, mut ended) = (0, CHUNK_BYTES, false);
        loop {
            match aof_text::next(&bytes[start..], &mut words) {
                Ok(Next::Cut) if !ended => {
                    bytes.drain(..start);
                    start = 0;
                    // A command that does not fit is asked for again when there is twice as much of it.
                    wanted = if bytes.len() < wanted { wanted } else { bytes.len() * 2 };
                    let missing = (wanted - bytes.len()) as u64;
                    ended = ((&mut source).take(missing).read_to_end(&mut bytes)? as u64) < missing;
                }
                Ok(Next::Cut) => {
                    self.end(&bytes[start..]);
                    return Ok(());
                }
                Ok(Next::Remark(_, Some(time))) if self.until.is_some_and(|until| time > until) => {
                    self.is_later = true;
                    return Ok(());
                }
                Ok(Next::Remark(len, _)) => {
                    self.passed(&bytes[start..start + len]);
                    start += len;
                }
                Ok(Next::Command(len)) => {
                    let name = words.first().map_or(&[][..], |word| &bytes[start..][word.clone()]);
                    if let Some(fault) = self.command(name) {
                        self.fault = Some(fault.to_owned());
                        return Ok(());
                    }
                    self.passed(&bytes[start..start + len]);
                    if words.len() == 1 && name.eq_ignore_ascii_case(b"exec") {
                        (self.multi, self.good) = (None, self.at);
                    }
                    start += len;
                }
                Err(error) => {
                    self.fault = Some(error.to_string());
                    return Ok(());
                }
            }
        }
    }

    /// Begins or ends a transaction; what is wrong with that.
    fn command(&mut self, name: &[u8]) -> Option<&'static str> {
        if name.eq_ignore_ascii_case(b"multi") {
            if self.multi.is_some() {
                return Some("Unexpected MULTI");
            }
            self.multi = Some(self.at);
        } else if name.eq_ignore_ascii_case(b"exec") && self.multi.is_none() {
            return Some("Unexpected EXEC");
        }
        None
    }

    fn passed(&mut self, text: &[u8]) {
        self.at += text.len() as u64;
        self.line += text.iter().filter(|byte| **byte == b'\n').count() as u64;
        if self.multi.is_none() {
            self.good = self.at;
        }
    }

    /// The file ends with a part of a command, or nothing.
    fn end(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.fault =
                Some(format!("Unexpected end of file within a command, of which {} bytes are there", rest.len()));
            self.line += rest.iter().filter(|byte| **byte == b'\n').count() as u64;
        } else if self.multi.is_some() {
            self.fault = Some("Reached EOF before reading EXEC for MULTI".to_owned());
        }
    }
}

/// An error of the system without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
