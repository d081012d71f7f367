//! Running other programs: the safe side of `plinth.process/1`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::abi::process::ProcessEnded;
use crate::call::Call;
use crate::error::{Result, check};
use crate::event_loop::{to_data, to_key};
use crate::panic::guard;
use crate::service::{Service, face};

pub use crate::abi::process::{PROCESS_SERVICE, ProcessService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for ProcessService {
    const ID: &'static str = PROCESS_SERVICE;
}

/// What is told of a program.
pub trait Program: 'static {
    /// It has ended with this code, or by a signal: minus its number. `key` is what it was run with.
    fn ended(call: &mut Call<'_>, process: u64, code: i32, key: u64);
}

face! {
    /// Programs, for a module that requires [`PROCESS_SERVICE`].
    Processes, ProcessService
}

impl Processes {
    /// Runs a program, of which `words` are the path and the arguments; its id. See `spawn` of
    /// [`ProcessService`].
    pub fn spawn<P: Program>(&self, call: &mut Call<'_>, words: &[&[u8]], key: u64) -> Result<u64> {
        let spawn = self.handle.table()?.function(|table| table.spawn);
        let words: Vec<Bytes> = words.iter().map(|word| Bytes::of(word)).collect();
        let words = Slice { items: words.as_ptr(), count: words.len() as u32, stride: size_of::<Bytes>() as u32 };
        let mut process = 0;
        // SAFETY: the call is valid; the words are borrowed for it, and the function gets a number.
        check(unsafe { spawn(call.as_raw(), words, ProcessEnded { run: ended::<P> }, to_data(key), &mut process) })?;
        Ok(process)
    }

    /// Sends a signal. Fails with `None` when the program has ended.
    pub fn signal(&self, call: &mut Call<'_>, process: u64, signal: i32) -> Result {
        let send = self.handle.table()?.function(|table| table.signal);
        // SAFETY: the call is valid.
        check(unsafe { send(call.as_raw(), process, signal) })
    }

    /// The number that the system has for a program. Fails with `None` when that has ended.
    pub fn pid(&self, call: &mut Call<'_>, process: u64) -> Result<u32> {
        let pid = self.handle.table()?.function(|table| table.pid);
        let mut number = 0;
        // SAFETY: the call is valid.
        check(unsafe { pid(call.as_raw(), process, &mut number) })?;
        Ok(number)
    }
}

unsafe extern "C" fn ended<P: Program>(raw: *mut abi::call::Call, process: u64, code: i32, data: Opaque) {
    // SAFETY: the host lends the call for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    guard(|| P::ended(&mut call, process, code, to_key(data)));
}
