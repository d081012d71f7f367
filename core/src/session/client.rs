//! A connection: its socket, what it has sent and not been answered, what it is to
//! be sent, and its session.

use crate::base::id::UserId;
use crate::session::block::Waiter;
use crate::session::listening::Listening;
use crate::session::push::Pushes;
use crate::session::query::Query;
use crate::session::standing::Standing;
use crate::session::tracking::Tracking;
use crate::session::watch::Watch;
use crate::socket::output::{Mark, Output};
use crate::socket::stream::Socket;
use std::rc::Rc;

/// CLIENT REPLY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    /// Replies are sent.
    #[default]
    On,
    /// No reply is sent.
    Off,
    /// The reply of this command is not sent.
    Skip,
    /// The reply of the next command is not sent; only until this command ends.
    SkipNext,
}

/// When a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closing {
    /// It goes on.
    #[default]
    No,
    /// After what waits to be sent; nothing more is read.
    AfterReply,
    /// At once.
    Now,
}

/// Classes of clients in `client-output-buffer-limit`.
pub const OUTPUT_OF_OTHERS: usize = 0;
/// Replicas.
pub const OUTPUT_OF_REPLICAS: usize = 1;
/// Those who listen.
pub const OUTPUT_OF_LISTENERS: usize = 2;

/// Whether a client replicates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Replicates {
    /// It has said nothing of the kind.
    #[default]
    No,
    /// It has said something of itself as a replica.
    Known,
    /// It reads the stream, or waits for it.
    Attached,
}

/// A connection.
pub struct Client {
    /// Never used twice.
    pub id: u64,
    /// Its place among the connections.
    pub token: usize,
    /// The socket.
    pub socket: Socket,
    /// What it sent.
    pub query: Query,
    /// What it is to be sent.
    pub output: Output,
    /// What modules have pushed to it since its output was last between two replies.
    pub pushed: Pushes,
    /// Whether it is in the list of those with output.
    pub write_listed: bool,
    /// Whether it is in the list of those to read from or to run commands of. One that
    /// is in the list twice is looked at once, or its commands would run twice.
    pub read_listed: bool,
    /// Whether whole commands may wait in the query buffer: they come before more is read.
    pub unparsed: bool,
    /// Whether it has had its share of this turn.
    pub turn_over: bool,
    /// Whether the other side sends no more, so that the stream ends behind what is there.
    pub hung_up: bool,
    /// Whether the socket takes no more for now.
    pub write_blocked: bool,
    /// Whether there may be more to read than was read.
    pub readable: bool,
    /// Whether a command must not run yet (it is put back, and parsed again later).
    pub stalled: bool,
    /// What it waits for, when its last command waits for keys; it is stalled then.
    pub blocked: Option<Box<Waiter>>,
    /// How it ends.
    pub closing: Closing,
    /// What makes the gates look at it.
    pub standing: Standing,
    /// What it listens to, if it does; the standing knows that.
    pub listening: Option<Box<Listening>>,
    /// Whether it replicates; the standing knows if it does.
    pub replicates: Replicates,
    /// Protocol version.
    pub resp: u8,
    /// Selected database.
    pub db: u32,
    /// Whether a watched key changed.
    pub watch_spoiled: bool,
    /// Watched keys.
    pub watched: Vec<Watch>,
    /// How it keeps what it has read, if it does; the standing knows that.
    pub tracking: Option<Box<Tracking>>,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// Bytes that it took when it was last weighed.
    pub weighed_bytes: usize,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// CLIENT SETINFO lib-name.
    pub lib_name: Vec<u8>,
    /// CLIENT SETINFO lib-ver.
    pub lib_version: Vec<u8>,
    /// User.
    pub user: UserId,
    /// Its name.
    pub user_name: Rc<[u8]>,
    /// Peer's address as CLIENT LIST shows it.
    pub address: String,
    /// Own address as CLIENT LIST shows it.
    pub local_address: String,
    /// Whether it came through the unix socket.
    pub is_unix: bool,
    /// Unix time in seconds of the connection.
    pub created_s: i64,
    /// Unix time in seconds when bytes last came or went.
    pub active_s: i64,
    /// Unix time in seconds when bytes last came.
    pub heard_s: i64,
    /// Name of the last command.
    pub last_command: Rc<str>,
    /// Since when the output is above its soft limit, Unix time in seconds.
    pub soft_limit_since_s: Option<i64>,
    /// Unix time in ms when the reply buffer's peak was last looked at.
    pub peak_at_ms: i64,
    /// Bytes read from it.
    pub input_bytes: u64,
    /// Bytes sent to it.
    pub output_bytes: u64,
    /// End of the replication stream when it had changed something last.
    pub write_offset: i64,
    /// Commands it has run.
    pub commands: u64,
    /// File descriptor.
    pub fd: i32,
}

impl Client {
    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let names = self.name.capacity() + self.lib_name.capacity() + self.lib_version.capacity();
        let texts = self.address.capacity() + self.local_address.capacity();
        let watched: usize = self.watched.iter().map(|watch| size_of::<Watch>() + watch.key.1.len()).sum();
        let queued = self.standing.transaction().map_or(0, |open| open.bytes);
        let waiting = self.blocked.as_ref().map_or(0, |waiter| waiter.memory_bytes());
        size_of::<Client>()
            + names
            + texts
            + watched
            + queued
            + waiting
            + self.query.memory_bytes()
            + self.output.memory_bytes()
            + self.pushed.memory_bytes()
            + self.tracking.as_ref().map_or(0, |tracking| tracking.memory_bytes())
            + self.listening.as_ref().map_or(0, |listening| listening.bytes as usize)
    }

    /// Whether what its command looks up is not to look used: CLIENT NO-TOUCH, but for the command
    /// that is there to make keys look used.
    pub fn looks_quietly(&self) -> bool {
        self.no_touch && &*self.last_command != "touch"
    }

    /// Who is told in its place that keys have changed: 0 for nobody, -1 where it keeps nothing.
    pub fn redirection(&self) -> i64 {
        self.tracking.as_ref().map_or(-1, |tracking| tracking.redirect.map_or(0, |id| id as i64))
    }

    /// Number of its class of clients in `client-output-buffer-limit`.
    pub fn output_class(&self) -> usize {
        if self.replicates == Replicates::Attached {
            OUTPUT_OF_REPLICAS
        } else if self.listening.is_some() {
            OUTPUT_OF_LISTENERS
        } else {
            OUTPUT_OF_OTHERS
        }
    }

    /// Whether its command, which is run again, has said that it waits on.
    pub fn waits_again(&self) -> bool {
        self.blocked.as_ref().is_some_and(|waiter| waiter.again)
    }

    /// Where the reply of the next command begins.
    #[inline]
    pub fn mark(&self) -> Mark {
        self.output.mark()
    }

    /// Whether it is as good as closed, whoever asks.
    pub fn is_gone(&self) -> bool {
        self.closing == Closing::Now
    }

    /// Close after what waits to be sent.
    pub fn close_after_reply(&mut self) {
        if self.closing == Closing::No {
            self.closing = Closing::AfterReply;
        }
    }
}
