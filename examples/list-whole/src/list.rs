//! The value: byte strings in a ring.

use plinth_module::convert::sequence::Edits;
use std::collections::VecDeque;
use std::ops::Range;

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

/// Elements that are dropped before the thread gives way.
const DROPPED_AT_A_TIME: usize = 64;

/// A list.
#[derive(Debug, Default)]
pub(crate) struct List {
    elements: VecDeque<Box<[u8]>>,
    /// Sum of the elements' lengths.
    bytes: usize,
    /// What changes while the list is handed over to another module.
    pub(crate) edits: Edits,
}

impl List {
    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Sum of the elements' lengths.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory, with what the elements' allocations take beside their bytes.
    pub(crate) fn memory(&self) -> usize {
        let ring = self.elements.capacity() * size_of::<Box<[u8]>>();
        size_of::<List>() + ring + self.bytes + self.len() * 8 + self.edits.memory()
    }

    /// A list of the same elements.
    pub(crate) fn copy(&self) -> List {
        List { elements: self.elements.clone(), bytes: self.bytes, edits: Edits::NEW }
    }

    /// The position that an index stands for, negative ones from the end; `None` outside.
    pub(crate) fn position(&self, index: i64) -> Option<usize> {
        let len = self.len() as i64;
        let at = if index < 0 { index.checked_add(len)? } else { index };
        (0..len).contains(&at).then_some(at as usize)
    }

    /// The positions from `start` to `stop`, both included and negative ones from the end.
    pub(crate) fn positions(&self, start: i64, stop: i64) -> Range<usize> {
        let len = self.len() as i64;
        let resolve = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
        let (start, stop) = (resolve(start).max(0), resolve(stop).min(len - 1));
        if start > stop { 0..0 } else { start as usize..stop as usize + 1 }
    }

    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        self.elements.get(at).map(AsRef::as_ref)
    }

    /// The elements at some positions.
    pub(crate) fn range(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.elements.range(range).map(AsRef::as_ref)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.elements.iter().map(AsRef::as_ref)
    }

    pub(crate) fn push(&mut self, end: End, element: &[u8]) {
        self.insert(if end == End::Left { 0 } else { self.len() }, element);
    }

    pub(crate) fn peek(&self, end: End) -> Option<&[u8]> {
        match end {
            End::Left => self.elements.front().map(AsRef::as_ref),
            End::Right => self.elements.back().map(AsRef::as_ref),
        }
    }

    pub(crate) fn pop(&mut self, end: End) -> Option<Box<[u8]>> {
        let at = if end == End::Left { 0 } else { self.len().checked_sub(1)? };
        let element = self.elements.remove(at)?;
        self.edits.note_remove(at, 1);
        self.bytes -= element.len();
        Some(element)
    }

    /// Puts another element at a position that there is.
    pub(crate) fn replace(&mut self, at: usize, element: &[u8]) {
        if let Some(place) = self.elements.get_mut(at) {
            self.edits.note_set(at, element);
            self.bytes = self.bytes - place.len() + element.len();
            *place = element.into();
        }
    }

    /// Inserts before position `at`, at most the length.
    pub(crate) fn insert(&mut self, at: usize, element: &[u8]) {
        let at = at.min(self.len());
        self.edits.note_insert(at, element);
        self.bytes += element.len();
        self.elements.insert(at, element.into());
    }

    /// Takes the elements at some positions out.
    pub(crate) fn take_out(&mut self, range: Range<usize>) {
        self.edits.note_remove(range.start, range.len());
        self.bytes -= self.elements.drain(range).map(|element| element.len()).sum::<usize>();
    }

    /// Keeps the elements at some positions only; how many went.
    pub(crate) fn keep(&mut self, range: Range<usize>) -> usize {
        let before = self.len();
        self.take_out(range.end..before);
        self.take_out(0..range.start);
        before - self.len()
    }

    /// Removes at most `limit` elements that equal `wanted`, seen from one end; how many went.
    pub(crate) fn remove(&mut self, from: End, wanted: &[u8], limit: usize) -> usize {
        let is_equal = |at: &usize| *self.elements[*at] == *wanted;
        let equal: Vec<usize> = (0..self.len()).filter(is_equal).collect();
        let going = equal.len().min(limit);
        let spared = if from == End::Right { equal.len() - going } else { 0 };
        let going = &equal[spared..spared + going];
        // From behind, so that the positions of those before stay what they are.
        going.iter().rev().for_each(|&at| self.edits.note_remove(at, 1));
        let (mut at, mut next) = (0, going.iter().peekable());
        self.elements.retain(|_| {
            at += 1;
            next.next_if_eq(&&(at - 1)).is_none()
        });
        self.bytes -= going.len() * wanted.len();
        going.len()
    }
}

/// Long lists are dropped on a thread that has time, and must not make the server wait for it.
impl Drop for List {
    fn drop(&mut self) {
        while !self.elements.is_empty() {
            self.elements.truncate(self.elements.len().saturating_sub(DROPPED_AT_A_TIME));
            plinth_module::give_way();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(bool, Vec<u8>),
        Pop(bool),
        Replace(i64, Vec<u8>),
        Insert(usize, Vec<u8>),
        Keep(i64, i64),
        Remove(bool, Vec<u8>, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let text = || prop::collection::vec(0u8..3, 0..3);
        let step = prop_oneof![
            4 => (any::<bool>(), text()).prop_map(|(end, text)| Step::Push(end, text)),
            1 => any::<bool>().prop_map(Step::Pop),
            1 => (-8i64..8, text()).prop_map(|(at, text)| Step::Replace(at, text)),
            1 => (0usize..8, text()).prop_map(|(at, text)| Step::Insert(at, text)),
            1 => (-9i64..9, -9i64..9).prop_map(|(start, stop)| Step::Keep(start, stop)),
            1 => (any::<bool>(), text(), 1usize..4).prop_map(|(end, text, limit)| Step::Remove(end, text, limit)),
        ];
        prop::collection::vec(step, 0..80)
    }

    fn end(right: bool) -> End {
        if right { End::Right } else { End::Left }
    }

    /// Removes one by one, from the end that was asked for.
    fn remove_slowly(model: &mut Vec<Vec<u8>>, right: bool, wanted: &[u8], limit: usize) -> usize {
        for gone in 0..limit {
            let found = if right {
                model.iter().rposition(|element| element == wanted)
            } else {
                model.iter().position(|element| element == wanted)
            };
            let Some(at) = found else { return gone };
            model.remove(at);
        }
        limit
    }

    proptest! {
        #[test]
        fn a_list_does_what_a_plain_vector_does(steps in steps()) {
            let (mut list, mut model) = (List::default(), Vec::<Vec<u8>>::new());
            for step in steps {
                match step {
                    Step::Push(right, text) => {
                        list.push(end(right), &text);
                        model.insert(if right { model.len() } else { 0 }, text);
                    }
                    Step::Pop(right) => {
                        let expected = if model.is_empty() { None } else {
                            Some(model.remove(if right { model.len() - 1 } else { 0 }))
                        };
                        prop_assert_eq!(list.pop(end(right)).map(Vec::from), expected);
                    }
                    Step::Replace(index, text) => {
                        if let Some(at) = list.position(index) {
                            list.replace(at, &text);
                            model[at] = text;
                        }
                    }
                    Step::Insert(at, text) => {
                        let at = at.min(model.len());
                        list.insert(at, &text);
                        model.insert(at, text);
                    }
                    Step::Keep(start, stop) => {
                        let kept = list.positions(start, stop);
                        prop_assert_eq!(list.keep(kept.clone()), model.len() - kept.len());
                        model = model[kept].to_vec();
                    }
                    Step::Remove(right, text, limit) => {
                        let gone = list.remove(end(right), &text, limit);
                        prop_assert_eq!(gone, remove_slowly(&mut model, right, &text, limit));
                    }
                }
                prop_assert!(list.iter().eq(model.iter().map(Vec::as_slice)));
                prop_assert_eq!(list.bytes(), model.iter().map(Vec::len).sum::<usize>());
            }
        }
    }
}
