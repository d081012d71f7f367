//! What a type's `save` writes to and its `load` reads from.
//!
//! The functions that a module calls on them are those of `plinth.codec/1`.

use crate::durable::container::{ContainerId, Field};
use crate::durable::read::{ReadError, Reader};
use crate::durable::version::Target;
use crate::durable::window::{FileError, Taken, Window};
use crate::durable::write::Writer;
use plinth_abi::bytes::Opaque;
use plinth_abi::status::{STATUS_BAD_DATA, Status};
use plinth_abi::value::Type;

/// RDB value type of a container.
pub const CONTAINER_TAG: u8 = 7;
/// The id that all containers of native types carry.
pub const CONTAINER_NAME: &[u8; 9] = b"plinthtyp";

/// What `save` writes to.
pub struct Saver<'w> {
    /// Where the bytes go.
    pub writer: &'w mut Writer,
    /// Whether the type has a standard form, which begins with a tag.
    pub standard: bool,
    /// The tag that it began with.
    pub tag: Option<u8>,
    /// What stands between the tag and the value: in a file, the key's name.
    pub key: Option<&'w [u8]>,
    /// Whether the type did what it may not.
    pub damaged: bool,
    /// For whom it is.
    pub target: Target,
}

impl<'w> Saver<'w> {
    /// A saver for a type with or without a standard form.
    pub fn new(writer: &'w mut Writer, standard: bool, target: Target, key: Option<&'w [u8]>) -> Saver<'w> {
        Saver { writer, standard, tag: None, key, damaged: false, target }
    }

    /// Write a standard form's tag, and the key behind it.
    pub fn begin(&mut self, tag: u8) {
        self.tag = Some(tag);
        self.writer.put_u8(tag);
        if let Some(key) = self.key {
            self.writer.put_string(key);
        }
    }

    /// Write what goes before a container's own fields.
    pub fn begin_container(&mut self, tag: u8, id: ContainerId, name: &[u8], encoding: u64) {
        self.begin(tag);
        self.writer.put_module_id(id);
        self.writer.put_string_field(name);
        self.writer.put_unsigned_field(encoding);
    }

    /// End the value; its tag, unless the type did what it may not.
    pub fn finish(self, owns: impl Fn(u8) -> bool) -> Option<u8> {
        if !self.standard {
            self.writer.put_end();
        }
        self.tag.filter(|tag| !self.damaged && (!self.standard || owns(*tag)))
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

/// Where a value's bytes come from.
pub enum Input<'a> {
    /// They are all there.
    Bytes(Reader<'a>),
    /// They are somewhere in a file.
    File(&'a mut Window),
}

impl Input<'_> {
    /// Read something that holds no bytes of the input.
    #[inline]
    fn get<T>(&mut self, mut read: impl FnMut(&mut Reader<'_>) -> Result<T, ReadError>) -> Result<T, FileError> {
        match self {
            Input::Bytes(reader) => {
                read(reader).map_err(|error| FileError::Damaged { offset: error.offset as u64, fault: error.fault })
            }
            Input::File(window) => window.get(read),
        }
    }
}

/// What `load` reads from.
pub struct Loader<'a> {
    /// What is left of the bytes.
    pub input: Input<'a>,
    /// Whether the type has a standard form.
    pub standard: bool,
    /// The value, once it is made.
    pub loaded: Option<Loaded>,
    /// Why something could not be read, the first time.
    pub error: Option<FileError>,
    /// Bytes that were made for the module, which has them until its next get.
    lent: Vec<u8>,
}

impl<'a> Loader<'a> {
    /// A loader behind the tag or the container's head.
    pub fn new(input: Input<'a>, standard: bool) -> Loader<'a> {
        Loader { input, standard, loaded: None, error: None, lent: Vec::new() }
    }

    #[inline]
    fn get<T>(&mut self, read: impl FnMut(&mut Reader<'_>) -> Result<T, ReadError>) -> Result<T, Status> {
        self.input.get(read).map_err(|error| {
            self.error.get_or_insert(error);
            STATUS_BAD_DATA
        })
    }

    /// An unsigned number.
    pub fn unsigned(&mut self) -> Result<u64, Status> {
        if self.standard { self.get(|reader| reader.length()) } else { self.get(|reader| reader.unsigned_field()) }
    }

    /// A signed number.
    pub fn signed(&mut self) -> Result<i64, Status> {
        if self.standard {
            return self.get(|reader| reader.u64()).map(|bits| bits as i64);
        }
        self.get(|reader| reader.signed_field())
    }

    /// A number with a fraction.
    pub fn double(&mut self) -> Result<f64, Status> {
        if self.standard {
            return self.get(|reader| reader.f64());
        }
        let value = self.get(|reader| {
            Ok(match reader.field()? {
                Field::Double(value) => Some(value),
                Field::Float(value) => Some(f64::from(value)),
                _ => None,
            })
        })?;
        value.ok_or(STATUS_BAD_DATA)
    }

    /// A text, which stays until the next get.
    pub fn text(&mut self) -> Result<&[u8], Status> {
        let standard = self.standard;
        let taken = self.get(|reader| {
            let text = if standard { reader.string() } else { reader.string_field() }?;
            Ok(match text {
                std::borrow::Cow::Borrowed(bytes) => Taken::Last(bytes.len()),
                std::borrow::Cow::Owned(bytes) => Taken::Own(bytes),
            })
        })?;
        Ok(self.taken(taken))
    }

    /// So many bytes as they are, which stay until the next get. A container has none.
    pub fn raw(&mut self, len: usize) -> Result<&[u8], Status> {
        if !self.standard {
            return Err(STATUS_BAD_DATA);
        }
        self.get(|reader| reader.raw(len).map(|_| ()))?;
        Ok(self.taken(Taken::Last(len)))
    }

    fn taken(&mut self, taken: Taken) -> &[u8] {
        match (taken, &self.input) {
            (Taken::Own(bytes), _) => {
                self.lent = bytes;
                &self.lent
            }
            (Taken::Last(len), Input::Bytes(reader)) => reader.last(len),
            (Taken::Last(len), Input::File(window)) => window.last(len),
        }
    }

    /// The value, if the module made one, and whether a container ended behind it. Bytes
    /// behind a standard form are let pass, as Redis does, where it is not a file that goes on there.
    pub fn finish(mut self) -> (Option<Loaded>, Option<FileError>, bool) {
        let complete = self.standard || self.get(|reader| reader.end()).is_ok();
        (self.loaded, self.error, complete)
    }
}
