//! A base: all values at one moment, as an RDB file or as commands.

use crate::base::log::plain;
use crate::durable::disk::{Disk, DiskFile};
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::snapshot::{self, Form};
use crate::store::entry::EntryPtr;
use crate::wire::command;
use bytes::BytesMut;
use plinth_abi::status::STATUS_OK;
use std::io;
use std::path::Path;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 20;
/// Bytes between two syncs with `aof-rewrite-incremental-fsync`.
const SYNC_BYTES: usize = 4 << 20;

/// Whether a base begins with values in the form of an RDB file: if it is to, or if there is something beside
/// keys that no command brings about.
pub fn has_preamble(server: &Server) -> bool {
    server.settings.aof.preamble || !beside::has_commands(server)
}

/// Write a base into a file of this name, which lasts then but for its name; `each` is told of each key.
/// Fails with the reason; what is in the file is of no use then.
pub fn write(server: &mut Server, path: &Path, preamble: bool, each: impl FnMut()) -> Result<(), String> {
    let disk = server.disk.clone();
    let failed = |error: io::Error| format!("{}: {}", path.display(), plain(&error));
    let file = disk.create(path).map_err(failed)?;
    let file = if preamble {
        let form = Form::of_base(server);
        snapshot::write(server, file, &form, each).map_err(|error| error.to_string())?.file
    } else {
        write_commands(server, &file, each)?;
        file
    };
    disk.sync(&file).map_err(failed)
}

/// Commands that make all values, key by key.
fn write_commands(server: &mut Server, file: &DiskFile, mut each: impl FnMut()) -> Result<(), String> {
    let (disk, delay) = (server.disk.clone(), server.settings.durability.rdb_key_save_delay);
    let mut out = Out { disk: &*disk, file, bytes: BytesMut::with_capacity(2 * WRITE_BYTES), unsynced: 0 };
    let syncs = server.settings.aof.incremental_sync;
    if server.settings.aof.timestamps {
        out.bytes.extend_from_slice(format!("#TS:{}\r\n", server.clock.now_s).as_bytes());
    }
    let mut append = |words: &[&[u8]]| {
        command::append(&mut out.bytes, words.iter().copied());
        STATUS_OK
    };
    beside::rewrite(server, &mut append)?;
    for db in 0..server.store.databases.len() as u32 {
        let entries = server.store.entries(db);
        if entries.is_empty() {
            continue;
        }
        let digits = db.to_string();
        command::append(&mut out.bytes, [&b"SELECT"[..], digits.as_bytes()].into_iter());
        for entry in entries {
            append_entry(server, entry, &mut out.bytes)?;
            each();
            snapshot::delay(delay);
            if out.bytes.len() >= WRITE_BYTES {
                out.write(syncs).map_err(|error| plain(&error))?;
            }
        }
    }
    out.write(syncs).map_err(|error| plain(&error))
}

/// Commands on their way to the file.
struct Out<'a> {
    disk: &'a dyn Disk,
    file: &'a DiskFile,
    bytes: BytesMut,
    unsynced: usize,
}

impl Out<'_> {
    fn write(&mut self, syncs: bool) -> io::Result<()> {
        self.disk.write_all(self.file, &self.bytes)?;
        self.unsynced += self.bytes.len();
        self.bytes.clear();
        if syncs && self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.disk.sync(self.file)?;
        }
        Ok(())
    }
}

/// The commands that make a key with its value, and say when it expires.
fn append_entry(server: &mut Server, entry: EntryPtr, out: &mut BytesMut) -> Result<(), String> {
    let mut append = |words: &[&[u8]]| {
        command::append(out, words.iter().copied());
        STATUS_OK
    };
    server.store.rewrite_value(entry, &mut append).map_err(|status| {
        let key = server.store.key_of(entry);
        format!("the value of '{}' cannot be written (status {status})", String::from_utf8_lossy(&key))
    })?;
    if entry.has_expiry() {
        let (key, expiry) = (server.store.key_of(entry), entry.expire_at_ms().to_string());
        command::append(out, [&b"PEXPIREAT"[..], &key, expiry.as_bytes()].into_iter());
    }
    Ok(())
}
