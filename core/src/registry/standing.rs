//! What rooms above let all others know of the server: why commands are refused.

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
}
