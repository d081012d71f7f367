//! What rules name: the commands by number, and the categories. Made anew when commands come or go.

use crate::command::table::Table;
use std::collections::HashMap;

/// A command or subcommand.
pub struct Known {
    /// Bits of its categories.
    pub categories: u64,
    /// Whether it is a subcommand.
    pub is_subcommand: bool,
    /// How many subcommands it has; they have the numbers behind its own.
    pub subcommands: u32,
}

/// Commands in the order of their numbers, and categories.
pub struct Catalog {
    /// The table's epoch.
    pub epoch: u64,
    commands: Vec<Known>,
    numbers: HashMap<Box<str>, u32>,
    categories: Vec<(Box<str>, u64)>,
}

impl Default for Catalog {
    /// That of no table.
    fn default() -> Self {
        Catalog { epoch: u64::MAX, commands: Vec::new(), numbers: HashMap::new(), categories: Vec::new() }
    }
}

impl Catalog {
    /// What a table holds. Renamed commands are known by the names that they had.
    pub fn of<R>(table: &Table<R>) -> Catalog {
        let mut catalog = Catalog { epoch: table.epoch, ..Catalog::default() };
        let names = table.categories.names(u64::MAX);
        catalog.categories = names.map(|name| (name.into(), table.categories.find(name.as_bytes()))).collect();
        for command in table.iter() {
            for one in command.with_subcommands() {
                catalog.numbers.insert(one.name.as_str().into(), one.number);
                catalog.commands.push(Known {
                    categories: one.categories(),
                    is_subcommand: !std::ptr::eq(one, command),
                    subcommands: one.subcommands.len() as u32,
                });
            }
        }
        catalog
    }

    /// How many commands there are, with subcommands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The number of a name in lower case, that of a subcommand with its container's before `|`.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The command of a number.
    pub fn command(&self, number: u32) -> &Known {
        &self.commands[number as usize]
    }

    /// Numbers of the commands that have one of some categories. A container stands for its subcommands too.
    pub fn in_categories(&self, bits: u64) -> impl Iterator<Item = u32> {
        let mut with_container = 0;
        self.commands.iter().enumerate().filter_map(move |(at, command)| {
            let at = at as u32;
            let is_in = command.categories & bits != 0;
            if is_in && command.subcommands > 0 {
                with_container = at + command.subcommands;
            }
            (is_in || command.is_subcommand && at <= with_container).then_some(at)
        })
    }

    /// The bit of a category's name in lower case.
    pub fn category(&self, name: &str) -> Option<u64> {
        self.categories.iter().find(|(known, _)| **known == *name).map(|(_, bit)| *bit)
    }
}
