//! What rooms above let all others know of the server: why commands are refused.

/// Why commands are refused.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Data are being loaded.
    pub is_loading: bool,
    /// The last snapshot failed, and writes are to be refused then.
    pub snapshot_failed: bool,
}

impl Standing {
    /// Whether there is a reason to refuse any.
    pub fn refuses(&self) -> bool {
        *self != Standing::default()
    }
}
