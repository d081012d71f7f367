//! A replica as its primary sees it: what it says of itself, how far it is, and what it was sent.
//!
//! ```text
//!   REPLCONF ...     PSYNC or SYNC        the child begins       its snapshot is made     and sent
//!   Known ─────────> Waiting ───────────> Saving ──────────────> Sending ──────────────> Online
//!                       └── PSYNC, and what it lacks is there ───────────────────────────^
//! ```
//!
//! Without a file the snapshot is sent while it is made: `Sending` follows `Waiting` at once.

use crate::durable::version;
use std::time::Instant;

/// How far a replica is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// It has said something of itself, and asked for nothing.
    Known,
    /// It waits for a snapshot to be begun.
    Waiting,
    /// It waits for one that is being written to a file.
    Saving,
    /// A thread sends it one; its socket is the thread's.
    Sending,
    /// It wanted a snapshot and nothing else, and has it.
    Served,
    /// It reads the stream.
    Online,
}

/// What a replica has said of itself (REPLCONF).
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Said {
    /// Its address, if it is not that of its connection.
    pub ip: String,
    /// Its port.
    pub port: u16,
    /// `capa eof`: it reads a snapshot whose length is not known before.
    pub reads_mark: bool,
    /// `capa psync2`: it reads the stream's id where it may go on.
    pub reads_id: bool,
    /// `version`: of Valkey, as numbers.
    pub version: Option<[u32; 3]>,
    /// `capa rdb-NN`: the newest version of Redis's files that it reads.
    pub rdb_version: Option<u16>,
    /// `rdb-only`: it wants no stream.
    pub rdb_only: bool,
    /// `rdb-filter-only`: without keys.
    pub no_keys: bool,
    /// `rdb-filter-only`: without functions.
    pub no_functions: bool,
}

/// What replicas have to have in common that read one snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Whether it is sent while it is made.
    pub is_pipe: bool,
    /// Version of the format, and whether a newer one may be written where the data need it.
    pub version: u16,
    /// See there.
    pub rises: bool,
    /// Without keys.
    pub no_keys: bool,
    /// Without functions.
    pub no_functions: bool,
}

impl Said {
    /// The snapshot that it can read, given `rdb-version` and whether a pipe is wanted.
    ///
    /// A replica of Redis does not tell its version. So it gets the version of 7.0, the oldest of those that
    /// cannot be told apart, and a newer one where the data need it: which an older one could not hold in any form.
    /// One that has refused that gets 6.2's, and no less what the data need.
    pub fn kind(&self, rdb_version: u16, wants_pipe: bool, has_refused: bool) -> Kind {
        let filters = self.no_keys || self.no_functions;
        let is_pipe = (wants_pipe || filters) && self.reads_mark;
        let (version, rises) = match (self.rdb_version, self.version) {
            // A pipe cannot be begun anew, and what needs more than a file's version is found out before it begins.
            (Some(reads), _) if is_pipe => (reads.min(version::NEWEST), false),
            (Some(reads), _) => (reads.min(version::FILE), reads >= version::NEWEST),
            (None, None) if has_refused => (version::OLDEST, true),
            (None, Some(_)) => (version::FILE.min(rdb_version), false),
            (None, None) if rdb_version == version::FILE => (version::PAYLOAD, true),
            (None, None) => (rdb_version, rdb_version > version::FILE),
        };
        Kind { is_pipe, version, rises, no_keys: self.no_keys, no_functions: self.no_functions }
    }
}

/// A replica.
pub struct Replica {
    /// Token and id of its connection.
    pub token: usize,
    /// See there.
    pub client: u64,
    /// What it has said of itself.
    pub said: Said,
    /// How far it is.
    pub stage: Stage,
    /// Whether it came by SYNC, which knows no ids and acknowledges nothing.
    pub is_plain: bool,
    /// Position of the next byte of the stream that it is to be sent.
    pub cursor: u64,
    /// Whether it is to acknowledge the snapshot before the stream begins: where the snapshot ends is known
    /// only by its mark.
    pub awaits_ack: bool,
    /// Whether it has acknowledged anything.
    pub has_answered: bool,
    /// The offset that it says it has, and that it says lasts in its append-only file.
    pub acked: i64,
    /// See there; -1 if it says none.
    pub synced: i64,
    /// Unix time in seconds when it was heard of last.
    pub heard_s: i64,
    /// When it asked to be synchronised.
    pub asked: Instant,
    /// Since when more waits for it than the soft limit of its class.
    pub soft_since: Option<Instant>,
}

impl Replica {
    /// One that has said nothing yet.
    pub fn new(token: usize, client: u64, now_s: i64) -> Replica {
        Replica {
            token,
            client,
            said: Said::default(),
            stage: Stage::Known,
            is_plain: false,
            cursor: 0,
            awaits_ack: false,
            has_answered: false,
            acked: 0,
            synced: -1,
            heard_s: now_s,
            asked: Instant::now(),
            soft_since: None,
        }
    }

    /// How far it is, as INFO calls it: what is sent while it is made counts as being made.
    pub fn stage_text(&self) -> &'static str {
        match self.stage {
            Stage::Known | Stage::Waiting | Stage::Saving => "wait_bgsave",
            Stage::Sending if self.awaits_ack => "wait_bgsave",
            Stage::Sending => "send_bulk",
            Stage::Served => "rdb_transmitted",
            Stage::Online => "online",
        }
    }

    /// Whether it has asked to be synchronised.
    pub fn is_attached(&self) -> bool {
        self.stage > Stage::Known
    }

    /// Whether it was given a snapshot and has never said that it has it.
    pub fn has_refused(&self) -> bool {
        let is_given = matches!(self.stage, Stage::Sending | Stage::Online);
        let tells = !self.is_plain && !self.said.rdb_only && self.said.port > 0;
        is_given && tells && !self.has_answered
    }

    /// Whether bytes of the stream are kept for it.
    pub fn holds_stream(&self) -> bool {
        matches!(self.stage, Stage::Saving | Stage::Sending | Stage::Online)
    }

    /// Whether it is sent the stream.
    pub fn reads_stream(&self) -> bool {
        self.stage == Stage::Online && !self.awaits_ack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_gets_the_version_that_it_reads() {
        let kind = |said: &Said, set: u16| {
            let kind = said.kind(set, true, false);
            (kind.version, kind.rises)
        };
        let said = Said::default();
        assert_eq!([9, 10, 11, 12].map(|set| kind(&said, set)), [(9, false), (10, false), (10, true), (12, true)]);
        let valkey = Said { version: Some([9, 1, 2]), ..Said::default() };
        assert_eq!([9, 11, 12].map(|set| kind(&valkey, set)), [(9, false), (11, false), (11, false)]);
        let plinth = Said { rdb_version: Some(99), ..Said::default() };
        assert_eq!(kind(&plinth, 9), (11, true));
        let piped = Said { reads_mark: true, ..plinth };
        assert_eq!(kind(&piped, 9), (12, false));
        assert_eq!(said.kind(11, true, true).version, 9);
        let older = Said { rdb_version: Some(10), ..Said::default() };
        assert_eq!(kind(&older, 11), (10, false));
    }

    #[test]
    fn only_who_reads_a_mark_gets_a_snapshot_without_a_length() {
        let mut said = Said::default();
        assert!(!said.kind(11, true, false).is_pipe);
        said.reads_mark = true;
        assert!(said.kind(11, true, false).is_pipe && !said.kind(11, false, false).is_pipe);
        said.no_functions = true;
        assert!(said.kind(11, false, false).is_pipe);
    }
}
