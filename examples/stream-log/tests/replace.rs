//! The library takes the place of the server's own streams and gives it back, in slices, while clients
//! add to large streams, take from their middle and their front, and read them in groups.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire, build, wait_until};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Entries of the streams, one for each client.
const LENS: [u64; 2] = [60_000, 8_000];
const CONSUMERS: [&str; 3] = ["alice", "bob", "carol"];

/// A client, and a stream that nobody else touches: entry `n` has the id `1-n` and the value `n`.
struct Owner {
    client: Client,
    key: String,
    entries: BTreeSet<u64>,
    last: u64,
    /// Up to where the group has read.
    read: u64,
    pending: BTreeMap<u64, &'static str>,
    random: u64,
}

impl Owner {
    fn new(server: &Server, number: usize) -> Owner {
        let mut owner = Owner {
            client: server.connect(),
            key: format!("stream:{number}"),
            entries: BTreeSet::new(),
            last: 0,
            read: 0,
            pending: BTreeMap::new(),
            random: number as u64 * 7919 + 1,
        };
        (0..LENS[number]).for_each(|_| owner.send_entry());
        for seq in 1..=LENS[number] {
            assert_eq!(owner.client.read(), format!("${}\r\n1-{seq}\r\n", seq.to_string().len() + 2).into_bytes());
        }
        assert_eq!(owner.ask("XGROUP CREATE {} g 0"), Reply::Simple("OK".into()));
        owner
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// An entry that may be there.
    fn place(&mut self) -> u64 {
        self.draw(self.last) + 1
    }

    fn ask(&mut self, line: &str) -> Reply {
        self.client.ask(&line.replace("{}", &self.key).split(' ').collect::<Vec<_>>())
    }

    fn send_entry(&mut self) {
        self.last += 1;
        self.entries.insert(self.last);
        let (id, value) = (format!("1-{}", self.last), self.last.to_string());
        self.client.send(&["XADD", &self.key, &id, "field", &value]);
    }

    /// Asserts that a reply is entries, and these.
    fn assert_entries(&self, reply: &Reply, expected: &[u64]) {
        let all: Vec<String> = reply.items().iter().map(|entry| format!("{entry:?}")).collect();
        let entry = |seq: &u64| {
            let bulk = |text: String| Reply::Bulk(text.into_bytes());
            let fields = Reply::Array(vec![bulk("field".into()), bulk(seq.to_string())]);
            format!("{:?}", Reply::Array(vec![bulk(format!("1-{seq}")), fields]))
        };
        assert_eq!(all, expected.iter().map(entry).collect::<Vec<_>>(), "{}", self.key);
    }

    /// One command, and its reply.
    fn step(&mut self) {
        match self.draw(8) {
            0 | 1 => {
                self.send_entry();
                assert_eq!(self.client.reply().text(), format!("1-{}", self.last));
            }
            2 => {
                let seq = self.place();
                let was_there = self.entries.remove(&seq);
                assert_eq!(self.ask(&format!("XDEL {{}} 1-{seq}")).integer(), i64::from(was_there));
            }
            3 => {
                let kept = self.entries.len() - self.draw(4) as usize;
                let gone = self.entries.len() - kept;
                assert_eq!(self.ask(&format!("XTRIM {{}} MAXLEN {kept}")).integer(), gone as i64);
                (0..gone).for_each(|_| _ = self.entries.pop_first());
            }
            4 | 5 => {
                let start = self.place();
                let expected: Vec<u64> = self.entries.range(start..).take(5).copied().collect();
                let reply = self.ask(&format!("XRANGE {{}} 1-{start} + COUNT 5"));
                self.assert_entries(&reply, &expected);
            }
            6 => self.read_in_group(),
            _ => self.acknowledge(),
        }
    }

    fn read_in_group(&mut self) {
        let consumer = CONSUMERS[self.draw(3) as usize];
        let expected: Vec<u64> = self.entries.range(self.read + 1..).take(3).copied().collect();
        let reply = self.ask(&format!("XREADGROUP GROUP g {consumer} COUNT 3 STREAMS {{}} >"));
        let Some(&last) = expected.last() else {
            assert!(matches!(reply, Reply::Null), "{reply:?}");
            return;
        };
        self.assert_entries(&reply.items()[0].items()[1], &expected);
        self.read = last;
        self.pending.extend(expected.into_iter().map(|seq| (seq, consumer)));
    }

    fn acknowledge(&mut self) {
        let seq = match self.draw(2) {
            0 => self.pending.keys().next().copied().unwrap_or(1),
            _ => self.draw(self.read + 1) + 1,
        };
        let was_pending = self.pending.remove(&seq).is_some();
        assert_eq!(self.ask(&format!("XACK {{}} g 1-{seq}")).integer(), i64::from(was_pending));
    }

    fn compare(&mut self) {
        assert_eq!(self.ask("XLEN {}").integer(), self.entries.len() as i64);
        let (all, expected) = (self.ask("XRANGE {} - +"), self.entries.iter().copied().collect::<Vec<_>>());
        self.assert_entries(&all, &expected);
        let pending = self.ask(&format!("XPENDING {{}} g - + {}", self.pending.len() + 1));
        let named = pending.items().iter().map(|row| (row.items()[0].text(), row.items()[1].text()));
        assert!(named.eq(self.pending.iter().map(|(seq, consumer)| (format!("1-{seq}"), (*consumer).to_owned()))));
        let groups = self.ask("XINFO GROUPS {}");
        let last = groups.items()[0].field("last-delivered-id").map(Reply::text);
        assert_eq!(last, Some(if self.read == 0 { "0-0".to_owned() } else { format!("1-{}", self.read) }));
    }
}

/// The library of the streams that serve now.
fn path(client: &mut Client) -> String {
    let line = client.info("modules", "plinth_module_stream").unwrap_or_default();
    line.split("path=").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn streams_that_clients_change_and_read_become_the_other_kind_and_come_back() {
    let server = Server::start();
    let mut control = server.connect();
    let mut owners: Vec<Owner> = (0..LENS.len()).map(|number| Owner::new(&server, number)).collect();
    let original = path(&mut control);
    for library in [build::library("stream-log"), original] {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for owner in &mut owners {
                scope.spawn(|| {
                    while !is_done.load(Relaxed) {
                        owner.step();
                    }
                    (0..100).for_each(|_| owner.step());
                });
            }
            assert_wire(&mut control, &["MODULE", "REPLACE", "stream", &library], b"+OK\r\n");
            wait_until(
                "all streams are of the new kind",
                || matches!(control.ask(&["MODULE", "REPLACE", "STATUS"]), Reply::Array(left) if left.is_empty()),
            );
            is_done.store(true, Relaxed);
        });
        assert_eq!(path(&mut control), library);
        owners.iter_mut().for_each(Owner::compare);
    }
}
