//! Scripts that are run for events: a queue, of which some run at once, each for a limited time; one that says so, or
//! is ended by a signal, is tried again later.

use crate::model::Ms;
use std::collections::VecDeque;

/// Most that wait, ...
const QUEUE_MAX: usize = 256;
/// ... and most that run.
const RUNNING_MAX: usize = 16;
/// How often one is tried.
const TRIES_MAX: u32 = 10;

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its number.
    pub id: u64,
    /// Path and arguments.
    pub words: Vec<String>,
    /// When it began, if it runs.
    pub since: Option<Ms>,
    /// Not before this.
    pub not_before: Ms,
    /// The system's number of it, 0 while it does not run.
    pub pid: u32,
    /// How often it was tried.
    pub tries: u32,
    /// It has been killed.
    pub is_killed: bool,
}

/// What is to be done about scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run it.
    Run(u64, Vec<String>),
    /// It has run for too long.
    Kill(u64),
}

/// All scripts.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    /// Those that wait or run.
    pub all: VecDeque<Script>,
    /// What is to be done.
    pub orders: Vec<Order>,
    last_id: u64,
}

impl Scripts {
    /// Have a script run.
    pub fn queue(&mut self, words: Vec<String>) {
        self.last_id += 1;
        let id = self.last_id;
        self.all.push_back(Script { id, words, since: None, not_before: 0, pid: 0, tries: 0, is_killed: false });
        if self.all.len() > QUEUE_MAX
            && let Some(oldest) = self.all.iter().position(|script| script.since.is_none())
        {
            self.all.remove(oldest);
        }
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.all.iter().filter(|script| script.since.is_some()).count()
    }

    /// Begin those that may, and end those that took too long.
    pub fn tick(&mut self, now: Ms, time_max: Ms) {
        let mut running = self.running();
        for script in &mut self.all {
            match script.since {
                Some(since) if now - since > time_max && !script.is_killed => {
                    script.is_killed = true;
                    self.orders.push(Order::Kill(script.id));
                }
                None if running < RUNNING_MAX && script.not_before <= now => {
                    (script.since, script.is_killed) = (Some(now), false);
                    script.tries += 1;
                    running += 1;
                    self.orders.push(Order::Run(script.id, script.words.clone()));
                }
                _ => {}
            }
        }
    }

    /// A script runs, under this number of the system.
    pub fn began(&mut self, id: u64, pid: u32) {
        if let Some(script) = self.all.iter_mut().find(|script| script.id == id) {
            script.pid = pid;
        }
    }

    /// A script has ended: with a code, or by a signal if that is negative. The code 1 asks to be tried again. The path of
    /// one that has failed and is not.
    pub fn ended(&mut self, id: u64, code: i32, now: Ms, retry: Ms) -> Option<String> {
        let at = self.all.iter().position(|script| script.id == id)?;
        let script = &mut self.all[at];
        if (code < 0 || code == 1) && script.tries < TRIES_MAX {
            (script.since, script.pid) = (None, 0);
            script.not_before = now.saturating_add(retry.saturating_mul(1 << (script.tries - 1).min(10)));
            return None;
        }
        let ended = self.all.remove(at)?;
        (code != 0).then(|| ended.words[0].clone())
    }
}
