//! The storage: text in a box, and a word about how it came to be.
//!
//! ```text
//!   entry ──> Heap { text: "-12", form: Number }
//!                            │          │
//!                            │          └ what OBJECT ENCODING says
//!                            └ always the text, also of a number
//! ```
//!
//! A number is read and written as its digits each time that it is counted. The entry's tag is not
//! used: a value's form changes with its text, and both are in the box.

use plinth_module::prelude::*;
use plinth_string_commands::codec;
use plinth_string_commands::storage::{Digits, EMBEDDED_MAX, Storage, Value};
use std::ffi::CStr;

/// Room that a string which was cut may keep unused, beside as much as it has bytes.
const SPARE_MAX: usize = 64;

/// A string.
#[derive(Clone)]
pub struct Heap {
    text: Vec<u8>,
    form: Form,
}

/// How a string came to be what it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Set as a whole, and the one spelling of an integer.
    Number,
    /// Set as a whole.
    Text,
    /// Changed in part.
    Part,
}

impl Heap {
    /// A string that is set as a whole. Fails with `OutOfMemory`.
    fn of(value: Value<'_>) -> Result<Heap> {
        let mut heap = Heap { text: Vec::new(), form: Form::Text };
        heap.set(value)?;
        Ok(heap)
    }

    /// Zero bytes to be written over. Fails with `OutOfMemory`.
    fn of_zeros(len: usize) -> Result<Heap> {
        let mut heap = Heap { text: Vec::new(), form: Form::Part };
        heap.text.try_reserve_exact(len).map_err(|_| Error::OutOfMemory)?;
        heap.text.resize(len, 0);
        Ok(heap)
    }

    /// Becomes another string. Fails with `OutOfMemory`, nothing changed.
    fn set(&mut self, value: Value<'_>) -> Result {
        let mut digits = Digits::new();
        let text = value.text(&mut digits);
        self.text.try_reserve_exact(text.len().saturating_sub(self.text.len())).map_err(|_| Error::OutOfMemory)?;
        self.text.clear();
        self.text.extend_from_slice(text);
        self.form = if matches!(value, Value::Integer(_)) { Form::Number } else { Form::Text };
        self.give_back();
        Ok(())
    }

    /// Becomes plain bytes, `len` of them. Fails with `OutOfMemory`, nothing changed.
    fn resize(&mut self, len: usize) -> Result<&mut [u8]> {
        self.text.try_reserve(len.saturating_sub(self.text.len())).map_err(|_| Error::OutOfMemory)?;
        self.text.resize(len, 0);
        self.form = Form::Part;
        self.give_back();
        Ok(&mut self.text)
    }

    /// Gives room back that a longer string needed.
    fn give_back(&mut self) {
        if self.text.capacity() > 2 * self.text.len() + SPARE_MAX {
            self.text.shrink_to_fit();
        }
    }
}

impl MixedType for Heap {
    type Boxed = Heap;
    const NAME: &'static CStr = codec::NAME;
    const RDB_TAGS: &'static [u8] = codec::RDB_TAGS;

    fn save(value: Stored<'_, Heap>, out: &mut Saver<'_>) {
        codec::save(value_of(value), out);
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l, Heap>> {
        Ok(Loaded::boxed(0, Heap::of(codec::load(from)?)?))
    }

    fn memory(value: &Heap) -> usize {
        size_of::<Heap>() + value.text.capacity()
    }

    fn encoding_name(value: Stored<'_, Heap>) -> &'static str {
        match value {
            Stored::Boxed { value, .. } if value.form == Form::Number => "int",
            Stored::Boxed { value, .. } if value.form == Form::Text && value.text.len() <= EMBEDDED_MAX => "embstr",
            _ => "raw",
        }
    }

    fn copy(value: &Heap) -> Option<Heap> {
        let mut copy = Heap::of(Value::Text(&value.text)).ok()?;
        copy.form = value.form;
        Some(copy)
    }

    fn rewrite(value: Stored<'_, Heap>, out: &mut Rewriter<'_>) -> Result {
        codec::rewrite(value_of(value), out)
    }

    fn digest(value: Stored<'_, Heap>, out: &mut Digester<'_>) -> Result {
        codec::digest(value_of(value), out)
    }
}

/// The text of a value, which is always in a box.
fn value_of(value: Stored<'_, Heap>) -> Value<'_> {
    Value::Text(match value {
        Stored::Boxed { value, .. } => &value.text,
        Stored::Inline { bytes, .. } => bytes,
    })
}

impl Storage for Heap {
    const TYPE: Type = Type::mixed::<Heap>();

    fn handle() -> Result<&'static TypeHandle> {
        TypeHandle::of::<Heap>()
    }

    fn value<'e>(entry: &'e Entry<'_>) -> Value<'e> {
        entry.stored::<Heap>().map_or(Value::Text(b""), value_of)
    }

    fn into_value(entry: Entry<'_>) -> Value<'_> {
        entry.into_stored::<Heap>().map_or(Value::Text(b""), value_of)
    }

    fn put<'k>(keys: &'k mut Keys<'_>, key: &'k [u8], value: Value<'_>, flags: u32) -> Result<Entry<'k>> {
        keys.put_boxed::<Heap>(key, 0, Heap::of(value)?, flags)
    }

    fn set(entry: &mut Entry<'_>, value: Value<'_>) -> Result {
        entry.boxed::<Heap>().ok_or(Error::Unsupported)?.set(value)
    }

    fn find_or_make<'k>(
        keys: &'k mut Keys<'_>,
        key: &'k [u8],
        len: impl FnOnce() -> Result<usize>,
    ) -> Result<(Entry<'k>, bool)> {
        keys.get_or_put_boxed::<Heap>(key, 0, || Heap::of_zeros(len()?))
    }

    fn resize<'e>(entry: &'e mut Entry<'_>, len: usize) -> Result<&'e mut [u8]> {
        entry.boxed::<Heap>().ok_or(Error::Unsupported)?.resize(len)
    }

    fn into_bytes(entry: Entry<'_>) -> &mut [u8] {
        entry.into_boxed::<Heap>().map_or(&mut [], |heap| &mut heap.text)
    }
}
