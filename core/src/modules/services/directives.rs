//! `plinth.directives/1`: lines of the configuration file that are more than a parameter.

use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::registry::directives::Claim;
use crate::settings::rewrite::{Said, word};
use plinth_abi::bytes::{Bytes, Opaque, Slice};
use plinth_abi::call::Call;
use plinth_abi::directives::{DirectiveRead, DirectiveWrite, DirectivesService};
use plinth_abi::status::{STATUS_EXISTS, STATUS_NONE, STATUS_OK, STATUS_UNSUPPORTED, Status};

/// The table.
pub static TABLE: DirectivesService =
    DirectivesService { size: size_of::<DirectivesService>() as u32, reserved: 0, claim, line, rewrite };

/// Where lines go.
struct Sink {
    name: String,
    said: Vec<Said>,
}

/// What a line is about: lines of one name and one first word take each other's places in the file.
pub fn line_key(name: &str, words: &[Vec<u8>]) -> String {
    let first = words.first().map(|word| String::from_utf8_lossy(word).to_ascii_lowercase());
    format!("{name} {}", first.unwrap_or_default())
}

// Every function below is called by a loaded module with the call that runs, or the sink that it was given, and
// with bytes that are valid for it.

unsafe extern "C" fn claim(
    call: *mut Call,
    name: Bytes,
    read: DirectiveRead,
    write: DirectiveWrite,
    data: Opaque,
) -> Status {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), crate::base::foreign::text(name).to_ascii_lowercase()) };
    let module = context.module;
    let server = context.server();
    if server.parameter_exists(&name) || server.registry.directives.claim(&name).is_some() {
        return STATUS_EXISTS;
    }
    server.registry.directives.claims.push(Claim { module, name: name.clone(), write, data });
    server.registry.waiting_parameters.retain(|(given, _)| *given != name);
    for line in server.registry.directives.take_lines(&name) {
        let words: Vec<Bytes> = line.args.iter().map(|word| Bytes::of(word)).collect();
        let words = Slice { items: words.as_ptr(), count: words.len() as u32, stride: size_of::<Bytes>() as u32 };
        // SAFETY: the module is being loaded, and the words live for the call.
        let status = unsafe { (read.run)(call, words, data) };
        if status != STATUS_OK {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            crate::base::log::warning(&format!("Line {} of the configuration: {text}", line.line));
            return status;
        }
    }
    STATUS_OK
}

unsafe extern "C" fn line(sink: Opaque, words: Slice<Bytes>) {
    // SAFETY: see above.
    let sink = unsafe { &mut *sink.cast::<Sink>() };
    // SAFETY: see above.
    let words: Vec<Vec<u8>> = words.iter().map(|at| unsafe { (*at).as_slice() }.to_vec()).collect();
    let mut line = sink.name.clone().into_bytes();
    for text in &words {
        line.push(b' ');
        word(text, &mut line);
    }
    let name = line_key(&sink.name, &words);
    match sink.said.iter_mut().find(|said| said.name == name) {
        Some(said) => said.lines.push((line, true)),
        None => sink.said.push(Said { name, lines: vec![(line, true)] }),
    }
}

unsafe extern "C" fn rewrite(call: *mut Call) -> Status {
    // SAFETY: see above.
    let server = unsafe { Context::of(call) }.server();
    if server.config_file.as_os_str().is_empty() {
        return STATUS_NONE;
    }
    match server.lists.rewrite.map(|rewrite| rewrite(server, false)) {
        None => STATUS_NONE,
        Some(Ok(())) => STATUS_OK,
        Some(Err(error)) => {
            let text = crate::base::log::plain(&error);
            crate::base::log::warning(&format!("Rewriting the configuration file failed: {text}"));
            STATUS_UNSUPPORTED
        }
    }
}

/// The lines of all names that modules have.
pub fn module_lines(server: &mut Server) -> Vec<Said> {
    let claims = server.registry.directives.claims.clone();
    let lines = |claim: Claim| {
        let mut sink = Sink { name: claim.name, said: Vec::new() };
        server.call_module(claim.module, 0, |context| {
            // SAFETY: the module is loaded, and call and sink live for the call.
            unsafe { (claim.write.run)(context.as_call(), (&raw mut sink).cast(), claim.data) };
        });
        sink.said
    };
    claims.into_iter().flat_map(lines).collect()
}
