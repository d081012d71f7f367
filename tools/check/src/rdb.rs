//! One RDB file, read to its end.
//!
//! What is printed on the way is what `redis-check-rdb` prints, so that what looks at its output finds the
//! same lines. Numbers in brackets are offsets: where the reader is when it says so.

use crate::progress::Progress;
use crate::summary::{Seen, Summary, shown};
use plinth::durable::rdb::{Attributes, Item, RdbError, RdbReader};
use plinth::durable::shape::pass_value;
use std::fs::File;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is said while a file is read.
trait Voice {
    fn say(&self, line: std::fmt::Arguments<'_>);
}

struct Loud;
struct Quiet;

impl Voice for Loud {
    fn say(&self, line: std::fmt::Arguments<'_>) {
        println!("{line}");
    }
}

impl Voice for Quiet {
    fn say(&self, _line: std::fmt::Arguments<'_>) {}
}

/// Checks a file and prints what is in it; whether it is whole.
pub(crate) fn run(file: &Path, json: bool) -> bool {
    let mut summary = Summary::default();
    if json {
        let is_whole = read(file, &Quiet, &mut summary).is_some();
        println!("{}", summary.json(&file.display().to_string(), is_whole));
        return is_whole;
    }
    let is_whole = check(file, &mut summary);
    print!("{}", summary.table());
    is_whole
}

/// Checks a file; whether it is whole.
pub(crate) fn check(file: &Path, summary: &mut Summary) -> bool {
    check_named(file, &file.display().to_string(), summary).is_some()
}

/// As [`check`], under a name to be shown; where the file's RDB part ends.
pub(crate) fn check_named(file: &Path, name: &str, summary: &mut Summary) -> Option<u64> {
    println!("[offset 0] Checking RDB file {name}");
    read(file, &Loud, summary)
}

/// What was read so far.
#[derive(Default)]
struct State {
    db: u64,
    keys: u64,
    expires: u64,
    expired: u64,
    doing: &'static str,
    key: Option<Vec<u8>>,
    tag: Option<u8>,
}

fn read(file: &Path, voice: &dyn Voice, summary: &mut Summary) -> Option<u64> {
    let opened = File::open(file).and_then(|open| Ok((open.metadata()?.len(), open)));
    let (size, open) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return None;
        }
    };
    let mut state = State { doing: "start", ..State::default() };
    let source = Box::new(Progress::new(open, size));
    let mut offset = 0;
    let done = RdbReader::open(source, Some(size), true).and_then(|mut reader| {
        let done = items(&mut reader, voice, &mut state, summary);
        offset = reader.window.offset();
        done
    });
    match done {
        Ok(()) => voice.say(format_args!("[offset {offset}] \\o/ RDB looks OK! \\o/")),
        Err(ref error) => fault(error, offset, &state, voice),
    }
    voice.say(format_args!("[info] {} keys read", state.keys));
    voice.say(format_args!("[info] {} expires", state.expires));
    voice.say(format_args!("[info] {} already expired", state.expired));
    done.is_ok().then_some(offset)
}

fn items(reader: &mut RdbReader, voice: &dyn Voice, state: &mut State, summary: &mut Summary) -> Result<(), RdbError> {
    loop {
        state.doing = "read-type";
        let item = reader.next()?;
        let offset = reader.window.offset();
        match item {
            Item::Aux { name, value } => {
                voice.say(format_args!("[offset {offset}] AUX FIELD {} = '{}'", shown(&name), shown(&value)));
            }
            Item::Select(db) => {
                state.db = db;
                voice.say(format_args!("[offset {offset}] Selecting DB ID {db}"));
            }
            Item::Section(section) => voice.say(format_args!("[offset {offset}] MODULE AUX for: {}", section.id)),
            Item::Key(attributes, tag) => key(reader, attributes, tag, state, summary)?,
            Item::End { is_checked: true } => {
                voice.say(format_args!("[offset {offset}] Checksum OK"));
                return Ok(());
            }
            Item::End { is_checked: false } => {
                voice.say(format_args!(
                    "[offset {offset}] RDB file was saved with checksum disabled: no check performed."
                ));
                return Ok(());
            }
            _ => {}
        }
    }
}

fn key(
    reader: &mut RdbReader,
    attributes: Attributes,
    tag: u8,
    state: &mut State,
    summary: &mut Summary,
) -> Result<(), RdbError> {
    (state.doing, state.tag) = ("read-object-value", Some(tag));
    let key = reader.key().to_vec();
    state.key = Some(key.clone());
    reader.window.keep();
    if !pass_value(&mut reader.window, tag)? {
        return Err(RdbError::Unread("values of a type whose end is not known"));
    }
    let seen = Seen {
        db: state.db,
        key: &key,
        tag,
        body: reader.window.take_kept(),
        expires: attributes.expire_at_ms.is_some(),
    };
    summary.add(&seen);
    state.keys += 1;
    if let Some(at_ms) = attributes.expire_at_ms {
        state.expires += 1;
        state.expired += u64::from(at_ms < now_ms());
    }
    (state.key, state.tag) = (None, None);
    Ok(())
}

fn fault(error: &RdbError, offset: u64, state: &State, voice: &dyn Voice) {
    voice.say(format_args!("--- RDB ERROR DETECTED ---"));
    voice.say(format_args!("[offset {offset}] {error}"));
    let doing = if matches!(error, RdbError::Checksum { .. }) { "check-sum" } else { state.doing };
    voice.say(format_args!("[additional info] While doing: {doing}"));
    if let Some(key) = &state.key {
        voice.say(format_args!("[additional info] Reading key '{}'", shown(key)));
    }
    if let Some(tag) = state.tag {
        voice.say(format_args!("[additional info] Reading type {tag} ({})", crate::value::kind(tag)));
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
