//! Choosing at random: evenly, within bounds, and from anything.

use super::{hash, random_from, table_of};
use crate::table::Table;

#[test]
fn random_gives_every_key_nearly_the_same_chance() {
    for count in [1, 2, 7, 30, 130, 200, 260] {
        let table = table_of(0..count);
        let mut random = random_from(count);
        let mut picks = vec![0_u64; count as usize];
        for _ in 0..count * 1_000 {
            picks[table.random(&mut random).unwrap() as usize] += 1;
        }
        // Five standard deviations of an even choice, and room for the fullest buckets.
        let (least, most) = (picks.iter().min().unwrap(), picks.iter().max().unwrap());
        assert!(*least > 750 && *most < 1_180, "{count} keys: {least} to {most}");
    }
}

#[test]
fn random_finds_the_last_keys_of_a_table_that_was_large() {
    let mut table = table_of(0..50_000);
    let mut random = random_from(9);
    for key in 0..49_999 {
        table.remove(hash(key), |found| found == key);
        assert!(table.random(&mut random) > Some(key));
    }
    assert_eq!(table.random(&mut random), Some(49_999));
    assert_eq!(table.buckets(), 1);
}

#[test]
fn random_finds_the_only_key_however_stubborn_the_numbers() {
    let mut table = table_of(0..1_000);
    table.take_some(990, |_| ());
    assert!(table.random(|| u64::MAX).is_some());
    assert!(table.random(|| 0).is_some());
    assert_eq!(Table::<u64>::new().random(|| 0), None);
}

#[test]
fn sample_visits_as_many_different_keys_as_asked_for() {
    let table = table_of(0..3_000);
    let mut random = random_from(2);
    for count in [0, 1, 5, 16, 100, 5_000] {
        let mut keys = Vec::new();
        let visited = table.sample(random(), count, |key| keys.push(key));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((visited, keys.len()), (count.min(3_000), count.min(3_000)));
    }
}

#[test]
fn sample_reaches_keys_behind_others_in_their_bucket() {
    let table = table_of(0..300);
    let mut random = random_from(4);
    let mut seen = [0u32; 300];
    for _ in 0..20_000 {
        table.sample(random(), 3, |key| seen[key as usize] += 1);
    }
    let least = seen.iter().min();
    assert!(least > Some(&50), "of 200 times on the average a key was seen {least:?} times");
}

#[test]
fn sample_marked_visits_marked_keys_only_and_gives_up_after_its_bound() {
    let mut table = table_of(0..6_000);
    assert_eq!(table.sample_marked(0, 5, usize::MAX, |_| unreachable!()), 0);
    table.set_mark(hash(77), 77, true);
    let mut random = random_from(3);
    assert_eq!(table.sample_marked(random(), 5, usize::MAX, |key| assert_eq!(key, 77)), 1);
    let found: usize = (0..100).map(|_| table.sample_marked(random(), 5, 10, |key| assert_eq!(key, 77))).sum();
    assert!(found < 10, "{found} of 100 looks at ten of a thousand buckets found the key");
}
