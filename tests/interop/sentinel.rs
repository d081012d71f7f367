//! Sentinel: groups of real Redis 7.0 servers under Plinth's Sentinels, alone and together with Redis's own.

use plinth_testkit::{Client, Reply, Server, TempDir, server, wait_until};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A program of Debian's, which ends when this is dropped.
struct Theirs {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Theirs {
    fn start(args: &[&str], lines: &str) -> Option<Theirs> {
        let (folder, port) = (TempDir::new(), server::free_port());
        let text = format!("port {port}\ndir {}\n{lines}", folder.path().display());
        let file = folder.write("server.conf", text);
        let child = Command::new("redis-server")
            .arg(file)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let theirs = Theirs { child, port, _folder: folder };
        wait_until("a server of Debian's serves", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(theirs)
    }

    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).expect("made for a test"))
    }
}

/// A primary and two replicas of it, if Redis is here.
fn group() -> Option<Vec<Theirs>> {
    let common = "save \"\"\nrepl-diskless-sync-delay 0\n";
    let primary = Theirs::start(&[], common)?;
    let lines = format!("{common}replicaof 127.0.0.1 {}\n", primary.port);
    let replica = || Theirs::start(&[], &lines);
    let group = vec![primary, replica()?, replica()?];
    for replica in &group[1..] {
        let mut client = replica.connect();
        wait_until("a replica follows", || client.info("replication", "master_link_status").as_deref() == Some("up"));
    }
    Some(group)
}

fn lines(primary: u16) -> String {
    format!(
        "sentinel monitor mymaster 127.0.0.1 {primary} 2\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 8000\n"
    )
}

fn ours(primary: u16) -> Server {
    let folder = TempDir::new();
    let file = folder.write("sentinel.conf", lines(primary));
    Server::within(folder, &[&file, "--sentinel"])
}

fn primary_of(client: &mut Client) -> u16 {
    match client.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]) {
        Reply::Array(items) => items[1].text().parse().expect("made for a test"),
        _ => 0,
    }
}

fn field(client: &mut Client, name: &str) -> String {
    client.ask(&["SENTINEL", "MASTER", "mymaster"]).field(name).map(Reply::text).unwrap_or_default()
}

fn wait_known(sentinels: &mut [Client]) {
    for client in sentinels {
        wait_until("all Sentinels and replicas are known", || {
            field(client, "num-other-sentinels") == "2" && field(client, "num-slaves") == "2"
        });
    }
}

/// The primary is killed: all Sentinels come to name another one, and the replica that is left follows it.
fn fails_over(mut group: Vec<Theirs>, mut sentinels: Vec<Client>) {
    wait_known(&mut sentinels);
    drop(group.remove(0));
    let mut new = 0;
    wait_until("the Sentinels agree on another primary", || {
        let named: Vec<u16> = sentinels.iter_mut().map(primary_of).collect();
        new = named[0];
        named.iter().all(|port| *port == new) && group.iter().any(|one| one.port == new)
    });
    let other = group.iter().find(|one| one.port != new).expect("made for a test");
    let mut client = other.connect();
    wait_until("the other replica follows it", || {
        client.info("replication", "master_port").as_deref() == Some(&new.to_string())
    });
    let promoted = group.iter().find(|one| one.port == new).expect("made for a test");
    assert_eq!(promoted.connect().info("replication", "role").as_deref(), Some("master"));
}

#[test]
fn a_group_of_redis_servers_is_failed_over_by_our_sentinels() {
    let Some(group) = group() else { return println!("without Redis 7.0") };
    let ours: Vec<Server> = (0..3).map(|_| ours(group[0].port)).collect();
    let sentinels = ours.iter().map(Server::connect).collect();
    fails_over(group, sentinels);
}

#[test]
fn our_sentinels_and_redis_s_own_agree_about_a_group() {
    let Some(group) = group() else { return println!("without Redis 7.0") };
    let Some(theirs) = Theirs::start(&["--sentinel"], &lines(group[0].port)) else {
        return println!("without Redis's Sentinel");
    };
    let ours: Vec<Server> = (0..2).map(|_| ours(group[0].port)).collect();
    let mut sentinels: Vec<Client> = ours.iter().map(Server::connect).collect();
    sentinels.push(theirs.connect());
    fails_over(group, sentinels);
}

#[test]
fn our_sentinel_votes_for_redis_s_own() {
    let Some(group) = group() else { return println!("without Redis 7.0") };
    let theirs = || Theirs::start(&["--sentinel"], &lines(group[0].port));
    let (Some(first), Some(second)) = (theirs(), theirs()) else { return println!("without Redis's Sentinel") };
    let ours = ours(group[0].port);
    let mut sentinels = vec![ours.connect(), first.connect(), second.connect()];
    wait_known(&mut sentinels);
    assert_eq!(sentinels[1].text(&["SENTINEL", "FAILOVER", "mymaster"]), "OK");
    let old = group[0].port;
    for client in &mut sentinels {
        wait_until("the new primary is known", || primary_of(client) != old);
    }
}
