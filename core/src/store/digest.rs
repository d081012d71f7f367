//! Digests: 160 bits that tell two values apart, whatever they are kept in.
//!
//! ```text
//!   element   a hash of its parts, in their order, the length of each included
//!   value     a hash of the type's name, whether the key expires, the number of elements,
//!             and their sum
//! ```
//!
//! Elements are added up, so that their order does not count and equal ones do not cancel each
//! other. What the parts are the type says (`plinth.digest/1`); of one that says nothing, and of a ghost, it is
//! the saved bytes.

use crate::durable::version::Target;
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::store::types::value_of;
use plinth_abi::status::{STATUS_OK, STATUS_UNSUPPORTED, Status};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A digest, in words of which the last is cut in half when shown.
pub type Digest = [u64; 3];

/// Hash of some fields, the length of each included.
pub fn digest(fields: &[&[u8]]) -> Digest {
    let mut element = Element::default();
    fields.iter().for_each(|field| element.add(field));
    element.finish()
}

/// As people read it.
pub fn hex(digest: Digest) -> String {
    format!("{:016x}{:016x}{:08x}", digest[0], digest[1], digest[2] >> 32)
}

/// Parts in their order.
struct Element([SipHasher13; 3]);

impl Default for Element {
    fn default() -> Element {
        Element(std::array::from_fn(|word| SipHasher13::new_with_keys(word as u64, 0x9e37_79b9_7f4a_7c15)))
    }
}

impl Element {
    fn add(&mut self, part: &[u8]) {
        for hasher in &mut self.0 {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
    }

    fn finish(&self) -> Digest {
        std::array::from_fn(|word| self.0[word].finish())
    }
}

/// What a type's `digest` shows a value to.
#[derive(Default)]
pub struct Digester {
    element: Element,
    is_open: bool,
    elements: u64,
    sum: Digest,
}

impl Digester {
    /// The next part of the present element.
    pub fn add(&mut self, part: &[u8]) {
        self.element.add(part);
        self.is_open = true;
    }

    /// The present element is complete.
    pub fn end(&mut self) {
        let done = std::mem::take(&mut self.element).finish();
        self.sum.iter_mut().zip(done).for_each(|(sum, one)| *sum = sum.wrapping_add(one));
        self.elements += 1;
        self.is_open = false;
    }

    /// The digest of a value of a type, of a key that expires or does not.
    pub fn finish(mut self, name: &[u8], expires: bool) -> Digest {
        if self.is_open {
            self.end();
        }
        let sum = self.sum.map(u64::to_le_bytes).concat();
        digest(&[name, &[u8::from(expires)], &self.elements.to_le_bytes(), &sum])
    }
}

impl Store {
    /// What tells a key's value from others. Fails as the type's `digest` or `save`.
    pub fn digest_value(&self, entry: EntryPtr) -> Result<Digest, Status> {
        let ty = self.types.get(entry.type_id());
        let name = ty.map_or("", |ty| &ty.name).as_bytes();
        let mut digester = Digester::default();
        let shown = ty.and_then(|ty| ty.table.digest).map_or(STATUS_UNSUPPORTED, |show| {
            let value = value_of(entry);
            // SAFETY: the value is of this type, and the digester lives for the call.
            unsafe { show(&raw const value, (&raw mut digester).cast()) }
        });
        match shown {
            STATUS_OK => {}
            STATUS_UNSUPPORTED => {
                digester = Digester::default();
                digester.add(&self.save_value_for(entry, Target::OWN, false)?);
            }
            status => return Err(status),
        }
        Ok(digester.finish(name, entry.has_expiry()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(elements: &[&[&[u8]]]) -> Digest {
        let mut digester = Digester::default();
        for element in elements {
            element.iter().for_each(|part| digester.add(part));
            digester.end();
        }
        digester.finish(b"type", false)
    }

    #[test]
    fn a_digest_depends_on_every_field_and_on_where_fields_end() {
        assert_eq!(hex(digest(&[b"a", b"b"])).len(), 40);
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"ab", b""]));
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"b", b"a"]));
        assert_eq!(hex(Digest::default()), "0".repeat(40));
    }

    #[test]
    fn the_order_of_elements_does_not_count_and_all_else_does() {
        let (a, b): (&[&[u8]], &[&[u8]]) = (&[b"a", b"1"], &[b"b", b"2"]);
        assert_eq!(of(&[a, b]), of(&[b, a]));
        assert_ne!(of(&[a, a]), of(&[b, b]), "equal ones do not cancel each other");
        assert_ne!(of(&[a, b]), of(&[&[b"a", b"2"], &[b"b", b"1"]]));
        assert_ne!(of(&[a, b]), of(&[&[b"a", b"1", b"b", b"2"]]));
        assert_ne!(of(&[]), of(&[&[]]));
    }
}
