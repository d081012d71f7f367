//! Pub/sub: the same commands on several connections bring the same bytes to each, in the same order.

use crate::peer::{Peer, with_each};
use plinth_testkit::{Client, Server};

/// A server of either kind, and its connections.
struct Side {
    clients: Vec<Client>,
    marks: usize,
}

impl Side {
    fn new(connect: impl Fn() -> Client, count: usize) -> Side {
        Side { clients: (0..count).map(|_| connect()).collect(), marks: 0 }
    }

    /// Sends lines on one connection; what has come on each by the time that all is done.
    fn step(&mut self, on: usize, lines: &str) -> Vec<String> {
        self.clients[on].raw(lines.replace('\n', "\r\n") + "\r\n");
        // The one that was sent something answers first, so that what it brought about lies before the others'.
        let order = std::iter::once(on).chain((0..self.clients.len()).filter(|other| *other != on));
        let mut came = vec![String::new(); self.clients.len()];
        for client in order {
            self.marks += 1;
            let mark = format!("mark-{}", self.marks);
            self.clients[client].send(&["PING", &mark]);
            loop {
                let reply = String::from_utf8_lossy(&self.clients[client].read()).into_owned();
                if reply.contains(&mark) {
                    break;
                }
                came[client] += &reply;
            }
        }
        came
    }
}

/// Steps, each `connection: lines`, on Plinth and on peers.
fn compare(wanted: impl Fn(&Peer) -> bool, count: usize, steps: &[(usize, &str)]) {
    with_each(|peer, _, _| {
        if !wanted(peer) {
            return;
        }
        let server = Server::start();
        let (mut theirs, mut plinth) = (Side::new(|| peer.connect(), count), Side::new(|| server.connect(), count));
        for (on, lines) in steps {
            let expected = theirs.step(*on, lines);
            let came = plinth.step(*on, lines);
            // HELLO tells who one is, and Valkey sends subcommands as an array where Redis sends a set.
            let differs = lines.starts_with("COMMAND") && peer.name().starts_with("Valkey");
            if !lines.starts_with("HELLO") && !differs {
                assert_eq!(came, expected, "{lines} with {}", peer.name());
            }
        }
    });
}

/// No message fits two patterns: which comes first is up to a server's hash.
const STEPS: &[(usize, &str)] = &[
    (0, "SUBSCRIBE a b a"),
    (1, "PSUBSCRIBE a* *b ?x"),
    (2, "PUBLISH a one"),
    (2, "PUBLISH b two"),
    (2, "PUBLISH none three"),
    (2, "PUBLISH cb 4"),
    (2, "PUBLISH cx 5"),
    (2, "PUBLISH ccx 6"),
    (2, "PUBLISH a \"\""),
    (2, "PUBSUB CHANNELS [b-z]"),
    (2, "PUBSUB CHANNELS x*"),
    (2, "PUBSUB NUMSUB"),
    (2, "PUBSUB NUMSUB a b c a"),
    (2, "PUBSUB NUMPAT"),
    (2, "PUBSUB NUMPAT x"),
    (2, "PUBSUB SHARDNUMSUB a s"),
    (2, "PUBSUB CHANNELS a b"),
    (2, "pubsub shardchannels a b c"),
    (2, "PUBSUB NO"),
    (2, "PUBSUB"),
    (2, "PUBLISH a"),
    (2, "SPUBLISH a b c"),
    (2, "SUBSCRIBE"),
    (2, "UNSUBSCRIBE"),
    (2, "PUNSUBSCRIBE x"),
    (2, "SUNSUBSCRIBE"),
    (0, "SSUBSCRIBE s t"),
    (1, "SSUBSCRIBE s"),
    (2, "SPUBLISH s hello"),
    (2, "SPUBLISH a hello"),
    (2, "PUBLISH s hello"),
    (2, "PUBSUB SHARDNUMSUB s t u"),
    (2, "PUBSUB SHARDCHANNELS t*"),
    (0, "UNSUBSCRIBE b x"),
    (0, "SUNSUBSCRIBE t x s"),
    (0, "PUNSUBSCRIBE"),
    (0, "UNSUBSCRIBE"),
    (0, "UNSUBSCRIBE"),
    (0, "UNSUBSCRIBE x y"),
    (0, "GET k"),
    (0, "MULTI\nSUBSCRIBE m\nGET k\nUNSUBSCRIBE m\nEXEC"),
    (0, "MULTI\nSUBSCRIBE m n\nEXEC"),
    (2, "MULTI\nPUBLISH m 1\nPUBLISH a 2\nEXEC"),
    (0, "PUNSUBSCRIBE p q"),
    (1, "PUNSUBSCRIBE a* *b ?x"),
    (1, "PSUBSCRIBE [a-c]x \\*"),
    (2, "PUBLISH bx 1"),
    (2, "PUBLISH * 1"),
    (1, "PUNSUBSCRIBE [a-c]x"),
    (2, "COMMAND GETKEYS SSUBSCRIBE a b"),
    (2, "COMMAND INFO subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe publish spublish"),
];

#[test]
fn the_same_commands_bring_the_same_messages() {
    compare(|_| true, 3, STEPS);
    let third: Vec<_> = (0..3).map(|on| (on, "HELLO 3")).chain(STEPS.iter().copied()).collect();
    compare(|_| true, 3, &third);
}

/// In RESP2 a client that listens runs few commands, and PING answers in the form of a message.
#[test]
fn a_listener_of_resp2_is_refused_alike() {
    let steps = [
        (0, "SUBSCRIBE a"),
        (0, "PING"),
        (0, "PING x y"),
        (0, "GET k"),
        (0, "NONE"),
        (0, "HELLO 3"),
        (0, "MULTI"),
        (0, "EXEC"),
        (0, "PUBLISH a 1"),
        (0, "PUBSUB CHANNELS"),
        (0, "CLIENT LIST"),
        (0, "GET"),
        (0, "RESET"),
        (0, "PING"),
        (0, "GET k"),
        (1, "PUBLISH a 1"),
        (1, "HELLO 3"),
        (1, "SUBSCRIBE a"),
        (1, "PING"),
        (1, "GET k"),
        (1, "HELLO 2"),
        (1, "GET k"),
        (1, "RESET"),
        (0, "PUBLISH a 1"),
    ];
    // A refused MULTI spoils nothing, and an EXEC without one says so in its own words.
    compare(|_| true, 2, &steps);
}

const EVENTS: &[(usize, &str)] = &[
    (1, "CONFIG SET notify-keyspace-events KEA"),
    (0, "PSUBSCRIBE __key*"),
    (1, "SET k v"),
    (1, "SET k v EX 100"),
    (1, "GETSET k w"),
    (1, "APPEND k x"),
    (1, "SETRANGE k 1 yy"),
    (1, "INCR n"),
    (1, "INCRBYFLOAT n 1.5"),
    (1, "GETEX k PERSIST"),
    (1, "MSET a 1 b 2"),
    (1, "RENAME a c"),
    (1, "COPY c d"),
    (1, "MOVE d 3"),
    (1, "EXPIRE c 100"),
    (1, "PERSIST c"),
    (1, "EXPIREAT c 1"),
    (1, "RPUSH l 1 2 3"),
    (1, "LPOP l"),
    (1, "LSET l 0 x"),
    (1, "LINSERT l BEFORE x y"),
    (1, "LMOVE l m LEFT RIGHT"),
    (1, "LTRIM l 1 0"),
    (1, "SADD s 1 2"),
    (1, "SREM s 1"),
    (1, "SPOP s"),
    (1, "SADD s 1 2"),
    (1, "SUNIONSTORE t s s"),
    (1, "SMOVE t u 1"),
    (1, "ZADD z 1 a 2 b"),
    (1, "ZINCRBY z 1 a"),
    (1, "ZREM z a b"),
    (1, "HSET h f v g 1"),
    (1, "HINCRBY h g 1"),
    (1, "HDEL h f g"),
    (1, "XADD x 1-1 f v"),
    (1, "XGROUP CREATE x g 0"),
    (1, "XDEL x 1-1"),
    (1, "SETBIT bits 3 1"),
    (1, "PFADD p a b"),
    (1, "GEOADD geo 1 2 a"),
    (1, "SORT s STORE sorted"),
    (1, "DEL s u nothing"),
    (1, "UNLINK x"),
    (1, "MULTI\nSET a 1\nDEL a\nEXEC"),
    (1, "GET missing"),
    (1, "CONFIG SET notify-keyspace-events Kg$"),
    (1, "SET k v"),
    (1, "RPUSH l 1"),
    (1, "DEL k l"),
    (1, "CONFIG SET notify-keyspace-events Enm"),
    (1, "SET new 1"),
    (1, "SET new 1"),
    (1, "GET missing"),
    (1, "SELECT 3"),
    (1, "SET other 1"),
    (1, "CONFIG SET notify-keyspace-events \"\""),
    (1, "SET k v"),
    (1, "CONFIG GET notify-keyspace-events"),
];

#[test]
fn the_same_changes_are_told_of_keys() {
    compare(|peer| peer.name() == "Redis 7.0", 2, EVENTS);
}

/// Redis 7.0 sends what a client publishes to itself before the reply.
#[test]
fn what_a_client_sends_itself_comes_behind_its_replies() {
    let steps = [
        (0, "HELLO 3"),
        (0, "SUBSCRIBE a"),
        (0, "PUBLISH a 1"),
        (0, "MULTI\nPUBLISH a 2\nGET k\nUNSUBSCRIBE a\nEXEC"),
        (0, "MULTI\nSUBSCRIBE b\nPUBLISH b 3\nEXEC"),
        (1, "PUBLISH b 4"),
    ];
    compare(|peer| peer.name() != "Redis 7.0", 2, &steps);
}
