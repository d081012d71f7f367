//! Functions in Rhai: a language brought by a module, as `plinth.language.rhai/1`.
//!
//! ```text
//!   FUNCTION LOAD ──> compile: source to AST, each public function of (keys, args) declared
//!   FCALL ──> call ──> the AST's function ──> run("GET", key) ──> a command of the server
//! ```
//!
//! What a library may do the README says. Positions in errors are those in the source, the first line of which is the
//! one that names language and library.
#![deny(unsafe_code)]

use plinth_module::host::log;
use plinth_module::language::{
    FUNCTION_NO_WRITES, FunctionCall, LanguageProvider, LanguageService, Source, lent, provided_language, table,
};
use plinth_module::prelude::*;
use plinth_module::replied::Replied;
use plinth_module::reply::ReplyBuffer;
use plinth_module::run::RUN_RESP3;
use rhai::{AST, Array, Blob, Dynamic, Engine, EvalAltResult, FnAccess, INT, Map, Scope};
use std::any::TypeId;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};

/// Most operations of a library that is loaded.
const OPERATIONS_MAX: u64 = 10_000_000;
/// Operations of a run between two looks at whether others want to be served.
const OPERATIONS_PER_LOOK: u64 = 10_000;
/// Deepest calls.
const CALLS_MAX: usize = 64;
/// Longest text in bytes, and most elements of arrays and maps.
const SIZE_MAX: usize = 1 << 20;
/// Most words that `run` takes one by one.
const WORDS_MAX: usize = 8;

/// Bytes of all sources, about four of which Rhai has in memory for each.
static SOURCE_BYTES: AtomicU64 = AtomicU64::new(0);

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new();
    engine.set_max_call_levels(CALLS_MAX).set_max_expr_depths(64, 32).on_progress(look);
    engine.set_max_string_size(SIZE_MAX).set_max_array_size(SIZE_MAX).set_max_map_size(SIZE_MAX);
    engine.on_print(|text| log(LOG_NOTICE, text));
    engine.on_debug(|text, _, position| log(LOG_DEBUG, &format!("{position}: {text}")));
    for words in 1..=WORDS_MAX {
        let types = vec![TypeId::of::<Dynamic>(); words];
        engine.register_raw_fn("run", types, |_, words| run_command(words));
    }
    engine
});

/// Serve others from time to time while a function runs; a value when it is to end.
fn look(operations: u64) -> Option<Dynamic> {
    if !operations.is_multiple_of(OPERATIONS_PER_LOOK) {
        return None;
    }
    match lent(|call, run| run.give_way(call)) {
        Some(ends) => ends.then_some("killed by FUNCTION KILL".into()),
        None => (operations > OPERATIONS_MAX).then_some("too many operations".into()),
    }
}

/// A library, for as long as one of its functions is there.
struct Library {
    ast: AST,
    bytes: u64,
}

impl Drop for Library {
    fn drop(&mut self) {
        SOURCE_BYTES.fetch_sub(self.bytes, Relaxed);
    }
}

/// A function of a library.
struct Function {
    library: Arc<Library>,
    name: String,
}

enum Rhai {}

impl LanguageProvider for Rhai {
    type Function = Function;

    fn compile(_call: &mut Call<'_>, source: &mut Source<'_, Function>) -> std::result::Result<(), Vec<u8>> {
        let text = std::str::from_utf8(source.text()).map_err(|_| b"ERR the library is not UTF-8".to_vec())?;
        // Without its words the first line still counts.
        let body = text.find('\n').map_or("", |end| &text[end..]);
        let ast = ENGINE.compile(body).map_err(|error| line(&format!("Error compiling function: {error}")))?;
        let mut scope = Scope::new();
        ENGINE
            .run_ast_with_scope(&mut scope, &ast)
            .map_err(|error| line(&format!("Error registering functions: {error}")))?;
        let no_writes = scope.get_value::<Array>("no_writes").unwrap_or_default();
        let bytes = body.len() as u64;
        SOURCE_BYTES.fetch_add(bytes, Relaxed);
        let library = Arc::new(Library { ast, bytes });
        for function in library.ast.iter_functions() {
            if function.access == FnAccess::Private || function.params.len() != 2 {
                continue;
            }
            let name = function.name.to_owned();
            let reads =
                no_writes.iter().any(|one| one.read_lock::<rhai::ImmutableString>().is_some_and(|one| *one == name));
            let flags = if reads { FUNCTION_NO_WRITES } else { 0 };
            let made = Function { library: library.clone(), name: name.clone() };
            source.declare(name.as_bytes(), b"", flags, made).map_err(|error| line(&error.to_string()))?;
        }
        Ok(())
    }

    fn call(call: &mut Call<'_>, function: &Function, run: &FunctionCall<'_>) -> Result {
        let keys: Array = run.keys().map(value_of_bytes).collect();
        let args: Array = run.args().map(value_of_bytes).collect();
        let result = run.lend(call, || {
            ENGINE.call_fn::<Dynamic>(&mut Scope::new(), &function.library.ast, &function.name, (keys, args))
        });
        match result {
            Ok(value) => {
                write(&mut call.reply, &value);
                Ok(())
            }
            Err(error) => Err(call.reply.error(error_text(&error, &function.name))),
        }
    }

    fn memory() -> u64 {
        SOURCE_BYTES.load(Relaxed) * 4
    }
}

/// An error in one line, with its code.
fn line(text: &str) -> Vec<u8> {
    format!("ERR {}", text.replace(['\r', '\n'], " ")).into_bytes()
}

/// What a caller reads of an error: one of a command, or a text that was thrown with a code, begins with that.
fn error_text(error: &EvalAltResult, function: &str) -> Vec<u8> {
    let mut inner = error;
    while let EvalAltResult::ErrorInFunctionCall(_, _, cause, _) = inner {
        inner = cause;
    }
    if let EvalAltResult::ErrorTerminated(why, _) = inner {
        return line(&format!("Script {why} function: {function}"));
    }
    let place = inner.position();
    if let EvalAltResult::ErrorRuntime(thrown, _) = inner {
        let text = thrown.to_string().replace(['\r', '\n'], " ");
        let has_code = text
            .split(' ')
            .next()
            .is_some_and(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()));
        let code = if has_code { "" } else { "ERR " };
        return format!("{code}{text} function: {function}, {place}").into_bytes();
    }
    line(&format!("{inner} function: {function}"))
}

/// `run`, whose words are its arguments, or an array's elements.
fn run_command(words: &mut [&mut Dynamic]) -> std::result::Result<Dynamic, Box<EvalAltResult>> {
    let words: Vec<Vec<u8>> = match words {
        [only] if only.is_array() => {
            only.read_lock::<Array>().iter().flat_map(|all| all.iter()).map(bytes_of).collect()
        }
        words => words.iter().map(|word| bytes_of(word)).collect(),
    };
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let ran = lent(|call, run| {
        run.command(call, &words, RUN_RESP3, |reply| match Replied::read(reply) {
            Some(Replied::Error(text)) => Err(String::from_utf8_lossy(text).into_owned().into()),
            Some(reply) => Ok(value_of(&reply)),
            None => Err("ERR the reply cannot be read".into()),
        })
    });
    match ran {
        None => Err("ERR a library runs no commands while it is loaded".into()),
        Some(Err(error)) => Err(format!("ERR {error}").into()),
        Some(Ok(answer)) => answer,
    }
}

fn bytes_of(value: &Dynamic) -> Vec<u8> {
    match value.read_lock::<Blob>() {
        Some(blob) => blob.to_vec(),
        None => value.to_string().into_bytes(),
    }
}

fn value_of_bytes(bytes: &[u8]) -> Dynamic {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => Dynamic::from_blob(bytes.to_vec()),
    }
}

/// A reply as a value of Rhai.
fn value_of(reply: &Replied<'_>) -> Dynamic {
    let all = |several: &[Replied<'_>]| several.iter().map(value_of).collect::<Array>().into();
    match reply {
        Replied::Null => Dynamic::UNIT,
        Replied::Integer(number) => (*number as INT).into(),
        Replied::Double(number) => (*number).into(),
        Replied::Boolean(value) => (*value).into(),
        Replied::Array(several) | Replied::Set(several) | Replied::Push(several) => all(several),
        Replied::Map(pairs) => {
            let key = |key: &Replied<'_>| value_of(key).to_string().into();
            pairs.iter().map(|(name, value)| (key(name), value_of(value))).collect::<Map>().into()
        }
        other => value_of_bytes(other.bytes().unwrap_or_default()),
    }
}

/// A value of Rhai as a reply.
fn write(reply: &mut ReplyBuffer<'_>, value: &Dynamic) {
    if value.is_unit() {
        reply.null();
    } else if let Ok(flag) = value.as_bool() {
        reply.boolean(flag);
    } else if let Ok(number) = value.as_int() {
        reply.integer(number);
    } else if let Ok(number) = value.as_float() {
        reply.double(number);
    } else if let Some(all) = value.read_lock::<Array>() {
        reply.array(all.len());
        all.iter().for_each(|one| write(reply, one));
    } else if let Some(pairs) = value.read_lock::<Map>() {
        reply.map(pairs.len());
        for (name, value) in pairs.iter() {
            reply.bulk(name.as_bytes());
            write(reply, value);
        }
    } else {
        reply.bulk(bytes_of(value));
    }
}

static TABLE: LanguageService = table::<Rhai>();

export!(Module {
    name: "language-rhai",
    version: env!("CARGO_PKG_VERSION"),
    provides: &[provided_language("plinth.language.rhai/1", &TABLE)],
    ..Module::NEW
});
