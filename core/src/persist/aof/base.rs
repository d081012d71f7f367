//! A base: all values at one moment, as an RDB file or as commands.

use crate::base::log::plain;
use crate::durable::disk::DiskFile;
use crate::durable::sink::Sink;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::snapshot::{self, Form};
use crate::store::entry::EntryPtr;
use crate::wire::command;
use bytes::BytesMut;
use plinth_abi::status::{STATUS_OK, Status};
use std::io;
use std::path::Path;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 20;

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
        write_commands(server, file, each)?
    };
    disk.sync(&file).map_err(failed)
}

/// Commands that make all values, key by key.
fn write_commands(server: &mut Server, file: DiskFile, mut each: impl FnMut()) -> Result<DiskFile, String> {
    let delay = server.settings.durability.rdb_key_save_delay;
    let sink = Sink::new(server.disk.clone(), file, false, server.settings.aof.incremental_sync);
    let mut out = Commands { sink, bytes: BytesMut::with_capacity(2 * WRITE_BYTES) };
    if server.settings.aof.timestamps {
        out.bytes.extend_from_slice(format!("#TS:{}\r\n", server.clock.now_s).as_bytes());
    }
    beside::rewrite(server, &mut |words| out.add(words))?;
    for db in 0..server.store.databases.len() as u32 {
        let entries = server.store.entries(db);
        if entries.is_empty() {
            continue;
        }
        out.add(&[b"SELECT", db.to_string().as_bytes()]);
        for entry in entries {
            add_entry(server, entry, &mut out)?;
            each();
            snapshot::delay(delay);
        }
    }
    out.write();
    out.sink.finish().map(|sunk| sunk.file).map_err(|error| plain(&error))
}

/// Commands on their way to the file. One that cannot be written is told of at the end.
struct Commands {
    sink: Sink,
    bytes: BytesMut,
}

impl Commands {
    /// Add a command; what has come together is written as soon as it is enough, however long a value goes on.
    fn add(&mut self, words: &[&[u8]]) -> Status {
        command::append(&mut self.bytes, words.iter().copied());
        if self.bytes.len() >= WRITE_BYTES {
            self.write();
        }
        STATUS_OK
    }

    fn write(&mut self) {
        self.sink.take(&self.bytes);
        self.bytes.clear();
    }
}

/// The commands that make a key with its value, and say when it expires.
fn add_entry(server: &mut Server, entry: EntryPtr, out: &mut Commands) -> Result<(), String> {
    server.store.rewrite_value(entry, &mut |words| out.add(words)).map_err(|status| {
        let key = server.store.shown_key(entry);
        format!("the value of '{key}' (type {}) cannot be written (status {status})", server.store.type_name(entry))
    })?;
    if entry.has_expiry() {
        let (key, expiry) = (server.store.key_of(entry), entry.expire_at_ms().to_string());
        out.add(&[b"PEXPIREAT", &key, expiry.as_bytes()]);
    }
    if out.sink.has_failed() {
        // The reason is told at the end, which need not be waited for.
        return Err(out.sink.error().map_or_else(String::new, plain));
    }
    Ok(())
}
