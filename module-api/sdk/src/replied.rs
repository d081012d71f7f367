//! What a command that was run has replied, as a tree whose texts are the reply's own bytes.
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::replied::Replied;
//!
//! fn longest(call: &mut Call<'_>) -> Result {
//!     let key = call.args.bytes(1);
//!     let longest = call.run.command(&mut call.keys, &[b"SMEMBERS", key], 0, |reply| match Replied::read(reply) {
//!         Some(Replied::Array(members) | Replied::Set(members)) => {
//!             members.iter().filter_map(Replied::bytes).map(<[u8]>::len).max().unwrap_or(0)
//!         }
//!         _ => 0,
//!     })?;
//!     call.reply.integer(longest as i64);
//!     Ok(())
//! }
//! ```

use crate::abi::bytes::Bytes;
use crate::abi::run::*;
use crate::abi::status::STATUS_OK;
use crate::host;

/// Deepest nesting that is read.
const DEPTH_MAX: u32 = 128;

/// A reply, or an element of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Replied<'a> {
    /// Nothing.
    Null,
    /// An error, with its code in front.
    Error(&'a [u8]),
    /// A status.
    Simple(&'a [u8]),
    /// A string.
    Bulk(&'a [u8]),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// The digits of an integer of any size.
    BigNumber(&'a [u8]),
    /// A text, and what format it is in, in three characters.
    Verbatim(&'a [u8], &'a [u8]),
    /// An array.
    Array(Vec<Replied<'a>>),
    /// A set.
    Set(Vec<Replied<'a>>),
    /// Keys and values.
    Map(Vec<(Replied<'a>, Replied<'a>)>),
    /// A message that is no reply.
    Push(Vec<Replied<'a>>),
}

impl<'a> Replied<'a> {
    /// The reply that bytes are, in RESP2 or RESP3; `None` when they are not one, or nested too deep.
    pub fn read(reply: &'a [u8]) -> Option<Replied<'a>> {
        let mut at = 0;
        let read = one(reply, &mut at, 0)?;
        (at == reply.len()).then_some(read)
    }

    /// The bytes of a string, status, error, number of any size or verbatim text.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Replied::Error(text) | Replied::Simple(text) | Replied::Bulk(text) => Some(text),
            Replied::BigNumber(text) | Replied::Verbatim(_, text) => Some(text),
            _ => None,
        }
    }
}

fn one<'a>(reply: &'a [u8], at: &mut usize, depth: u32) -> Option<Replied<'a>> {
    let size = size_of::<ReplyNode>() as u32;
    let mut node = ReplyNode { size, kind: 0, count: 0, integer: 0, number: 0.0, text: Bytes::EMPTY };
    // SAFETY: a module that has a reply has started; both places are there for the call.
    if depth > DEPTH_MAX || unsafe { (host::run().read)(Bytes::of(reply), at, &mut node) } != STATUS_OK {
        return None;
    }
    // SAFETY: the host has said what it is, of bytes that live as long as the reply.
    let text: &'a [u8] = unsafe { node.text.as_slice() };
    let count = usize::try_from(node.count).ok()?;
    Some(match node.kind {
        NODE_NULL => Replied::Null,
        NODE_ERROR => Replied::Error(text),
        NODE_SIMPLE => Replied::Simple(text),
        NODE_BULK => Replied::Bulk(text),
        NODE_INTEGER => Replied::Integer(node.integer),
        NODE_DOUBLE => Replied::Double(node.number),
        NODE_BOOLEAN => Replied::Boolean(node.integer != 0),
        NODE_BIG_NUMBER => Replied::BigNumber(text),
        NODE_VERBATIM => Replied::Verbatim(text.get(..3)?, text.get(4..)?),
        NODE_ARRAY => Replied::Array(several(reply, at, depth, count)?),
        NODE_SET => Replied::Set(several(reply, at, depth, count)?),
        NODE_PUSH => Replied::Push(several(reply, at, depth, count)?),
        NODE_MAP => {
            let mut words = several(reply, at, depth, count)?.into_iter();
            let mut pairs = Vec::with_capacity(count / 2);
            while let (Some(key), Some(value)) = (words.next(), words.next()) {
                pairs.push((key, value));
            }
            Replied::Map(pairs)
        }
        _ => return None,
    })
}

fn several<'a>(reply: &'a [u8], at: &mut usize, depth: u32, count: usize) -> Option<Vec<Replied<'a>>> {
    // An element has three bytes at least.
    let mut all = Vec::with_capacity(count.min(reply.len().saturating_sub(*at) / 3));
    for _ in 0..count {
        all.push(one(reply, at, depth + 1)?);
    }
    Some(all)
}
