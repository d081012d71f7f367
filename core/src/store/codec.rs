//! What a type's `save` writes to and its `load` reads from.
//!
//! The functions that a module calls on them are those of `plinth.codec/1`.

use crate::durable::container::ContainerId;
use crate::durable::read::Reader;
use crate::durable::version::Target;
use crate::durable::write::Writer;
use plinth_abi::bytes::Opaque;
use plinth_abi::value::Type;
use std::borrow::Cow;

/// What `save` writes to.
pub struct Saver {
    /// The bytes so far.
    pub writer: Writer,
    /// Whether the type has a standard form, which begins with a tag.
    pub standard: bool,
    /// The tag that it began with.
    pub tag: Option<u8>,
    /// Whether the type did what it may not.
    pub damaged: bool,
    /// For whom it is.
    pub target: Target,
}

impl Saver {
    /// A saver for a type with or without a standard form.
    pub fn new(standard: bool, compress: bool, target: Target) -> Saver {
        Saver { writer: Writer::new(compress), standard, tag: None, damaged: false, target }
    }

    /// Write what goes before a container's own fields.
    pub fn begin_container(&mut self, tag: u8, id: ContainerId, name: &[u8], encoding: u64) {
        self.writer.put_u8(tag);
        self.writer.put_module_id(id);
        self.writer.put_string_field(name);
        self.writer.put_unsigned_field(encoding);
    }

    /// The bytes, unless the type did what it may not.
    pub fn finish(mut self, owns: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
        if !self.standard {
            self.writer.put_end();
        }
        let tagged = !self.standard || self.tag.is_some_and(owns);
        (tagged && !self.damaged).then(|| self.writer.into_bytes())
    }

    /// Whether a value may be written now.
    pub fn may_put(&mut self) -> bool {
        let may = !self.standard || self.tag.is_some();
        self.damaged |= !may;
        may
    }
}

/// A loaded value.
pub enum Loaded {
    /// Tag and bytes.
    Inline(u8, Vec<u8>),
    /// Tag and address.
    Boxed(u8, Opaque),
}

impl Loaded {
    /// Free a boxed value that was not taken.
    pub fn give_back(self, table: &Type) {
        if let (Loaded::Boxed(_, boxed), Some(free)) = (self, table.drop) {
            // SAFETY: the value is of this type, and nobody else has its address.
            unsafe { free(boxed) };
        }
    }
}

/// What `load` reads from.
pub struct Loader<'a> {
    /// What is left of the bytes.
    pub reader: Reader<'a>,
    /// Whether the type has a standard form.
    pub standard: bool,
    /// Bytes lent to the module until its next get.
    pub lent: Cow<'a, [u8]>,
    /// The value, once it is made.
    pub loaded: Option<Loaded>,
}

impl<'a> Loader<'a> {
    /// A loader behind the tag or the container's head.
    pub fn new(reader: Reader<'a>, standard: bool) -> Loader<'a> {
        Loader { reader, standard, lent: Cow::Borrowed(&[]), loaded: None }
    }

    /// The value, if the module made one, and whether a container ended behind it. Bytes
    /// behind a standard form are let pass, as Redis does.
    pub fn finish(mut self) -> (Option<Loaded>, bool) {
        let complete = self.standard || self.reader.end().is_ok();
        (self.loaded, complete)
    }
}
