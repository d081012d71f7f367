//! HyperLogLogs: the same commands make the same bytes, and values move both ways.

use crate::peer::{Peer, assert_same, move_to_peer, move_to_plinth, with_each};
use plinth_fuzz::Random;
use plinth_testkit::{Client, assert_wire};

/// What `hll-sparse-max-bytes` is set to, in turn.
const LIMITS: [&str; 5] = ["3000", "0", "60", "500", "16000"];
const REGISTERS: usize = 16_384;

/// Both servers, asked the same.
struct Pair<'p> {
    peer: &'p Peer,
    theirs: &'p mut Client,
    plinth: &'p mut Client,
}

impl Pair<'_> {
    #[track_caller]
    fn same<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        assert_same(self.peer, self.theirs, self.plinth, args);
    }

    /// The same words, separated by spaces.
    #[track_caller]
    fn line(&mut self, line: &str) {
        self.same(&line.split(' ').collect::<Vec<_>>());
    }

    /// Adds some elements of `kinds` different ones, and compares what has come of the key.
    #[track_caller]
    fn add(&mut self, key: &str, count: usize, kinds: usize, random: &mut Random) {
        let elements = (0..count).map(|_| format!("element:{}", random.below(kinds)));
        let words: Vec<String> = ["PFADD".to_owned(), key.to_owned()].into_iter().chain(elements).collect();
        self.same(&words);
        self.line(&format!("GET {key}"));
    }
}

fn with_pairs(test: impl Fn(&mut Pair<'_>)) {
    with_each(|peer, theirs, plinth| test(&mut Pair { peer, theirs, plinth }));
}

#[test]
fn the_same_elements_make_the_same_bytes_and_counts() {
    with_pairs(|pair| {
        for (seed, limit) in LIMITS.iter().enumerate() {
            let mut random = Random::new(seed as u64);
            pair.line(&format!("CONFIG SET hll-sparse-max-bytes {limit}"));
            pair.line("FLUSHALL");
            pair.line("PFADD a");
            for round in 0..60 {
                pair.add("a", 1 + random.below(4), 500, &mut random);
                pair.add("b", round, 20_000, &mut random);
                pair.line("PFCOUNT a");
                pair.line("PFCOUNT a b none");
                pair.line("PFDEBUG ENCODING b");
            }
            pair.line("PFDEBUG DECODE a");
            pair.line("PFMERGE c a b");
            pair.line("GET c");
            pair.add("c", 100, 100_000, &mut random);
            pair.line("PFMERGE a c none");
            pair.line("GET a");
            pair.line("PFCOUNT a");
            pair.line("PFDEBUG TODENSE a");
            pair.line("GET a");
            pair.line("PFDEBUG GETREG b");
            pair.line("GET b");
        }
    });
}

/// Runs that are a value and that no server would have written: all kinds, of all lengths, side by
/// side.
fn any_runs(random: &mut Random) -> Vec<u8> {
    let (mut runs, mut left) = (Vec::new(), REGISTERS);
    // A dense part, in which runs meet, and zeros behind it.
    for _ in 0..random.below(300) {
        let value = 0x80 | (random.below(3) as u8) << 2;
        let (bytes, len) = match random.below(6) {
            0 => (vec![0x40, 0], 1),
            1 => {
                let len = random.below(5);
                (vec![len as u8], len + 1)
            }
            _ => {
                let len = random.below(4);
                (vec![value | len as u8], len + 1)
            }
        };
        runs.extend(bytes);
        left -= len;
    }
    runs.extend([0x40 | ((left - 1) >> 8) as u8, (left - 1) as u8]);
    runs
}

#[test]
fn runs_are_split_and_joined_alike() {
    with_pairs(|pair| {
        pair.line("CONFIG SET hll-sparse-max-bytes 3000");
        for seed in 0..40 {
            let mut random = Random::new(seed);
            for key in ["a", "b"] {
                let value = [b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", &any_runs(&mut random)[..]].concat();
                pair.same(&[b"SET", key.as_bytes(), &value]);
                for _ in 0..5 {
                    pair.add(key, 20, 1_000_000, &mut random);
                }
                pair.line(&format!("PFDEBUG DECODE {key}"));
            }
            // A merge raises registers in their order, so that each change meets the one before it.
            pair.line("PFMERGE a b");
            pair.line("PFDEBUG DECODE a");
            pair.line("GET a");
            pair.line("PFCOUNT a");
        }
    });
}

#[test]
fn registers_are_raised_side_by_side_alike() {
    // Elements go where their hash says, so the neighbours of registers are made by hand.
    with_pairs(|pair| {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            for key in ["a", "b", "c"] {
                let value = [b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", &any_runs(&mut random)[..]].concat();
                pair.same(&[b"SET", key.as_bytes(), &value]);
            }
            for line in ["PFMERGE d a", "GET d", "PFMERGE d b", "GET d", "PFMERGE c a b d", "GET c", "PFCOUNT c"] {
                pair.line(line);
            }
        }
    });
}

#[test]
fn dense_values_merge_and_count_alike() {
    with_pairs(|pair| {
        let mut random = Random::new(7);
        for key in ["a", "b"] {
            for _ in 0..5 {
                pair.add(key, 20_000, 10_000_000, &mut random);
                pair.line(&format!("PFCOUNT {key}"));
            }
        }
        for line in ["PFCOUNT a b", "PFMERGE c a b", "GET c", "PFCOUNT c", "GET c"] {
            pair.line(line);
        }
        // Registers of any content, also what no element makes.
        for _ in 0..20 {
            let registers: Vec<u8> = (0..12_288).map(|_| random.word() as u8).collect();
            pair.same(&[b"SET", b"k".as_slice(), &[&b"HYLL\0\0\0\0\0\0\0\0\0\0\0\x80"[..], &registers].concat()]);
            for line in ["PFCOUNT k", "GET k", "PFCOUNT k a", "PFMERGE k b", "GET k"] {
                pair.line(line);
            }
        }
    });
}

#[test]
fn a_value_moves_both_ways_and_is_one_there() {
    with_pairs(|pair| {
        for (key, count) in [("empty", 0), ("sparse", 200), ("dense", 20_000)] {
            let mut random = Random::new(count as u64);
            pair.add(key, count, 1_000_000, &mut random);
            assert_wire(pair.theirs, &["DEL", key], b":1\r\n");
            move_to_peer(pair.peer, pair.plinth, pair.theirs, key);
            pair.line(&format!("PFCOUNT {key}"));
            pair.line(&format!("GET {key}"));
            pair.add(key, 10, 1_000_000, &mut random);
            assert_wire(pair.plinth, &["DEL", key], b":1\r\n");
            move_to_plinth(pair.theirs, pair.plinth, key);
            pair.line(&format!("PFDEBUG ENCODING {key}"));
            pair.line(&format!("PFCOUNT {key}"));
            pair.line(&format!("GET {key}"));
            pair.add(key, 10, 1_000_000, &mut random);
            pair.line(&format!("PFCOUNT {key}"));
        }
    });
}

#[test]
fn what_is_damaged_is_refused_alike() {
    let head = |encoding: u8| [&b"HYLL"[..], &[encoding, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]].concat();
    let with = |encoding: u8, registers: &[u8]| [&head(encoding)[..], registers].concat();
    with_pairs(|pair| {
        pair.line("RPUSH list a");
        pair.line("PFADD good x y");
        for value in [
            b"".to_vec(),
            head(1)[..15].to_vec(),
            head(1),
            head(2),
            with(0, &[0; 12_287]),
            with(0, &[0; 12_289]),
            with(1, &[0x7f, 0xfe]),
            with(1, &[0x7f, 0xff, 0x00]),
            with(1, &[0x7f, 0xff, 0x80]),
            with(1, &[0x70, 0x00]),
        ] {
            pair.same(&[b"SET", b"k".as_slice(), &value]);
            for line in [
                "PFCOUNT k",
                "PFCOUNT k good",
                "PFCOUNT good k list",
                "PFCOUNT list k",
                "PFMERGE good k",
                "PFMERGE k good",
                "PFMERGE k list",
                "PFADD k",
                "PFDEBUG ENCODING k",
                "PFDEBUG DECODE k",
                "PFDEBUG GETREG k",
                "PFDEBUG TODENSE k",
                "GET k",
                "PFADD k a",
                "GET k",
            ] {
                pair.line(line);
            }
        }
        for line in ["PFDEBUG WHAT good", "PFDEBUG WHAT none", "PFDEBUG WHAT", "PFCOUNT", "PFMERGE", "PFADD"] {
            pair.line(line);
        }
    });
}
