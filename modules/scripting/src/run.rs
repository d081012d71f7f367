//! The script that runs: at most one, whatever it is written in, and what it may do.

use crate::scripts::Sha;
use plinth_module::run::{
    RUN_ALLOW_OOM, RUN_EFFECT, RUN_READ_ONLY, RUN_RESP2, RUN_RESP3, RUN_UNTOLD, RUN_UNTOLD_FILE, RUN_UNTOLD_REPLICAS,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Who is told of what a script writes: the append-only file.
pub(crate) const TELL_FILE: u32 = 1;
/// Who is told of what a script writes: replicas.
pub(crate) const TELL_REPLICAS: u32 = 2;
/// Both.
pub(crate) const TELL_ALL: u32 = TELL_FILE | TELL_REPLICAS;

/// What runs, of scripts and functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// EVAL and its kin.
    Script,
    /// FCALL and its kin.
    Function,
}

/// What a run is called by.
#[derive(Clone)]
pub(crate) enum Name {
    /// SHA of a script.
    Script(Sha),
    /// A function's name.
    Function(String),
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Name::Script(sha) => std::str::from_utf8(sha).unwrap_or_default(),
            Name::Function(name) => name,
        }
    }
}

/// A run.
pub(crate) struct Run {
    /// What it is.
    pub origin: Origin,
    /// SHA of the script, or the function's name.
    pub name: Name,
    /// The command by which it was called, from when others may ask for it.
    pub command: Vec<Vec<u8>>,
    /// When it began.
    pub begun: Instant,
    /// Whether it may not write.
    pub is_read_only: bool,
    /// Whether it may write when `maxmemory` is reached.
    pub allows_oom: bool,
    /// Whether replies come to it in RESP3.
    pub is_resp3: bool,
    /// Who is told of what it writes: `TELL_*` bits.
    pub tells: u32,
    /// Whether it has written.
    pub has_written: bool,
    /// Commands that it has run.
    pub calls: u32,
    /// Whether others were served meanwhile.
    pub is_slow: bool,
    /// Whether it is to end.
    pub is_killed: bool,
}

impl Run {
    /// How a command of it is to be run, as `RUN_*` bits.
    pub(crate) fn request(&self) -> u32 {
        let bit = |bit: u32, is_so: bool| if is_so { bit } else { 0 };
        let protocol = if self.is_resp3 { RUN_RESP3 } else { RUN_RESP2 };
        let told = match self.tells {
            TELL_ALL => RUN_EFFECT,
            TELL_FILE => RUN_EFFECT | RUN_UNTOLD_REPLICAS,
            TELL_REPLICAS => RUN_EFFECT | RUN_UNTOLD_FILE,
            _ => RUN_UNTOLD,
        };
        // What has begun to write goes on: half of a script is worse than too much memory.
        protocol
            | told
            | bit(RUN_READ_ONLY, self.is_read_only)
            | bit(RUN_ALLOW_OOM, self.allows_oom || self.has_written)
    }
}

static RUNNING: Mutex<Option<Run>> = Mutex::new(None);

/// The script that runs. Let go of before anything runs that could ask again.
pub(crate) fn running() -> MutexGuard<'static, Option<Run>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
