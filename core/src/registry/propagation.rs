//! What is to be propagated, as far as it is known while a command runs, and a record of what was.

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

/// What is known while a command runs.
#[derive(Default)]
pub struct Propagation {
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
