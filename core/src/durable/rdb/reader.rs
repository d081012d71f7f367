//! An RDB file, read item by item.

use super::{
    AUX, CHECKED_SINCE, END, EXPIRE_MS, EXPIRE_S, FREQUENCY, FUNCTION, FUNCTION_BEFORE_RELEASE, Family, IDLE,
    MAGIC_BYTES, MODULE_AUX, RESIZE, SELECT, SLOT, SLOT_IMPORT, parse_magic,
};
use crate::durable::container::ContainerId;
use crate::durable::version::{NEWEST, VALKEY};
use crate::durable::window::{FileError, Window};
use std::io::Read;
use thiserror::Error;

/// Why a file is not read.
#[derive(Debug, Error)]
pub enum RdbError {
    /// It does not begin as such a file does.
    #[error("Wrong signature trying to load DB from file")]
    Magic,
    /// It is of a version that is not known.
    #[error("Can't handle RDB format version {0}")]
    Version(u16),
    /// It has a number where none of those known stands.
    #[error("{number} is neither a type nor an opcode of this file's version (at byte {offset} of the file)")]
    Number {
        /// The number.
        number: u8,
        /// Where it stands.
        offset: u64,
    },
    /// It has something that is not read.
    #[error("the file has {0}, which are not read")]
    Unread(&'static str),
    /// Its checksum is not that of its bytes.
    #[error("RDB CRC error: the file says {stored:016x} where its bytes give {computed:016x}")]
    Checksum {
        /// What the file says.
        stored: u64,
        /// What was computed.
        computed: u64,
    },
    /// Its bytes are not as they should be.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What is said of a key before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Unix time in ms at which it expires.
    pub expire_at_ms: Option<i64>,
    /// Seconds since it was last used.
    pub idle_s: Option<u64>,
    /// How often it is used, a logarithm.
    pub frequency: Option<u8>,
}

/// What a module keeps beside its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The module type's id, as the file has it.
    pub id: ContainerId,
    /// Before the keys (1) or behind them (2).
    pub when: u64,
    /// The fields, with their end.
    pub fields: Vec<u8>,
}

/// What a file holds, one after another.
#[derive(Debug)]
pub enum Item {
    /// Something about the file.
    Aux {
        /// What.
        name: Vec<u8>,
        /// How it is.
        value: Vec<u8>,
    },
    /// A library of functions, as FUNCTION LOAD takes it.
    Function(Vec<u8>),
    /// What a module keeps beside its values.
    Section(Section),
    /// The keys that follow are in this database.
    Select(u64),
    /// So many keys follow in this database, and so many of them expire. A hint.
    Resize {
        /// Keys.
        keys: u64,
        /// Keys that expire.
        expiries: u64,
    },
    /// A key of a type, whose name is [`RdbReader::key`]. The value follows, and is to be read or passed
    /// over before the next item.
    Key(Attributes, u8),
    /// The file ends; whether it had a checksum, which is right then.
    End {
        /// Whether it had one.
        is_checked: bool,
    },
}

/// Reads a file.
pub struct RdbReader {
    /// Where it is, for the value behind a key.
    pub window: Window,
    /// Whose numbers it has.
    pub family: Family,
    /// Its version.
    pub version: u16,
    key: Vec<u8>,
}

impl RdbReader {
    /// Read a file's first bytes. The size is that of the file, if it is known; without `is_checked` its
    /// checksum is left alone.
    ///
    /// # Errors
    ///
    /// [`RdbError::Magic`], [`RdbError::Version`], and [`RdbError::File`].
    pub fn open(source: Box<dyn Read>, size: Option<u64>, is_checked: bool) -> Result<RdbReader, RdbError> {
        let mut window = Window::new(source, size, is_checked);
        let mut magic = [0; MAGIC_BYTES];
        window.get(|reader| {
            magic.copy_from_slice(reader.raw(MAGIC_BYTES)?);
            Ok(())
        })?;
        let (family, version) = parse_magic(&magic).ok_or(RdbError::Magic)?;
        let is_known = match family {
            Family::Redis => (1..=NEWEST).contains(&version),
            Family::Valkey => version == VALKEY,
        };
        if !is_known {
            return Err(RdbError::Version(version));
        }
        if version < CHECKED_SINCE {
            window.ignore_checksum();
        }
        Ok(RdbReader { window, family, version, key: Vec::new() })
    }

    /// The name of the key that was last read.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Where it is, and the key that was last read.
    pub fn parts(&mut self) -> (&mut Window, &[u8]) {
        (&mut self.window, &self.key)
    }

    /// The next item.
    ///
    /// # Errors
    ///
    /// [`RdbError`]; the file is not to be read on then.
    pub fn next(&mut self) -> Result<Item, RdbError> {
        let mut attributes = Attributes::default();
        loop {
            let offset = self.window.offset();
            let number = self.window.get(|reader| reader.u8())?;
            match number {
                EXPIRE_MS => attributes.expire_at_ms = Some(self.window.get(|reader| reader.u64())? as i64),
                EXPIRE_S => {
                    let seconds = self.window.get(|reader| reader.u32())? as i32;
                    attributes.expire_at_ms = Some(i64::from(seconds) * 1000);
                }
                IDLE => attributes.idle_s = Some(self.length()?),
                FREQUENCY => attributes.frequency = Some(self.window.get(|reader| reader.u8())?),
                SLOT => {
                    // Slot, keys and expiries: hints for tables that are kept by slot.
                    for _ in 0..3 {
                        self.length()?;
                    }
                }
                AUX => return Ok(Item::Aux { name: self.string()?, value: self.string()? }),
                FUNCTION => return Ok(Item::Function(self.string()?)),
                MODULE_AUX => return self.section(),
                SELECT => return Ok(Item::Select(self.length()?)),
                RESIZE => return Ok(Item::Resize { keys: self.length()?, expiries: self.length()? }),
                END => return self.end(),
                FUNCTION_BEFORE_RELEASE => return Err(RdbError::Unread("functions of a preview of Redis 7.0")),
                SLOT_IMPORT if self.family == Family::Valkey => {
                    return Err(RdbError::Unread("slots that were being imported"));
                }
                tag if self.family.has_type(tag) => {
                    let taken = self.window.string()?;
                    self.key.clear();
                    self.key.extend_from_slice(self.window.taken(&taken));
                    return Ok(Item::Key(attributes, tag));
                }
                number => return Err(RdbError::Number { number, offset }),
            }
        }
    }

    fn length(&mut self) -> Result<u64, RdbError> {
        Ok(self.window.get(|reader| reader.length())?)
    }

    fn string(&mut self) -> Result<Vec<u8>, RdbError> {
        let taken = self.window.string()?;
        Ok(self.window.taken(&taken).to_vec())
    }

    /// A module's section: its id, then fields as in a container, of which the first says when it is read.
    fn section(&mut self) -> Result<Item, RdbError> {
        let id = self.window.get(|reader| reader.module_id())?;
        let when = self.window.get(|reader| reader.unsigned_field())?;
        self.window.keep();
        crate::durable::shape::pass_fields(&mut self.window)?;
        Ok(Item::Section(Section { id, when, fields: self.window.take_kept().to_vec() }))
    }

    fn end(&mut self) -> Result<Item, RdbError> {
        if self.version < CHECKED_SINCE {
            return Ok(Item::End { is_checked: false });
        }
        let computed = self.window.checksum();
        let stored = self.window.get(|reader| reader.u64())?;
        match computed {
            Some(computed) if stored != 0 && computed != stored => Err(RdbError::Checksum { stored, computed }),
            _ => Ok(Item::End { is_checked: stored != 0 && computed.is_some() }),
        }
    }
}
