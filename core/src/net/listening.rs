//! Listening elsewhere: CONFIG SET of `port`, `bind` and `maxclients`.

use crate::engine::parameters::{Applier, is_same};
use crate::engine::server::Server;
use crate::socket::listener::{Listener, listen_tcp};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// `port` and `bind`.
pub const ADDRESSES: Applier = Applier { names: &["port", "bind"], apply: apply_addresses };

/// `maxclients`.
pub const CLIENTS: Applier = Applier { names: &["maxclients"], apply: apply_clients };

/// Second handles of TCP sockets, by which they can be reached from here while the
/// loop owns them.
pub fn handles(listeners: &[Listener]) -> io::Result<Vec<OwnedFd>> {
    let tcp = listeners.iter().filter_map(|listener| match listener {
        Listener::Tcp(socket) => Some(socket.as_fd().try_clone_to_owned()),
        Listener::Unix(_) => None,
    });
    tcp.collect()
}

fn apply_clients(server: &mut Server, _name: &str) -> Result<(), String> {
    let wanted = server.settings.maxclients;
    let fit = raise_open_files(wanted);
    if fit < wanted {
        let reason = "The operating system is not able to handle the specified number of clients, try with";
        return Err(format!("{reason} {fit}"));
    }
    Ok(())
}

fn apply_addresses(server: &mut Server, name: &str) -> Result<(), String> {
    let port = server.settings.port as u16;
    listen_anew(server, port).map_err(|error| {
        crate::base::log::warning(&error);
        let reason = if is_same(name, "port") {
            "Unable to listen on this port. Check server logs."
        } else {
            "Failed to bind to specified addresses."
        };
        reason.to_owned()
    })?;
    server.port = port;
    Ok(())
}

/// Listen as the parameters say now; when that fails, on as before.
fn listen_anew(server: &mut Server, port: u16) -> Result<(), String> {
    let listen = |server: &Server| {
        if port == 0 { Ok(Vec::new()) } else { listen_tcp(&server.settings.bind, server.settings.tcp_backlog, port) }
    };
    // An address can be listened on once, and `*` stands in the way of all others.
    // So when the new sockets cannot be had beside the present ones, these are
    // put to rest for the attempt.
    let listeners = match listen(server) {
        Ok(listeners) => listeners,
        Err(_) => {
            rest(server);
            listen(server).inspect_err(|_| wake(server))?
        }
    };
    server.listening = handles(&listeners).map_err(|error| error.to_string()).inspect_err(|_| wake(server))?;
    server.new_listeners = Some(listeners);
    Ok(())
}

/// Stop listening, keeping the addresses.
fn rest(server: &Server) {
    for socket in &server.listening {
        let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
    }
}

/// Listen again.
fn wake(server: &Server) {
    let backlog = server.settings.tcp_backlog.clamp(1, 65_535) as i32;
    for socket in &server.listening {
        let _ = rustix::net::listen(socket, backlog);
    }
}

/// Descriptors that the server needs beside those of clients.
const OWN_DESCRIPTORS: u64 = 32;

/// Raise the process's limit on open files so that so many clients fit; how many fit.
pub fn raise_open_files(clients: i64) -> i64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = clients.max(1) as u64 + OWN_DESCRIPTORS;
    let present = getrlimit(Resource::Nofile);
    let Some(mut current) = present.current.filter(|current| *current < wanted) else { return clients };
    // Above the hard limit only a privileged process may go.
    let hard = present.maximum.map_or(wanted, |maximum| maximum.max(wanted));
    let limits = [(wanted, Some(hard)), (present.maximum.map_or(wanted, |most| most.min(wanted)), present.maximum)];
    for (soft, maximum) in limits {
        if soft > current && setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum }).is_ok() {
            current = soft;
            break;
        }
    }
    let fit = (current.saturating_sub(OWN_DESCRIPTORS).max(1) as i64).min(clients);
    if fit < clients {
        crate::base::log::warning(&format!(
            "You requested maxclients of {clients}, for which {wanted} open files are needed; the limit is {current}, so that maxclients is now {fit}. Raise it with 'ulimit -n'."
        ));
    }
    fit
}
