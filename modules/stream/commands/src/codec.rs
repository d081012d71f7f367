//! The codec: the type `stream`, and its values in files and payloads.

use crate::storage::Storage;
use crate::stream::Stream;
use plinth_module::convert::Conversion;
use plinth_module::prelude::*;
use std::ffi::CStr;
use std::marker::PhantomData;

/// The tag of every stream, which is a box.
pub const BOXED: u32 = 0;

/// The type, over a storage.
pub struct StreamType<S>(PhantomData<S>);

impl<S: Storage> MixedType for StreamType<S> {
    type Boxed = Stream<S>;
    const NAME: &'static CStr = c"stream";
    const CONVERT: Option<Conversion<Stream<S>>> = Some(Conversion::new());

    fn save(_value: Stored<'_, Stream<S>>, _out: &mut Saver<'_>) {}

    fn load<'l>(_from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l, Stream<S>>> {
        Err(Error::BadData)
    }

    fn memory(value: &Stream<S>) -> usize {
        value.memory()
    }

    fn free_effort(value: &Stream<S>) -> usize {
        value.free_effort()
    }

    fn encoding_name(_value: Stored<'_, Stream<S>>) -> &'static str {
        "stream"
    }

    fn copy(value: &Stream<S>) -> Option<Stream<S>> {
        value.copy()
    }
}
