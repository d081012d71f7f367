//! The mock's conversion of a large value: into a new one of the same type, in slices, as a host
//! does it that replaces a module.

use super::Mock;
use super::state::Form;
use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::convert::{Convert, Element};
use crate::abi::status::Status;
use crate::error::{Error, Result, check};

/// What elements are put into.
struct Import {
    table: Convert,
    boxed: Opaque,
}

unsafe extern "C" fn take(data: Opaque, element: Bytes, payload: Bytes, removed: u32) -> Status {
    // SAFETY: `data` is the import of the slice that runs; the bytes are lent for the call.
    unsafe {
        let import = &*data.cast::<Import>();
        if removed != 0 {
            (import.table.import_remove)(import.boxed, element)
        } else {
            (import.table.import_put)(import.boxed, element, payload)
        }
    }
}

impl Mock {
    /// Converts a key's boxed value element by element into a new one of its type, `budget` elements
    /// a slice, and runs `between` after each: what a server does when the module is replaced.
    /// Fails with `None` when there is no such key, or it holds another value after `between`; with
    /// `Unsupported` for an inline value and a type without
    /// [`Convert`](crate::convert::Convert); and as the type's functions.
    pub fn convert_in_slices(
        &mut self,
        key: impl AsRef<[u8]>,
        budget: usize,
        mut between: impl FnMut(&mut Mock),
    ) -> Result {
        let key = key.as_ref();
        let (old, of) = self.boxed(key)?;
        if of.convert.is_null() {
            return Err(Error::Unsupported);
        }
        // SAFETY: a constant of the module; the functions are called with values of the type, as their
        // comments ask.
        unsafe {
            let table = *of.convert;
            check((table.export_begin)(old))?;
            let new = (table.import_new)();
            if new.is_null() {
                (table.export_end)(old);
                return Err(Error::OutOfMemory);
            }
            let done = self.slices(key, old, &mut Import { table, boxed: new }, budget, &mut between);
            let is_there = self.boxed(key).is_ok_and(|(boxed, _)| boxed == old);
            let (tag, left) = match done {
                Ok(tag) => (tag, old),
                Err(_) => (0, new),
            };
            if is_there {
                (table.export_end)(old);
            }
            if let (Ok(_), Some(mut item)) = (&done, self.item(key)) {
                item.as_mut().form = Form::Boxed(new);
                item.as_mut().tag = tag;
            }
            if let Some(drop) = of.drop {
                drop(left);
            }
            done.map(|_| ())
        }
    }

    /// What a test of a conversion does: converts a key's value in slices, with one of `rounds` of
    /// changes after each, then once more with the changes that are left made before; `compare` looks
    /// after either. `change` makes a change to the value and to the model of it. Fails as
    /// [`convert_in_slices`](Self::convert_in_slices).
    pub fn convert_twice<M, C>(
        &mut self,
        key: &str,
        budget: usize,
        model: &mut M,
        rounds: Vec<Vec<C>>,
        change: impl Fn(&mut Mock, &mut M, C),
        compare: impl Fn(&mut Mock, &M),
    ) -> Result {
        let mut rounds = rounds.into_iter();
        self.convert_in_slices(key, budget, |host| {
            rounds.next().into_iter().flatten().for_each(|one| change(host, model, one));
        })?;
        compare(self, model);
        rounds.flatten().for_each(|one| change(self, model, one));
        self.convert_in_slices(key, budget, |_| ())?;
        compare(self, model);
        Ok(())
    }

    /// A key's boxed value and its type.
    fn boxed(&self, key: &[u8]) -> Result<(Opaque, &'static abi::value::Type)> {
        let item = self.item(key).ok_or(Error::None)?;
        // SAFETY: items in a database are alive.
        let item = unsafe { item.as_ref() };
        let of = self.host.with(|state| state.types.get(&item.type_id).copied()).ok_or(Error::Unsupported)?;
        match item.form {
            Form::Boxed(boxed) => Ok((boxed, of)),
            Form::Inline(_) => Err(Error::Unsupported),
        }
    }

    /// Slice after slice until nothing is left; the tag of the new value.
    ///
    /// # Safety
    /// `old` is the key's value, of the type that `import` is for.
    unsafe fn slices(
        &mut self,
        key: &[u8],
        old: Opaque,
        import: &mut Import,
        budget: usize,
        between: &mut impl FnMut(&mut Mock),
    ) -> Result<u32> {
        let (table, data, visit) = (import.table, (&raw mut *import).cast(), Element { run: take });
        let (mut cursor, mut is_complete) = (0, false);
        loop {
            let (mut left, mut tag) = (0, 0);
            // SAFETY: as the caller vouches, and as is looked at after `between`.
            unsafe {
                check((table.export_changes)(old, budget, &mut left, visit, data))?;
                if left == 0 && !is_complete {
                    check((table.export_some)(old, &mut cursor, budget, visit, data))?;
                    is_complete = cursor == 0;
                }
                if left == 0 && is_complete {
                    check((table.import_finish)(import.boxed, &mut tag))?;
                    return Ok(tag);
                }
            }
            between(self);
            if self.boxed(key)?.0 != old {
                return Err(Error::None);
            }
        }
    }
}
