//! Prints the longest single insert while a table grows to ten million elements, what an element
//! costs in bytes at several sizes, and the time of a lookup with and without prefetch.
//!
//! `cargo run --release -p plinth-table --example pause [elements]`
//!
//! A machine with other work to do interrupts any loop, so calls are measured in the CPU time of
//! the thread where there is such a clock (Linux); the first line shows what is left of the
//! disturbance, and what the clock itself costs, with no insert in the loop. What remains hits
//! other calls each time, so the numbers are inserted in three runs, and each insert counts with
//! the least of its three times. The second table's elements are pointers to boxed keys, so
//! that a split that reads its elements would show.

use std::hint::black_box;
use std::ptr::NonNull;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
use std::time::Instant;

use plinth_table::{Slot, Table};

/// A stand-in for a keyed hash: a bijection that mixes all bits (Stafford's variant 13).
fn hash(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// How long this thread has been running.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn cpu_time_ns() -> u64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time_out: *mut Timespec) -> i32;
    }
    const THREAD_CPU_TIME: i32 = 3;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the C library's function, with a structure of the layout it has on 64-bit Linux.
    unsafe { clock_gettime(THREAD_CPU_TIME, &mut time) };
    (time.seconds * 1_000_000_000 + time.nanoseconds) as u64
}

/// Time, where there is no clock for a thread's own.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn cpu_time_ns() -> u64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// Durations of single calls: how many took how many nanoseconds, up to a millisecond.
struct Pauses {
    counts_by_ns: Vec<u32>,
    longest: Vec<(u64, u64)>,
}

impl Pauses {
    fn of(calls: u64, call: impl FnMut(u64)) -> Self {
        let mut times_ns = vec![u64::MAX; calls as usize];
        least(&mut times_ns, call);
        Self::of_times(&times_ns)
    }

    fn of_times(times_ns: &[u64]) -> Self {
        let mut pauses = Pauses { counts_by_ns: vec![0; 1_000_000], longest: Vec::new() };
        times_ns.iter().enumerate().for_each(|(number, ns)| pauses.add(number as u64, *ns));
        pauses
    }

    fn add(&mut self, number: u64, ns: u64) {
        let last = self.counts_by_ns.len() - 1;
        self.counts_by_ns[(ns as usize).min(last)] += 1;
        if ns > 20_000 {
            self.longest.push((ns, number));
        }
    }

    fn print(&mut self, what: &str) {
        let total: u64 = self.counts_by_ns.iter().map(|count| u64::from(*count)).sum();
        let quantile_ns = |parts_per_million: u64| {
            let mut left = total * parts_per_million / 1_000_000;
            let position = self.counts_by_ns.iter().position(|count| {
                let here = u64::from(*count) > left;
                left = left.saturating_sub(u64::from(*count));
                here
            });
            position.unwrap_or_default()
        };
        let (p50, p999, p99999) = (quantile_ns(500_000), quantile_ns(999_000), quantile_ns(999_990));
        self.longest.sort_unstable_by(|a, b| b.cmp(a));
        let over = |ns: u64| self.longest.iter().filter(|pause| pause.0 > ns).count();
        println!(
            "{what}: p50 {p50} ns, p99.9 {p999} ns, p99.999 {p99999} ns; over 50 us {}, over \
             500 us {}; longest (ns, at): {:?}",
            over(50_000),
            over(500_000),
            &self.longest[..self.longest.len().min(4)]
        );
    }
}

fn grow_numbers(count: u64) {
    let mut insert_ns = vec![u64::MAX; count as usize];
    let mut remove_ns = insert_ns.clone();
    for _ in 0..3 {
        let mut table = Table::<u64>::new();
        least(&mut insert_ns, |key| table.insert_new(hash(key), key, false, hash));
        least(&mut remove_ns, |key| {
            black_box(table.remove(hash(key), |found| found == key));
        });
    }
    Pauses::of_times(&insert_ns).print("insert a number, least of three");
    Pauses::of_times(&remove_ns).print("remove a number, least of three");
}

/// Lowers each call's time to what it takes now.
fn least(times_ns: &mut [u64], mut call: impl FnMut(u64)) {
    let mut start = cpu_time_ns();
    for (number, time) in times_ns.iter_mut().enumerate() {
        call(number as u64);
        let end = cpu_time_ns();
        *time = (*time).min(end - start);
        start = end;
    }
}

fn grow_pointers(count: u64) {
    let mut table = Table::<NonNull<u64>>::new();
    // SAFETY: the table's pointers are to leaked boxes.
    let key_of = |pointer: NonNull<u64>| unsafe { *pointer.as_ptr() };
    Pauses::of(count, |key| {
        let entry = NonNull::from(Box::leak(Box::new(key)));
        table.insert_new(hash(key), entry, false, |entry| hash(key_of(entry)));
    })
    .print("insert a pointer, with its allocation");

    let table = &table;
    let key_at = |round: u64| hash(round ^ 0x5555) % count;
    let found = |key: u64| table.find(hash(key), |entry| key_of(entry) == key).is_some();
    print_lookup("find", |round| assert!(found(key_at(round))));
    print_lookup("find what is absent", |round| assert!(!found(key_at(round) + count)));
    let in_batches = |with_overflow: bool| {
        let mut keys = [0; 16];
        move |round: u64| {
            if round.is_multiple_of(16) {
                keys = std::array::from_fn(|at| key_at(round + at as u64));
                keys.iter().for_each(|key| table.prefetch_bucket(hash(*key)));
                let more = keys.map(|key| table.prefetch_entries(hash(key)) && with_overflow);
                keys.iter()
                    .zip(more)
                    .filter(|(_, more)| *more)
                    .for_each(|(key, _)| table.prefetch_overflow(hash(*key)));
            }
            assert!(found(keys[round as usize % 16]));
        }
    };
    print_lookup("find, 16 prefetched in two stages", in_batches(false));
    print_lookup("find, 16 prefetched in three stages", in_batches(true));
}

/// Runs a lookup many times; prints its mean time on the CPU, hashing included.
fn print_lookup(what: &str, mut lookup: impl FnMut(u64)) {
    const ROUNDS: u64 = 4_000_000;
    let start = cpu_time_ns();
    (0..ROUNDS).for_each(&mut lookup);
    println!("{what}: {} ns", (cpu_time_ns() - start) / ROUNDS);
}

fn print_memory<T: Slot>(table: &Table<T>) {
    println!(
        "{:>9} elements: {:.2} bytes each; {:.2} a bucket, {:.2} bytes of overflow each",
        table.len(),
        table.memory_bytes() as f64 / table.len() as f64,
        table.len() as f64 / table.buckets() as f64,
        table.overflow_bytes() as f64 / table.len() as f64,
    );
}

fn memory() {
    let sizes = [
        1, 7, 10, 30, 100, 300, 1_000, 3_000, 10_000, 100_000, 600_000, 800_000, 1_000_000, 1_200_000, 1_400_000,
        1_600_000, 1_800_000, 10_000_000,
    ];
    let mut table = Table::<u64>::new();
    for key in 0..10_000_000 {
        table.insert_new(hash(key), key, false, hash);
        if sizes.contains(&table.len()) {
            print_memory(&table);
        }
    }
}

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    Pauses::of(count, |key| {
        black_box(hash(key));
    })
    .print("nothing");
    grow_numbers(count);
    grow_pointers(count);
    memory();
}
