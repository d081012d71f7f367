//! The value: byte strings in a ring.

use std::collections::VecDeque;

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    elements: VecDeque<Box<[u8]>>,
    /// Sum of the elements' lengths.
    bytes: usize,
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
        size_of::<List>() + self.elements.capacity() * size_of::<Box<[u8]>>() + self.bytes + self.len() * 8
    }

    /// The position that an index stands for, negative ones from the end; `None` outside.
    pub(crate) fn position(&self, index: i64) -> Option<usize> {
        let len = self.len() as i64;
        let at = if index < 0 { index.checked_add(len)? } else { index };
        (0..len).contains(&at).then_some(at as usize)
    }

    /// The positions from `start` to `stop`, both included and negative ones from the end.
    pub(crate) fn positions(&self, start: i64, stop: i64) -> std::ops::Range<usize> {
        let len = self.len() as i64;
        let resolve = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
        let (start, stop) = (resolve(start).max(0), resolve(stop).min(len - 1));
        if start > stop { 0..0 } else { start as usize..stop as usize + 1 }
    }

    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        self.elements.get(at).map(AsRef::as_ref)
    }

    /// The elements at some positions.
    pub(crate) fn range(&self, range: std::ops::Range<usize>) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.elements.range(range).map(AsRef::as_ref)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.elements.iter().map(AsRef::as_ref)
    }

    pub(crate) fn push(&mut self, end: End, element: &[u8]) {
        self.bytes += element.len();
        match end {
            End::Left => self.elements.push_front(element.into()),
            End::Right => self.elements.push_back(element.into()),
        }
    }

    pub(crate) fn peek(&self, end: End) -> Option<&[u8]> {
        match end {
            End::Left => self.elements.front().map(AsRef::as_ref),
            End::Right => self.elements.back().map(AsRef::as_ref),
        }
    }

    pub(crate) fn pop(&mut self, end: End) -> Option<Box<[u8]>> {
        let element = match end {
            End::Left => self.elements.pop_front(),
            End::Right => self.elements.pop_back(),
        }?;
        self.bytes -= element.len();
        Some(element)
    }

    /// Puts another element at a position that there is.
    pub(crate) fn replace(&mut self, at: usize, element: &[u8]) {
        if let Some(place) = self.elements.get_mut(at) {
            self.bytes = self.bytes - place.len() + element.len();
            *place = element.into();
        }
    }

    /// Inserts before position `at`, at most the length.
    pub(crate) fn insert(&mut self, at: usize, element: &[u8]) {
        self.bytes += element.len();
        self.elements.insert(at.min(self.elements.len()), element.into());
    }

    /// Keeps the elements at some positions only; how many went.
    pub(crate) fn keep(&mut self, range: std::ops::Range<usize>) -> usize {
        let before = self.len();
        let mut gone = 0;
        for element in self.elements.drain(range.end..) {
            gone += element.len();
        }
        for element in self.elements.drain(..range.start) {
            gone += element.len();
        }
        self.bytes -= gone;
        before - self.len()
    }

    /// Removes at most `limit` elements that equal `wanted`, seen from one end; how many went.
    pub(crate) fn remove(&mut self, from: End, wanted: &[u8], limit: usize) -> usize {
        let equal = self.iter().filter(|element| *element == wanted).count();
        let going = equal.min(limit);
        let spared = if from == End::Right { equal - going } else { 0 };
        let mut seen = 0;
        self.elements.retain(|element| {
            let is_equal = **element == *wanted;
            seen += usize::from(is_equal);
            !is_equal || seen <= spared || seen > spared + going
        });
        self.bytes -= going * wanted.len();
        going
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
