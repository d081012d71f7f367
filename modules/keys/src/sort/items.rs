//! The elements that are sorted, and by what.
//!
//! A million elements are not a million allocations: all bytes lie in one buffer, and an item is
//! where it lies and what it weighs.
//!
//! ```text
//!   bytes   |element 0|element 1|weight 0|element 2|weight 2 ...
//!   items   { element: 0..9, weight: Text(18..26) } ...
//! ```

use std::cmp::Ordering;
use std::ops::Range;

/// What an element is sorted by.
#[derive(Clone, Debug, PartialEq)]
enum Weight {
    /// Nothing: in ALPHA below all else.
    None,
    Number(f64),
    /// Where the text lies.
    Text(Range<usize>),
}

struct Item {
    element: Range<usize>,
    weight: Weight,
}

/// How the items are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they came.
    Unsorted,
    /// By numbers; equal ones by the elements' bytes.
    Numbers,
    /// By the bytes of the elements themselves.
    Elements,
    /// By the bytes of other texts.
    Texts,
}

/// Elements with their weights.
#[derive(Default)]
pub(crate) struct Items {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

impl Items {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds an element without a weight.
    pub(crate) fn push(&mut self, element: &[u8]) {
        let element = self.keep(element);
        self.items.push(Item { element, weight: Weight::None });
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The element of an item.
    pub(crate) fn element(&self, at: usize) -> &[u8] {
        &self.bytes[self.items[at].element.clone()]
    }

    pub(crate) fn set_number(&mut self, at: usize, number: f64) {
        self.items[at].weight = Weight::Number(number);
    }

    pub(crate) fn set_text(&mut self, at: usize, text: &[u8]) {
        self.items[at].weight = Weight::Text(self.keep(text));
    }

    /// Turns the order of all items round.
    pub(crate) fn reverse(&mut self) {
        self.items.reverse();
    }

    /// Puts the items of a range of the sorted order into their places. What lies outside of it is
    /// in no particular order.
    pub(crate) fn sort(&mut self, order: Order, descending: bool, range: &Range<usize>) {
        if order == Order::Unsorted || range.is_empty() {
            return;
        }
        let bytes = &self.bytes;
        let compare = |a: &Item, b: &Item| {
            let ordering = compare(bytes, order, a, b);
            // Equal texts stay as they came: a buffer only grows, so its offsets tell.
            let ordering = if descending { ordering.reverse() } else { ordering };
            ordering.then_with(|| a.element.start.cmp(&b.element.start))
        };
        let mut items = &mut self.items[..];
        if range.end < items.len() {
            items = items.select_nth_unstable_by(range.end, compare).0;
        }
        if range.start > 0 && range.start < items.len() {
            items.select_nth_unstable_by(range.start, compare);
            items = &mut items[range.start..];
        }
        items.sort_unstable_by(compare);
    }
}

fn compare(bytes: &[u8], order: Order, a: &Item, b: &Item) -> Ordering {
    let elements = || bytes[a.element.clone()].cmp(&bytes[b.element.clone()]);
    match order {
        Order::Unsorted => Ordering::Equal,
        Order::Elements => elements(),
        Order::Numbers => number(&a.weight).total_cmp(&number(&b.weight)).then_with(elements),
        Order::Texts => text(bytes, &a.weight).cmp(&text(bytes, &b.weight)),
    }
}

/// The two zeros are one.
fn number(weight: &Weight) -> f64 {
    if let Weight::Number(number) = weight { number + 0.0 } else { 0.0 }
}

fn text<'b>(bytes: &'b [u8], weight: &Weight) -> Option<&'b [u8]> {
    if let Weight::Text(range) = weight { Some(&bytes[range.clone()]) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(items: &Items) -> Vec<Vec<u8>> {
        (0..items.len()).map(|at| items.element(at).to_vec()).collect()
    }

    #[test]
    fn zeros_of_either_sign_are_equal() {
        let mut items = Items::default();
        for (element, number) in [("b", -0.0), ("a", 0.0)] {
            items.push(element.as_bytes());
            items.set_number(items.len() - 1, number);
        }
        items.sort(Order::Numbers, false, &(0..2));
        assert_eq!(sorted(&items), [b"a", b"b"]);
    }

    #[test]
    fn an_element_without_a_text_comes_first() {
        let mut items = Items::default();
        items.push(b"a");
        items.set_text(0, b"");
        items.push(b"b");
        items.sort(Order::Texts, false, &(0..2));
        assert_eq!(sorted(&items), [b"b", b"a"]);
        items.sort(Order::Texts, true, &(0..2));
        assert_eq!(sorted(&items), [b"a", b"b"]);
    }

    proptest! {
        #[test]
        fn a_part_of_the_order_is_that_part_of_the_whole(
            elements in prop::collection::vec((prop::collection::vec(0u8..4, 0..4), 0u8..5), 0..40),
            descending: bool,
            a in 0usize..45,
            b in 0usize..45,
            kind in 0usize..3,
        ) {
            let order = [Order::Numbers, Order::Elements, Order::Texts][kind];
            let fill = || {
                let mut items = Items::default();
                for (at, (element, weight)) in elements.iter().enumerate() {
                    items.push(element);
                    if order == Order::Texts { items.set_text(at, &[*weight]) } else { items.set_number(at, f64::from(*weight)) }
                }
                items
            };
            let range = a.min(b).min(elements.len())..a.max(b).min(elements.len());
            let (mut whole, mut part) = (fill(), fill());
            whole.sort(order, descending, &(0..elements.len()));
            part.sort(order, descending, &range);
            prop_assert_eq!(&sorted(&whole)[range.clone()], &sorted(&part)[range]);
            let mut model: Vec<_> = elements.iter().map(|(element, weight)| match order {
                Order::Elements => (0, element.clone()),
                Order::Texts => (*weight, Vec::new()),
                _ => (*weight, element.clone()),
            }).collect();
            model.sort();
            if descending { model.reverse() }
            if order != Order::Texts {
                let model: Vec<_> = model.into_iter().map(|(_, element)| element).collect();
                prop_assert_eq!(sorted(&whole), model);
            }
        }
    }
}
