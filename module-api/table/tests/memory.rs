//! What `memory_bytes` says is what the allocator was asked for, and all of it is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use plinth_table::Table;

thread_local! {
    static ALLOCATED_BYTES: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: isize) {
    ALLOCATED_BYTES.set(ALLOCATED_BYTES.get() + bytes);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: promised by the caller.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn hash(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

fn assert_accounted(table: &Table<u64>, before: isize) {
    assert_eq!(table.memory_bytes() as isize, ALLOCATED_BYTES.get() - before);
}

fn grown(count: u64, before: isize) -> Table<u64> {
    let mut table = Table::new();
    for key in 0..count {
        table.insert_new(hash(key), key, false, hash);
        assert_accounted(&table, before);
    }
    table
}

#[test]
fn memory_bytes_is_what_was_allocated_through_growth_shrinking_and_the_end() {
    for sizes in [1_u64, 7, 8, 100, 6_000, 7_000, 60_000] {
        let before = ALLOCATED_BYTES.get();
        drop(grown(sizes, before));
        assert_eq!(ALLOCATED_BYTES.get(), before, "drop");

        let mut table = grown(sizes, before);
        table.clear();
        assert_accounted(&table, before);

        let mut table = grown(sizes, before);
        for key in 0..sizes {
            table.remove(hash(key), |found| found == key);
            assert_accounted(&table, before);
        }
        drop(table);

        let mut table = grown(sizes, before);
        while table.take_some(10, |_| ()) == 10 {
            assert_accounted(&table, before);
        }
        assert_eq!(ALLOCATED_BYTES.get(), before, "taken in steps");
    }
}
