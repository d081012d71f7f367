//! Loading: base and increments, in order. Values of a base go straight into the databases, commands through
//! the engine.

use crate::base::log::plain;
use crate::durable::aof_manifest::Part;
use crate::durable::rdb::{MAGIC_BYTES, begins_as_rdb};
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::Persist;
use crate::persist::aof::Aof;
use crate::persist::aof::folder::Folder;
use crate::persist::aof::replay::{End, Replay};
use crate::persist::load::{self, Options, Serve};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Read the manifest, and load all that it names; `serve` is called now and then.
pub(super) fn load(server: &mut Server, aof: &mut Aof, serve: Serve<'_>) -> Result<(), String> {
    let Some(folder) = &aof.folder else { return Ok(()) };
    aof.manifest = folder.load()?;
    upgrade(server, aof)?;
    let Aof { folder: Some(folder), manifest, writer, .. } = aof else { return Ok(()) };
    let parts: Vec<Part> = manifest.parts().cloned().collect();
    let begun = Instant::now();
    writer.total_bytes = 0;
    let size = |part: &Part| std::fs::metadata(folder.part(&part.name)).map_or(0, |data| data.len());
    let sizes: Vec<u64> = parts.iter().map(size).collect();
    load::begin(server, sizes.iter().sum(), false);
    // A base that is a snapshot says another.
    server.propagation.units.loaded(None, server.store.dirty);
    server.is_quiet = true;
    server.observe();
    let result = parts.iter().enumerate().try_for_each(|(at, part)| {
        let kind = if manifest.base.as_ref() == Some(part) { "base" } else { "incr" };
        let mut loading =
            Loading { name: &part.name, path: folder.part(&part.name), kind, done: writer.total_bytes, serve };
        writer.total_bytes += loading.load(server, sizes[at + 1..].iter().all(|size| *size == 0))?;
        Ok(())
    });
    server.is_quiet = false;
    let dirty = server.store.dirty;
    server.propagation.units.counted_to = dirty;
    server.slots.with(|persist: &mut Persist| persist.saves.dirty = dirty);
    server.tick(crate::base::clock::ticks());
    load::end(server);
    server.observe();
    if result.is_ok() && !parts.is_empty() {
        let seconds = begun.elapsed().as_secs_f64();
        crate::base::log::notice(&format!("DB loaded from append only file: {seconds:.3} seconds"));
    }
    result
}

/// A file that is loaded.
struct Loading<'l> {
    name: &'l str,
    path: PathBuf,
    /// Whether it is the base or an increment, for the log.
    kind: &'static str,
    /// Bytes of the files before it.
    done: u64,
    serve: Serve<'l>,
}

impl Loading<'_> {
    /// Load it; its bytes.
    fn load(&mut self, server: &mut Server, is_last: bool) -> Result<u64, String> {
        let (name, begun) = (self.name, Instant::now());
        let failed =
            |error: std::io::Error| format!("Can't open the append only file {name} for reading: {}", plain(&error));
        let mut file = File::open(&self.path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let begin = self.load_preamble(server, &mut file, bytes)?;
        let (done, serve) = (self.done + begin, &mut *self.serve);
        let mut read_bytes = 0;
        let mut progress = |server: &mut Server, read: usize| {
            read_bytes += read as u64;
            load::report(server, done + read_bytes, serve)
        };
        let end = Replay::new(server, name, &mut progress).run(&mut file, begin).map_err(|error| error.to_string())?;
        drop(file);
        let bytes = match end {
            End::Whole => bytes,
            End::Cut(whole) => {
                cut_off(server, &self.path, name, whole, is_last)?;
                whole
            }
        };
        if bytes > 0 {
            let seconds = begun.elapsed().as_secs_f64();
            crate::base::log::notice(&format!("DB loaded from {} file {name}: {seconds:.3} seconds", self.kind));
        }
        Ok(bytes)
    }

    /// Load what stands as an RDB file before commands; where these begin.
    fn load_preamble(&mut self, server: &mut Server, file: &mut File, bytes: u64) -> Result<u64, String> {
        let mut head = [0; MAGIC_BYTES];
        let count = file.read_at(&mut head, 0).unwrap_or(0);
        if !begins_as_rdb(&head[..count]) {
            return Ok(0);
        }
        let failed = |error: &dyn std::fmt::Display| {
            format!("Error reading the RDB preamble of the append only file {}: {error}", self.name)
        };
        let own = file.try_clone().map_err(|error| failed(&error))?;
        let options = Options { keeps_expired: true, ..Options::default() };
        let loaded = load::load(server, own, Some(bytes), options, &mut *self.serve).map_err(|error| failed(&error))?;
        file.seek(SeekFrom::Start(loaded.bytes)).map_err(|error| failed(&error))
    }
}

/// A file ends within a unit: go on without what is not whole, if that is allowed.
fn cut_off(server: &Server, path: &Path, name: &str, whole: u64, is_last: bool) -> Result<(), String> {
    if !is_last {
        return Err(format!(
            "The append only file {name} ends within a command, at byte {whole}, and it is not the last file: \
             what follows would be run on other data"
        ));
    }
    if !server.settings.aof.load_truncated {
        return Err(format!(
            "Unexpected end of file reading the append only file {name}: what can be read ends at byte {whole}. \
             Make a copy of it, then use plinth-check aof --fix <filename.manifest>, or set 'aof-load-truncated' to yes"
        ));
    }
    crate::base::log::warning(&format!("!!! Warning: short read while loading the AOF file {name}!!!"));
    crate::base::log::warning(&format!("Truncating the AOF {name} at offset {whole}"));
    let failed = |error: std::io::Error| format!("Can't truncate the AOF {name}: {}", plain(&error));
    let file = server.disk.append(path).map_err(failed)?;
    server.disk.truncate(&file, whole).and_then(|()| server.disk.sync(&file)).map_err(failed)?;
    let note = format!("AOF {name} loaded anyway because aof-load-truncated is enabled");
    crate::base::log::warning(&note);
    Ok(())
}

/// Make the one file of an older server the base: the manifest names it first, then it is moved.
fn upgrade(server: &mut Server, aof: &mut Aof) -> Result<(), String> {
    let Aof { folder: Some(folder), manifest, .. } = aof else { return Ok(()) };
    let old = folder.single();
    let is_named = |part: &Part| part.name == folder.file();
    let is_half_way = manifest.increments.is_empty()
        && manifest.base.as_ref().is_some_and(is_named)
        && !folder.part(folder.file()).exists();
    if !old.is_file() || !manifest.is_empty() && !is_half_way {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("Can't migrate the AOF {} into its folder: {error}", old.display());
    if !is_half_way {
        manifest.base_seq = 1;
        manifest.base = Some(Part { name: folder.file().into(), seq: 1 });
        folder.save(&*server.disk, manifest).map_err(failed)?;
    }
    server.disk.rename(&old, &folder.part(folder.file())).map_err(failed)?;
    folder.sync(&*server.disk).map_err(failed)?;
    crate::base::log::notice(&format!("Successfully migrated an old-style AOF {} into its folder", folder.file()));
    Ok(())
}

/// DEBUG LOADAOF: what is in the files takes the place of what is in memory. The server ends if they cannot be loaded:
/// it would go on with half of the data, and write them over the whole.
pub fn reload(server: &mut Server) -> Result<(), String> {
    let mut aof = server.slots.take::<Aof>();
    let disk = server.disk.clone();
    let mut result = aof.writer.write(&disk);
    if result.is_ok() {
        // No FLUSHALL of a client's, so no snapshot is due for it.
        let was_quiet = std::mem::replace(&mut server.is_quiet, true);
        server.store.flush(None, false);
        server.record();
        server.is_quiet = was_quiet;
        beside::clear(server);
        aof.folder.get_or_insert_with(|| Folder::new(&server.settings));
        result = load(server, &mut aof, &mut |_| {});
        if let Err(error) = &result {
            crate::base::log::warning(error);
            crate::base::log::warning(
                "The AOF cannot be loaded, and memory is empty: exiting, with the files as they are.",
            );
            std::process::exit(1);
        }
    }
    server.slots.put(aof);
    result
}
