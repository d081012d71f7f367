//! Where bucket number `i` lives.
//!
//! ```text
//! block   ─→ [ 0 | 1 | 2 | ... | 4095 ]      grows 1 2 3 .. 8 10 12 14 16 20 .. 4096 buckets
//! chunks  ─→ [ → ][ → ][ → ]
//!              │    └─→ [ 5120 | ... | 6143 ]
//!              └─→ [ 4096 | ... | 5119 ]     64 KiB each, allocated whole, never moved
//! ```
//!
//! A table without elements has allocated nothing: its block is a static empty bucket that is
//! read and never written, so a lookup needs no test for it. A small table is one block, in the
//! size classes of the usual allocators (four to a doubling), so it wastes a fifth at most. From
//! 4096 buckets on, some 25,000 elements, the block stays and further buckets come in chunks: a
//! quarter of the block each, so the first of them wastes no more than a step of the block did.
//! The longest single step is then the copy of a block of 224 KiB, once in a table's life, or of
//! the array of chunk pointers, which has 8 bytes for some 6,000 elements.
//!
//! Memory is not zeroed: a bucket is initialised when the split that creates it writes it. A new
//! chunk therefore costs its page faults one at a time.
//!
//! Invariant: `capacity` is 0 (static bucket), or the block's length in buckets; `chunks` is
//! empty unless `capacity` is `BLOCK_BUCKETS`.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

use crate::bucket::Bucket;

/// The most buckets that the block holds.
const BLOCK_BUCKETS: usize = 4 * CHUNK_BUCKETS;
/// Buckets in a chunk.
const CHUNK_BUCKETS: usize = 1024;

static NOTHING: Bucket = Bucket::EMPTY;

pub(crate) struct Directory {
    block: NonNull<Bucket>,
    capacity: usize,
    chunks: Vec<NonNull<Bucket>>,
}

impl Directory {
    pub(crate) const fn new() -> Self {
        // SAFETY: the address of a static is not null.
        let block = unsafe { NonNull::new_unchecked((&raw const NOTHING).cast_mut()) };
        Directory { block, capacity: 0, chunks: Vec::new() }
    }

    /// Whether nothing is allocated, in which case bucket 0 may be read but not written.
    #[inline]
    pub(crate) fn is_unallocated(&self) -> bool {
        self.capacity == 0
    }

    /// The place of a bucket.
    ///
    /// # Safety
    ///
    /// `index` is 0, or below what [`reserve`](Directory::reserve) has made room for and
    /// [`release`](Directory::release) has left.
    #[inline]
    pub(crate) unsafe fn bucket(&self, index: usize) -> NonNull<Bucket> {
        if index < BLOCK_BUCKETS {
            // SAFETY: the block has this many buckets, as the caller promises.
            return unsafe { self.block.add(index) };
        }
        // SAFETY: there is a chunk for every reserved bucket beyond the block, and it has
        // `CHUNK_BUCKETS` buckets.
        unsafe {
            let chunk = *self.chunks.as_ptr().add((index - BLOCK_BUCKETS) / CHUNK_BUCKETS);
            chunk.add(index % CHUNK_BUCKETS)
        }
    }

    /// Makes room for `count` buckets, one more than there is room for at most. The new ones are
    /// not initialised.
    pub(crate) fn reserve(&mut self, count: usize) {
        if count <= self.capacity + self.chunks.len() * CHUNK_BUCKETS {
            return;
        }
        if count > BLOCK_BUCKETS {
            self.chunks.push(allocate(CHUNK_BUCKETS));
        } else {
            self.resize_block(block_capacity(count));
        }
    }

    /// The same for any number of buckets.
    pub(crate) fn reserve_all(&mut self, count: usize) {
        self.reserve(count.min(BLOCK_BUCKETS));
        for further in (BLOCK_BUCKETS + 1..=count).step_by(CHUNK_BUCKETS) {
            self.reserve(further);
        }
    }

    /// Gives back what is not needed for `count` buckets, which is at least 1. The block shrinks
    /// only when it is half empty.
    pub(crate) fn release(&mut self, count: usize) {
        let needed = count.saturating_sub(BLOCK_BUCKETS).div_ceil(CHUNK_BUCKETS);
        if needed < self.chunks.len() {
            for chunk in self.chunks.drain(needed..) {
                // SAFETY: chunks are allocated with this length, and no bucket of it is in use.
                unsafe { free(chunk, CHUNK_BUCKETS) };
            }
        }
        if self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
        if count <= self.capacity / 2 {
            self.resize_block(block_capacity(count));
        }
    }

    /// Bytes allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        let buckets = self.capacity + self.chunks.len() * CHUNK_BUCKETS;
        buckets * size_of::<Bucket>() + self.chunks.capacity() * size_of::<NonNull<Bucket>>()
    }

    fn resize_block(&mut self, capacity: usize) {
        self.block = if self.capacity == 0 {
            allocate(capacity)
        } else {
            let bytes = capacity * size_of::<Bucket>();
            // SAFETY: the block was allocated with this layout; the new size is a small
            // multiple of a bucket's, and not zero.
            let block = unsafe { realloc(self.block.as_ptr().cast(), layout(self.capacity), bytes) };
            NonNull::new(block.cast()).unwrap_or_else(|| handle_alloc_error(layout(capacity)))
        };
        self.capacity = capacity;
    }
}

impl Drop for Directory {
    /// Frees blocks and chunks; overflow buckets are the table's to free before.
    fn drop(&mut self) {
        for chunk in self.chunks.drain(..) {
            // SAFETY: chunks are allocated with this length and are not used again.
            unsafe { free(chunk, CHUNK_BUCKETS) };
        }
        if self.capacity != 0 {
            // SAFETY: the block is allocated with this length and is not used again.
            unsafe { free(self.block, self.capacity) };
        }
    }
}

/// The smallest block that holds `count` buckets: a multiple of a quarter of the power of two
/// below it.
fn block_capacity(count: usize) -> usize {
    let step = (1 << count.ilog2() >> 2).max(1);
    count.next_multiple_of(step)
}

fn layout(buckets: usize) -> Layout {
    // At most `BLOCK_BUCKETS` buckets are asked for, so the fallback is never taken.
    Layout::array::<Bucket>(buckets).unwrap_or(Layout::new::<Bucket>())
}

fn allocate(buckets: usize) -> NonNull<Bucket> {
    let layout = layout(buckets);
    // SAFETY: at least one bucket is asked for, so the size is not zero.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
///
/// `memory` came from [`allocate`], or a later reallocation, of this many buckets, and is not
/// used again.
unsafe fn free(memory: NonNull<Bucket>, buckets: usize) {
    // SAFETY: promised by the caller.
    unsafe { dealloc(memory.as_ptr().cast(), layout(buckets)) }
}
