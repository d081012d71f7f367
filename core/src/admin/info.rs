//! INFO: what the server is, holds and does, in sections of `name:value` lines.
//!
//! - [`resources`]: server, clients, memory, CPU.
//! - [`persistence`](mod@persistence): files.
//! - [`statistics`]: stats, commands, errors, latencies.
//! - [`modules`]: what each module is and does.
//! - this file: which sections are wanted, and the short ones.
//!
//! Fields are those of Redis 7.2, so that tools find what they look for. One that
//! stands for a feature which is not there has the value of a Redis that does not use
//! it, which is the truth; one that describes how Redis is built is left out. Fields of
//! our own begin with `plinth_`. What only a module knows it adds itself, at the end of
//! the section (`plinth.info/1`).
//!
//! Fields: <https://redis.io/docs/latest/commands/info/>.

mod modules;
mod persistence;
mod resources;
mod statistics;

use crate::admin::spec::CoreCommand;
use crate::engine::call::Context;
use crate::engine::server::Server;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Change, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};
use std::fmt::{Display, Write};

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("info"),
        arity: -1,
        flags: abi::COMMAND_LOADING | abi::COMMAND_STALE,
        categories: abi::CATEGORY_DANGEROUS,
        tips: Slice::new(&[
            Bytes::new("nondeterministic_output"),
            Bytes::new("request_policy:all_shards"),
            Bytes::new("response_policy:special"),
        ]),
        docs: &Docs {
            summary: Bytes::new("Tells what the server is, holds and does."),
            since: Bytes::new("1.0.0"),
            group: Bytes::new("server"),
            complexity: Bytes::new("O(1)"),
            history: Slice::new(&[Change {
                version: Bytes::new("7.0.0"),
                what: Bytes::new("Several sections can be asked for at once."),
            }]),
            args: Slice::new(&[Arg::new(abi::ARG_STRING, "section").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE)]),
            ..Docs::NEW
        },
        ..Command::NEW
    },
    info,
)];

/// The text of an answer.
#[derive(Default)]
struct Fields(String);

impl Fields {
    /// Begin a section.
    fn section(&mut self, title: &str) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{gap}# {title}\r\n");
    }

    /// A line.
    fn add(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.0, "{name}:{value}\r\n");
    }

    /// A line with a number of bytes, and one that is easy to read.
    fn bytes(&mut self, name: &str, bytes: usize) {
        self.add(name, bytes);
        self.add(&format!("{name}_human"), human(bytes));
    }

    /// Lines that are all 0, for what is not in use.
    fn zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.add(name, 0));
    }
}

/// A number of bytes with a unit.
fn human(bytes: usize) -> String {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS[unit])
}

/// A part of a whole, which may be 0.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// A section of the core.
struct Section {
    /// Name by which it is asked for.
    name: &'static str,
    /// Whether it is shown when nothing is asked for.
    default: bool,
    write: fn(&mut Server, &mut Fields),
}

const SECTIONS: &[Section] = &[
    Section { name: "server", default: true, write: resources::server },
    Section { name: "clients", default: true, write: resources::clients },
    Section { name: "memory", default: true, write: resources::memory },
    Section { name: "persistence", default: true, write: persistence::section },
    Section { name: "stats", default: true, write: statistics::stats },
    Section { name: "replication", default: true, write: replication },
    Section { name: "cpu", default: true, write: resources::cpu },
    Section { name: "modules", default: true, write: modules::list },
    Section { name: "commandstats", default: false, write: statistics::commands },
    Section { name: "errorstats", default: true, write: statistics::errors },
    Section { name: "latencystats", default: false, write: statistics::latencies },
    Section { name: "cluster", default: true, write: cluster },
    Section { name: "keyspace", default: true, write: keyspace },
    Section { name: "tls", default: false, write: resources::tls },
];

/// Which sections are asked for.
struct Wanted {
    /// Names in lower case.
    names: Vec<String>,
    default: bool,
    all: bool,
    /// Sections that modules add.
    of_modules: bool,
}

impl Wanted {
    fn of(names: Vec<String>) -> Wanted {
        let has = |word: &str| names.iter().any(|name| name == word);
        Wanted {
            default: names.is_empty() || has("default"),
            all: has("all") || has("everything"),
            of_modules: has("modules") || has("everything"),
            names,
        }
    }

    /// Whether a section is wanted that is shown when nothing is asked for.
    fn names_own(&self, name: &str) -> bool {
        self.all || self.default || self.names.iter().any(|one| one == name)
    }

    fn has(&self, section: &Section) -> bool {
        self.all || self.default && section.default || self.names.iter().any(|name| name == section.name)
    }
}

fn info(context: &mut Context) -> Status {
    let names = (1..context.argc()).map(|at| context.arg_text(at).to_ascii_lowercase()).collect();
    let text = text(context.server(), names);
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

/// The answer to INFO with sections, in lower case.
pub fn text(server: &mut Server, sections: Vec<String>) -> String {
    let wanted = Wanted::of(sections);
    let mut fields = Fields::default();
    let shown = server.registry.mode.as_ref().map(|mode| (mode.module, mode.sections.clone()));
    let is_shown = |name: &str| shown.as_ref().is_none_or(|(_, names)| names.iter().any(|shown| shown == name));
    for section in SECTIONS.iter().filter(|section| wanted.has(section) && is_shown(section.name)) {
        (section.write)(server, &mut fields);
        let added = crate::modules::services::info::module_fields(server, section.name);
        fields.0.push_str(&added);
    }
    if let Some((module, names)) = shown {
        let is_wanted = |name: &str| names.iter().any(|one| one == name) && wanted.names_own(name);
        for (title, lines) in crate::modules::services::info::sections_of_mode(server, module, is_wanted) {
            fields.section(&title);
            fields.0.push_str(&lines);
        }
        return fields.0;
    }
    for (title, lines) in crate::modules::services::info::module_sections(server, |module, title| {
        wanted.of_modules || wanted.names.iter().any(|name| name == module || name == title)
    }) {
        fields.section(&title);
        fields.0.push_str(&lines);
    }
    fields.0
}

fn replication(server: &mut Server, fields: &mut Fields) {
    fields.section("Replication");
    for (name, value) in crate::replication::info::fields(server) {
        fields.add(&name, value);
    }
}

fn cluster(_server: &mut Server, fields: &mut Fields) {
    fields.section("Cluster");
    fields.add("cluster_enabled", 0);
}

fn keyspace(server: &mut Server, fields: &mut Fields) {
    fields.section("Keyspace");
    for (number, database) in server.store.databases.iter().enumerate() {
        let (keys, expires) = (database.table.len(), database.table.marked());
        if keys > 0 {
            let ttl_ms = if expires == 0 { 0 } else { database.ttl_average_ms() };
            fields.add(&format!("db{number}"), format_args!("keys={keys},expires={expires},avg_ttl={ttl_ms}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_as_redis_writes_them() {
        for (bytes, text) in
            [(0, "0B"), (1023, "1023B"), (941_032, "918.98K"), (6_602_752, "6.30M"), (1 << 40, "1.00T")]
        {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn words_for_many_sections_choose_the_right_ones() {
        let chosen = |names: &[&str]| {
            let wanted = Wanted::of(names.iter().map(|name| (*name).to_owned()).collect());
            let of_core = SECTIONS.iter().filter(|section| wanted.has(section)).count();
            (of_core, wanted.of_modules)
        };
        let (all, default) = (SECTIONS.len(), SECTIONS.iter().filter(|section| section.default).count());
        assert_eq!(chosen(&[]), (default, false));
        assert_eq!(chosen(&["default"]), (default, false));
        assert_eq!(chosen(&["default", "commandstats"]), (default + 1, false));
        assert_eq!(chosen(&["all"]), (all, false));
        assert_eq!(chosen(&["everything"]), (all, true));
        assert_eq!(chosen(&["cpu", "memory", "nosuch"]), (2, false));
        assert_eq!(chosen(&["modules"]), (1, true));
    }
}
