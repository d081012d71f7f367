//! RESP bytes in and out of a real server, with the tree that this module brings.

#[path = "claims/mod.rs"]
mod claims;

use plinth_testkit::Server;

/// A server with the module that is tested.
fn server() -> Server {
    Server::start()
}
