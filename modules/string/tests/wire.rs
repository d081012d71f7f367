//! RESP bytes in and out of a real server, over the storage that this module brings.

mod claims;

use plinth_testkit::Server;

/// A server with the module that is tested.
fn server() -> Server {
    Server::start()
}
