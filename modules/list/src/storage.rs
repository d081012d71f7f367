//! The storage that the commands work on: the deque of [`store`](crate::store).

use crate::store::{Deque, Layout};
use plinth_list_commands::storage::{self, End, Storage, Value};
use std::ops::ControlFlow;

/// Least and most bytes of a node, whatever the parameter says.
const NODE_BYTES: std::ops::RangeInclusive<u32> = 1024..=32_768;

impl Storage for Deque {
    fn new(layout: storage::Layout) -> Deque {
        let node_bytes = layout.node_bytes.clamp(*NODE_BYTES.start(), *NODE_BYTES.end());
        Deque::new(Layout { node_bytes, raw_depth: layout.raw_depth })
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn memory(&self) -> usize {
        self.memory()
    }

    fn free_effort(&self) -> usize {
        self.blocks()
    }

    fn copy(&self) -> Option<Deque> {
        Some(self.clone())
    }

    #[inline]
    fn push(&mut self, end: End, text: &[u8]) {
        match end {
            End::Front => self.push_front(text),
            End::Back => self.push_back(text),
        }
    }

    #[inline]
    fn pop<R>(&mut self, end: End, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        match end {
            End::Front => self.pop_front(take),
            End::Back => self.pop_back(take),
        }
    }

    fn get<R>(&self, at: usize, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        self.get(at, take)
    }

    fn set(&mut self, at: usize, text: &[u8]) -> bool {
        self.set(at, text)
    }

    fn insert(&mut self, at: usize, text: &[u8]) -> bool {
        self.insert(at, text)
    }

    fn remove(&mut self, at: usize) -> bool {
        self.remove(at)
    }

    fn remove_equal(&mut self, text: &[u8], max: usize, from: End) -> usize {
        self.remove_equal(text, max, from == End::Back)
    }

    fn split_off(&mut self, at: usize) -> Deque {
        self.split_off(at)
    }

    fn visit<B>(&self, start: usize, visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.visit(start, visit)
    }

    fn visit_back<B>(&self, end: usize, visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.visit_back(end, visit)
    }
}
