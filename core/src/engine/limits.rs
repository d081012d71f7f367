//! What a client may make the server hold: output that it does not read, and input that is not run.
//!
//! The hard limit of output is the buffer's own ([`crate::socket::output`]), which holds wherever a
//! reply is written: in the middle of a long one, within EXEC, from a script. What is here is looked
//! at between commands: whether the buffer has broken, the soft limit, and the little that a client
//! gets as long as it is not known who it is.

use crate::engine::parameters::{Applier, Undo};
use crate::engine::server::Server;
use crate::session::client::{Client, Closing};
use crate::settings::parameters::OutputLimit;
use crate::socket::output::Broken;

/// Most bytes that may wait for a client before it has said who it is: the reply to one command.
const UNKNOWN_OUTPUT_BYTES: usize = 1024;
/// Most bytes that such a client may have sent without being answered.
const UNKNOWN_QUERY_BYTES: usize = 1 << 20;

/// Bytes of the primary's stream that may wait, at least.
const PRIMARY_QUERY_BYTES_MIN: usize = 1 << 30;

/// `client-output-buffer-limit`, for the clients that are there.
pub const OUTPUT: Applier = Applier { names: &["client-output-buffer-limit"], apply };

fn apply(server: &mut Server, _name: &str) -> Result<Undo, String> {
    limit_all(server);
    Ok(Box::new(limit_all))
}

fn limit_all(server: &mut Server) {
    let of_class = [0, 1, 2].map(|class| server.output_bytes_max(class));
    server.sessions.clients.iter_mut().for_each(|client| client.output.set_limit(of_class[client.output_class()]));
}

/// Why a client's output is to be cut off, if it is.
fn excess(client: &mut Client, limit: OutputLimit, now_s: i64) -> Option<Broken> {
    if client.output.broken().is_some() {
        return client.output.broken();
    }
    let queued = client.output.counted();
    if !client.standing.is_known() {
        // What the socket has not been offered yet may be the replies to a pipeline.
        let waiting = if client.write_blocked { client.output.pending() } else { queued };
        if waiting > UNKNOWN_OUTPUT_BYTES {
            return Some(Broken::Limit);
        }
    }
    if limit.hard_bytes > 0 && queued as u64 > limit.hard_bytes {
        return Some(Broken::Limit);
    }
    if limit.soft_bytes == 0 || queued as u64 <= limit.soft_bytes {
        client.soft_limit_since_s = None;
        return None;
    }
    let since = *client.soft_limit_since_s.get_or_insert(now_s);
    (now_s - since > limit.soft_s as i64).then_some(Broken::Limit)
}

impl Server {
    /// Most bytes of output that may wait for a client of a class beyond one chunk.
    pub fn output_bytes_max(&self, class: usize) -> usize {
        let bytes = self.settings.output_limits[class].hard_bytes;
        if bytes == 0 { usize::MAX } else { usize::try_from(bytes).unwrap_or(usize::MAX) }
    }

    /// Close a client whose output is above its limit, or broken; whether it was. What waits for it is
    /// let go at once, and what its command still writes is lost.
    pub fn close_over_output(&mut self, token: usize) -> bool {
        let now_s = self.clock.now_s;
        let Some(client) = self.sessions.clients.get(token) else { return false };
        let limit = self.settings.output_limits[client.output_class()];
        if client.closing == Closing::Now {
            return false;
        }
        let Some(why) = excess(client, limit, now_s) else { return false };
        client.output.break_off(why);
        let reason = match why {
            Broken::Limit => "scheduled to be closed ASAP for overcoming of output buffer limits.",
            Broken::Memory => "is closed: there is no memory for its replies.",
        };
        crate::base::log::warning(&format!("Client id={} addr={} {reason}", client.id, client.address));
        self.stats.output_limit_closed += u64::from(why == Broken::Limit);
        self.sessions.clients.close(token);
        true
    }

    /// Close a client that has sent more than may wait to be run, what it has queued in MULTI included;
    /// whether it had.
    pub fn close_over_query(&mut self, token: usize) -> bool {
        let limit = usize::try_from(self.settings.client_query_buffer_limit).unwrap_or(usize::MAX);
        let Some(client) = self.sessions.clients.get(token) else { return false };
        // The primary has run it within a limit of its own.
        let limit = if client.standing.is_primary() { limit.max(PRIMARY_QUERY_BYTES_MIN) } else { limit };
        let held = client.query.pending().len() + client.standing.transaction().map_or(0, |open| open.bytes);
        let limit = if client.standing.is_known() { limit } else { limit.min(UNKNOWN_QUERY_BYTES) };
        if held <= limit {
            return false;
        }
        crate::base::log::warning(&format!(
            "Closing client that reached max query buffer length: id={} addr={}",
            client.id, client.address
        ));
        self.stats.query_limit_closed += 1;
        self.sessions.clients.close(token);
        true
    }

    /// Close a client for whose arguments there is no memory.
    #[cold]
    pub fn close_without_memory(&mut self, token: usize) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        crate::base::log::warning(&format!(
            "Client id={} addr={} is closed: there is no memory for what it sent.",
            client.id, client.address
        ));
        self.sessions.clients.close(token);
    }
}
