//! Channels of whichever module has them: the safe side of `plinth.bus/1`.
//!
//! ```
//! use plinth_module::bus::{BUS_SERVICE, Bus};
//! use plinth_module::prelude::*;
//!
//! static BUS: Bus = Bus::new();
//! const MODULE: Module = Module { requires: &[BUS_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     BUS.resolve(call)
//! }
//!
//! fn tell(call: &mut Call<'_>) -> Result {
//!     let text = call.args.bytes(1);
//!     let receivers = BUS.publish(call, b"news", text)?;
//!     call.reply.integer(receivers as i64);
//!     Ok(())
//! }
//! ```

use crate::abi::bytes::Bytes;
use crate::call::Call;
use crate::error::{Result, check};
use crate::service::{Service, face};

pub use crate::abi::bus::{BUS_SERVICE, BusService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for BusService {
    const ID: &'static str = BUS_SERVICE;
}

face! {
    /// Channels, for a module that requires [`BUS_SERVICE`].
    Bus, BusService
}

impl Bus {
    /// Sends a message to all who listen to a channel or to a pattern that fits it; how often it was sent.
    /// Fails with `OutOfMemory`, and with `Unsupported` when the handle was not resolved.
    pub fn publish(&self, call: &mut Call<'_>, channel: &[u8], message: &[u8]) -> Result<u64> {
        let publish = self.handle.table()?.function(|table| table.publish);
        let mut receivers = 0;
        // SAFETY: the call is valid; channel and message are borrowed for it.
        check(unsafe { publish(call.as_raw(), Bytes::of(channel), Bytes::of(message), &mut receivers) })?;
        Ok(receivers)
    }
}

/// What a module does that has channels.
pub trait BusProvider: 'static {
    /// Sends a message; how often it was sent. See `publish` of [`BusService`].
    fn publish(call: &mut Call<'_>, channel: &[u8], message: &[u8]) -> Result<u64>;
}

/// The table of a provider.
pub const fn table<P: BusProvider>() -> BusService {
    BusService { size: size_of::<BusService>() as u32, reserved: 0, publish: publish::<P> }
}

unsafe extern "C" fn publish<P: BusProvider>(
    call: *mut crate::abi::call::Call,
    channel: Bytes,
    message: Bytes,
    receivers_out: *mut u64,
) -> crate::abi::status::Status {
    // SAFETY: the caller lends the call, and the texts for it; the place is null or may be written.
    unsafe {
        crate::service::answer(call, |call| {
            let receivers = P::publish(call, channel.as_slice(), message.as_slice())?;
            if !receivers_out.is_null() {
                receivers_out.write(receivers);
            }
            Ok(())
        })
    }
}
