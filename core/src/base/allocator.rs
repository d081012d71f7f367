//! The allocator: jemalloc with size classes of 24, 40 and 56 bytes, and who may have those.
//!
//! A block of such a class is aligned to 8. That is enough for an entry and for whoever asks for it by
//! name, and saves a key or an element up to 8 bytes. It is not what C promises of `malloc`, C++ of
//! `operator new`, and Rust where a layout says 16: those get classes that are multiples of 16. A hash
//! table of Rust's library with three elements of 8 bytes asks for 52 bytes aligned to 16, and reads them
//! with instructions that trap where they are not.
//!
//! ```text
//!   allocate, free, ...         entries, and modules through the host    the classes as they are
//!   ALLOCATOR                   Rust in the server's executable          as the layout says
//!   malloc, calloc, realloc...  C, and all modules                       multiples of 16 from 17 bytes on
//! ```
//!
//! jemalloc itself has its functions under a prefix; those of C's names are exported by [`exported`]. Under
//! `--cfg plinth_asan` there is no jemalloc, and all of it is the system's (`cargo xtask asan`).

#[cfg(not(plinth_asan))]
mod exported;
#[cfg(not(plinth_asan))]
mod jemalloc;
#[cfg(plinth_asan)]
mod system;

#[cfg(not(plinth_asan))]
pub use jemalloc::{
    ALLOCATOR, Allocator, TELLS_PLACES, allocate, allocate_elsewhere, calibrate, class, flush_kept, free, free_sized,
    free_to_slab, held, is_misplaced, number, own_bytes, purge, reallocate, report, total_bytes, usable, version,
};
#[cfg(plinth_asan)]
pub use system::{
    ALLOCATOR, Allocator, TELLS_PLACES, allocate, allocate_elsewhere, calibrate, class, flush_kept, free, free_sized,
    free_to_slab, held, is_misplaced, number, own_bytes, purge, reallocate, report, total_bytes, usable, version,
};

/// What the allocator holds, in bytes.
pub struct Held {
    /// Allocated by the program.
    pub allocated: usize,
    /// In pages that hold allocations.
    pub active: usize,
    /// In pages that are resident.
    pub resident: usize,
    /// Address space kept for later.
    pub retained: usize,
}

/// What is to be asked for to get `len` bytes aligned to 16, if they are as many. From 64 bytes on all
/// classes are multiples of 16, and nothing of up to 16 bytes has a stricter alignment than its class.
#[cfg(not(plinth_asan))]
#[inline]
const fn aligned(len: usize) -> usize {
    if len > 16 && len < 64 { (len + 15) & !15 } else { len }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::{GlobalAlloc, Layout};
    use std::collections::HashSet;

    /// Layouts of 16, and what was to be aligned for longer than one block.
    fn misaligned(allocator: &impl GlobalAlloc) -> Vec<usize> {
        let mut found = Vec::new();
        for size in 1..300 {
            let layout = Layout::from_size_align(size, 16).unwrap();
            // SAFETY: the size is not 0; each block is freed with the layout that it has by then.
            unsafe {
                let blocks: Vec<*mut u8> = (0..7).map(|_| allocator.alloc(layout)).collect();
                let zeroed: Vec<*mut u8> = (0..7).map(|_| allocator.alloc_zeroed(layout)).collect();
                let longer = Layout::from_size_align(size + 24, 16).unwrap();
                let grown: Vec<*mut u8> =
                    blocks.iter().map(|block| allocator.realloc(*block, layout, longer.size())).collect();
                found.extend(zeroed.iter().chain(&grown).filter(|block| block.addr() % 16 != 0).map(|_| size));
                zeroed.iter().for_each(|block| allocator.dealloc(*block, layout));
                grown.iter().for_each(|block| allocator.dealloc(*block, longer));
            }
        }
        found
    }

    #[test]
    fn what_is_to_be_aligned_to_16_is() {
        assert_eq!(misaligned(&ALLOCATOR), []);
        // What tests use, which is C's.
        assert_eq!(misaligned(&std::alloc::System), []);
    }

    #[test]
    fn hash_tables_of_small_elements_grow() {
        let mut sets: Vec<HashSet<u64>> = (0..50).map(|_| HashSet::new()).collect();
        for number in 0..100 {
            sets.iter_mut().for_each(|set| _ = set.insert(number));
        }
        assert!(sets.iter().all(|set| set.iter().sum::<u64>() == 4950));
    }

    #[cfg(not(plinth_asan))]
    #[test]
    fn entries_get_what_they_ask_for() {
        for len in [8, 16, 24, 32, 40, 48, 56, 64, 80] {
            let memory = allocate(len);
            // SAFETY: just allocated, and freed once.
            unsafe {
                assert_eq!((class(len), usable(memory)), (len, len));
                free_sized(memory, len);
            }
        }
        for len in [17, 24, 33, 40, 49, 56] {
            let layout = Layout::from_size_align(len, 8).unwrap();
            // SAFETY: the length is not 0, and the block is freed as it was allocated.
            unsafe {
                let memory = ALLOCATOR.alloc(layout);
                assert_eq!(usable(memory), len.next_multiple_of(8));
                ALLOCATOR.dealloc(memory, layout);
            }
        }
    }
}
