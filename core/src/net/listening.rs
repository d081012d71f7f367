//! Listening elsewhere: CONFIG SET of `port`, `bind` and `maxclients`.

use crate::base::process::activation::{self, Handed};
use crate::engine::parameters::{Applier, Undo, is_same};
use crate::engine::server::Server;
use crate::socket::listener::{Listener, adopt, listen_tcp};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// `port`, `tls-port` and `bind`.
pub const ADDRESSES: Applier = Applier { names: &["port", "tls-port", "bind"], apply: apply_addresses };

/// `maxclients`.
pub const CLIENTS: Applier = Applier { names: &["maxclients"], apply: apply_clients };

/// Second handles of TCP sockets, by which they can be reached from here while the
/// loop owns them.
pub fn handles(listeners: &[Listener]) -> io::Result<Vec<OwnedFd>> {
    let tcp = listeners.iter().filter_map(|listener| match listener {
        Listener::Tcp(socket) | Listener::Tls(socket) => Some(socket.as_fd().try_clone_to_owned()),
        Listener::Unix(_) => None,
    });
    tcp.collect()
}

fn apply_clients(server: &mut Server, _name: &str) -> Result<Undo, String> {
    let wanted = server.settings.maxclients;
    let before = getrlimit(Resource::Nofile);
    let lower = move || {
        let _ = setrlimit(Resource::Nofile, before);
    };
    let fit = raise_open_files(wanted);
    if fit < wanted {
        lower();
        let reason = "The operating system is not able to handle the specified number of clients, try with";
        return Err(format!("{reason} {fit}"));
    }
    Ok(Box::new(move |_| lower()))
}

fn apply_addresses(server: &mut Server, name: &str) -> Result<Undo, String> {
    let port = server.settings.port as u16;
    let undo = listen_anew(server, port).map_err(|error| {
        crate::base::log::warning(&error);
        let reason = if is_same(name, "port") || is_same(name, "tls-port") {
            "Unable to listen on this port. Check server logs."
        } else {
            "Failed to bind to specified addresses."
        };
        reason.to_owned()
    })?;
    let before = std::mem::replace(&mut server.port, port);
    Ok(Box::new(move |server| {
        server.port = before;
        undo(server);
    }))
}

/// Sockets of the supervisor's, those for TLS by having `tls` in their names.
pub fn handed() -> Result<Vec<Listener>, String> {
    let adopt = |Handed { socket, name }| {
        adopt(socket, name.contains("tls")).map_err(|error| format!("A socket of LISTEN_FDS cannot be used: {error}"))
    };
    activation::take().into_iter().map(adopt).collect()
}

/// Listen on a port for plain connections and on the parameters' for those that speak TLS, as far as they are
/// not 0.
pub fn listen_all(server: &Server, port: u16) -> Result<Vec<Listener>, String> {
    listen_beside(server, port, Vec::new())
}

/// The same beside listeners that are there; on a port that one of them has it is not listened anew.
pub fn listen_beside(server: &Server, port: u16, mut listeners: Vec<Listener>) -> Result<Vec<Listener>, String> {
    let (bind, backlog) = (&server.settings.bind, server.settings.tcp_backlog);
    let taken: Vec<u16> = listeners.iter().map(Listener::port).collect();
    let listen = |port: u16, kind| match port {
        0 => Ok(Vec::new()),
        port if taken.contains(&port) => Ok(Vec::new()),
        port => listen_tcp(bind, backlog, port, kind),
    };
    listeners.extend(listen(port, Listener::Tcp)?);
    listeners.extend(listen(server.settings.tls.port as u16, Listener::Tls)?);
    Ok(listeners)
}

/// Listen as the parameters say now; when that fails, on as before.
fn listen_anew(server: &mut Server, port: u16) -> Result<Undo, String> {
    let listen = |server: &Server| listen_all(server, port);
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
    let own = handles(&listeners).map_err(|error| error.to_string()).inspect_err(|_| wake(server))?;
    let listening = std::mem::replace(&mut server.listening, own);
    let new_listeners = server.new_listeners.replace(listeners);
    // The loop has not taken the new ones yet, and goes on with those that it has.
    Ok(Box::new(move |server| {
        server.new_listeners = new_listeners;
        server.listening = listening;
        wake(server);
    }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::server::Lists;
    use crate::settings::parameters::Settings;
    use std::net::TcpStream;

    fn refuse(_server: &mut Server, _name: &str) -> Result<Undo, String> {
        Err("no".into())
    }

    #[test]
    fn a_port_that_was_taken_up_is_given_back_when_a_later_parameter_fails() {
        const APPLIERS: &[Applier] = &[ADDRESSES, Applier { names: &["timeout"], apply: refuse }];
        let mut server = Server::new(Settings::default(), Lists { appliers: APPLIERS, ..Lists::default() }).unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (first, second) = (free(), free());
        let pair = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let bind = pair("bind", "127.0.0.1");
        assert!(server.set_parameters(&[bind, pair("port", &first.to_string())]).is_ok());
        // As the loop does.
        let mut serving = server.new_listeners.take().unwrap();
        let pairs = [pair("port", &second.to_string()), pair("timeout", "3")];
        assert!(server.set_parameters(&pairs).is_err());
        assert_eq!((server.port, server.settings.port), (first, i64::from(first)));
        assert!(server.new_listeners.is_none());
        assert!(TcpStream::connect(("127.0.0.1", second)).is_err());
        let _client = TcpStream::connect(("127.0.0.1", first)).unwrap();
        let Listener::Tcp(socket) = serving.remove(0) else { panic!("not a TCP socket") };
        assert!(socket.accept().is_ok());
    }
}
