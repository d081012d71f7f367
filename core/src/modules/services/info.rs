//! `plinth.info/1`: fields of a module's section of INFO.

use crate::base::id::ModuleId;
use crate::engine::server::Server;
use crate::registry::modules::Module;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::call::Call;
use plinth_abi::info::{InfoService, SECTION_OF_HOST, Section};

/// What writes a section.
type Write = unsafe extern "C" fn(*mut Call, Opaque);

/// The table.
pub static TABLE: InfoService =
    InfoService { size: size_of::<InfoService>() as u32, reserved: 0, text, integer, double };

/// Where a section's fields go.
pub struct Sink {
    /// What stands before each name: the module's name and `_`, or nothing.
    pub prefix: String,
    /// The section's lines.
    pub text: String,
}

impl Sink {
    fn field(&mut self, name: &[u8], value: &str) {
        self.text.push_str(&format!("{}{}:{value}\r\n", self.prefix, String::from_utf8_lossy(name)));
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
    sink.field(name, &crate::wire::write::double_text(value));
}

/// Titles and lines of modules' sections of INFO, of those that are wanted: asked
/// for each with the names of its module and of itself, both in lower case.
pub fn module_sections(server: &mut Server, wanted: impl Fn(&str, &str) -> bool) -> Vec<(String, String)> {
    let mut chosen = Vec::new();
    for (module, section) in sections(server).filter(|(_, section)| section.flags & SECTION_OF_HOST == 0) {
        // SAFETY: a constant of a loaded module.
        let name = unsafe { crate::base::foreign::text(section.name) };
        let title = if name.is_empty() { module.name.clone() } else { format!("{}_{name}", module.name) };
        if wanted(&module.name.to_ascii_lowercase(), &title.to_ascii_lowercase()) {
            chosen.push((module.id, format!("{}_", module.name), title, section.write));
        }
    }
    let write = |(id, prefix, title, write)| Some((title, lines(server, id, prefix, write)?));
    chosen.into_iter().filter_map(write).collect()
}

/// Titles and lines of the sections of a module that has made the server what it is, under their own names.
pub fn sections_of_mode(server: &mut Server, module: ModuleId, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let own = sections(server).filter(|(one, section)| one.id == module && section.flags & SECTION_OF_HOST == 0);
    // SAFETY: a constant of a loaded module.
    let named =
        own.map(|(_, section)| (unsafe { crate::base::foreign::text(section.name) }.into_owned(), section.write));
    let chosen: Vec<_> = named.filter(|(name, _)| wanted(&name.to_ascii_lowercase())).collect();
    let write = |(title, write)| Some((title, lines(server, module, String::new(), write)?));
    chosen.into_iter().filter_map(write).collect()
}

/// The lines that modules add to a section of the host's.
pub fn module_fields(server: &mut Server, section: &str) -> String {
    // SAFETY: a constant of a loaded module.
    let is_here = |name| unsafe { crate::base::foreign::text(name) }.eq_ignore_ascii_case(section);
    let ours = sections(server).filter(|(_, one)| one.flags & SECTION_OF_HOST != 0 && is_here(one.name));
    let chosen: Vec<_> = ours.map(|(module, section)| (module.id, section.write)).collect();
    chosen.into_iter().filter_map(|(id, write)| lines(server, id, String::new(), write)).collect()
}

/// All sections that modules bring.
fn sections(server: &Server) -> impl Iterator<Item = (&Module, &Section)> {
    server.registry.modules.list.iter().flat_map(|module| module.sections.iter().map(move |section| (module, section)))
}

/// What a module writes for a section.
fn lines(server: &mut Server, id: ModuleId, prefix: String, write: Write) -> Option<String> {
    let mut sink = Sink { prefix, text: String::new() };
    server.call_module(id, 0, |context| {
        // SAFETY: the module is loaded, and call and sink live for the call.
        unsafe { write(context.as_call(), (&raw mut sink).cast()) };
    })?;
    Some(sink.text)
}
