//! DEBUG DIGEST: 160 bits that tell two data sets apart, whatever the order of keys.
//!
//! Each key adds, by exclusive or, a hash of its database, its name, whether it
//! expires, and its value as DUMP writes it. So two servers agree when their values
//! are written alike; a type that writes equal values in different orders is told
//! apart from itself.

use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::store::entry::EntryPtr;
use plinth_abi::status::{STATUS_OK, Status};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A digest, in words of which the last is cut in half when shown.
type Digest = [u64; 3];

/// Hash of some fields, the length of each included.
fn digest(fields: &[&[u8]]) -> Digest {
    std::array::from_fn(|word| {
        let mut hasher = SipHasher13::new_with_keys(word as u64, 0x9e37_79b9_7f4a_7c15);
        for field in fields {
            hasher.write_u64(field.len() as u64);
            hasher.write(field);
        }
        hasher.finish()
    })
}

fn add(sum: &mut Digest, one: Digest) {
    sum.iter_mut().zip(one).for_each(|(sum, one)| *sum ^= one);
}

fn hex(digest: Digest) -> String {
    format!("{:016x}{:016x}{:08x}", digest[0], digest[1], digest[2] >> 32)
}

fn value_digest(server: &mut Server, entry: EntryPtr) -> Digest {
    let body = server.store.save_value(entry).unwrap_or_default();
    digest(&[&[u8::from(entry.has_expiry())], &body])
}

fn data_digest(server: &mut Server) -> Digest {
    let mut sum = Digest::default();
    for db in 0..server.store.databases.len() {
        let mut entries = Vec::new();
        server.store.databases[db].table.for_each(|entry, _| entries.push(entry));
        for entry in entries {
            let value = value_digest(server, entry).map(u64::to_le_bytes).concat();
            // SAFETY: nothing runs between here and the walk over the table that gave
            // the entry.
            let key = unsafe { entry.key() };
            add(&mut sum, digest(&[&(db as u64).to_le_bytes(), key, &value]));
        }
    }
    sum
}

pub(super) fn all(context: &mut Context) -> Status {
    let text = hex(data_digest(context.server()));
    context.reply().simple(&text);
    STATUS_OK
}

pub(super) fn values(context: &mut Context) -> Status {
    let keys: Vec<&[u8]> = (2..context.argc()).map(|at| context.arg(at)).collect();
    let db = context.db as usize;
    context.reply().array(keys.len());
    for key in keys {
        let server = context.server();
        let hash = server.store.hash(key);
        let found = server.store.databases[db].find(hash, key);
        let text = hex(found.map_or(Digest::default(), |entry| value_digest(server, entry)));
        context.reply().simple(&text);
    }
    STATUS_OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_every_field_and_on_where_fields_end() {
        assert_eq!(hex(digest(&[b"a", b"b"])).len(), 40);
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"ab", b""]));
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"b", b"a"]));
        assert_eq!(hex(Digest::default()), "0".repeat(40));
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let (mut one, mut other) = (Digest::default(), Digest::default());
        let keys = [digest(&[b"x"]), digest(&[b"y"]), digest(&[b"z"])];
        keys.iter().for_each(|key| add(&mut one, *key));
        keys.iter().rev().for_each(|key| add(&mut other, *key));
        assert_eq!(one, other);
    }
}
