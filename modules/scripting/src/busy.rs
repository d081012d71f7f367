//! Scripts that run for long.

use crate::lua::{Lua, Outcome};

/// Some instructions have run.
pub(crate) fn on_count(_lua: Lua) -> Outcome {
    Ok(0)
}

use crate::run::{Origin, running};
use plinth_module::prelude::*;

/// SCRIPT KILL and FUNCTION KILL.
pub(crate) fn kill(call: &mut Call<'_>, _origin: Origin) -> Result {
    if running().is_none() {
        return Err(call.reply.error("NOTBUSY No scripts in execution right now."));
    }
    call.reply.ok();
    Ok(())
}
