//! The storage: what the commands need of whatever keeps the fields of a large hash.
//!
//! Small hashes are bytes in their key's entry, and the commands' own affair. A hash that has outgrown
//! that is a `Storage` in a box. Another implementation is this trait for a type of one's own, and
//! [`module`](crate::module) of that type in a crate that exports it:
//!
//! ```text
//!   trait Storage for Mine { ... }
//!   export!(plinth_hash_commands::module::<Mine>("hash", env!("CARGO_PKG_VERSION")));
//! ```
//!
//! A field has a value and perhaps a deadline, Unix time in ms below 2^48. To a storage a deadline is
//! a number that it keeps: whether it has passed is the commands' to judge, and they remove what has
//! expired. What is asked of a storage beside the obvious:
//!
//! - **No pauses.** No call may do work in proportion to the number of fields, apart from
//!   [`for_each`](Storage::for_each) and dropping: a table grows and shrinks in small steps. A large
//!   storage is dropped on another thread.
//! - **Scanning.** A field that is there from the first step of a scan to the last is visited, whatever
//!   else is put and removed between the steps; it may be visited twice.
//! - **Memory** in constant time.

/// A field as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'s> {
    /// Its name.
    pub field: &'s [u8],
    /// Its value.
    pub value: &'s [u8],
    /// When it is going to be gone.
    pub deadline: Option<u64>,
}

/// What a [`Storage::put`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// No such field.
    Absent,
    /// The field, with this deadline.
    Present(Option<u64>),
}

/// The fields of a large hash. See the [module](self).
pub trait Storage: Default + Send + 'static {
    /// What a field's name is looked for by, so that a command which reads and then writes a field
    /// hashes it once. `()` where there is nothing to compute.
    type Digest: Copy;

    /// The digest of a name.
    fn digest(&self, field: &[u8]) -> Self::Digest;

    /// How many fields there are, in constant time.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them have a deadline, in constant time.
    fn expiring(&self) -> usize;

    /// A field. `digest` is that of its name, here and below.
    fn get(&self, digest: Self::Digest, field: &[u8]) -> Option<Item<'_>>;

    /// Adds a field, or gives it another value and deadline.
    fn put(&mut self, digest: Self::Digest, field: &[u8], value: &[u8], deadline: Option<u64>) -> Before;

    /// Gives a field that is there another deadline, or none. False when it is not there.
    fn set_deadline(&mut self, digest: Self::Digest, field: &[u8], deadline: Option<u64>) -> bool;

    /// Removes a field. False when it is not there.
    fn remove(&mut self, digest: Self::Digest, field: &[u8]) -> bool;

    /// Starts loading the memory that a look-up of the field is going to need, and says whether
    /// there is a further stage. The stages are 0, 1 and so on, each asked for when the one before
    /// has had time; `memo` is kept between them.
    fn look_ahead(&self, _field: &[u8], _stage: u32, _memo: &mut u64) -> bool {
        false
    }

    /// One step of a scan: visits a few fields, and returns the cursor to go on with. 0 begins a scan
    /// and says that it is complete. While nothing changes, each field is visited once. Any number is taken
    /// for a cursor.
    fn scan<'s>(&'s self, cursor: u64, visit: impl FnMut(Item<'s>)) -> u64;

    /// As [`scan`](Storage::scan), of fields that have a deadline.
    fn scan_expiring<'s>(&'s self, cursor: u64, visit: impl FnMut(Item<'s>)) -> u64;

    /// Every field, once.
    fn for_each<'s>(&'s self, visit: impl FnMut(Item<'s>));

    /// A field, each with nearly the same chance; `random` gives independent numbers. `None` when there
    /// is none.
    fn random(&self, random: impl FnMut() -> u64) -> Option<Item<'_>>;

    /// Bytes that it has allocated, in constant time.
    fn memory_bytes(&self) -> usize;
}
