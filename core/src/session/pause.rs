//! CLIENT PAUSE: until when clients wait, and for what.

/// CLIENT PAUSE.
#[derive(Clone, Copy)]
pub struct Pause {
    /// Unix time in ms.
    pub until_ms: i64,
    /// Whether reading commands go on.
    pub writes_only: bool,
}
