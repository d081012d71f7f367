//! Lines of the configuration file that are more than a parameter: the safe side of `plinth.directives/1`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::abi::directives::{DirectiveRead, DirectiveWrite};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check, status_of};
use crate::panic::guard;
use crate::service::{Service, Table, face};
use std::marker::PhantomData;

pub use crate::abi::directives::{DIRECTIVES_SERVICE, DirectivesService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for DirectivesService {
    const ID: &'static str = DIRECTIVES_SERVICE;
}

/// What becomes of the lines of a name.
pub trait Directive: 'static {
    /// The name.
    const NAME: &'static str;
    /// A line of the file: its words behind the name. An error ends the load.
    fn read(call: &mut Call<'_>, words: &[&[u8]]) -> Result;
    /// All lines that the file is to have.
    fn write(call: &mut Call<'_>, out: &mut LineWriter<'_>);
}

/// Where lines go.
pub struct LineWriter<'w> {
    sink: Opaque,
    table: Table<'static, DirectivesService>,
    marker: PhantomData<&'w mut u8>,
}

impl LineWriter<'_> {
    /// A line: its words behind the name.
    pub fn line(&mut self, words: &[&[u8]]) {
        let words: Vec<Bytes> = words.iter().map(|word| Bytes::of(word)).collect();
        let words = Slice { items: words.as_ptr(), count: words.len() as u32, stride: size_of::<Bytes>() as u32 };
        // SAFETY: the sink is valid while lines are told; the words are borrowed for the call.
        unsafe { (self.table.function(|table| table.line))(self.sink, words) }
    }
}

face! {
    /// Lines of the file, for a module that requires [`DIRECTIVES_SERVICE`]. It lives as long as the module.
    Directives, DirectivesService
}

impl Directives {
    /// Takes over the lines of a name, reading those that there are; for `start`.
    pub fn claim<D: Directive>(&'static self, call: &mut Call<'_>) -> Result {
        let claim = self.handle.table()?.function(|table| table.claim);
        let name = Bytes::of(D::NAME.as_bytes());
        let (read, write) = (DirectiveRead { run: read::<D> }, DirectiveWrite { run: write::<D> });
        let data: *const Directives = self;
        // SAFETY: the call is valid; the name is borrowed for it, and `write` gets this static back.
        check(unsafe { claim(call.as_raw(), name, read, write, data.cast_mut().cast()) })
    }

    /// Writes the file anew. Fails with `None` when there is none, and with `Unsupported` when it cannot be
    /// written.
    pub fn rewrite(&self, call: &mut Call<'_>) -> Result {
        let rewrite = self.handle.table()?.function(|table| table.rewrite);
        // SAFETY: the call is valid.
        check(unsafe { rewrite(call.as_raw()) })
    }
}

unsafe extern "C" fn read<D: Directive>(raw: *mut abi::call::Call, words: Slice<Bytes>, _data: Opaque) -> Status {
    // SAFETY: the host lends the call and the words for this run.
    let (mut call, words) = unsafe {
        let words: Vec<&[u8]> = words.iter().map(|word| (*word).as_slice()).collect();
        (Call::from_raw(raw), words)
    };
    status_of(guard(|| D::read(&mut call, &words)).unwrap_or(Err(Error::Panic)))
}

unsafe extern "C" fn write<D: Directive>(raw: *mut abi::call::Call, sink: Opaque, data: Opaque) {
    debug_assert!(!data.is_null());
    // SAFETY: the host lends the call for this run, and hands back what `claim` gave it, a static.
    let (mut call, own) = unsafe { (Call::from_raw(raw), &*data.cast_const().cast::<Directives>()) };
    let Ok(table) = own.handle.table() else { return };
    guard(|| D::write(&mut call, &mut LineWriter { sink, table, marker: PhantomData }));
}
