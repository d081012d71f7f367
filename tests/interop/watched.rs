//! Groups that Sentinels watch over: servers and Sentinels, each Plinth's or another's, and what becomes of a group whose
//! primary is killed.

use crate::peer;
use plinth_testkit::{Client, Reply, Server, TempDir, server, wait_until};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Who makes a program.
#[derive(Clone)]
pub(crate) enum Maker {
    /// Plinth.
    Ours,
    /// Somebody else: the server's program, which is a Sentinel when it is told so.
    Theirs(PathBuf),
}

/// One of those that are watched, or one who watches. It ends when this is dropped.
pub(crate) struct Member {
    kept: Kept,
    port: u16,
}

enum Kept {
    Ours(Server),
    Theirs(Child, TempDir),
}

impl Maker {
    /// The maker of a name that [`peer`] has, if its program is here.
    pub(crate) fn find(name: &str) -> Option<Maker> {
        peer::program(name).map(Maker::Theirs)
    }

    /// A server, which follows another one or nobody.
    pub(crate) fn server(&self, primary: Option<u16>) -> Member {
        let mut lines = "save \"\"\nrepl-diskless-sync-delay 0\n".to_owned();
        lines += &primary.map(|port| format!("replicaof 127.0.0.1 {port}\n")).unwrap_or_default();
        self.start(TempDir::new(), &lines, false)
    }

    /// A Sentinel, with these lines.
    pub(crate) fn sentinel(&self, lines: &str) -> Member {
        self.start(TempDir::new(), lines, true)
    }

    /// A server or a Sentinel, in a folder.
    ///
    /// # Panics
    /// When it does not serve.
    pub(crate) fn start(&self, folder: TempDir, lines: &str, is_sentinel: bool) -> Member {
        let file = folder.write("its.conf", lines);
        let mode = if is_sentinel { &["--sentinel"][..] } else { &[] };
        let Maker::Theirs(program) = self else {
            let server = Server::within(folder, &[&[file.as_str()], mode].concat());
            return Member { port: server.port(), kept: Kept::Ours(server) };
        };
        let port = server::free_port();
        let child = Command::new(program)
            .arg(file)
            .args(["--port", &port.to_string()])
            .args(mode)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let member = Member { kept: Kept::Theirs(child, folder), port };
        wait_until("another's server serves", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok() && member.connect().text(&["PING"]) == "PONG"
        });
        member
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Kept::Theirs(child, _) = &mut self.kept {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Member {
    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).expect("made for a test"))
    }

    /// What its configuration file holds now.
    pub(crate) fn lines(&self) -> String {
        let folder = match &self.kept {
            Kept::Ours(server) => server.folder(),
            Kept::Theirs(_, folder) => folder,
        };
        std::fs::read_to_string(folder.file("its.conf")).expect("made for a test")
    }
}

/// The lines of a Sentinel that watches a group, of whose kind two have to agree.
pub(crate) fn lines(primary: u16) -> String {
    format!(
        "sentinel monitor mymaster 127.0.0.1 {primary} 2\nsentinel down-after-milliseconds mymaster 1000\n\
         sentinel failover-timeout mymaster 8000\n"
    )
}

/// A primary and its replicas, one for each maker, once all are in step.
pub(crate) fn group(makers: &[Maker]) -> Vec<Member> {
    let primary = makers[0].server(None);
    let port = primary.port();
    let mut group = vec![primary];
    group.extend(makers[1..].iter().map(|maker| maker.server(Some(port))));
    for replica in &group[1..] {
        let mut client = replica.connect();
        wait_until("a replica follows", || client.info("replication", "master_link_status").as_deref() == Some("up"));
    }
    group
}

/// Sentinels that watch a group, one for each maker, once all know each other and the replicas.
pub(crate) fn sentinels(makers: &[Maker], group: &[Member]) -> Vec<Member> {
    let lines = lines(group[0].port());
    let all: Vec<Member> = makers.iter().map(|maker| maker.sentinel(&lines)).collect();
    let (others, replicas) = ((all.len() - 1).to_string(), (group.len() - 1).to_string());
    for one in &all {
        let mut client = one.connect();
        wait_until("all Sentinels and replicas are known", || {
            field(&mut client, "num-other-sentinels") == others && field(&mut client, "num-slaves") == replicas
        });
    }
    all
}

/// A field of SENTINEL MASTER.
pub(crate) fn field(client: &mut Client, name: &str) -> String {
    client.ask(&["SENTINEL", "MASTER", "mymaster"]).field(name).map(Reply::text).unwrap_or_default()
}

/// The port of the primary, as a Sentinel names it.
pub(crate) fn primary_of(client: &mut Client) -> u16 {
    match client.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]) {
        Reply::Array(items) => items[1].text().parse().expect("made for a test"),
        _ => 0,
    }
}

/// The primary is killed: all Sentinels come to name another one, and the replicas that are left follow it. The rest
/// of the group, the new primary first.
pub(crate) fn fails_over(mut group: Vec<Member>, sentinels: &[Member]) -> Vec<Member> {
    drop(group.remove(0));
    let mut clients: Vec<Client> = sentinels.iter().map(Member::connect).collect();
    let mut new = 0;
    wait_until("the Sentinels agree on another primary", || {
        let named: Vec<u16> = clients.iter_mut().map(primary_of).collect();
        new = named[0];
        named.iter().all(|port| *port == new) && group.iter().any(|one| one.port == new)
    });
    group.sort_by_key(|one| one.port != new);
    for other in &group[1..] {
        let mut client = other.connect();
        wait_until("another replica follows it", || {
            client.info("replication", "master_port").as_deref() == Some(&new.to_string())
                && client.info("replication", "master_link_status").as_deref() == Some("up")
        });
    }
    assert_eq!(group[0].connect().info("replication", "role").as_deref(), Some("master"));
    group
}
