//! Three servers, each with an append-only file and a proxy before it, of which one is the primary of the others.
//!
//! ```text
//!   replica ──> proxy of the primary ──> primary        clients speak to servers directly
//! ```
//!
//! A server that comes back has another port; its proxy leads there, so the others need not be told.

use plinth_testkit::proxy::{Proxy, Way};
use plinth_testkit::{Client, Server, TempDir, assert_wire, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// What all servers are started with.
const ARGS: [&str; 12] = [
    "--appendonly",
    "yes",
    "--save",
    "",
    "--repl-diskless-sync-delay",
    "0",
    "--repl-ping-replica-period",
    "1",
    "--repl-timeout",
    "3",
    "--auto-aof-rewrite-min-size",
    "256kb",
];

/// A server, or what is left of it while it is down.
pub(crate) struct Member {
    server: Option<Server>,
    folder: Option<TempDir>,
    /// The way to it.
    pub(crate) proxy: Proxy,
}

/// The group.
pub(crate) struct Group {
    /// All of them, up or down.
    pub(crate) members: Vec<Member>,
    /// Which of them is the primary.
    pub(crate) primary: usize,
    /// Its port, for clients.
    pub(crate) port: Arc<AtomicU16>,
    args: Vec<String>,
}

impl Member {
    /// The server.
    ///
    /// # Panics
    /// When it is down.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("it is up")
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Client {
        self.server().connect()
    }
}

/// A number of INFO's, 0 if it is not there.
pub(crate) fn number(client: &mut Client, section: &str, field: &str) -> i64 {
    client.info(section, field).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Wait until a server follows its primary, and has read the stream.
pub(crate) fn wait_until_up(client: &mut Client) {
    wait_until("the link is up", || client.info("replication", "master_link_status").as_deref() == Some("up"));
}

impl Group {
    /// Servers that follow the first, with more arguments.
    pub(crate) fn start(args: &[&str]) -> Group {
        let args: Vec<String> = ARGS.iter().chain(args).map(|word| (*word).to_owned()).collect();
        let member = |_| Member { server: None, folder: Some(TempDir::new()), proxy: Proxy::to(1) };
        let members: Vec<Member> = (0..3).map(member).collect();
        let mut group = Group { members, primary: 0, port: Arc::default(), args };
        for at in 0..3 {
            group.up(at);
        }
        group.settle();
        group
    }

    /// The replicas.
    pub(crate) fn replicas(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|at| *at != self.primary).collect()
    }

    /// A connection to the primary.
    pub(crate) fn connect(&self) -> Client {
        self.members[self.primary].connect()
    }

    /// Start a server that is down, in the role that is its own.
    pub(crate) fn up(&mut self, at: usize) {
        let of = format!("127.0.0.1 {}", self.members[self.primary].proxy.port());
        let announced = self.members[at].proxy.port().to_string();
        let mut args = self.args.clone();
        args.extend(["--replica-announce-port".to_owned(), announced]);
        if at != self.primary {
            args.extend(["--replicaof".to_owned(), of]);
        }
        let member = &mut self.members[at];
        let server = Server::within(member.folder.take().expect("it is down"), &args);
        member.proxy.lead_to(server.port());
        member.proxy.set(Way::Pass);
        if at == self.primary {
            self.port.store(server.port(), Relaxed);
        }
        member.server = Some(server);
    }

    /// Kill a server, or end it by a signal.
    pub(crate) fn down(&mut self, at: usize, signal: &str) {
        let server = self.members[at].server.take().expect("it is up");
        self.members[at].folder = Some(server.end(signal));
    }

    /// The primary is out of reach: the replica that has most of the stream takes the role. What is still under way
    /// from the primary comes to nobody.
    pub(crate) fn promote(&mut self) {
        let replicas = self.replicas();
        self.members[self.primary].proxy.set(Way::Refuse);
        let mut clients: Vec<Client> = replicas.iter().map(|at| self.members[*at].connect()).collect();
        for client in &mut clients {
            wait_until("the link is down", || {
                client.info("replication", "master_link_status").as_deref() == Some("down")
            });
        }
        let offsets: Vec<i64> =
            clients.iter_mut().map(|client| number(client, "replication", "slave_repl_offset")).collect();
        let best = (0..replicas.len()).max_by_key(|at| offsets[*at]).unwrap_or(0);
        assert_wire(&mut clients[best], &["REPLICAOF", "NO", "ONE"], b"+OK\r\n");
        self.primary = replicas[best];
        self.port.store(self.members[self.primary].server().port(), Relaxed);
        for (at, client) in clients.iter_mut().enumerate().filter(|(at, _)| *at != best) {
            println!("  {} takes over at {offsets:?}, {} follows", self.primary, replicas[at]);
            self.follow(client);
        }
    }

    /// Have a server follow the primary.
    pub(crate) fn follow(&self, client: &mut Client) {
        let port = self.members[self.primary].proxy.port().to_string();
        assert_wire(client, &["REPLICAOF", "127.0.0.1", &port], b"+OK\r\n");
    }

    /// Have a server follow the primary, unless it does.
    pub(crate) fn follow_if_other(&self, at: usize) {
        let mut client = self.members[at].connect();
        let port = self.members[self.primary].proxy.port().to_string();
        if client.info("replication", "master_port").is_none_or(|of| of != port) {
            self.follow(&mut client);
        }
    }

    /// Wait until replicas have all that the primary has, and hold what it holds.
    pub(crate) fn settle(&self) {
        let mut primary = self.connect();
        for at in self.replicas() {
            let mut client = self.members[at].connect();
            wait_until_up(&mut client);
            wait_until("the replica has all of the stream", || {
                let written = number(&mut primary, "replication", "master_repl_offset");
                number(&mut client, "replication", "slave_repl_offset") == written
            });
            // Until keys that have expired are gone, on the primary and then on the replica.
            let mut digests = Vec::new();
            let begun = std::time::Instant::now();
            loop {
                digests.clear();
                digests.extend([&mut primary, &mut client].map(|client| client.text(&["DEBUG", "DIGEST"])));
                if digests[0] == digests[1] {
                    break;
                }
                assert!(
                    begun.elapsed() < plinth_testkit::PATIENCE,
                    "{at} differs from its primary {}:\n{}",
                    self.primary,
                    differences(&mut primary, &mut client)
                );
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }

    /// Full syncs that the servers have given since they were started, with their process ids.
    pub(crate) fn full_syncs(&self) -> Vec<(u32, i64)> {
        let count = |member: &Member| (member.server().pid(), number(&mut member.connect(), "stats", "sync_full"));
        self.members.iter().map(count).collect()
    }

    /// What a server's files hold, which is started anew as nobody's copy: its digest.
    pub(crate) fn digest_of_files(&mut self, at: usize) -> String {
        let mut client = self.members[at].connect();
        // A write may wait for a sync that goes on.
        wait_until("all is written", || number(&mut client, "persistence", "aof_buffer_length") == 0);
        drop(client);
        self.down(at, "KILL");
        let folder = self.members[at].folder.take().expect("it is down");
        let server = Server::within(folder, &self.args);
        let digest = server.connect().text(&["DEBUG", "DIGEST"]);
        self.members[at].folder = Some(server.kill());
        digest
    }
}

/// Keys in which two servers differ.
fn differences(one: &mut Client, other: &mut Client) -> String {
    let mut found = String::new();
    for db in ["0", "3", "9"] {
        assert_wire(one, &["SELECT", db], b"+OK\r\n");
        assert_wire(other, &["SELECT", db], b"+OK\r\n");
        let mut keys = one.ask(&["KEYS", "*"]).texts();
        keys.extend(other.ask(&["KEYS", "*"]).texts());
        keys.sort();
        keys.dedup();
        for key in keys {
            let shown = |client: &mut Client| (client.ask(&["DUMP", &key]), client.ask(&["PEXPIRETIME", &key]));
            let (here, there) = (shown(one), shown(other));
            if here != there {
                found += &format!("{db} {key}: {here:?} and {there:?}\n");
            }
        }
    }
    found
}
