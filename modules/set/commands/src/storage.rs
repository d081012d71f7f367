//! The storage: what the commands need of a large set.
//!
//! A set that has outgrown its key's entry is kept in a [`Storage`]. Whoever has a better structure
//! implements the trait and exports the same commands over it, see [`SetModule`](crate::SetModule);
//! in C one fills the table of [`foreign`](crate::foreign) instead.
//!
//! *Members.* A member is a byte string, handed over as a [`Value`]: one that spells an integer is
//! always [`Value::Integer`], in both directions, so that a storage may keep integers apart. One
//! that does not care asks for [`Value::text`].

use plinth_module::prelude::Result;

pub use plinth_module::pack::{Digits, Value, parse_integer};

/// The member that a text is.
#[inline(always)]
pub fn member(text: &[u8]) -> Value<'_> {
    match parse_integer(text) {
        Some(integer) => Value::Integer(integer),
        None => Value::Text(text),
    }
}

/// A large set. It may be dropped on any thread.
///
/// No function may do work that grows with the number of members, except where its comment says
/// so: growth and shrinking happen a little at a time beside inserts and removals.
pub trait Storage: Sized + Send + 'static {
    /// An empty set. Fails with `OutOfMemory`.
    fn new() -> Result<Self>;

    /// How many members there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a member is there.
    fn contains(&self, member: Value<'_>) -> bool;

    /// Adds a member; false when it was there. Fails with `OutOfMemory`, nothing changed.
    fn insert(&mut self, member: Value<'_>) -> Result<bool>;

    /// Removes a member; false when it was not there.
    fn remove(&mut self, member: Value<'_>) -> bool;

    /// Starts loading the memory that a look-up of the member is going to need, and says whether
    /// there is a further stage. The stages are 0, 1 and so on, each asked for when the one before
    /// has had time; `memo` is kept between them.
    fn look_ahead(&self, _member: Value<'_>, _stage: u32, _memo: &mut u64) -> bool {
        false
    }

    /// One step of a visit: visits a few members, and returns the cursor to go on with. A visit
    /// begins with cursor 0 and has ended when 0 is returned. A member that is there from the first
    /// step to the last is visited at least once, whatever else is added and removed between steps;
    /// when nothing is, each is visited exactly once. Any number is a cursor, since clients send
    /// them. A step may visit no member.
    fn scan(&self, cursor: u64, visit: impl FnMut(Value<'_>)) -> u64;

    /// A member, any with nearly the same chance; `None` when there is none. `random` gives
    /// independent numbers of 64 bits.
    fn random(&self, random: impl FnMut() -> u64) -> Option<Value<'_>>;

    /// Removes a member as [`random`](Storage::random) picks it, handing it to `take`; false when
    /// there is none.
    fn take_random(&mut self, random: impl FnMut() -> u64, take: impl FnOnce(Value<'_>)) -> bool {
        let Some(picked) = self.random(random).map(Value::to_vec) else { return false };
        let picked = member(&picked);
        take(picked);
        self.remove(picked)
    }

    /// Bytes that it has allocated.
    fn memory(&self) -> usize;
}
