//! Gates: what a command has to pass before it runs, one file each.
//!
//! Where nothing is special about the session and the server, in one word of each, a command passes
//! all of them at once, see `dispatch`; so a gate that stops others has its reason in one of the words.
//! The order is that of the list which start-up gives to the server; a gate that queues is the last, so
//! that what is queued was checked.

pub mod acl;
pub mod authentication;
pub mod busy;
pub mod listening;
pub mod memory;
pub mod monitor;
pub mod pause;
pub mod queue;
pub mod transaction;

use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;

/// What becomes of a command at a gate.
#[derive(PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It is refused, with an error.
    Refuse(String),
    /// It must wait: it is to be put back and parsed again.
    Wait,
    /// It was kept for EXEC.
    Queued,
}

/// A gate, given the token of the client, the command and its arguments.
pub type Gate = fn(&mut Server, usize, &Registered, &[Bytes]) -> Verdict;
