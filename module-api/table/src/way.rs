//! Giving way: what a long walk on a thread that has time calls every few elements.
//!
//! How that is done is the host's to say; until somebody has said so, it is the system's yield.

use std::sync::OnceLock;

static HOW: OnceLock<fn()> = OnceLock::new();

/// Lets whoever shares this thread's core run, if that is called for. Cheap enough for every fifty
/// elements.
pub fn give_way() {
    HOW.get().copied().unwrap_or(std::thread::yield_now)();
}

/// Says how this library gives way; the first to say so is heard.
pub fn on_give_way(how: fn()) {
    let _ = HOW.set(how);
}
