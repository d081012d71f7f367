//! Parameters of what lasts: snapshots, what is read at the start, and the end.

use crate::settings::inert::base_name;
use crate::settings::parameters::Kind::{Bool, Custom, Integer};
use crate::settings::parameters::{INT_MAX, Parameter, Settings, one, parameter, reason};
use crate::settings::value;

/// Values of the parameters that concern files.
#[derive(Clone)]
pub struct Durability {
    /// When a snapshot is taken by itself.
    pub save: Vec<SavePoint>,
    /// Name of the snapshot's file.
    pub dbfilename: String,
    /// Put a checksum behind a file, and look at that of one that is read.
    pub rdbchecksum: bool,
    /// The version of the snapshot's format; one above it is written when the data need it.
    pub rdb_version: i64,
    /// Remove files that were made for a full sync only.
    pub rdb_del_sync_files: bool,
    /// Sync a file now and then while it is written.
    pub rdb_save_incremental_fsync: bool,
    /// Refuse writes when the last snapshot in the background failed.
    pub stop_writes_on_bgsave_error: bool,
    /// For tests: microseconds for each key that is saved; negative for one of so many keys.
    pub rdb_key_save_delay: i64,
    /// The same for each key that is loaded.
    pub key_load_delay: i64,
    /// Others are served each time that so many bytes were loaded.
    pub loading_process_events_interval_bytes: i64,
    /// How SIGINT stops the server.
    pub shutdown_on_sigint: Shutdown,
    /// How SIGTERM stops it.
    pub shutdown_on_sigterm: Shutdown,
}

/// A snapshot is due after so many seconds with so many changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SavePoint {
    /// Seconds.
    pub seconds: i64,
    /// Changes.
    pub changes: u64,
}

/// How the server is to stop.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Shutdown {
    /// With a snapshot, whether or not there are save points.
    pub save: bool,
    /// Without one.
    pub nosave: bool,
    /// Without waiting for replicas.
    pub now: bool,
    /// Whatever fails.
    pub force: bool,
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("save", Custom(get_save, set_save)).several(),
    parameter("dbfilename", Custom(|s| s.durability.dbfilename.clone(), set_file_name)).protected(),
    parameter("rdbchecksum", Bool(|s| &mut s.durability.rdbchecksum)).immutable(),
    parameter("rdb-version", Integer(|s| &mut s.durability.rdb_version, 9, 12)),
    parameter("rdb-del-sync-files", Bool(|s| &mut s.durability.rdb_del_sync_files)),
    parameter("rdb-save-incremental-fsync", Bool(|s| &mut s.durability.rdb_save_incremental_fsync)),
    parameter("stop-writes-on-bgsave-error", Bool(|s| &mut s.durability.stop_writes_on_bgsave_error)),
    parameter(
        "shutdown-on-sigint",
        Custom(
            |s| s.durability.shutdown_on_sigint.text(),
            |s, words| Shutdown::parse(words).map(|value| s.durability.shutdown_on_sigint = value),
        ),
    )
    .several(),
    parameter(
        "shutdown-on-sigterm",
        Custom(
            |s| s.durability.shutdown_on_sigterm.text(),
            |s, words| Shutdown::parse(words).map(|value| s.durability.shutdown_on_sigterm = value),
        ),
    )
    .several(),
    parameter("rdb-key-save-delay", Integer(|s| &mut s.durability.rdb_key_save_delay, i32::MIN as i64, INT_MAX))
        .hidden(),
    parameter("key-load-delay", Integer(|s| &mut s.durability.key_load_delay, i32::MIN as i64, INT_MAX)).hidden(),
    parameter(
        "loading-process-events-interval-bytes",
        Integer(|s| &mut s.durability.loading_process_events_interval_bytes, 1024, INT_MAX),
    )
    .hidden(),
];

impl Default for Durability {
    fn default() -> Durability {
        let point = |seconds, changes| SavePoint { seconds, changes };
        Durability {
            save: vec![point(3600, 1), point(300, 100), point(60, 10_000)],
            dbfilename: "dump.rdb".into(),
            rdbchecksum: true,
            rdb_version: 11,
            rdb_del_sync_files: false,
            rdb_save_incremental_fsync: true,
            stop_writes_on_bgsave_error: true,
            rdb_key_save_delay: 0,
            key_load_delay: 0,
            loading_process_events_interval_bytes: 2 << 20,
            shutdown_on_sigint: Shutdown::default(),
            shutdown_on_sigterm: Shutdown::default(),
        }
    }
}

fn get_save(settings: &Settings) -> String {
    let points = settings.durability.save.iter();
    points.map(|point| format!("{} {}", point.seconds, point.changes)).collect::<Vec<_>>().join(" ")
}

/// Pairs of seconds and changes; one empty word, or none, stands for no pair.
fn set_save(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let is_none = words.iter().all(Vec::is_empty) && words.len() < 2;
    let pairs = if is_none { &[] } else { words };
    let wrong = || "Invalid save parameters".to_owned();
    let number = |word: &[u8], min: i64| value::integer(word, min..=i64::MAX).map_err(|_| wrong());
    if !pairs.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let points = pairs
        .chunks(2)
        .map(|pair| Ok(SavePoint { seconds: number(&pair[0], 1)?, changes: number(&pair[1], 0)?.unsigned_abs() }));
    settings.durability.save = points.collect::<Result<_, String>>()?;
    Ok(())
}

fn set_file_name(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let name = value::text(one(words)?).map_err(reason)?;
    base_name("dbfilename", "filename", &name)?;
    settings.durability.dbfilename = name;
    Ok(())
}

impl Shutdown {
    /// As words of the parameter, or of SHUTDOWN.
    fn text(self) -> String {
        let names = [(self.save, "save"), (self.nosave, "nosave"), (self.now, "now"), (self.force, "force")];
        let set: Vec<&str> = names.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
        if set.is_empty() { "default".into() } else { set.join(" ") }
    }

    fn parse(words: &[Vec<u8>]) -> Result<Shutdown, String> {
        const NAMES: [&str; 5] = ["default", "save", "nosave", "now", "force"];
        let choices: Vec<(&str, usize)> = NAMES.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut parsed = Shutdown::default();
        if words.is_empty() {
            return Err(format!("argument(s) must be one of the following: {}", NAMES.join(", ")));
        }
        for word in words {
            match value::choice(word, &choices).map_err(reason)? {
                0 => {}
                1 => parsed.save = true,
                2 => parsed.nosave = true,
                3 => parsed.now = true,
                _ => parsed.force = true,
            }
        }
        if parsed.save && parsed.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::parameters::set_line as set;

    #[test]
    fn save_points_are_pairs_or_none() {
        assert_eq!(set("save", "60 1 5 0").as_deref(), Ok("60 1 5 0"));
        for none in ["", "''"] {
            assert_eq!(set("save", none).as_deref(), Ok(""));
        }
        for wrong in ["60", "0 1", "1 -1", "x 1", "1 2 3"] {
            assert_eq!(set("save", wrong).unwrap_err(), "Invalid save parameters", "{wrong}");
        }
    }

    #[test]
    fn ways_to_stop_are_shown_in_one_form() {
        assert_eq!(set("shutdown-on-sigterm", "FORCE now").as_deref(), Ok("now force"));
        assert_eq!(set("shutdown-on-sigint", "default").as_deref(), Ok("default"));
        for wrong in ["save nosave", "never", ""] {
            assert!(set("shutdown-on-sigterm", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_name_is_no_path() {
        assert_eq!(set("dbfilename", "a.rdb").as_deref(), Ok("a.rdb"));
        assert!(set("dbfilename", "a/b").is_err());
    }
}
