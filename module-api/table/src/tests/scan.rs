//! The cursor's guarantee: what stays is seen.

use std::collections::HashSet;

use super::{Hashing, hash, random_from, table_of};
use crate::table::Table;

/// Iterates to the end with `between` called after each step; the elements seen.
fn scan_all(table: &mut Table<u64>, mut between: impl FnMut(&mut Table<u64>)) -> Vec<u64> {
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        cursor = table.scan(cursor, |key| seen.push(key));
        if cursor == 0 {
            return seen;
        }
        between(table);
    }
}

fn assert_all_seen(keys: std::ops::Range<u64>, seen: &[u64]) {
    let seen: HashSet<u64> = seen.iter().copied().collect();
    let missed: Vec<u64> = keys.filter(|key| !seen.contains(key)).collect();
    assert!(missed.is_empty(), "{} not visited, as {:?}", missed.len(), missed.first());
}

#[test]
fn scan_returns_every_key_exactly_once_while_nothing_changes() {
    for count in (0..200).chain([1_000, 6_143, 6_144, 6_145, 40_000]) {
        let mut table = table_of(0..count);
        let mut seen = scan_all(&mut table, |_| ());
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..count), "{count} keys");
    }
}

#[test]
fn scan_takes_as_many_steps_as_there_are_buckets_with_small_cursors() {
    for count in [1, 50, 700, 9_000] {
        let table = table_of(0..count);
        let (mut cursor, mut steps) = (0, 0);
        loop {
            cursor = table.scan(cursor, |_| ());
            steps += 1;
            assert!(cursor < 2 * table.buckets() as u64);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(steps, table.buckets());
    }
}

#[test]
fn scan_returns_every_key_that_stays_while_the_table_grows() {
    for first in [1, 10, 100, 1_000, 20_000] {
        for pace in [1, 7, 40] {
            let mut table = table_of(0..first);
            let mut next = first;
            let seen = scan_all(&mut table, |table| {
                let end = (next + pace).min(first * 20);
                (next..end).for_each(|key| table.insert_new(hash(key), key, false, hash));
                next = end;
            });
            assert_all_seen(0..first, &seen);
        }
    }
}

#[test]
fn scan_returns_every_key_that_stays_while_the_table_shrinks() {
    for total in [10, 100, 1_000, 30_000] {
        for pace in [1, 9, 40] {
            let stays = total / 20;
            let mut table = table_of(0..total);
            let buckets_before = table.buckets();
            let mut next = stays;
            let seen = scan_all(&mut table, |table| {
                let end = (next + pace).min(total);
                for key in next..end {
                    assert_eq!(table.remove(hash(key), |found| found == key), Some(key));
                }
                next = end;
            });
            assert_all_seen(0..stays, &seen);
            assert!(pace == 1 || total < 1_000 || table.buckets() < buckets_before / 2);
        }
    }
}

#[test]
fn scan_returns_every_key_that_stays_while_the_table_swings() {
    for seed in 0..30 {
        let mut random = random_from(seed);
        let stays = 1 + random() % 500;
        let mut table = table_of(0..stays);
        let (mut next, mut oldest, mut budget) = (stays, stays, 60_000_u64);
        let seen = scan_all(&mut table, |table| {
            let grows = random() & 1 == 0;
            let count = (random() % 400).min(budget);
            budget -= count;
            for _ in 0..count {
                if grows {
                    table.insert_new(hash(next), next, false, hash);
                    next += 1;
                } else if oldest < next {
                    table.remove(hash(oldest), |found| found == oldest);
                    oldest += 1;
                }
            }
        });
        table.check(hash);
        assert_all_seen(0..stays, &seen);
    }
}

#[test]
fn scan_terminates_and_does_not_panic_from_any_cursor() {
    let mut random = random_from(1);
    for count in [0, 1, 7, 8, 100, 5_000] {
        let table = table_of(0..count);
        let odd = [u64::MAX, 1 << 63, u64::MAX - 1, 0x5555_5555_5555_5555];
        for start in odd.into_iter().chain((0..500).map(|_| random() >> (random() % 64))) {
            let (mut cursor, mut steps) = (start, 0);
            loop {
                cursor = table.scan(cursor, |_| ());
                steps += 1;
                if cursor == 0 {
                    break;
                }
            }
            assert!(steps <= table.buckets().max(1));
        }
    }
}

#[test]
fn scan_of_equal_hashes_returns_them_in_one_step() {
    let hashing = Hashing::FewValues;
    let mut table = Table::new();
    (0..500).for_each(|key| table.insert_new(hashing.of(key), key, false, |key| hashing.of(key)));
    assert_eq!(scan_all(&mut table, |_| ()).len(), 500);
}

#[test]
fn scan_marked_returns_every_marked_key_and_no_other() {
    let mut table = table_of(0..10_000);
    (0..10_000).step_by(37).for_each(|key| assert!(table.set_mark(hash(key), key, true)));
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        cursor = table.scan_marked(cursor, |key| seen.push(key));
        if cursor == 0 {
            break;
        }
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq((0..10_000).step_by(37)));
}
