//! INFO: sections that a module adds.
//!
//! ```
//! use plinth_module::prelude::*;
//!
//! static SECTIONS: [Section; 1] = [section("", |_call, out| out.integer("gauges", 3))];
//! ```

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::command::zero_sized;
use crate::host;
use crate::panic::guard;
use std::marker::PhantomData;

pub use crate::abi::info::{SECTION_OF_HOST, Section};

/// Where a section's fields go. Names get the module's name in front.
pub struct InfoWriter<'i> {
    sink: Opaque,
    marker: PhantomData<&'i mut u8>,
}

impl InfoWriter<'_> {
    /// A field with a text.
    pub fn text(&mut self, name: &str, value: &str) {
        // SAFETY: the sink is valid while the section is written; both texts are borrowed for it.
        unsafe { (host::info().text)(self.sink, Bytes::of(name.as_bytes()), Bytes::of(value.as_bytes())) }
    }

    /// A field with an integer.
    pub fn integer(&mut self, name: &str, value: i64) {
        // SAFETY: as in `text`.
        unsafe { (host::info().integer)(self.sink, Bytes::of(name.as_bytes()), value) }
    }

    /// A field with a double.
    pub fn double(&mut self, name: &str, value: f64) {
        // SAFETY: as in `text`.
        unsafe { (host::info().double)(self.sink, Bytes::of(name.as_bytes()), value) }
    }
}

/// A section, from a safe function or a closure that captures nothing. It is shown under
/// `<module>_<name>`, or just `<module>` without a name.
pub const fn section<F>(name: &'static str, _write: F) -> Section
where
    F: Fn(&mut Call<'_>, &mut InfoWriter<'_>) + Copy + 'static,
{
    const { assert!(size_of::<F>() == 0, "a section's function captures nothing") };
    Section { size: size_of::<Section>() as u32, flags: 0, name: Bytes::new(name), write: write::<F> }
}

/// Fields for the host's section of this name, such as `stats`, from a function as in [`section`].
/// They are shown at its end, under their own names without the module's.
pub const fn fields_of<F>(host_section: &'static str, write: F) -> Section
where
    F: Fn(&mut Call<'_>, &mut InfoWriter<'_>) + Copy + 'static,
{
    Section { flags: SECTION_OF_HOST, ..section(host_section, write) }
}

unsafe extern "C" fn write<F>(raw: *mut abi::call::Call, sink: Opaque)
where
    F: Fn(&mut Call<'_>, &mut InfoWriter<'_>) + Copy + 'static,
{
    // SAFETY: the host hands over its call and a sink, both for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    guard(|| zero_sized::<F>()(&mut call, &mut InfoWriter { sink, marker: PhantomData }));
}
