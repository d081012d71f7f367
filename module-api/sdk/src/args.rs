//! The arguments of a call: byte strings that the client sent, read in place.
//!
//! Argument 0 is the command's name as the client wrote it; for a subcommand argument 1 is the
//! subcommand's. The host has checked the command's arity, so a handler may ask for the arguments
//! that its spec promises without looking at the count: an argument that is not there reads
//! as empty bytes, never as a panic.

use crate::abi;
use crate::error::{Error, Result};
use crate::number;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The arguments of one call. Slices that it hands out live as long as the call, independently of
/// what is done with keys and reply meanwhile.
pub struct Args<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a ()>,
}

impl<'a> Args<'a> {
    /// # Safety
    /// `call` and its arguments are valid for `'a`.
    #[inline(always)]
    pub(crate) unsafe fn new(call: NonNull<abi::call::Call>) -> Args<'a> {
        Args { call, marker: PhantomData }
    }

    /// Number of arguments, with the command's name.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the call is valid while `'a` lasts.
        unsafe { (*self.call.as_ptr()).argc as usize }
    }

    /// Whether there is no argument, as in timers and events; a command has at least its name.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The argument at `index`, or `None` behind the last.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        if index >= self.len() {
            return None;
        }
        // SAFETY: the host gives `argc` arguments whose bytes stay as they are until the
        // handler returns, and `index` is below `argc`.
        unsafe { Some((*(*self.call.as_ptr()).args.add(index)).as_slice()) }
    }

    /// The argument at `index`; empty behind the last.
    #[inline(always)]
    pub fn bytes(&self, index: usize) -> &'a [u8] {
        self.get(index).unwrap_or_default()
    }

    /// The argument at `index`. Fails with `Syntax` behind the last, for options that want one
    /// more argument.
    #[inline(always)]
    pub fn expect(&self, index: usize) -> Result<&'a [u8]> {
        self.get(index).ok_or(Error::Syntax)
    }

    /// The argument at `index` as an integer, by the rules of
    /// [`parse_integer`](crate::number::parse_integer). Fails with `NotInteger`.
    #[inline]
    pub fn integer(&self, index: usize) -> Result<i64> {
        number::parse_integer(self.bytes(index)).ok_or(Error::NotInteger)
    }

    /// The argument at `index` as a float, by the rules of
    /// [`parse_float`](crate::number::parse_float). Fails with `NotFloat`.
    #[inline]
    pub fn float(&self, index: usize) -> Result<f64> {
        number::parse_float(self.bytes(index)).ok_or(Error::NotFloat)
    }

    /// Whether the argument at `index` is `word`, in whatever case of ASCII letters.
    #[inline]
    pub fn word(&self, index: usize, word: &str) -> bool {
        self.bytes(index).eq_ignore_ascii_case(word.as_bytes())
    }

    /// All arguments, from the command's name on.
    #[inline]
    pub fn iter(&self) -> ArgsIter<'a> {
        self.from(0)
    }

    /// The arguments from `index` on; none when there are fewer.
    #[inline]
    pub fn from(&self, index: usize) -> ArgsIter<'a> {
        // SAFETY: the call lives for `'a`, and the iterator is bound to `'a`.
        let args = unsafe { Args::new(self.call) };
        ArgsIter { at: index.min(self.len()), end: self.len(), args }
    }
}

impl<'a> IntoIterator for &Args<'a> {
    type Item = &'a [u8];
    type IntoIter = ArgsIter<'a>;

    fn into_iter(self) -> ArgsIter<'a> {
        self.iter()
    }
}

/// Iterates over arguments.
pub struct ArgsIter<'a> {
    args: Args<'a>,
    at: usize,
    end: usize,
}

impl Clone for ArgsIter<'_> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: the arguments are those of the same call, which lives for the lifetime that stays.
        ArgsIter { args: unsafe { Args::new(self.args.call) }, at: self.at, end: self.end }
    }
}

impl<'a> Iterator for ArgsIter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.at == self.end {
            return None;
        }
        self.at += 1;
        self.args.get(self.at - 1)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}

impl ExactSizeIterator for ArgsIter<'_> {}
