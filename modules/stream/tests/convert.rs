//! A stream that is handed over in slices while commands change it arrives as it is at the end: entries,
//! counters, groups, consumers and what is pending. A stream in another database, which nobody hands over,
//! gets the same commands and says what is right.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_stream::store::PackTree as Log;
use plinth_stream_commands::id::Id;
use plinth_stream_commands::nack::Nack;
use plinth_stream_commands::stream::Stream;
use plinth_testbed::Testbed;
use proptest::prelude::*;

/// Entries at the start.
const ENTRIES: usize = 700;
const GROUPS: u16 = 3;
/// The database of the stream that is not handed over.
const MODEL: u32 = 1;

/// What, and with which numbers.
type Change = (u8, u16, u16);

/// Runs a line, and asserts that the model says the same.
fn run(host: &mut Testbed, line: &str) {
    let args: Vec<&str> = line.split(' ').collect();
    let reply = host.run(&args);
    host.select(MODEL);
    let expected = host.run(&args);
    host.select(0);
    assert_eq!(String::from_utf8_lossy(&reply), String::from_utf8_lossy(&expected), "{line}");
}

/// What becomes of references.
fn refs(b: u16) -> &'static str {
    ["KEEPREF", "DELREF", "ACKED"][usize::from(b / 3 % 3)]
}

/// The commands of a change.
fn lines((what, a, b): Change) -> Vec<String> {
    let (id, group, consumer) = (format!("{}-{}", a % 900, b % 3), a % GROUPS, b % 4);
    let one = match what {
        0..=3 => format!("XADD k {}-* f v{b}", a % 2000),
        4 | 5 => format!("XDEL k {id}"),
        6 => format!("XTRIM k MAXLEN {}", a % 900),
        7..=9 => format!("XREADGROUP GROUP g{group} c{consumer} COUNT {} STREAMS k >", b % 40 + 1),
        10 | 11 => format!("XACK k g{group} {id}"),
        12 => format!("XCLAIM k g{group} c{consumer} 0 {id}"),
        13 => format!("XGROUP DELCONSUMER k g{group} c{consumer}"),
        14 => format!("XGROUP DESTROY k g{group}"),
        15 => format!("XGROUP CREATE k g{group} {id}"),
        16 => format!("XGROUP SETID k g{group} {id}"),
        // The ids go back, and are given once more.
        17 => {
            let count = usize::from(b % 5);
            let added = (0..count).map(|seq| format!("XADD k {}-{seq} again {b}", a % 900 + 1));
            return ["XTRIM k MAXLEN 0".to_owned(), format!("XSETID k {}-0", a % 900)]
                .into_iter()
                .chain(added)
                .collect();
        }
        18 => format!("XTRIM k MAXLEN {} {}", a % 900, refs(b)),
        19 | 20 => format!("XDELEX k {} IDS 2 {id} {}-{}", refs(b), a % 900 + 1, b % 3),
        21 | 22 => format!("XACKDEL k g{group} {} IDS 2 {id} {}-{}", refs(b), a % 900 + 1, b % 3),
        _ => format!("XSETID k {id}"),
    };
    vec![one]
}

fn apply(host: &mut Testbed, _: &mut (), change: Change) {
    lines(change).iter().for_each(|line| run(host, line));
}

fn compare(host: &mut Testbed) {
    for line in ["XLEN k", "XRANGE k - +", "XREVRANGE k + - COUNT 20", "XINFO GROUPS k", "XADD k * last entry"] {
        run(host, line);
    }
    for group in 0..GROUPS {
        for line in [format!("XINFO CONSUMERS k g{group}"), format!("XPENDING k g{group} - + 10000")] {
            run(host, &line);
        }
    }
}

fn filled() -> Testbed {
    let mut host = Testbed::new(&plinth_stream::plinth_module_entry).unwrap();
    for number in 0..ENTRIES {
        run(&mut host, &format!("XADD k {}-{} f v", number + 1, number % 3));
    }
    run(&mut host, "XGROUP CREATE k g0 0");
    run(&mut host, "XREADGROUP GROUP g0 c0 COUNT 300 STREAMS k >");
    run(&mut host, "XREADGROUP GROUP g0 c1 COUNT 100 STREAMS k >");
    host
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_changes_between_slices_arrives(
        budget in prop_oneof![Just(1usize), 2usize..100, Just(10_000)],
        rounds in proptest::collection::vec(
            proptest::collection::vec((0u8..24, any::<u16>(), any::<u16>()), 0..6), 0..120),
    ) {
        let mut host = filled();
        // Looking changes both, so it comes at the end.
        prop_assert_eq!(host.convert_twice("k", budget, &mut (), rounds, apply, |_, ()| ()), Ok(()));
        compare(&mut host);
    }
}

#[test]
fn ids_that_are_given_once_more_arrive() {
    for budget in [1, 50, 10_000] {
        for after in [0, 3, 10, 100] {
            let (mut host, mut round) = (filled(), 0);
            let done = host.convert_in_slices("k", budget, |host| {
                if round == after {
                    apply(host, &mut (), (17, 100, 4));
                }
                round += 1;
            });
            assert_eq!(done, Ok(()));
            if round <= after {
                apply(&mut host, &mut (), (17, 100, 4));
            }
            compare(&mut host);
        }
    }
}

#[test]
fn a_copy_takes_what_it_takes() {
    let mut stream = Stream::<Log>::default();
    let bare = stream.copy().unwrap().memory();
    stream.make_group(b"g", Id::MIN, None);
    let mut group = stream.group_mut(b"g").unwrap();
    for number in 0..300_u64 {
        let (consumer, _) = group.find_or_make(format!("consumer:{number}").as_bytes(), 1);
        let ids = (0..40).map(|seq| Id::new(number, seq));
        ids.clone().for_each(|id| group.deliver(id, Nack { consumer, delivered_ms: 1, deliveries: 1 }));
        // Rooms that have grown and shrunk are others than those of a copy.
        ids.skip(3).for_each(|id| assert!(group.acknowledge(id)));
    }
    drop(group);
    let mut copy = stream.copy().unwrap();
    let mut group = copy.group_mut(b"g").unwrap();
    for number in 0..300 {
        assert_eq!(group.delete_consumer(format!("consumer:{number}").as_bytes()), Some(3));
    }
    drop(group);
    assert!(copy.memory() < bare + 1024, "{} beside {bare}", copy.memory());
    assert!(copy.destroy_group(b"g"));
    assert_eq!(copy.memory(), bare);
}
