//! The keys in which two RDB files differ.
//!
//! One file is read first: each key's name, when it expires, and a digest of its value stay in memory. Then
//! the other is held against it. A value is the same in any encoding; one that can only be compared as it is
//! written is not.

use crate::progress::Progress;
use crate::summary::shown;
use crate::value;
use plinth::durable::rdb::{Item, RdbError, RdbReader};
use plinth::durable::shape::pass_value;
use plinth::store::digest::{Digest, Digester};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// What is known of a key: when it expires, and its value.
type Known = (Option<i64>, Digest);

/// Prints the differences; whether there are none.
pub(crate) fn run(left: &Path, right: &Path) -> bool {
    let mut known: HashMap<(u64, Vec<u8>), Known> = HashMap::new();
    let mut differences = 0u64;
    let read = keys(left, |db, key, now| _ = known.insert((db, key.to_vec()), now));
    let read = read.map_err(|error| (left, error)).and_then(|()| {
        let compare = |db: u64, key: &[u8], (expires, digest): Known| {
            let what = match known.remove(&(db, key.to_vec())) {
                None => "only in the second file",
                Some((_, other)) if other != digest => "another value",
                Some((other, _)) if other != expires => "expires at another time",
                Some(_) => return,
            };
            differences += 1;
            println!("{db} {}: {what}", shown(key));
        };
        keys(right, compare).map_err(|error| (right, error))
    });
    if let Err((file, error)) = read {
        eprintln!("{}: {error}", file.display());
        return false;
    }
    let mut gone: Vec<_> = known.into_keys().collect();
    gone.sort_unstable();
    for (db, key) in &gone {
        println!("{db} {}: only in the first file", shown(key));
    }
    differences += gone.len() as u64;
    println!("{differences} keys differ");
    differences == 0
}

fn keys(file: &Path, mut take: impl FnMut(u64, &[u8], Known)) -> Result<(), RdbError> {
    let io = |error: std::io::Error| RdbError::File(error.into());
    let open = File::open(file).map_err(io)?;
    let size = open.metadata().map_err(io)?.len();
    let mut reader = RdbReader::open(Box::new(Progress::new(open, size)), Some(size), true)?;
    let mut db = 0;
    loop {
        match reader.next()? {
            Item::Select(number) => db = number,
            Item::Key(attributes, tag) => {
                let key = reader.key().to_vec();
                reader.window.keep();
                pass_value(&mut reader.window, tag)?;
                let digest = digest(tag, reader.window.take_kept());
                take(db, &key, (attributes.expire_at_ms, digest));
            }
            Item::End { .. } => return Ok(()),
            _ => {}
        }
    }
}

/// What a value is. One that is damaged within is its bytes.
fn digest(tag: u8, body: &[u8]) -> Digest {
    let mut digester = Digester::default();
    let shown = value::visit(tag, body, &mut |parts| {
        parts.iter().for_each(|part| digester.add(part));
        if !value::is_ordered(tag) {
            digester.end();
        }
    });
    if shown.is_err() {
        digester = Digester::default();
        digester.add(body);
    }
    digester.finish(value::kind(tag).as_bytes(), false)
}
