//! Signals: SIGTERM and SIGINT stop the server, SIGHUP and SIGPIPE are ignored.

use mio::Waker;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Whether a signal asked for a stop since the last call.
pub fn take_stop() -> bool {
    STOP.swap(false, Ordering::Relaxed)
}

/// Watch for signals on a thread of their own, which wakes the loop. A second signal
/// ends the process at once.
pub fn watch(waker: Arc<Waker>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let mut stops = 0;
        for signal in &mut signals {
            if signal == SIGHUP {
                continue;
            }
            stops += 1;
            if stops > 1 && signal == SIGINT {
                std::process::exit(1);
            }
            STOP.store(true, Ordering::Relaxed);
            let _ = waker.wake();
        }
    })?;
    Ok(())
}
