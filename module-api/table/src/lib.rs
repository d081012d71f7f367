//! A hash table of seven-byte slots that never pauses to rehash.
//!
//! The keyspace keeps one slot per key in it, a pointer to the entry that holds the key; large
//! hashes, sets and sorted sets keep one slot per element. The table stores no keys and hashes
//! nothing: the caller brings a 64-bit hash and says whether a candidate is the one it wants.
//! It grows and shrinks by *linear hashing* (Litwin, VLDB 1980): one bucket is split or merged
//! at a time, beside the insert or remove that made it necessary, so the worst single call
//! does not depend on how many elements there are.
//!
//! ```text
//! Table ── Directory ──┬─ block    buckets 0..4096, growing by a quarter at a time
//!                      ├─ chunk    buckets 4096..5120, 64 KiB, never moved
//!                      └─ chunk    ...
//!
//! bucket (one cache line):  [ tag ×8 ][ slot ][ slot ] ... [ slot, or link ] ─→ [ tag ×n ][ slot ×n ]
//! ```
//!
//! An element costs a slot and a tag, eight bytes, in the bucket or in the block it overflows into,
//! which is as long as its content; and a share of the slots that are empty or links. That is 9.2 to
//! 9.8 bytes in a table of hundreds of thousands.
//!
//! Reading order: [`slot`](Slot) (what may be stored), `bucket` (the cache line), `chain` (a
//! bucket and its overflow blocks), `directory` (where buckets live), `table` (find, insert, remove),
//! `resize` (split and merge), `scan` (cursors, sampling, draining), `prefetch`.
//!
//! What the caller must provide: a hash of good quality in all 64 bits, keyed if the elements
//! come from strangers ([`Keyed`] is one). Equal hashes are handled correctly, but an element's cost grows with the
//! number of elements in its bucket, of which eight share a cache line. Under such a hash
//! one bucket in a hundred million has more than 43, which are six cache lines.
//!
//! *Invariant*: the table owns its buckets and nothing that the slots point to. Dropping it,
//! or [`Table::clear`], frees buckets only.

mod bucket;
mod chain;
mod directory;
mod keyed;
pub mod memory;
pub mod prefetch;
mod resize;
mod scan;
mod slot;
mod table;
#[cfg(test)]
mod tests;
mod way;

pub use keyed::Keyed;
pub use slot::{SLOT_BITS, Slot};
pub use table::{SlotRef, Table};
pub use way::{give_way, on_give_way};
