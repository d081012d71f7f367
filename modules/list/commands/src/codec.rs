//! The codec: the type `list`, and its values in files and payloads.
//!
//! A list is written as Redis 7.2 writes one, and read in every form that a Redis has written:
//!
//! ```text
//!   tag   since   after it
//!   1     1.0     number of elements, each a string
//!   10    2.4     one ziplist
//!   14    3.2     number of nodes, each a ziplist
//!   18    7.0     number of nodes, each a kind: 1 and an element, or 2 and a listpack      written
//! ```
//!
//! A reader before Redis 7.0 does not know type 18, and gets type 1.
//!
//! The nodes that are written are as large as `list-max-listpack-size` allows, whatever the list
//! is kept in, so that it shows itself in Redis as it does here.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html>.

use crate::large::Large;
use crate::limit::{self, Limit};
use crate::small::{self, Builder, LISTPACK, QUICKLIST};
use crate::storage::{End, Storage, Value};
use plinth_module::convert::Conversion;
use plinth_module::pack::element::{self, Encoded};
use plinth_module::pack::listpack::{self, EMPTY_BYTES, element_bytes};
use plinth_module::pack::{Digits, Reader, ziplist};
use plinth_module::prelude::*;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ops::ControlFlow;

const RDB_LIST: u8 = 1;
const RDB_ZIPLIST: u8 = 10;
const RDB_ZIPLISTS: u8 = 14;
const RDB_NODES: u8 = 18;

const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;

/// Tag of a large list, whatever it shows itself as.
pub const BOXED: u32 = 0;

/// Longest element: its length is kept in 32 bits.
pub const ELEMENT_MAX: usize = u32::MAX as usize - 64;

/// The type, over a storage for long lists.
pub struct List<S>(PhantomData<S>);

impl<S: Storage> MixedType for List<S> {
    type Boxed = Large<S>;
    const NAME: &'static CStr = c"list";
    const RDB_TAGS: &'static [u8] = &[RDB_NODES, RDB_LIST, RDB_ZIPLIST, RDB_ZIPLISTS];
    const CONVERT: Option<Conversion<Large<S>>> = Some(Conversion::of_sequence());

    fn save(value: Stored<'_, Large<S>>, out: &mut Saver<'_>) {
        if !out.knows(RDB_NODES) {
            out.tag(RDB_LIST);
            out.u64(len(value) as u64);
            return visit(value, |value| out.bytes(value.text(&mut Digits::new())));
        }
        let mut count = 0;
        walk(value, |piece| count += u64::from(!matches!(piece, Piece::Element(_))));
        out.tag(RDB_NODES);
        out.u64(count);
        let mut node = listpack::Writer::default();
        walk(value, |piece| match piece {
            Piece::Element(value) => node.push(value),
            Piece::End => {
                out.u64(NODE_PACKED);
                out.bytes(&std::mem::take(&mut node).finish());
            }
            Piece::Plain(text) => {
                out.u64(NODE_PLAIN);
                out.bytes(text);
            }
        });
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Large<S>>> {
        let mut list = Reading::<S>::default();
        match u8::try_from(encoding).map_err(|_| Error::BadData)? {
            RDB_LIST => {
                for _ in 0..from.u64()? {
                    list.push(from.bytes()?)?;
                }
            }
            RDB_ZIPLIST => list.node(|list| list.push_all(ziplist::read(from.bytes()?)?))?,
            RDB_ZIPLISTS => {
                for _ in 0..from.u64()? {
                    list.node(|list| list.push_all(ziplist::read(from.bytes()?)?))?;
                }
            }
            RDB_NODES => {
                for _ in 0..from.u64()? {
                    match from.u64()? {
                        NODE_PACKED => list.node(|list| list.push_all(listpack::read(from.bytes()?)?))?,
                        // A node of its own is for a large element: an empty one is no list of anybody's.
                        NODE_PLAIN => list.node(|list| match from.bytes()? {
                            [] => Err(Error::BadData),
                            element => list.push(element),
                        })?,
                        _ => return Err(Error::BadData),
                    }
                }
            }
            _ => return Err(Error::BadData),
        }
        list.finish()
    }

    fn memory(value: &Large<S>) -> usize {
        value.memory()
    }

    fn free_effort(value: &Large<S>) -> usize {
        value.free_effort()
    }

    fn encoding_name(value: Stored<'_, Large<S>>) -> &'static str {
        let is_quicklist = match value {
            Stored::Inline { tag, .. } => tag == QUICKLIST,
            Stored::Boxed { value, .. } => value.is_quicklist(),
        };
        if is_quicklist { "quicklist" } else { "listpack" }
    }

    fn copy(value: &Large<S>) -> Option<Large<S>> {
        value.copy()
    }

    fn rewrite(value: Stored<'_, Large<S>>, out: &mut Rewriter<'_>) -> Result {
        let mut pieces = out.pieces("RPUSH");
        visit(value, |value| pieces.push(&[value.text(&mut Digits::new())]));
        pieces.finish()
    }

    fn digest(value: Stored<'_, Large<S>>, out: &mut Digester<'_>) -> Result {
        visit(value, |value| out.add(value.text(&mut Digits::new())));
        Ok(())
    }
}

fn len<S: Storage>(value: Stored<'_, Large<S>>) -> usize {
    match value {
        Stored::Inline { bytes, .. } => element::iter(small::pack(bytes)).count(),
        Stored::Boxed { value, .. } => value.store().len(),
    }
}

/// Hands all elements to `take`, in order.
fn visit<S: Storage>(value: Stored<'_, Large<S>>, mut take: impl FnMut(Value<'_>)) {
    match value {
        Stored::Inline { bytes, .. } => element::iter(small::pack(bytes)).for_each(take),
        Stored::Boxed { value, .. } => {
            let _ = value.store().visit(0, |value| {
                take(value);
                ControlFlow::<()>::Continue(())
            });
        }
    }
}

/// What a file's nodes are made of.
enum Piece<'v> {
    /// An element of a packed node.
    Element(Value<'v>),
    /// The packed node is complete.
    End,
    /// A node of a long element.
    Plain(&'v [u8]),
}

/// Hands a list to `take` in the nodes that it is written in.
fn walk<S: Storage>(value: Stored<'_, Large<S>>, mut take: impl FnMut(Piece<'_>)) {
    let limit = Limit::now();
    let (mut bytes, mut count) = (EMPTY_BYTES, 0);
    visit(value, |value| {
        let len = element_bytes(value);
        let plain = match value {
            Value::Text(text) if limit.is_plain(text.len()) => Some(text),
            _ => None,
        };
        if count > 0 && (plain.is_some() || limit.is_exceeded(bytes + len, count + 1)) {
            take(Piece::End);
            (bytes, count) = (EMPTY_BYTES, 0);
        }
        match plain {
            Some(text) => take(Piece::Plain(text)),
            None => {
                take(Piece::Element(value));
                (bytes, count) = (bytes + len, count + 1);
            }
        }
    });
    if count > 0 {
        take(Piece::End);
    }
}

/// A list that is being read: small as long as it can be.
struct Reading<S> {
    small: Builder,
    large: Option<S>,
    listpack_bytes: usize,
    nodes: usize,
}

impl<S> Default for Reading<S> {
    fn default() -> Reading<S> {
        Reading { small: Builder::default(), large: None, listpack_bytes: EMPTY_BYTES, nodes: 0 }
    }
}

impl<S: Storage> Reading<S> {
    fn len(&self) -> usize {
        self.large.as_ref().map_or(self.small.count(), S::len)
    }

    /// Adds an element. Fails with `BadData` for one that is too long.
    fn push(&mut self, text: &[u8]) -> Result {
        if text.len() > ELEMENT_MAX {
            return Err(Error::BadData);
        }
        let element = Encoded::of(text);
        self.listpack_bytes += limit::text_len(text);
        if self.large.is_none() {
            if self.small.push(&element) {
                return Ok(());
            }
            let (mut large, mut digits) = (S::new(limit::layout()), Digits::new());
            let elements = element::iter(small::pack(self.small.bytes()));
            elements.for_each(|value| large.push(End::Back, value.text(&mut digits)));
            self.large = Some(large);
        }
        if let Some(large) = &mut self.large {
            large.push(End::Back, text);
        }
        Ok(())
    }

    /// Adds the elements of a packed node.
    fn push_all(&mut self, node: Reader<'_>) -> Result {
        let mut digits = Digits::new();
        for value in node {
            self.push(value?.text(&mut digits))?;
        }
        Ok(())
    }

    /// Reads a node, which holds at least one element.
    fn node(&mut self, read: impl FnOnce(&mut Self) -> Result) -> Result {
        let before = self.len();
        read(self)?;
        self.nodes += 1;
        if self.len() == before { Err(Error::BadData) } else { Ok(()) }
    }

    /// The list. Fails with `BadData` when it has no element.
    fn finish<'l>(self) -> Result<Loaded<'l, Large<S>>> {
        if self.len() == 0 {
            return Err(Error::BadData);
        }
        // A list of several nodes was none that fits one.
        let is_quicklist = self.nodes > 1 || Limit::now().is_exceeded(self.listpack_bytes, self.len());
        Ok(match self.large {
            Some(large) => Loaded::boxed(BOXED, Large::with(large, is_quicklist)),
            None => Loaded::owned(if is_quicklist { QUICKLIST } else { LISTPACK }, self.small.finish()),
        })
    }
}
