//! `plinth.info/1`: fields of a module's section of INFO.

use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::info::InfoService;

/// The table.
pub static TABLE: InfoService =
    InfoService { size: size_of::<InfoService>() as u32, reserved: 0, text, integer, double };

/// Where a section's fields go.
pub struct Sink {
    /// The module's name.
    pub module: String,
    /// The section's lines.
    pub text: String,
}

impl Sink {
    fn field(&mut self, name: &[u8], value: &str) {
        self.text.push_str(&format!("{}_{}:{value}\r\n", self.module, String::from_utf8_lossy(name)));
    }
}

// Every function below is called from a section's `write` with the sink that it was
// given, and with bytes valid for the call.

unsafe extern "C" fn text(sink: Opaque, name: Bytes, value: Bytes) {
    // SAFETY: see above.
    let (sink, name, value) = unsafe { (&mut *sink.cast::<Sink>(), name.as_slice(), value.as_slice()) };
    sink.field(name, &String::from_utf8_lossy(value).replace(['\r', '\n'], " "));
}

unsafe extern "C" fn integer(sink: Opaque, name: Bytes, value: i64) {
    // SAFETY: see above.
    let (sink, name) = unsafe { (&mut *sink.cast::<Sink>(), name.as_slice()) };
    sink.field(name, &value.to_string());
}

unsafe extern "C" fn double(sink: Opaque, name: Bytes, value: f64) {
    // SAFETY: see above.
    let (sink, name) = unsafe { (&mut *sink.cast::<Sink>(), name.as_slice()) };
    sink.field(name, &crate::resp::write::double_text(value));
}
