//! What rooms above let all others know of the server: why commands are refused.

/// What a write is answered when the last snapshot failed.
const NOT_SAVED: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";
/// What is answered while data are being loaded.
pub const LOADING: &str = "LOADING Redis is loading the dataset in memory";
/// What one is answered when too few replicas keep up.
pub const LACKS_REPLICAS: &str = "NOREPLICAS Not enough good replicas to write.";

/// A command that takes long, and has others served meanwhile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Busy {
    /// What is answered to what does not run meanwhile.
    pub refusal: String,
    /// The client whose command it is.
    pub client: Option<usize>,
    /// Whether it is to end.
    pub ends: bool,
}

/// Why commands are refused.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Data are being loaded.
    pub is_loading: bool,
    /// They are loaded beside the old ones, which are served meanwhile.
    pub serves_old: bool,
    /// The last snapshot failed, and writes are to be refused then.
    pub snapshot_failed: bool,
    /// There are too few replicas that keep up.
    pub lacks_replicas: bool,
    /// Why the append-only file cannot be written, as an error.
    pub append_failed: Option<String>,
    /// A command that takes long serves others now.
    pub busy: Option<Busy>,
}

impl Standing {
    /// Whether there is a reason to refuse any.
    pub fn refuses(&self) -> bool {
        *self != Standing::default()
    }

    /// What writes are answered when the disk is the reason.
    pub fn disk_refusal(&self) -> Option<&str> {
        self.snapshot_failed.then_some(NOT_SAVED).or(self.append_failed.as_deref())
    }

    /// What a script's write is answered: where the disk, or too few replicas, are the reason.
    pub fn write_refusal(&self) -> Option<&str> {
        self.disk_refusal().or(self.lacks_replicas.then_some(LACKS_REPLICAS))
    }
}
