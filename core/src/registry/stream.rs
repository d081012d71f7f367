//! What is known of a primary's stream while one of its commands runs.

/// The stream of this server's primary.
#[derive(Default)]
pub struct Stream {
    /// Whether a command of it runs.
    pub is_running: bool,
    /// The time that it is, Unix time in ms, while it runs.
    pub now_ms: i64,
    /// Commands that answered with an error.
    pub errors: u64,
}
