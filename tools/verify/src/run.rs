//! One case on both servers.

use crate::compare::{comparable, is_encoding};
use crate::generate::{Case, Kind, Step};
use crate::server::{Program, Server};
use crate::wire::{Client, Command, Reply};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Where the two servers differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The command, or what was done.
    pub(crate) what: String,
    pub(crate) candidate: String,
    pub(crate) reference: String,
}

/// A server with a connection to it.
pub(crate) struct Side {
    program: Program,
    server: Server,
    client: Client,
}

impl Side {
    fn start(program: Program) -> Result<Side, String> {
        let server = Server::start(&program)?;
        let client = server.connect()?;
        Ok(Side { program, server, client })
    }

    /// # Errors
    /// When there is no reply.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Result<Reply, String> {
        self.client.ask(&words.iter().map(|word| word.as_bytes().to_vec()).collect())
    }

    /// Sends commands at once and takes all their replies.
    pub(crate) fn ask_all(&mut self, commands: &[&Command]) -> Vec<Result<Reply, String>> {
        if let Err(error) = self.client.send(commands.iter().copied()) {
            return vec![Err(error)];
        }
        let mut replies = Vec::with_capacity(commands.len());
        for _ in commands {
            replies.push(self.client.reply());
            if replies.last().is_some_and(Result::is_err) {
                break;
            }
        }
        replies
    }

    /// A new connection, and a new process if the old one is gone or hangs.
    fn revive(&mut self) -> Result<(), String> {
        if self.server.has_ended() || self.ask(&["PING"]).is_err() {
            self.server = Server::start(&self.program)?;
        }
        self.client = self.server.connect()?;
        Ok(())
    }
}

/// Both servers.
pub(crate) struct Pair {
    pub(crate) candidate: Side,
    pub(crate) reference: Side,
    kind: Kind,
    commands: u64,
    cases: u64,
    /// What may differ and does: how often, by what was seen.
    notes: BTreeMap<String, u64>,
}

impl Pair {
    /// # Errors
    /// When a server does not start, or the candidate is not what has the type in it.
    pub(crate) fn start(candidate: Program, reference: Program, kind: Kind) -> Result<Pair, String> {
        let module = candidate.modules.last().cloned().unwrap_or_default();
        let mut pair = Pair {
            candidate: Side::start(candidate).map_err(|error| format!("with the candidate {error}"))?,
            reference: Side::start(reference)?,
            kind,
            commands: 0,
            cases: 0,
            notes: BTreeMap::new(),
        };
        brings(&mut pair.candidate, &module, kind)?;
        Ok(pair)
    }

    pub(crate) fn commands(&self) -> u64 {
        self.commands
    }

    pub(crate) fn cases(&self) -> u64 {
        self.cases
    }

    /// What differs and may.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.notes.iter().map(|(what, count)| format!("{what} ({count} times)"))
    }

    /// Runs a case from empty servers; the first difference, if there is any.
    ///
    /// # Errors
    /// When a server cannot be started again.
    pub(crate) fn run(&mut self, case: &Case) -> Result<Option<Difference>, String> {
        self.cases += 1;
        self.begin(case)?;
        let (mut difference, mut at) = (None, 0);
        while difference.is_none() && at < case.steps.len() {
            let commands: Vec<&Command> = case.steps[at..].iter().map_while(Step::command).collect();
            if commands.is_empty() {
                difference = self.special(&case.steps[at]);
                at += 1;
            } else {
                at += commands.len();
                difference = self.compare_all(&commands);
            }
        }
        if difference.is_some() {
            self.candidate.revive()?;
            self.reference.revive()?;
        }
        Ok(difference)
    }

    fn begin(&mut self, case: &Case) -> Result<(), String> {
        let protocol = case.protocol.to_string();
        for side in [&mut self.candidate, &mut self.reference] {
            let ready = side.ask(&["FLUSHALL"]).and_then(|_| side.ask(&["HELLO", &protocol]));
            if ready.is_err() {
                side.revive()?;
                side.ask(&["FLUSHALL"])?;
                side.ask(&["HELLO", &protocol])?;
            }
        }
        Ok(())
    }

    fn compare_all(&mut self, commands: &[&Command]) -> Option<Difference> {
        self.commands += commands.len() as u64;
        let (candidate, reference) = (self.candidate.ask_all(commands), self.reference.ask_all(commands));
        for ((command, candidate), reference) in commands.iter().zip(candidate).zip(reference) {
            if is_encoding(command) && candidate != reference {
                let shown = |reply: &Result<Reply, String>| reply.as_ref().map_or_else(Clone::clone, Reply::to_string);
                let note =
                    format!("OBJECT ENCODING: {} where the first party says {}", shown(&candidate), shown(&reference));
                *self.notes.entry(note).or_default() += 1;
            }
            let what = || Step::Command((*command).clone()).to_string();
            if let Some(difference) = compare(what, command, candidate, reference) {
                return Some(difference);
            }
        }
        None
    }

    fn special(&mut self, step: &Step) -> Option<Difference> {
        match step {
            Step::Pause(time_ms) => {
                std::thread::sleep(Duration::from_millis(*time_ms));
                None
            }
            Step::RoundTrip(key) => self.round_trip(key),
            Step::Command(_) => None,
        }
    }

    /// Restores what each dumps in both, and reads it.
    fn round_trip(&mut self, key: &str) -> Option<Difference> {
        let dump = vec![b"DUMP".to_vec(), key.as_bytes().to_vec()];
        let dumps = [self.candidate.client.ask(&dump), self.reference.client.ask(&dump)];
        let [Ok(Reply::Bulk(from_candidate)), Ok(Reply::Bulk(from_reference))] = &dumps else {
            let [candidate, reference] = dumps;
            return compare(|| format!("DUMP {key}"), &dump, candidate, reference);
        };
        for (payload, whose) in
            [(from_candidate, "the candidate's payload"), (from_reference, "the first party's payload")]
        {
            let restore =
                vec![b"RESTORE".to_vec(), b"again".to_vec(), b"0".to_vec(), payload.clone(), b"REPLACE".to_vec()];
            let mut commands = vec![restore];
            commands.extend(self.kind.reads("again"));
            let commands: Vec<&Command> = commands.iter().collect();
            let (candidate, reference) = (self.candidate.ask_all(&commands), self.reference.ask_all(&commands));
            for ((command, candidate), reference) in commands.iter().zip(candidate).zip(reference) {
                let what = || format!("DUMP {key}, RESTORE of {whose}, {}", String::from_utf8_lossy(&command[0]));
                if let Some(difference) = compare(what, command, candidate, reference) {
                    return Some(difference);
                }
            }
        }
        None
    }
}

/// Checks that a module is loaded and brings the type, by its line in INFO modules. With another one the
/// first-party module would be compared with itself.
fn brings(side: &mut Side, module: &Path, kind: Kind) -> Result<(), String> {
    let info = side.ask(&["INFO", "modules"])?;
    let Reply::Bulk(info) = &info else { return Err(format!("INFO modules says {info}")) };
    let (info, end) = (String::from_utf8_lossy(info), format!(",path={}", module.display()));
    let Some(line) = info.lines().find(|line| line.ends_with(&end)) else {
        return Err(format!("{} is not among the modules that the server has loaded", module.display()));
    };
    let list = line.split_once("types=[").and_then(|(_, rest)| rest.split_once(']'));
    let types: Vec<&str> = list.map(|(types, _)| types.split('|').collect()).unwrap_or_default();
    if types.contains(&kind.name()) {
        return Ok(());
    }
    let types = if types == [""] { "none".to_owned() } else { types.join(", ") };
    Err(format!("{} does not bring the type {} (its types: {types})", module.display(), kind.name()))
}

fn compare(
    what: impl Fn() -> String,
    command: &Command,
    candidate: Result<Reply, String>,
    reference: Result<Reply, String>,
) -> Option<Difference> {
    let shown = |reply: Result<Reply, String>| reply.map_or_else(|error| error, |reply| reply.to_string());
    let [candidate, reference] = [candidate, reference].map(|reply| reply.map(|reply| comparable(command, reply)));
    if candidate.is_ok() && candidate == reference {
        return None;
    }
    Some(Difference { what: what(), candidate: shown(candidate), reference: shown(reference) })
}
