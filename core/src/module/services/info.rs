//! `plinth.info/1`: fields of a module's section of INFO.

use crate::server::Server;
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

impl Server {
    /// Titles and lines of modules' sections of INFO, of those that are wanted: asked
    /// for each with the names of its module and of itself, both in lower case.
    pub fn module_sections(&mut self, wanted: impl Fn(&str, &str) -> bool) -> Vec<(String, String)> {
        let mut chosen = Vec::new();
        for module in &self.modules.list {
            for section in &module.sections {
                // SAFETY: a constant of a loaded module.
                let name = unsafe { crate::command::table::text(section.name) };
                let title = if name.is_empty() { module.name.clone() } else { format!("{}_{name}", module.name) };
                if wanted(&module.name.to_ascii_lowercase(), &title.to_ascii_lowercase()) {
                    chosen.push((module.id, module.name.clone(), title, section.write));
                }
            }
        }
        let write = |(id, module, title, write): (_, String, String, unsafe extern "C" fn(_, _))| {
            let mut sink = Sink { module, text: String::new() };
            self.call_module(id, 0, |context| {
                // SAFETY: the module is loaded, and call and sink live for the call.
                unsafe { write(&raw mut context.call, (&raw mut sink).cast()) };
            })?;
            Some((title, sink.text))
        };
        chosen.into_iter().filter_map(write).collect()
    }
}
