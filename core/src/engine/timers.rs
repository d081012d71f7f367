//! Firing the timers of modules.

use crate::engine::server::Server;
use std::time::Instant;

impl Server {
    /// Fire the timers whose time has come; those that they start wait for the next turn.
    pub fn fire_timers(&mut self, now: Instant) {
        let last = self.registry.timers.last_id();
        while let Some(timer) = self.registry.timers.take_due(now, last) {
            self.call_module(timer.module, 0, |context| {
                // SAFETY: the module is loaded: its timers go with it.
                unsafe { (timer.fire.run)(context.as_call(), timer.data) }
            });
        }
    }
}
