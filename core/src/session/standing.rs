//! What makes the gates look at a session: whether it is known who it is and may do everything, MULTI, and
//! whether its replies are sent.
//!
//! Invariant: `special` is 0 if and only if the session is known, may do everything, is outside MULTI, sent its
//! replies, listens to nothing and nobody, and keeps nothing that it reads. All else is changed by the functions here
//! only, so that dispatch has one word to look at.

use crate::session::client::ReplyMode;
use crate::session::transaction::Transaction;

/// It is not known who the client is.
const UNKNOWN: u32 = 1;
/// A transaction is open.
const IN_TRANSACTION: u32 = 2;
/// Replies are not sent, or the next one is not.
const SILENT: u32 = 4;
/// It listens to a module.
const LISTENING: u32 = 8;
/// It keeps what it reads, which is noted.
const TRACKING: u32 = 32;
/// Its user may not do everything.
const RESTRICTED: u32 = 16;
/// It is shown what others do (MONITOR).
const MONITOR: u32 = 64;
/// It is a replica.
const REPLICA: u32 = 128;
/// It is this server's primary, whose commands are what has happened there.
const PRIMARY: u32 = 256;

/// A session as the gates see it.
#[derive(Default)]
pub struct Standing {
    special: u32,
    transaction: Option<Box<Transaction>>,
    reply_mode: ReplyMode,
}

impl Standing {
    /// That of a new session, which may be known from the beginning.
    pub fn new(is_known: bool) -> Standing {
        let mut standing = Standing::default();
        standing.set_known(is_known);
        standing
    }

    /// That of the session through which this server's primary sends its stream: no rule of users holds for it,
    /// and nobody reads a reply.
    pub fn of_primary() -> Standing {
        let mut standing = Standing::new(true);
        standing.mark(PRIMARY, true);
        standing.set_reply_mode(ReplyMode::Off);
        standing
    }

    /// Whether it is this server's primary.
    #[inline]
    pub fn is_primary(&self) -> bool {
        self.special & PRIMARY != 0
    }

    fn mark(&mut self, bit: u32, is_so: bool) {
        self.special = if is_so { self.special | bit } else { self.special & !bit };
    }

    /// Why the gates look at it, 0 for no reason.
    #[inline]
    pub fn special(&self) -> u32 {
        self.special
    }

    /// Whether it may run commands.
    #[inline]
    pub fn is_known(&self) -> bool {
        self.special & UNKNOWN == 0
    }

    /// Say whether it may run commands.
    pub fn set_known(&mut self, is_known: bool) {
        self.mark(UNKNOWN, !is_known && !self.is_primary());
    }

    /// Whether its user may not do everything.
    #[inline]
    pub fn is_restricted(&self) -> bool {
        self.special & RESTRICTED != 0
    }

    /// Say whether its user may not do everything.
    pub fn set_restricted(&mut self, is_restricted: bool) {
        self.mark(RESTRICTED, is_restricted && !self.is_primary());
    }

    /// Say whether it listens to anything.
    pub fn set_listening(&mut self, listens: bool) {
        self.mark(LISTENING, listens);
    }

    /// Say whether it keeps what it reads.
    pub fn set_tracking(&mut self, tracks: bool) {
        self.mark(TRACKING, tracks);
    }

    /// Say whether it is shown what others do.
    pub fn set_monitor(&mut self, is_so: bool) {
        self.mark(MONITOR, is_so);
    }

    /// Say whether it is a replica.
    pub fn set_replica(&mut self, is_so: bool) {
        self.mark(REPLICA, is_so);
    }

    /// Whether it is shown what others do.
    pub fn is_monitor(&self) -> bool {
        self.special & MONITOR != 0
    }

    /// The open transaction.
    pub fn transaction(&self) -> Option<&Transaction> {
        self.transaction.as_deref()
    }

    /// The open transaction, to be changed.
    pub fn transaction_mut(&mut self) -> Option<&mut Transaction> {
        self.transaction.as_deref_mut()
    }

    /// Open a transaction.
    pub fn begin_transaction(&mut self) {
        self.transaction = Some(Box::default());
        self.mark(IN_TRANSACTION, true);
    }

    /// End the transaction, whose commands are the caller's then.
    pub fn take_transaction(&mut self) -> Option<Box<Transaction>> {
        self.mark(IN_TRANSACTION, false);
        self.transaction.take()
    }

    /// Which replies are sent.
    pub fn reply_mode(&self) -> ReplyMode {
        self.reply_mode
    }

    /// Say which replies are sent.
    pub fn set_reply_mode(&mut self, mode: ReplyMode) {
        self.reply_mode = mode;
        self.mark(SILENT, mode != ReplyMode::On);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_special_as_long_as_there_is_any_reason() {
        let mut standing = Standing::new(false);
        assert!(standing.special() != 0 && !standing.is_known());
        standing.begin_transaction();
        standing.set_known(true);
        assert!(standing.special() != 0 && standing.is_known());
        standing.set_reply_mode(ReplyMode::SkipNext);
        assert!(standing.take_transaction().is_some() && standing.take_transaction().is_none());
        assert!(standing.special() != 0);
        standing.set_reply_mode(ReplyMode::On);
        standing.set_listening(true);
        assert!(standing.special() != 0);
        standing.set_listening(false);
        standing.set_restricted(true);
        assert!(standing.special() != 0 && standing.is_restricted());
        standing.set_restricted(false);
        assert_eq!(standing.special(), 0);
        assert_eq!(Standing::new(true).special(), 0);
    }
}
