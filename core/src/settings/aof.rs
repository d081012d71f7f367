//! Parameters of the append-only file.

use crate::settings::inert::file_name;
use crate::settings::parameters::Kind::{Bool, Choice, Custom, Integer, Memory};
use crate::settings::parameters::{INT_MAX, Parameter, Settings, one, parameter, reason};
use crate::settings::value;

/// Names of when commands are synced to the disk, as `appendfsync` has them.
pub const SYNC: &[&str] = &["everysec", "always", "no"];
/// Position of `everysec`: a thread syncs once a second.
pub const SYNC_EVERY_SECOND: usize = 0;
/// Position of `always`: before any reply leaves.
pub const SYNC_ALWAYS: usize = 1;

/// Values of the parameters.
#[derive(Clone)]
pub struct Aof {
    /// `appendonly`: commands are to be kept in files.
    pub is_wanted: bool,
    /// Position in [`SYNC`].
    pub sync: usize,
    /// Name from which those of the files are made.
    pub file: String,
    /// Name of the folder within `dir`.
    pub folder: String,
    /// Sync nothing while a child writes, so that both do not wait for one disk.
    pub no_sync_on_rewrite: bool,
    /// Rewrite when the files have grown by so many percent since the last time, 0 for never.
    pub rewrite_percent: i64,
    /// Rewrite by itself from so many bytes only.
    pub rewrite_bytes_min: i64,
    /// Write the base as an RDB file.
    pub preamble: bool,
    /// Load a last file that ends within a command, up to there.
    pub load_truncated: bool,
    /// Note the time between commands.
    pub timestamps: bool,
    /// Sync the base in steps while it is written.
    pub incremental_sync: bool,
    /// Leave files that are no longer needed, which tests look at.
    pub keeps_history: bool,
}

impl Default for Aof {
    fn default() -> Self {
        Aof {
            is_wanted: false,
            sync: SYNC_EVERY_SECOND,
            file: "appendonly.aof".into(),
            folder: "appendonlydir".into(),
            no_sync_on_rewrite: false,
            rewrite_percent: 100,
            rewrite_bytes_min: 64 << 20,
            preamble: true,
            load_truncated: true,
            timestamps: false,
            incremental_sync: true,
            keeps_history: false,
        }
    }
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("appendonly", Bool(|s| &mut s.aof.is_wanted)).rests(),
    parameter("appendfsync", Choice(|s| &mut s.aof.sync, SYNC)),
    parameter("appendfilename", Custom(|s| s.aof.file.clone(), set_file)).immutable(),
    parameter("appenddirname", Custom(|s| s.aof.folder.clone(), set_folder)).immutable(),
    parameter("no-appendfsync-on-rewrite", Bool(|s| &mut s.aof.no_sync_on_rewrite)),
    parameter("auto-aof-rewrite-percentage", Integer(|s| &mut s.aof.rewrite_percent, 0, INT_MAX)),
    parameter("auto-aof-rewrite-min-size", Memory(|s| &mut s.aof.rewrite_bytes_min, 0, i64::MAX)),
    parameter("aof-use-rdb-preamble", Bool(|s| &mut s.aof.preamble)),
    parameter("aof-load-truncated", Bool(|s| &mut s.aof.load_truncated)),
    parameter("aof-timestamp-enabled", Bool(|s| &mut s.aof.timestamps)),
    parameter("aof-rewrite-incremental-fsync", Bool(|s| &mut s.aof.incremental_sync)),
    parameter("aof-disable-auto-gc", Bool(|s| &mut s.aof.keeps_history)).hidden(),
];

fn text(words: &[Vec<u8>]) -> Result<String, String> {
    value::text(one(words)?).map_err(reason)
}

fn set_file(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let name = text(words)?;
    file_name("appendfilename", "filename", &name)?;
    settings.aof.file = name;
    Ok(())
}

fn set_folder(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let name = text(words)?;
    file_name("appenddirname", "dirname", &name)?;
    settings.aof.folder = name;
    Ok(())
}
