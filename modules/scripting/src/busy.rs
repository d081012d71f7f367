//! Scripts that run for long.
//!
//! While a script runs nobody else is served: who asks for its end is answered when it has ended.

use crate::run::running;
use plinth_module::prelude::*;

/// SCRIPT KILL and FUNCTION KILL.
pub(crate) fn kill(call: &mut Call<'_>) -> Result {
    let text = if running().is_none() {
        "NOTBUSY No scripts in execution right now."
    } else {
        "UNKILLABLE the script that runs cannot be ended from within"
    };
    Err(call.reply.error(text))
}
