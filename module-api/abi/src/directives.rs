//! Service `plinth.directives/1`: lines of the configuration file that are more than a parameter: of several
//! words, and as many as there are things to be said.

use crate::bytes::{Bytes, Opaque, Slice};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Called for each line that the file and the command line have, in order, within `claim`. `words` are those behind the
/// name. With a status other than OK, or with an error that it has written to its reply, the load fails, and the
/// operator reads which line it was.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct DirectiveRead {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, words: Slice<Bytes>, data: Opaque) -> Status,
}

/// Called when the file is written anew: tells, by `line`, all lines that it is to have.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct DirectiveWrite {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, sink: Opaque, data: Opaque),
}

/// Id of the service below.
pub const DIRECTIVES_SERVICE: &str = "plinth.directives/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct DirectivesService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Take over the lines of a name, for as long as the module is loaded. For `start`.
    ///
    /// Thread: main. Borrow: `name` for the call, `data` until the module goes. Fails: `EXISTS` when it is a
    /// parameter's or somebody has it; what `read` has failed with.
    pub claim: unsafe extern "C" fn(
        call: *mut Call,
        name: Bytes,
        read: DirectiveRead,
        write: DirectiveWrite,
        data: Opaque,
    ) -> Status,
    /// Tell a line, within [`DirectiveWrite`]: its words behind the name, which are quoted where they need to be.
    ///
    /// Thread: main. Borrow: `words` for the call. Fails: never.
    pub line: unsafe extern "C" fn(sink: Opaque, words: Slice<Bytes>),
    /// Write the file anew, as CONFIG REWRITE does: whole or not at all, and on the disk when this returns. A
    /// line takes the place of one with the same first word, and where there is none it goes to the end.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` when the server has no file, `UNSUPPORTED` when it cannot be
    /// written; the log says why.
    pub rewrite: unsafe extern "C" fn(call: *mut Call) -> Status,
}
