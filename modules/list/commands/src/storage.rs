//! The storage: what the commands need of whatever keeps long lists.
//!
//! A short list is bytes in its key's entry, and the commands' own business ([`small`](crate::small)).
//! A list that outgrows that is a value of a type that implements [`Storage`]. Whoever has another
//! structure for lists implements it and exports
//! [`Lists::<TheirStorage>::MODULE`](crate::Lists::MODULE).
//!
//! What the commands count on:
//! - an element comes back as the bytes that it was put in as; as
//!   [`Value::Integer`] it may be kept and handed out if it is the one spelling of an integer;
//! - adding and taking at the ends takes the same time at any length; `len` and `memory` are
//!   constant; reaching an element by its number should be logarithmic or nearly so;
//! - no operation stops to rearrange more than what it visits or removes;
//! - a storage does not panic for numbers beyond its length: the doc of each function says what it
//!   answers.

pub use plinth_module::pack::Value;
use std::ops::ControlFlow;

/// Which end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Where element 0 is; `LEFT` in commands.
    Front,
    /// The other one; `RIGHT`.
    Back,
}

/// How a list should be laid out, as the parameters say when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// About how many bytes of elements should lie together: half of what
    /// `list-max-listpack-size` allows when it says bytes.
    pub node_bytes: u32,
    /// How many such nodes at either end stay uncompressed; 0 compresses none
    /// (`list-compress-depth`).
    pub raw_depth: u32,
}

/// A long list. See the [module](self).
pub trait Storage: Send + Sized + 'static {
    /// An empty list.
    fn new(layout: Layout) -> Self;

    /// Number of elements, in constant time.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the list takes, in constant time.
    fn memory(&self) -> usize;

    /// Number of allocations that dropping it frees, about.
    fn free_effort(&self) -> usize;

    /// A copy, or `None` to have COPY go by way of saving and loading.
    fn copy(&self) -> Option<Self> {
        None
    }

    /// Adds an element at one end.
    fn push(&mut self, end: End, text: &[u8]);

    /// Takes the element at one end away, after `take` has seen it; `None` when there is none.
    fn pop<R>(&mut self, end: End, take: impl FnOnce(Value<'_>) -> R) -> Option<R>;

    /// Hands element number `at` to `take`; `None` when there are fewer.
    fn get<R>(&self, at: usize, take: impl FnOnce(Value<'_>) -> R) -> Option<R>;

    /// Replaces element number `at`. Returns whether there is one.
    fn set(&mut self, at: usize, text: &[u8]) -> bool;

    /// Puts an element before number `at`, or behind all when `at` is the length. Returns whether
    /// the list is long enough.
    fn insert(&mut self, at: usize, text: &[u8]) -> bool;

    /// Takes element number `at` away. Returns whether there is one.
    fn remove(&mut self, at: usize) -> bool;

    /// Removes elements that equal `text`, at most `max` of them, beginning at one end. Returns how
    /// many.
    fn remove_equal(&mut self, text: &[u8], max: usize, from: End) -> usize;

    /// The list of the elements from number `at` on, which go from this one. It takes no longer for
    /// a longer list: what is dropped of it may be freed on another thread.
    fn split_off(&mut self, at: usize) -> Self;

    /// Hands the elements from number `start` on to `visit`, until it breaks.
    fn visit<B>(&self, start: usize, visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B>;

    /// Hands the elements before number `end` to `visit`, the last one first, until it breaks.
    fn visit_back<B>(&self, end: usize, visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B>;
}
