//! DEBUG DIGEST, DIGEST-VALUE and REWRITE: what values are, told apart from what they are kept in.
//!
//! A digest is 160 bits that tell two data sets apart, whatever the order of keys. Each key adds, by
//! exclusive or, a hash of its database, its name, whether it expires, and its value's digest
//! (`store::digest`). So two servers agree when they have the same data, in whichever encodings and by
//! whichever modules.

use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::store::digest::{self, Digest, hex};
use plinth_abi::status::{STATUS_OK, Status};

fn add(sum: &mut Digest, one: Digest) {
    sum.iter_mut().zip(one).for_each(|(sum, one)| *sum ^= one);
}

fn data_digest(server: &Server) -> Result<Digest, Status> {
    let mut sum = Ok(Digest::default());
    for (db, database) in server.store.databases.iter().enumerate() {
        database.table.for_each(|entry, _| {
            let Ok(sum_so_far) = &mut sum else { return };
            match server.store.digest_value(entry) {
                Ok(value) => {
                    let value = value.map(u64::to_le_bytes).concat();
                    let key = server.store.key_of(entry);
                    add(sum_so_far, digest::digest(&[&(db as u64).to_le_bytes(), &key, &value]));
                }
                Err(status) => sum = Err(status),
            }
        });
    }
    sum
}

pub(super) fn digest(context: &mut Context) -> Status {
    match data_digest(context.server()) {
        Ok(digest) => {
            context.reply().simple(&hex(digest));
            STATUS_OK
        }
        Err(status) => status,
    }
}

pub(super) fn digests(context: &mut Context) -> Status {
    let keys: Vec<&[u8]> = (2..context.argc()).map(|at| context.arg(at)).collect();
    let db = context.db as usize;
    let mut digests = Vec::with_capacity(keys.len());
    for key in keys {
        let store = &context.server().store;
        let found = store.databases[db].find(store.hash(key), key);
        match found.map_or(Ok(Digest::default()), |entry| store.digest_value(entry)) {
            Ok(digest) => digests.push(digest),
            Err(status) => return status,
        }
    }
    let mut reply = context.reply();
    reply.array(digests.len());
    digests.into_iter().for_each(|digest| reply.simple(&hex(digest)));
    STATUS_OK
}

/// The commands that make a key's value anew.
pub(super) fn rewrite(context: &mut Context) -> Status {
    let (db, key) = (context.db as usize, context.arg(2));
    let store = &context.server().store;
    let Some(entry) = store.databases[db].find(store.hash(key), key) else {
        return context.error("ERR no such key");
    };
    let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
    let rewritten = store.rewrite_value(entry, &mut |words| {
        commands.push(words.iter().map(|word| word.to_vec()).collect());
        STATUS_OK
    });
    if let Err(status) = rewritten {
        return status;
    }
    let mut reply = context.reply();
    reply.array(commands.len());
    for command in commands {
        reply.array(command.len());
        command.iter().for_each(|word| reply.bulk(word));
    }
    STATUS_OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let (mut one, mut other) = (Digest::default(), Digest::default());
        let keys = [digest::digest(&[b"x"]), digest::digest(&[b"y"]), digest::digest(&[b"z"])];
        keys.iter().for_each(|key| add(&mut one, *key));
        keys.iter().rev().for_each(|key| add(&mut other, *key));
        assert_eq!(one, other);
    }
}
