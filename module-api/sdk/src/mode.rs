//! Making the server one of another kind: the safe side of `plinth.mode/1`.

use crate::abi;
use crate::abi::bytes::{Bytes, Slice};
use crate::call::Call;
use crate::command::Command;
use crate::error::{Result, check};
use crate::service::{Service, face};

pub use crate::abi::mode::{MODE_SERVICE, ModeService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for ModeService {
    const ID: &'static str = MODE_SERVICE;
}

/// What the server is to be. See `plinth_mode`.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Names of the commands that stay.
    pub commands: &'static [Bytes],
    /// Commands that take the place of others of their names.
    pub instead: &'static [Command],
    /// Names of the sections of INFO that are shown.
    pub sections: &'static [Bytes],
}

face! {
    /// What the server is, for a module that requires [`MODE_SERVICE`].
    Modes, ModeService
}

impl Modes {
    /// Makes the server one of this kind; for `start`. Fails with `Exists`.
    pub fn set(&self, call: &mut Call<'_>, kind: &Kind) -> Result {
        let set = self.handle.table()?.function(|table| table.set);
        let mode = abi::mode::Mode {
            size: size_of::<abi::mode::Mode>() as u32,
            reserved: 0,
            name: Bytes::new(kind.name),
            commands: Slice::new(kind.commands),
            instead: Slice::new(kind.instead),
            sections: Slice::new(kind.sections),
        };
        // SAFETY: the call is valid; the struct is borrowed for it, and what it names is constant.
        check(unsafe { set(call.as_raw(), &raw const mode) })
    }
}
