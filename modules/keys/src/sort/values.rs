//! Elements and weights out of whatever modules have the types.
//!
//! A service is looked up by the command that needs it and only then, so this module depends on no
//! type's. A type that nobody provides has no values either: it is passed over.

use super::items::Items;
use super::pattern::Pattern;
use plinth_module::hash::{HASH_SCRATCH_BYTES, Hashes};
use plinth_module::list::Lists;
use plinth_module::prelude::*;
use plinth_module::set::Sets;
use plinth_module::string::{STRING_SCRATCH_BYTES, Strings};
use plinth_module::zset::Zsets;
use std::ops::{ControlFlow, Range};

static LISTS: Lists = Lists::new();
static SETS: Sets = Sets::new();
static ZSETS: Zsets = Zsets::new();
static HASHES: Hashes = Hashes::new();
static STRINGS: Strings = Strings::new();

/// A collection whose elements can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    List,
    Set,
    SortedSet,
}

const SOURCES: [Source; 3] = [Source::List, Source::Set, Source::SortedSet];

impl Source {
    /// What kind of collection a key holds, and how large it is; `None` when there is no such key.
    /// Fails with `WrongType` for all other values.
    pub(crate) fn find(call: &mut Call<'_>, key: &[u8]) -> Result<Option<(Source, usize)>> {
        // The command's one look at it; what services look at counts nothing.
        if !call.keys.exists(key, 0) {
            return Ok(None);
        }
        for source in SOURCES {
            match source.len(call, key) {
                Ok(len) => return Ok(len.map(|len| (source, len))),
                Err(Error::WrongType | Error::Unsupported) => {}
                Err(error) => return Err(error),
            }
        }
        match call.keys.get_any(key, GET_NO_TOUCH | GET_NO_STATS)? {
            None => Ok(None),
            Some(_) => Err(Error::WrongType),
        }
    }

    /// Fails with `Unsupported` when no module has such collections.
    fn len(self, call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        match self {
            Source::List => LISTS.resolve(call).and_then(|()| LISTS.len(&mut call.keys, key)),
            Source::Set => SETS.resolve(call).and_then(|()| SETS.len(&mut call.keys, key)),
            Source::SortedSet => ZSETS.resolve(call).and_then(|()| ZSETS.len(&mut call.keys, key)),
        }
    }

    /// Whether the elements have an order of their own.
    pub(crate) fn is_ordered(self) -> bool {
        self != Source::Set
    }

    /// The elements at some places of the collection's own order, of which there are `len`, seen
    /// from the last when `descending`. Sets have no order and give all.
    pub(crate) fn collect(
        self,
        call: &mut Call<'_>,
        key: &[u8],
        len: usize,
        range: Range<usize>,
        descending: bool,
    ) -> Result<Items> {
        let mut items = Items::default();
        let places = if descending { len - range.end..len - range.start } else { range };
        if places.is_empty() && self.is_ordered() {
            return Ok(items);
        }
        match self {
            Source::List => {
                let (start, stop) = (places.start as i64, places.end as i64 - 1);
                LISTS.visit(&mut call.keys, key, start, stop, |element| {
                    items.push(element);
                    ControlFlow::Continue(())
                })?;
                if descending {
                    items.reverse();
                }
            }
            Source::SortedSet => {
                ZSETS.visit(&mut call.keys, key, places, descending, |member, _score| {
                    items.push(member);
                    true
                })?;
            }
            Source::Set => {
                SETS.visit(&mut call.keys, key, |member| {
                    items.push(member);
                    true
                })?;
            }
        }
        Ok(items)
    }
}

/// Makes ready for [`look_up`], if there are modules to ask.
pub(crate) fn prepare(call: &Call<'_>) {
    // What nobody provides is not there, and reads as such.
    let _ = (STRINGS.resolve(call), HASHES.resolve(call));
}

/// Hands what a pattern names for an element to `take`: `None` when there is no such key or field, or
/// one of another type. `name` is room for the key.
pub(crate) fn look_up<R>(
    keys: &mut Keys<'_>,
    pattern: &Pattern<'_>,
    element: &[u8],
    name: &mut Vec<u8>,
    take: impl FnOnce(Option<&[u8]>) -> R,
) -> Result<R> {
    let (before, after, field) = match *pattern {
        Pattern::Element => return Ok(take(Some(element))),
        Pattern::Nothing => return Ok(take(None)),
        Pattern::Key { before, after, field } => (before, after, field),
    };
    name.clear();
    for part in [before, element, after] {
        name.extend_from_slice(part);
    }
    let (mut string_room, mut hash_room) = ([0; STRING_SCRATCH_BYTES], [0; HASH_SCRATCH_BYTES]);
    let found = match field {
        None => STRINGS.get(keys, name, &mut string_room),
        Some(field) => HASHES.get(keys, name, field, &mut hash_room),
    };
    match found {
        Ok(value) => Ok(take(value)),
        Err(Error::WrongType | Error::Unsupported | Error::Ghost) => Ok(take(None)),
        Err(error) => Err(error),
    }
}

/// Replaces a key, whatever it held, by a list. Fails with `Unsupported` when no module has lists.
pub(crate) fn store(call: &mut Call<'_>, key: &[u8], elements: &[&[u8]]) -> Result {
    LISTS.resolve(call)?;
    LISTS.set(&mut call.keys, key, elements, "sortstore")
}
