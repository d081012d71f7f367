//! An RDB file, written.

use super::{AUX, Attributes, END, EXPIRE_MS, FREQUENCY, FUNCTION, IDLE, MODULE_AUX, RESIZE, SELECT, Section};
use crate::durable::sink::{Sink, Sunk};
use crate::durable::write::Writer;
use std::io;

/// Writes a file. Errors of the disk are told at the end; [`Writer::has_failed`] tells of them before.
pub struct RdbWriter {
    /// For the value behind a key, which begins with its type and the key's name.
    pub out: Writer,
}

impl RdbWriter {
    /// Begin a file of one of Redis's versions.
    #[must_use]
    pub fn new(sink: Sink, version: u16, compress: bool) -> RdbWriter {
        let mut out = Writer::to_sink(sink, compress);
        out.put_raw(format!("REDIS{version:04}").as_bytes());
        RdbWriter { out }
    }

    /// Something about the file.
    pub fn put_aux(&mut self, name: &str, value: &[u8]) {
        self.out.put_u8(AUX);
        self.out.put_string(name.as_bytes());
        self.out.put_string(value);
    }

    /// A library of functions.
    pub fn put_function(&mut self, text: &[u8]) {
        self.out.put_u8(FUNCTION);
        self.out.put_string(text);
    }

    /// What a module keeps beside its values.
    pub fn put_section(&mut self, section: &Section) {
        self.out.put_u8(MODULE_AUX);
        self.out.put_module_id(section.id);
        self.out.put_unsigned_field(section.when);
        self.out.put_raw(&section.fields);
    }

    /// What follows is of this database, which has so many keys.
    pub fn put_database(&mut self, number: u64, keys: u64, expiries: u64) {
        self.out.put_u8(SELECT);
        self.out.put_length(number);
        self.out.put_u8(RESIZE);
        self.out.put_length(keys);
        self.out.put_length(expiries);
    }

    /// What is said of a key before it.
    #[inline]
    pub fn put_attributes(&mut self, attributes: Attributes) {
        if let Some(at_ms) = attributes.expire_at_ms {
            self.out.put_u8(EXPIRE_MS);
            self.out.put_u64(at_ms as u64);
        }
        if let Some(idle_s) = attributes.idle_s {
            self.out.put_u8(IDLE);
            self.out.put_length(idle_s);
        }
        if let Some(frequency) = attributes.frequency {
            self.out.put_u8(FREQUENCY);
            self.out.put_u8(frequency);
        }
    }

    /// End the file.
    ///
    /// # Errors
    ///
    /// The first error of the disk.
    pub fn finish(mut self) -> io::Result<Sunk> {
        self.out.put_u8(END);
        let checksum = self.out.checksum();
        self.out.put_u64(checksum);
        self.out.finish()
    }
}
