//! Every command of the module, over its own storage.

mod claims;

use plinth_testkit::Server;

fn server() -> Server {
    Server::start()
}
