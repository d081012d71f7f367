//! The edge: the elements at one end of a list, in a buffer with room on both sides.
//!
//! ```text
//!   buffer   [ free ][ element ][ element ] ... [ element ][ free ]
//!                    ^ start                    ^ marks    ^ end
//! ```
//!
//! Adding to either side is writing into free room. Taking the first element away is reading its
//! head. The last one's place cannot be read backwards, because a pack has no lengths at its
//! elements' ends; so an edge that is popped from behind remembers where the last few elements
//! begin, its *marks*. They are found by one walk over the edge, which serves the next
//! [`MARKS_MAX`] pops, and pushes add to them. An edge that is never popped from behind has none.
//!
//! Invariants: `start..end` is a pack of `count` elements; the marks are the offsets, ascending, at
//! which the last `marks.len()` of them begin.

use super::node::{Node, without};
use plinth_module::pack::Value;
use plinth_module::pack::element::{self, Encoded};

/// Most elements whose places an edge remembers.
const MARKS_MAX: usize = 64;
/// Smallest buffer.
const BUFFER_MIN_BYTES: usize = 64;

/// The elements at one end of a list. See the [module](self).
#[derive(Clone, Default)]
pub(super) struct Edge {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    count: usize,
    marks: Vec<u32>,
}

impl Edge {
    /// The elements of a node.
    pub(super) fn of(node: Node) -> Edge {
        let count = node.count();
        let buffer = node.into_pack();
        Edge { start: 0, end: buffer.len(), count, buffer, marks: Vec::new() }
    }

    /// An edge of `count` elements, which take all of `pack`.
    fn of_pack(pack: &[u8], count: usize) -> Edge {
        Edge { start: 0, end: pack.len(), count, buffer: pack.to_vec(), marks: Vec::new() }
    }

    /// The node of these elements, `None` when there are none; the edge is empty then.
    pub(super) fn seal(&mut self) -> Option<Node> {
        let Edge { mut buffer, start, end, count, .. } = std::mem::take(self);
        if count == 0 {
            return None;
        }
        buffer.truncate(end);
        buffer.drain(..start);
        Some(Node::new(buffer, count))
    }

    /// Number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of the pack.
    #[inline]
    pub(super) fn raw_len(&self) -> usize {
        self.end - self.start
    }

    /// The pack.
    #[inline]
    pub(super) fn pack(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes that the edge owns.
    pub(super) fn heap_bytes(&self) -> usize {
        self.buffer.capacity() + self.marks.capacity() * size_of::<u32>()
    }

    fn clear(&mut self) {
        (self.start, self.end, self.count) = (0, 0, 0);
        self.marks.clear();
    }

    /// Makes a larger buffer, with all that is free at the front or at the back.
    #[cold]
    fn grow(&mut self, need: usize, bytes_max: usize, at_front: bool) {
        let live = self.raw_len();
        let wanted = (live + need).max((live * 2).min(bytes_max)).max(BUFFER_MIN_BYTES);
        let start = if at_front { wanted - live } else { 0 };
        let mut buffer = vec![0; wanted];
        buffer[start..start + live].copy_from_slice(self.pack());
        for mark in &mut self.marks {
            *mark = (*mark as usize - self.start + start) as u32;
        }
        (self.buffer, self.start, self.end) = (buffer, start, start + live);
    }

    /// Puts an element in front. `bytes_max` is what the buffer is grown to at once.
    #[inline]
    pub(super) fn push_front(&mut self, element: &Encoded<'_>, bytes_max: usize) {
        let len = element.len();
        if self.start < len {
            self.grow(len, bytes_max, true);
        }
        self.start -= len;
        element.write(&mut self.buffer[self.start..]);
        self.count += 1;
    }

    /// Puts an element behind. As [`Edge::push_front`].
    #[inline]
    pub(super) fn push_back(&mut self, element: &Encoded<'_>, bytes_max: usize) {
        let len = element.len();
        if self.buffer.len() - self.end < len {
            self.grow(len, bytes_max, false);
        }
        if !self.marks.is_empty() {
            self.mark(self.end);
        }
        element.write(&mut self.buffer[self.end..]);
        self.end += len;
        self.count += 1;
    }

    fn mark(&mut self, at: usize) {
        if self.marks.len() == MARKS_MAX {
            self.marks.drain(..MARKS_MAX / 2);
        }
        self.marks.push(at as u32);
    }

    /// Takes the first element away, after `take` has seen it; `None` when there is none.
    #[inline]
    pub(super) fn pop_front<R>(&mut self, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        let (value, len) = element::read(&self.buffer[self.start..self.end])?;
        let result = take(value);
        self.start += len;
        self.count -= 1;
        if self.marks.len() > self.count {
            self.marks.remove(0);
        }
        if self.count == 0 {
            self.clear();
        }
        Some(result)
    }

    /// Takes the last element away, after `take` has seen it; `None` when there is none.
    #[inline]
    pub(super) fn pop_back<R>(&mut self, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        if self.marks.is_empty() {
            self.find_marks();
        }
        let at = self.marks.pop()? as usize;
        let result = take(element::read(&self.buffer[at..self.end])?.0);
        self.end = at;
        self.count -= 1;
        if self.count == 0 {
            self.clear();
        }
        Some(result)
    }

    /// Walks over the elements to find where the last ones begin.
    #[cold]
    fn find_marks(&mut self) {
        let mut at = self.start;
        let unmarked = self.count.saturating_sub(MARKS_MAX);
        for index in 0..self.count {
            if index >= unmarked {
                self.marks.push(at as u32);
            }
            at += element::len(&self.buffer[at..self.end]).unwrap_or(0);
        }
    }

    /// Replaces `removed` elements from number `at` on by `with`, within the same edge.
    pub(super) fn splice(&mut self, at: usize, removed: usize, with: Option<&Encoded<'_>>, bytes_max: usize) {
        let mut from = self.start + element::offset(self.pack(), at).unwrap_or(self.raw_len());
        let mut to = from;
        for _ in 0..removed {
            to += element::len(&self.buffer[to..self.end]).unwrap_or(0);
        }
        let (gone, with_len) = (to - from, with.map_or(0, Encoded::len));
        if gone != with_len {
            self.marks.clear();
        }
        let need = with_len.saturating_sub(gone);
        if self.buffer.len() - self.end < need {
            let before = from - self.start;
            self.grow(need, bytes_max, false);
            (from, to) = (self.start + before, self.start + before + gone);
        }
        self.buffer.copy_within(to..self.end, from + with_len);
        if let Some(element) = with {
            element.write(&mut self.buffer[from..]);
        }
        self.end = self.end + with_len - gone;
        self.count = self.count - removed + usize::from(with.is_some());
        if self.count == 0 {
            self.clear();
        }
    }

    /// The edge of the elements from number `at` on, which go from this one.
    pub(super) fn split_off(&mut self, at: usize) -> Edge {
        if at >= self.count {
            return Edge::default();
        }
        if at == 0 {
            return std::mem::take(self);
        }
        let offset = self.start + element::offset(self.pack(), at).unwrap_or(self.raw_len());
        let right = Edge::of_pack(&self.buffer[offset..self.end], self.count - at);
        (self.end, self.count) = (offset, at);
        self.marks.clear();
        right
    }

    /// Removes elements that equal `wanted`, at most `max` of them: the first, or the last if
    /// `from_back`. Returns how many.
    pub(super) fn remove_equal(&mut self, wanted: &Encoded<'_>, max: usize, from_back: bool) -> usize {
        let Some((kept, removed)) = without(self.pack(), wanted, max, from_back) else { return 0 };
        *self = Edge::of_pack(&kept, self.count - removed);
        removed
    }
}
