//! What is to be propagated, as far as it is known while a command runs, and a record of what was.

use crate::base::random::Random;
use crate::wire::command;
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};

/// Most units that are kept.
const UNITS_MAX: usize = 128;
/// Most commands of a unit that are kept.
const UNIT_COMMANDS_MAX: usize = 128;

/// A command that was propagated, and the database that it is for.
pub type Propagated = (u32, Bytes);

/// What was propagated.
#[derive(Default)]
pub struct Recorded {
    /// Units.
    pub units: u64,
    /// Commands.
    pub commands: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The last units, each with its first commands.
    pub last: VecDeque<Vec<Propagated>>,
    /// The first commands of the unit that goes on.
    open: Vec<Propagated>,
}

impl Recorded {
    /// Counts a command.
    pub fn add(&mut self, db: u32, command: &Bytes) {
        self.commands += 1;
        self.bytes += command.len() as u64;
        if self.open.len() < UNIT_COMMANDS_MAX {
            self.open.push((db, command.clone()));
        }
    }

    /// Counts the commands since the last as a unit.
    pub fn end_unit(&mut self) {
        self.units += 1;
        if self.last.len() == UNITS_MAX {
            self.last.pop_front();
        }
        self.last.push_back(std::mem::take(&mut self.open));
    }
}

/// The name under which it stands in files of data; servers that do not know it pass it over.
pub const HISTORY: &str = "plinth-history";

/// Whose past the data are: units that have made them what they are are counted in it. The count is kept with the data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// 40 hex digits.
    pub id: String,
    /// Units of which the append-only file is told, or would be.
    pub units: u64,
}

impl Default for History {
    fn default() -> Self {
        History { id: Random::new().identity(), units: 0 }
    }
}

impl History {
    /// As it stands in a file.
    pub fn text(&self) -> String {
        format!("{}:{}", self.id, self.units)
    }

    /// One that stands in a file.
    pub fn parse(text: &str) -> Option<History> {
        let (id, units) = text.split_once(':')?;
        let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let units = units.parse().ok().filter(|units| *units < u64::MAX / 2)?;
        is_id.then(|| History { id: id.to_owned(), units })
    }
}

/// A unit that hooks are to be told of.
pub struct Unit {
    /// Its number.
    pub number: u64,
    /// Its commands.
    pub commands: Vec<Propagated>,
}

/// Units: how many there were, and those that hooks are to be told of.
#[derive(Default)]
pub struct Units {
    /// In which they are counted.
    pub history: History,
    /// Whether changes become units, as far as was seen last.
    pub are_counted: bool,
    /// How often the data had changed when the count was last known to be complete.
    pub counted_to: u64,
    /// Whether the unit that goes on is one that counts.
    is_open: bool,
    /// Its commands, if somebody is told.
    open: Vec<Propagated>,
    /// Units that have ended.
    pub ended: VecDeque<Unit>,
    /// Whether hooks are being told of one.
    pub is_telling: bool,
}

impl Units {
    /// A command of the unit that goes on, which is kept if hooks are told.
    pub fn add(&mut self, db: u32, command: &Bytes, are_told: bool) {
        self.is_open = true;
        if are_told {
            self.open.push((db, command.clone()));
        }
    }

    /// The unit has ended.
    pub fn end(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        self.history.units += 1;
        if !self.open.is_empty() {
            self.ended.push_back(Unit { number: self.history.units, commands: std::mem::take(&mut self.open) });
        }
    }

    /// Changes become units from here on, or do so no more, given how often the data have changed. What has changed
    /// meanwhile stands in no unit: the history is another.
    pub fn follow(&mut self, are_counted: bool, dirty: u64) {
        if are_counted && !self.are_counted && self.counted_to != dirty {
            self.history = History::default();
        }
        if self.are_counted {
            self.counted_to = dirty;
        }
        self.are_counted = are_counted;
    }

    /// The history that data of now have, if nothing of it is missing.
    pub fn known(&self, dirty: u64) -> Option<&History> {
        (self.are_counted || self.counted_to == dirty).then_some(&self.history)
    }

    /// The data have been loaded, with their history if it is known; how often they have changed.
    pub fn loaded(&mut self, history: Option<History>, dirty: u64) {
        self.history = history.unwrap_or_default();
        self.counted_to = dirty;
    }
}

/// What is known while a command runs.
#[derive(Default)]
pub struct Propagation {
    /// Units that were passed on.
    pub units: Units,
    /// What is to be told behind the outermost command, by database and targets.
    pub also: Vec<(Propagated, u32)>,
    /// Whether the command that runs is part of one that propagates for both.
    pub is_part: bool,
    /// What the handler that runs has said.
    said: Said,
    /// What was propagated, while somebody asks for it.
    pub recorded: Option<Box<Recorded>>,
    /// Whether the append-only file takes what is propagated.
    pub to_file: bool,
    /// Whether the stream that replicas read takes it.
    pub to_stream: bool,
    /// Keys that have changed, by database, while a module is called outside a command.
    pub touched: Option<BTreeSet<(u32, Vec<u8>)>>,
    /// Those of them that the module itself has told of.
    pub stood_for: BTreeSet<(u32, Vec<u8>)>,
}

/// What a handler says of what is to be told of it.
#[derive(Default)]
pub enum Said {
    /// Nothing: it is told as it was sent.
    #[default]
    Nought,
    /// That others take its place, if any.
    Instead(Vec<Bytes>),
}

impl Propagation {
    /// Whether anybody takes what is propagated.
    pub fn is_wanted(&self) -> bool {
        self.recorded.is_some() || self.to_file || self.to_stream
    }

    /// The handler that runs has another command told in its place; one that says so again has both told.
    pub fn instead(&mut self, words: &[&[u8]]) {
        // What a command says that is part of another is the other's affair.
        if self.is_part {
            return;
        }
        let command = command::encode(words);
        match &mut self.said {
            Said::Instead(commands) => commands.push(command),
            Said::Nought => self.said = Said::Instead(vec![command]),
        }
    }

    /// What a handler has said that goes on, after another has run in between.
    pub fn put_said(&mut self, said: Said) {
        self.said = said;
    }

    /// What the handler has said until now, which is no longer kept.
    pub fn take_said(&mut self) -> Said {
        std::mem::take(&mut self.said)
    }

    /// The handler that runs has nothing told.
    pub fn nothing(&mut self) {
        if !self.is_part {
            self.said = Said::Instead(Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_nobody_counts_begins_another_history() {
        let mut units = Units::default();
        let before = units.history.clone();
        units.follow(true, 0);
        units.add(0, &Bytes::new(), true);
        units.end();
        units.end();
        assert_eq!((units.history.units, units.ended.len()), (1, 1));
        units.follow(false, 7);
        assert_eq!(units.known(7).map(|history| &history.id), Some(&before.id));
        units.follow(true, 7);
        assert_eq!(units.history.id, before.id);
        units.follow(false, 9);
        assert_eq!(units.known(10), None);
        units.follow(true, 10);
        assert!(units.history.id != before.id && units.history.units == 0);
        let other = History { units: 5, ..before };
        assert_eq!(History::parse(&other.text()), Some(other));
        assert_eq!(["", "x:1", "0:", ":"].map(History::parse), [None, None, None, None]);
    }

    #[test]
    fn all_are_counted_and_only_the_last_are_kept() {
        let mut recorded = Recorded::default();
        let command = Bytes::from_static(b"*1\r\n$1\r\nx\r\n");
        for _ in 0..UNITS_MAX + 3 {
            (0..UNIT_COMMANDS_MAX + 2).for_each(|_| recorded.add(0, &command));
            recorded.end_unit();
        }
        assert_eq!(recorded.units, UNITS_MAX as u64 + 3);
        assert_eq!(recorded.commands, recorded.units * (UNIT_COMMANDS_MAX as u64 + 2));
        assert_eq!(recorded.bytes, recorded.commands * command.len() as u64);
        assert_eq!((recorded.last.len(), recorded.last[0].len()), (UNITS_MAX, UNIT_COMMANDS_MAX));
    }
}
