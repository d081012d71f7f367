//! Sizes: what is allocated when, and what is given back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use super::{Hashing, hash, table_of};
use crate::table::Table;

#[test]
fn a_new_table_has_allocated_nothing_and_answers_everything() {
    static TABLE: Table<u64> = Table::new();
    assert_eq!((TABLE.len(), TABLE.buckets(), TABLE.memory_bytes()), (0, 0, 0));
    let mut table = Table::<u64>::new();
    assert_eq!(table.find(1, |_| true), None);
    assert!(table.find_slot(1, |_| true).is_none());
    assert_eq!(table.remove(1, |_| true), None);
    assert!(!table.replace(1, 1, 2) && !table.set_mark(1, 1, true));
    assert_eq!(table.scan(0, |_| unreachable!()), 0);
    assert_eq!(table.scan_update(0, |_| unreachable!()), 0);
    assert_eq!(table.take_some(3, |_| unreachable!()), 0);
    table.prefetch_bucket(5);
    assert!(!table.prefetch_entries(5));
    table.prefetch_overflow(5);
    table.clear();
    assert_eq!(table.memory_bytes(), 0);
}

#[test]
fn a_large_table_grows_and_shrinks_back_to_one_bucket() {
    let mut table = table_of(0..300_000);
    table.check(hash);
    assert!((0..300_000).all(|key| table.find(hash(key), |found| found == key).is_some()));
    assert!((300_000..600_000).all(|key| table.find(hash(key), |found| found == key).is_none()));
    for key in 0..300_000 {
        assert_eq!(table.remove(hash(key), |found| found == key), Some(key));
        if key % 29_989 == 0 {
            table.check(hash);
        }
    }
    table.check(hash);
    assert_eq!((table.len(), table.buckets(), table.memory_bytes()), (0, 1, 64));
}

#[test]
fn a_table_of_the_right_size_from_the_start_splits_nothing_and_shrinks_back() {
    for elements in [1, 9, 10, 1000, 36_864, 36_865, 300_000] {
        let mut table = Table::<u64>::new();
        table.presize(elements as usize);
        let buckets = table.buckets();
        for key in 0..elements {
            table.insert_new(hash(key), key, false, |_| unreachable!());
        }
        table.presize(elements as usize * 2);
        table.check(hash);
        assert_eq!((table.buckets(), buckets), (buckets, table_of(0..elements).buckets()), "{elements}");
        for key in 0..elements {
            assert_eq!(table.remove(hash(key), |found| found == key), Some(key));
        }
        table.check(hash);
        assert_eq!((table.len(), table.buckets()), (0, 1));
    }
}

#[test]
fn an_element_costs_under_fourteen_bytes_from_fifty_on_and_about_nine_and_a_half_in_a_large_table() {
    let mut table = Table::new();
    for key in 0..600_000 {
        table.insert_new(hash(key), key, false, hash);
        let bytes = table.memory_bytes() as f64 / table.len() as f64;
        let limit = [(300_000, 9.9), (100_000, 10.4), (50, 14.0), (8, 16.0), (1, 64.0)];
        let limit = limit.iter().find(|limit| table.len() >= limit.0).unwrap().1;
        assert!(bytes <= limit, "{bytes} bytes an element at {}", table.len());
    }
}

#[test]
fn a_size_that_swings_by_half_neither_splits_nor_merges() {
    let mut table = table_of(0..20_000);
    let buckets = table.buckets();
    for _ in 0..3 {
        (0..10_000).for_each(|key| assert!(table.remove(hash(key), |found| found == key).is_some()));
        assert_eq!(table.buckets(), buckets);
        (0..10_000).for_each(|key| table.insert_new(hash(key), key, false, hash));
        assert_eq!(table.buckets(), buckets);
    }
}

#[test]
fn rehash_is_asked_once_for_each_element_in_the_doubling_where_the_window_moves_on_and_else_never() {
    let mut table = Table::new();
    let mut asked = std::collections::BTreeMap::new();
    for key in 0..400_000 {
        let buckets = table.buckets();
        table.insert_new(hash(key), key, false, |key| {
            *asked.entry(buckets.ilog2()).or_insert(0) += 1;
            hash(key)
        });
    }
    table.check(hash);
    assert!(asked.keys().copied().eq([3, 13]), "{asked:?}");
    assert!((100..200).contains(&asked[&3]) && (100_000..160_000).contains(&asked[&13]), "{asked:?}");
}

#[test]
fn the_window_moves_back_with_the_number_of_buckets() {
    let mut table = table_of(0..400_000);
    for key in 0..399_000 {
        table.remove(hash(key), |found| found == key);
        if table.buckets().is_power_of_two() || key % 29_989 == 0 {
            table.check(hash);
        }
    }
    assert!(table.buckets() < 512);
    let mut table = table_of(0..400_000);
    while table.buckets() > 8_000 {
        table.take_some(9_973, |_| ());
        table.check(hash);
    }
}

#[test]
fn taking_in_steps_returns_everything_and_all_memory_and_leaves_a_working_table_between() {
    let mut table = table_of(0..20_000);
    let mut taken = Vec::new();
    loop {
        let before = taken.len();
        let count = table.take_some(333, |key| taken.push(key));
        assert_eq!(taken.len() - before, count);
        table.check(hash);
        if count < 333 {
            break;
        }
        assert!(taken[before..].iter().all(|key| table.find(hash(*key), |k| k == *key).is_none()));
        table.insert_new(hash(1 << 40), 1 << 40, true, hash);
        assert!(table.remove(hash(1 << 40), |found| found == 1 << 40).is_some());
    }
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..20_000));
    assert_eq!((table.memory_bytes(), table.buckets()), (0, 0));
}

#[test]
fn a_thousand_equal_hashes_are_told_apart_by_their_elements() {
    for hashing in Hashing::ALL {
        let mut table = Table::new();
        for key in 0..1_000 {
            table.insert_new(hashing.of(key), key, key % 2 == 0, |key| hashing.of(key));
        }
        table.check(|key| hashing.of(key));
        for key in (0..1_000).rev() {
            assert_eq!(table.remove(hashing.of(key), |found| found == key), Some(key));
        }
        table.check(|key| hashing.of(key));
    }
}

#[test]
fn what_overflows_takes_eight_bytes_an_element_and_as_much_for_each_link_between_blocks() {
    let mut table = Table::new();
    let blocks_of = |over: usize| over.saturating_sub(8).div_ceil(7) + 1;
    for count in 1..=500 {
        table.insert_new(7, count, false, |_| 7);
        let chain_bytes = match count as usize {
            0..=8 => 0,
            // One element of the head gives way to the first link.
            count => 8 * (count - 7 + blocks_of(count - 7) - 1),
        };
        assert_eq!(table.overflow_bytes(), chain_bytes, "{count} elements");
    }
    let most = table.overflow_bytes();
    for round in 0..3 {
        for count in 1..=500 {
            // From the front, from the end, and from the middle.
            let key = [count, 501 - count, (count * 7) % 501][round];
            let key = if round == 2 && key == 0 { 500 } else { key };
            assert_eq!(table.remove(7, |found| found == key), Some(key));
            table.check(|_| 7);
        }
        assert_eq!(table.overflow_bytes(), 0);
        (1..=500).for_each(|key| table.insert_new(7, key, false, |_| 7));
        table.check(|_| 7);
        assert_eq!(table.overflow_bytes(), most);
    }
}

#[test]
fn overflow_is_carried_through_splits_and_merges_and_freed_with_the_table() {
    // Few enough elements for an interpreter that looks for undefined behaviour.
    for hashing in Hashing::ALL {
        let mut table = Table::new();
        (0..120).for_each(|key| table.insert_new(hashing.of(key), key, key % 3 == 0, |key| hashing.of(key)));
        table.check(|key| hashing.of(key));
        (0..20).for_each(|cursor| assert!(table.scan_update(cursor, |key| key) <= 64));
        (0..120).for_each(|key| assert_eq!(table.find(hashing.of(key), |found| found == key), Some(key)));
        for key in 20..100 {
            assert_eq!(table.remove(hashing.of(key), |found| found == key), Some(key));
        }
        table.check(|key| hashing.of(key));
        assert_eq!(table.take_some(15, |_| ()), 15);
        table.check(|key| hashing.of(key));
    }
}

#[test]
fn no_bucket_overflows_into_more_than_five_blocks_under_a_good_hash() {
    let (mut table, mut longest) = (Table::new(), 0);
    for key in 0..1_000_000 {
        table.insert_new(hash(key), key, false, hash);
        if key % 99_991 == 0 {
            let blocks = (0..table.bucket_count()).map(|index| table.chain(index).blocks().count());
            longest = longest.max(blocks.max().unwrap_or(0));
        }
    }
    assert!((3..=6).contains(&longest), "{longest} with the head");
}

#[test]
fn a_panic_in_rehash_loses_one_bucket_at_most_and_leaves_a_table_that_can_be_used_and_dropped() {
    for calls_before in 0..12 {
        let mut table = table_of(0..100);
        let mut calls = 0;
        let inserted = catch_unwind(AssertUnwindSafe(|| {
            for key in 100..200 {
                table.insert_new(hash(key), key, false, |key| {
                    assert!(calls < calls_before, "on purpose");
                    calls += 1;
                    hash(key)
                });
            }
        }));
        assert!(inserted.is_err());
        let found = |key: &u64| table.find(hash(*key), |found| found == *key).is_some();
        assert!((0..100).filter(found).count() > 75);
        (1_000..3_000).for_each(|key| table.insert_new(hash(key), key, false, hash));
        let (mut taken, mut random) = (0, super::random_from(4));
        assert!(table.random(&mut random).is_some());
        while table.take_some(100, |_| taken += 1) == 100 {}
        assert!(taken > 2_075 && table.is_empty() && table.memory_bytes() == 0);
    }
}

#[test]
fn pointers_come_back_usable() {
    let mut boxes: Vec<Box<u64>> = (0..5_000).map(Box::new).collect();
    let mut table = Table::<NonNull<u64>>::new();
    // SAFETY: the table holds pointers to the boxes only, which outlive it.
    let key_of = |pointer: NonNull<u64>| unsafe { *pointer.as_ptr() };
    for key in &mut boxes {
        let hash_of_key = hash(**key);
        table.insert_new(hash_of_key, NonNull::from(&mut **key), false, |p| hash(key_of(p)));
    }
    for key in 0..5_000 {
        table.prefetch_bucket(hash(key));
        if table.prefetch_entries(hash(key)) {
            table.prefetch_overflow(hash(key));
        }
        assert_eq!(table.find(hash(key), |p| key_of(p) == key).map(key_of), Some(key));
    }
    // Those in overflow buckets are not candidates, and few others than the right one are.
    let (mut candidates, mut right) = (0, 0);
    for key in 0..5_000 {
        table.candidates(hash(key), |p| {
            candidates += 1;
            right += usize::from(key_of(p) == key);
        });
    }
    assert!(right > 3_300 && candidates < right + 150, "{right} of {candidates}");
}

#[test]
fn a_table_is_eleven_words_and_may_be_sent_if_its_elements_may() {
    assert!(size_of::<Table<u64>>() <= 11 * size_of::<usize>());
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    is_send_and_sync(&Table::<u64>::new());
}
