//! Persistence: the data set in a file, and back.
//!
//! ```text
//!   snapshot   the walk over all databases, into an RDB file        load     an RDB file into the databases
//!   save       SAVE, BGSAVE, save points: when, where, what of it   child    a fork, what it reports, its end
//!   standing   what is refused while data are loaded, or the disk fails     shutdown   the last snapshot
//! ```
//!
//! [`aof`], beside it: each command that has changed something in files of its own, and run again.
//!
//! A snapshot in the background is taken by a child, which has the memory as it was at the fork; the
//! walk itself does not count on the world standing still ([`snapshot`]).
//!
//! *Invariant*: a file that is there is whole. What is written goes to a name of its own, is synced, gets
//! the name that counts, and the folder is synced; whatever fails before leaves the old file as it was.

pub mod aof;
pub mod child;
pub mod load;
pub mod save;
pub mod shutdown;
pub mod snapshot;
pub mod standing;

use crate::persist::child::Child;
use crate::persist::load::Loading;
use crate::persist::save::Saves;
use std::time::Instant;

/// The state of persistence.
#[derive(Default)]
pub struct Persist {
    /// The process that works in the background.
    pub child: Option<Child>,
    /// How processes were begun.
    pub forks: Forks,
    /// Snapshots so far.
    pub saves: Saves,
    /// What is being loaded.
    pub loading: Option<Loading>,
    /// What was loaded last.
    pub loaded: load::Loaded,
    /// Of which stream the data were that were loaded last, if the file says it.
    pub origin: Option<Origin>,
    /// When the duty is to be done next.
    next: Option<Instant>,
}

/// Where in which stream the data of a file were.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Id of the stream.
    pub id: String,
    /// Bytes of it, or -1.
    pub offset: i64,
    /// The database that it had selected, or -1.
    pub db: i64,
}

/// Forks so far.
#[derive(Clone, Copy, Default)]
pub struct Forks {
    /// How many.
    pub count: u64,
    /// Microseconds that the last one took.
    pub last_us: u64,
}
