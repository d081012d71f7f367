//! Claims about the storage, and a model to compare it with.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn member(text: &[u8]) -> Value<'_> {
    plinth_set_commands::storage::member(text)
}

fn set_of(texts: impl IntoIterator<Item = Vec<u8>>) -> HashSet {
    let mut set = HashSet::new().unwrap();
    for text in texts {
        set.insert(member(&text)).unwrap();
    }
    set
}

fn all(set: &HashSet) -> BTreeSet<Vec<u8>> {
    let (mut all, mut cursor) = (BTreeSet::new(), 0);
    loop {
        cursor = set.scan(cursor, |member| assert!(all.insert(member.to_vec()), "visited twice"));
        if cursor == 0 {
            return all;
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (-40i64..40).prop_map(|integer| integer.to_string().into_bytes()),
        any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
        (40u32..50, -1i64..2).prop_map(|(bits, near)| ((1i64 << bits) + near).to_string().into_bytes()),
        (40u32..50, -1i64..2).prop_map(|(bits, near)| (-(1i64 << bits) + near).to_string().into_bytes()),
        proptest::collection::vec(b'a'..b'd', 0..4),
        (250usize..260).prop_map(|len| vec![b'x'; len]),
    ]
}

#[test]
fn a_member_of_15_bytes_takes_at_most_26() {
    for count in [600_000u32, 1_000_000] {
        let set = set_of((0..count).map(|n| format!("member:{n:08}").into_bytes()));
        let each = set.memory() as f64 / f64::from(count);
        assert!(each <= 26.0, "{each} bytes a member at {count}");
    }
}

#[test]
fn integers_of_45_bits_take_no_block() {
    let set = set_of((0..1000i64).map(|n| ((n << 34) - (1 << 43)).to_string().into_bytes()));
    assert_eq!(set.blob_bytes, 0);
    assert_eq!(all(&set).len(), 1000);
}

#[test]
fn a_random_member_is_fair() {
    let mut set = set_of((0..100i64).map(|n| n.to_string().into_bytes()));
    let (mut state, mut counts) = (7u64, vec![0u32; 100]);
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 32)
    };
    for _ in 0..100_000 {
        let Some(Value::Integer(integer)) = set.random(&mut random) else { panic!("no integer") };
        counts[integer as usize] += 1;
    }
    assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
    while set.take_random(&mut random, |_| ()) {}
    assert_eq!((set.len(), set.blob_bytes), (0, 0));
}

#[test]
fn a_member_that_stays_is_scanned_while_the_set_grows_and_shrinks() {
    let stays = |n: u32| format!("stays:{n}").into_bytes();
    let goes = |n: u32| format!("goes:{n}").into_bytes();
    for grows in [true, false] {
        let mut set = set_of((0..500).map(stays));
        if !grows {
            for n in 0..20_000 {
                set.insert(member(&goes(n))).unwrap();
            }
        }
        let (mut seen, mut cursor, mut step) = (BTreeSet::new(), 0, 0);
        loop {
            cursor = set.scan(cursor, |member| _ = seen.insert(member.to_vec()));
            if cursor == 0 {
                break;
            }
            for n in step * 40..(step + 1) * 40 {
                if grows && n < 20_000 {
                    set.insert(member(&goes(n))).unwrap();
                } else if !grows {
                    set.remove(member(&goes(n)));
                }
            }
            step += 1;
        }
        assert!((0..500).all(|n| seen.contains(&stays(n))), "grows: {grows}");
    }
}

proptest! {
    #[test]
    fn it_does_what_a_plain_set_does(steps in proptest::collection::vec((any::<bool>(), text()), 0..400)) {
        let (mut set, mut model) = (HashSet::new().unwrap(), BTreeSet::new());
        for (adds, text) in &steps {
            if *adds {
                prop_assert_eq!(set.insert(member(text)), Ok(model.insert(text.clone())));
            } else {
                prop_assert_eq!(set.remove(member(text)), model.remove(text));
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert_eq!(set.contains(member(text)), *adds);
        }
        prop_assert_eq!(all(&set), model.clone());
        for text in model {
            prop_assert!(set.remove(member(&text)));
        }
        prop_assert_eq!(set.blob_bytes, 0);
    }

    #[test]
    fn a_member_comes_back_as_it_is_written(text in text()) {
        let set = set_of([text.clone()]);
        let mut found = None;
        set.scan(0, |value| found = Some((value.to_vec(), matches!(value, Value::Integer(_)))));
        prop_assert_eq!(found, Some((text.clone(), parse_integer(&text).is_some())));
    }
}
