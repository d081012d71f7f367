//! Nodes of files: what is written reads back, and what nobody wrote is refused or is a log.
//!
//! The fuzzer runs for a fraction of a second under `cargo test`; for longer
//! `PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-stream --test nodes`.

#![allow(missing_docs, clippy::unwrap_used)]

use plinth_fuzz::Random;
use plinth_module::pack::{Value, listpack};
use plinth_stream::store::PackTree;
use plinth_stream_commands::codec::node::{self, Loading};
use plinth_stream_commands::id::Id;
use plinth_stream_commands::storage::{Keep, Layout, Storage};
use proptest::prelude::*;
use std::ops::ControlFlow;

type Entry = (Id, Vec<Vec<u8>>);

const LAYOUT: Layout = Layout { node_bytes: 4096, node_entries: 4 };

fn entries(log: &PackTree) -> Vec<Entry> {
    let mut all = Vec::new();
    let _ = log.visit(Id::MIN..=Id::MAX, |id, fields| {
        all.push((id, fields.map(Value::to_vec).collect()));
        ControlFlow::<()>::Continue(())
    });
    all
}

/// A log as nodes behind their master ids.
fn nodes(log: &PackTree) -> Vec<(Id, Vec<u8>)> {
    node::write(log).collect()
}

fn read(nodes: &[(Id, Vec<u8>)]) -> Option<PackTree> {
    let (mut loading, mut log) = (Loading::default(), PackTree::new());
    for (master, node) in nodes {
        loading.read(node, *master, &mut log).ok()?;
    }
    Some(log)
}

/// What is read of one node of the elements of a line, in which `_` is an empty one.
fn read_line(line: &str) -> Option<Vec<Entry>> {
    let mut node = listpack::Writer::default();
    for word in line.split_whitespace() {
        node.push(Value::Text(if word == "_" { b"" } else { word.as_bytes() }));
    }
    read(&[(Id::new(5, 5), node.finish())]).map(|log| entries(&log))
}

const LINE: &str = "3 1 1 a 0   2 0 0 1 4   0 1 -3 2 b 2 c _ 8   3 1 -2 gone 4   2 1 -1 -7 4";

#[test]
fn a_node_is_read_as_redis_writes_it() {
    let texts = |line: &str| line.split(' ').map(|word| word.replace('_', "").into_bytes()).collect();
    let expected = [(Id::new(5, 5), "a 1"), (Id::new(6, 2), "b 2 c _"), (Id::new(6, 4), "a -7")];
    let expected: Vec<Entry> = expected.into_iter().map(|(id, line)| (id, texts(line))).collect();
    assert_eq!(read_line(LINE), Some(expected));
    // What ids removed entries have does not matter.
    for ids in ["3 0 0", "3 -9 0", "3 7 7"] {
        assert_eq!(read_line(&LINE.replacen("3 1 -2", ids, 1)), read_line(LINE), "{ids}");
    }
    // Of no entries, as Redis leaves none.
    assert_eq!(read_line("0 1 1 a 0   3 0 0 x 4"), Some(vec![]));
}

#[test]
fn a_node_that_contradicts_itself_is_refused() {
    let wrong = [
        ("3 1 1 a 0", "2 1 1 a 0"),
        ("3 1 1 a 0", "3 2 1 a 0"),
        ("3 1 1 a 0", "3 1 -1 a 0"),
        ("3 1 1 a 0", "3 1 1 a 1"),
        ("3 1 1 a 0", "3 1 2 a 0"),
        ("3 1 1 a 0", "3 1 9223372036854775807 a 0"),
        // Ids that do not rise, or a flag that nobody knows.
        ("2 1 -1 -7", "2 1 -3 -7"),
        ("3 1 -2", "7 1 -2"),
        ("2 0 0 1 4", "2 -5 -5 1 4"),
        // Elements, or their count, that are not there.
        ("-7 4", "-7 5"),
        ("-7 4", "-7"),
        ("_ 8", "_ 7"),
        ("2 b 2 c _ 8", "0 4"),
        ("2 b 2 c _ 8", "9223372036854775807 b 2 c _ 8"),
        ("2 b 2 c _ 8", "-1 b 2 c _ 8"),
        ("2 0 0", "x 0 0"),
    ];
    for (part, other) in wrong {
        assert!(LINE.contains(part));
        assert_eq!(read_line(&LINE.replacen(part, other, 1)), None, "{other} for {part}");
    }
    assert_eq!(read_line("1 0 0 0   2 0 0 3"), None);
    assert!(read(&[(Id::MIN, Vec::new())]).is_none());
}

#[test]
fn nodes_in_the_wrong_order_are_refused() {
    let mut log = PackTree::new();
    (1..9).for_each(|seq| log.append(LAYOUT, Id::new(1, seq), [b"f".as_slice(), b"v"].into_iter()));
    let mut nodes = nodes(&log);
    assert_eq!((nodes.len(), read(&nodes).map(|log| log.len())), (2, Some(8)));
    nodes.swap(0, 1);
    assert!(read(&nodes).is_none());
}

/// A log of some entries, of which some were removed.
fn written(random: &mut Random) -> PackTree {
    let (mut log, mut last) = (PackTree::new(), Id::new(random.number() >> 1, random.number() >> 1));
    let mut ids = Vec::new();
    for _ in 0..random.below(12) {
        let ms = last.ms + random.number() % 3 * (random.number() >> 40);
        last = Id::new(ms, random.number() >> 1).max(Id::new(last.ms, last.seq + 1));
        let own = random.once_in(3);
        let value = random.number().to_string().into_bytes();
        let fields: [&[u8]; 4] = [b"one", &value, if own { b"2" } else { b"two" }, &value[1..]];
        log.append(LAYOUT, last, fields[..if random.once_in(9) { 2 } else { 4 }].iter().copied());
        ids.push(last);
    }
    for _ in 0..random.below(4) {
        ids.get(random.below(ids.len())).map(|id| log.remove(*id));
    }
    log
}

/// A node of entries that all have the master's name, which is long.
fn of_long_name(name_bytes: usize, count: usize) -> Vec<u8> {
    let mut node = listpack::Writer::default();
    let integers = |node: &mut listpack::Writer, all: &[i64]| all.iter().for_each(|n| node.push(Value::Integer(*n)));
    integers(&mut node, &[count as i64, 0, 1]);
    node.push(Value::Text(&vec![b'n'; name_bytes]));
    integers(&mut node, &[0]);
    (0..count as i64).for_each(|at| integers(&mut node, &[2, 0, at, 7, 4]));
    node.finish()
}

#[test]
fn names_are_repeated_up_to_a_bound() {
    let first = Id::new(1, 1);
    let log = read(&[(first, of_long_name(1 << 20, 200))]).unwrap();
    assert_eq!(log.len(), 200);
    assert!(log.memory() < 2 << 20, "{}: the name is there once", log.memory());
    assert!(read(&[(first, of_long_name(1 << 20, 300))]).is_none());
    // What any file may repeat is not granted to each of its nodes.
    let mut nodes = vec![(first, of_long_name(16 << 10, 2500))];
    assert!(read(&nodes).is_some());
    nodes.push((Id::new(2, 1), of_long_name(16 << 10, 2500)));
    assert!(read(&nodes).is_none());
}

/// Elements that mean something in a node.
const TELLING: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x04, 0x07, 0x7f, 0x80, 0xc1, 0xdf, 0xf4, 0xff];

#[test]
fn what_nobody_wrote_is_refused_or_a_log() {
    let (mut taken, mut refused) = (0, 0);
    plinth_fuzz::run(|random| {
        let mut nodes = nodes(&written(random));
        for (_, node) in &mut nodes {
            random.damage(node, &TELLING);
            // The length in front is right mostly, or nothing behind it would be looked at.
            if node.len() >= 6 && !random.once_in(4) {
                let len = (node.len() as u32).to_le_bytes();
                node[..4].copy_from_slice(&len);
                node[4..6].copy_from_slice(&[0xff; 2]);
            }
        }
        let Some(log) = read(&nodes) else {
            refused += 1;
            return;
        };
        taken += 1;
        let all = entries(&log);
        assert_eq!(all.len(), log.len());
        assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(all.iter().all(|(_, fields)| !fields.is_empty() && fields.len().is_multiple_of(2)));
        let size = |all: &[Entry]| all.iter().flat_map(|(_, fields)| fields).map(Vec::len).sum::<usize>();
        let bytes: usize = nodes.iter().map(|(_, node)| node.len()).sum();
        assert!(log.memory() <= 64 * bytes.max(64) + size(&all), "{} of {bytes} bytes", log.memory());
    });
    println!("{taken} taken, {refused} refused");
    assert!(taken > 0 && refused > 0);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(seed: u64) {
        let log = written(&mut Random::new(seed));
        let nodes = nodes(&log);
        prop_assert_eq!(nodes.len(), log.nodes());
        let again = read(&nodes).unwrap();
        prop_assert_eq!(entries(&again), entries(&log));
        prop_assert_eq!((again.nodes(), again.len()), (log.nodes(), log.len()));
    }
}

#[test]
fn a_node_repeats_no_names_without_a_bound() {
    let (unbounded, name) = (Layout { node_bytes: 0, node_entries: 0 }, vec![b'n'; 100_000]);
    let mut log = PackTree::new();
    let fields: [&[u8]; 2] = [&name, b"v"];
    (1..=1000).for_each(|ms| log.append(unbounded, Id::new(ms, 0), fields.into_iter()));
    log.append(unbounded, Id::new(1001, 0), [&b"other"[..], b"v"].into_iter());
    log.append(unbounded, Id::new(1002, 0), fields.into_iter());
    assert_eq!(nodes(&log).len(), 1);
    // The names of the pack are not those of its first entry any more, so that a node would repeat them.
    drop(log.cut(Keep::Count(2), false, 0));
    (1003..=2000).for_each(|ms| log.append(unbounded, Id::new(ms, 0), fields.into_iter()));
    let nodes = nodes(&log);
    let bytes: usize = nodes.iter().map(|(_, node)| node.len()).sum();
    assert!(bytes < 8 << 20, "{bytes} bytes in {} nodes", nodes.len());
    assert_eq!(entries(&read(&nodes).unwrap()), entries(&log));
}
