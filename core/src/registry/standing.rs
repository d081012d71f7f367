//! What rooms above let all others know of the server: why commands are refused.

/// Why commands are refused.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Data are being loaded.
    pub is_loading: bool,
    /// The last snapshot failed, and writes are to be refused then.
    pub snapshot_failed: bool,
    /// There are too few replicas that keep up.
    pub lacks_replicas: bool,
    /// Why the append-only file cannot be written, as an error.
    pub append_failed: Option<String>,
}

impl Standing {
    /// Whether there is a reason to refuse any.
    pub fn refuses(&self) -> bool {
        *self != Standing::default()
    }
}
