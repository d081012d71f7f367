//! Functions: their libraries' loading and going, and the calls, in whatever language.
//!
//! A library whose language is not there, which only a file can bring, stays as a source without functions until
//! somebody asks for one and the language has come.

use crate::command;
use crate::engine::{self, Failure, Task};
use crate::library::{Function, Header, Libraries, Library, SOURCE_BYTES_MAX, is_name};
use crate::permit;
use crate::registration::LUA;
use crate::run::{Name, Origin, running};
use crate::shebang;
use plinth_module::language::{Declared, Language, Served};
use plinth_module::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static LIBRARIES: Mutex<Option<Libraries>> = Mutex::new(None);

/// Let go of before anything of a library runs, and before functions are freed.
fn libraries() -> MutexGuard<'static, Option<Libraries>> {
    LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Do something with the libraries, which runs nobody's code.
pub(crate) fn with_libraries<R>(work: impl FnOnce(&mut Libraries) -> R) -> R {
    work(libraries().get_or_insert_default())
}

/// What becomes of a library whose language is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It is refused.
    Refused,
    /// It is kept as a source.
    Kept,
}

/// The name of a library's source, if there is a library of that name.
pub(crate) fn taken_name(source: &[u8]) -> Option<String> {
    let name = Header::of(source).ok()?.name;
    with_libraries(|libraries| libraries.get(&name).is_some()).then_some(name)
}

/// Load a library; its name.
pub(crate) fn load(
    call: &mut Call<'_>,
    source: &[u8],
    replaces: bool,
    absent: Absent,
) -> std::result::Result<String, Failure> {
    let fail = |text: String| Failure(text.into_bytes());
    let Header { engine, name } = Header::of(source).map_err(fail)?;
    if source.len() > SOURCE_BYTES_MAX {
        return Err(fail("ERR the library is too long".into()));
    }
    let language = language(call, &engine);
    if language.is_none() && absent == Absent::Refused {
        return Err(fail(format!("ERR Engine '{engine}' not found")));
    }
    if !replaces && with_libraries(|libraries| libraries.get(&name).is_some()) {
        return Err(fail(format!("ERR Library '{name}' already exists")));
    }
    let functions = match language {
        Some(language) => compile(call, &language, &name, source)?,
        None => Vec::new(),
    };
    let library = Library { engine: engine.to_ascii_lowercase(), source: source.to_vec(), functions };
    // The old one's functions are freed when the libraries have been let go of.
    let old = with_libraries(|libraries| libraries.put(name.clone(), library));
    drop(old);
    Ok(name)
}

/// The language of a name, in whatever case.
fn language(call: &Call<'_>, engine: &str) -> Option<Language> {
    if engine.eq_ignore_ascii_case("lua") {
        return Some(Language::own(&LUA));
    }
    if is_name(engine.as_bytes()) { Language::find(call, &engine.to_ascii_lowercase()) } else { None }
}

/// The functions of a source, none of which has the name of one that is there.
fn compile(
    call: &mut Call<'_>,
    language: &Language,
    name: &str,
    source: &[u8],
) -> std::result::Result<Vec<Function>, Failure> {
    let declared = language.compile(call, name.as_bytes(), source, &mut is_name).map_err(Failure)?;
    if declared.is_empty() {
        return Err(Failure(b"ERR No functions registered".to_vec()));
    }
    let functions: Vec<Function> = declared.into_iter().map(function).collect();
    match functions.iter().find(|one| with_libraries(|libraries| libraries.clash(&one.name, name))) {
        Some(clash) => Err(Failure(format!("ERR Function {} already exists", clash.name).into_bytes())),
        None => Ok(functions),
    }
}

fn function(declared: Declared) -> Function {
    Function {
        name: String::from_utf8_lossy(&declared.name).into_owned(),
        description: (!declared.description.is_empty()).then_some(declared.description),
        flags: declared.flags & shebang::ALL,
        compiled: Arc::new(declared.function),
    }
}

/// Compile the libraries whose languages have come by now. One that does not compile stays as it is.
pub(crate) fn revive(call: &mut Call<'_>) {
    let waiting: Vec<(String, String, Vec<u8>)> = with_libraries(|libraries| {
        let waiting = libraries.iter().filter(|(_, library)| library.functions.is_empty());
        waiting.map(|(name, one)| (name.clone(), one.engine.clone(), one.source.clone())).collect()
    });
    for (name, engine, source) in waiting {
        let Some(language) = language(call, &engine) else { continue };
        match compile(call, &language, &name, &source) {
            Ok(functions) => {
                with_libraries(|libraries| libraries.put(name, Library { engine, source, functions }));
            }
            Err(Failure(text)) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                call.log(LOG_WARNING, &format!("the library {name} stays without functions: {text}"));
            }
        }
    }
}

/// Whether there is a function, in a library that had to wait for its language too.
pub(crate) fn has_function(call: &mut Call<'_>, name: &str) -> bool {
    let found = || with_libraries(|libraries| libraries.function(name).is_some());
    if found() {
        return true;
    }
    revive(call);
    found()
}

/// Call a function for FCALL, which answers.
pub(crate) fn call_function(call: &mut Call<'_>, name: &str, keys: usize, reads: bool) -> Result {
    let found = with_libraries(|libraries| libraries.function(name).map(|one| (one.compiled.clone(), one.flags)));
    let Some((function, flags)) = found else { return Err(call.reply.error("ERR Function not found")) };
    permit::check(call, Some(flags), reads)?;
    let task =
        Task { origin: Origin::Function, name: Name::Function(name.to_owned()), flags: Some(flags), keys, reads };
    *running() = Some(engine::begin(&task));
    let flags = if reads { flags | shebang::NO_WRITES } else { flags };
    let served = Served { command: command::run_for_function, give_way: command::give_way_for_function };
    let result = function.call(call, name.as_bytes(), flags, (3, keys), served);
    running().take();
    result
}

/// Take a library out; whether it was there.
pub(crate) fn delete(name: &str) -> bool {
    let old = with_libraries(|libraries| libraries.remove(name));
    old.is_some()
}

/// Forget all libraries.
pub(crate) fn flush() {
    let gone = libraries().take();
    drop(gone);
}

/// What INFO shows: bytes of languages', bytes of ours, libraries, functions.
pub(crate) fn standing(call: &Call<'_>) -> (usize, usize, usize, usize) {
    let (names, bytes, (libraries, functions)) = with_libraries(|libraries| {
        let names: std::collections::BTreeSet<String> =
            libraries.iter().filter(|(_, one)| !one.functions.is_empty()).map(|(_, one)| one.engine.clone()).collect();
        (names, libraries.memory_bytes(), libraries.counts())
    });
    let memory = names.iter().filter_map(|name| language(call, name)).map(|language| language.memory(call) as usize);
    (memory.sum(), bytes, libraries, functions)
}
