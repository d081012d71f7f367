//! What a client's user may not do is refused.

use super::Verdict;
use crate::acl::log::Place;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, args: &[Bytes]) -> Verdict {
    let Some(client) = server.sessions.clients.peek(token).filter(|client| client.standing.is_restricted()) else {
        return Verdict::Pass;
    };
    let place = if client.standing.transaction().is_some() { Place::Multi } else { Place::TopLevel };
    let (user, db) = (client.user, client.db);
    let Err(denial) = server.may_run(user, command, args, db, false) else { return Verdict::Pass };
    let text = server.deny(token, command, args, denial, place);
    Verdict::Refuse(format!("NOPERM {}", String::from_utf8_lossy(&text)))
}
