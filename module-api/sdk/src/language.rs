//! Languages that functions are written in: both safe sides of `plinth.language.NAME/1`.
//!
//! A module that brings a language implements [`LanguageProvider`] and provides the table of it:
//!
//! ```
//! use plinth_module::language::{FunctionCall, LanguageProvider, LanguageService, Source, provided_language, table};
//! use plinth_module::prelude::*;
//!
//! /// A language in which each line is a function that answers its own text.
//! enum Echo {}
//!
//! impl LanguageProvider for Echo {
//!     type Function = Vec<u8>;
//!
//!     fn compile(_call: &mut Call<'_>, source: &mut Source<'_, Vec<u8>>) -> core::result::Result<(), Vec<u8>> {
//!         for line in source.text().split(|byte| *byte == b'\n').skip(1) {
//!             source.declare(line, b"", 0, line.to_vec()).map_err(|_| b"ERR a line that is no name".to_vec())?;
//!         }
//!         Ok(())
//!     }
//!
//!     fn call(call: &mut Call<'_>, function: &Vec<u8>, _run: &FunctionCall<'_>) -> Result {
//!         call.reply.bulk(function);
//!         Ok(())
//!     }
//! }
//!
//! static TABLE: LanguageService = table::<Echo>();
//!
//! const MODULE: Module = Module { provides: &[provided_language("plinth.language.echo/1", &TABLE)], ..Module::NEW };
//! ```
//!
//! The module that has FUNCTION finds languages by [`Language::find`]. A [`Compiled`] function frees itself, and what
//! was found of a language is let go of with the last that is left of it.

use crate::abi;
use crate::abi::busy::BUSY_END;
use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::entry::SERVICE_PINNED;
use crate::abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, Status};
use crate::call::Call;
use crate::error::{Error, Result, check, status_of};
use crate::host;
use crate::panic::guard;
use crate::propagate::with_args;
use crate::service::{Provided, answer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ptr::{NonNull, null};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

pub use crate::abi::language::{
    DeclaredFunction, FUNCTION_ALLOW_CROSS_SLOT, FUNCTION_ALLOW_OOM, FUNCTION_ALLOW_STALE, FUNCTION_NO_CLUSTER,
    FUNCTION_NO_WRITES, FunctionRun, LANGUAGE_BEGIN, LANGUAGE_END, LanguageService, LibrarySource,
};

// ---- For a module that brings a language ----

/// What a module does that brings a language.
pub trait LanguageProvider: 'static {
    /// What it finds a function by.
    type Function: 'static;

    /// Compiles a library and declares its functions; commands are not run. Else the error that FUNCTION LOAD answers,
    /// with its code in front.
    fn compile(call: &mut Call<'_>, source: &mut Source<'_, Self::Function>) -> core::result::Result<(), Vec<u8>>;

    /// Calls a function, which writes one reply. Fails as a command does.
    fn call(call: &mut Call<'_>, function: &Self::Function, run: &FunctionCall<'_>) -> Result;

    /// Bytes that it has for all functions together.
    fn memory() -> u64 {
        0
    }
}

/// The table of a provider, which is a static of its module.
pub const fn table<P: LanguageProvider>() -> LanguageService {
    LanguageService {
        size: size_of::<LanguageService>() as u32,
        flags: SERVICE_PINNED,
        compile: compile::<P>,
        call: call::<P>,
        free: free::<P>,
        memory: memory::<P>,
    }
}

/// A language that this module provides, for [`Module::provides`](crate::export::Module::provides), under the id of
/// its name: `plinth.language.NAME/1`.
pub const fn provided_language(id: &'static str, table: &'static LanguageService) -> Provided {
    Provided::under(id, (&raw const *table).cast_mut().cast())
}

/// A library that is to be compiled.
pub struct Source<'a, F> {
    raw: &'a LibrarySource,
    marker: PhantomData<fn(F)>,
}

impl<'a, F: 'static> Source<'a, F> {
    /// Its name.
    pub fn name(&self) -> &'a [u8] {
        // SAFETY: the owner lends the library and all in it for the call.
        unsafe { self.raw.name.as_slice() }
    }

    /// Its source, with the line that names language and library.
    pub fn text(&self) -> &'a [u8] {
        // SAFETY: as in `name`.
        unsafe { self.raw.source.as_slice() }
    }

    /// Declares a function. `flags`: `FUNCTION_*`. Fails with `BadData` for a name that can be none, and with `Exists`
    /// for one that was declared already.
    pub fn declare(&mut self, name: &[u8], description: &[u8], flags: u32, function: F) -> Result {
        let function = Box::into_raw(Box::new(function));
        let declared = DeclaredFunction {
            size: size_of::<DeclaredFunction>() as u32,
            flags,
            name: Bytes::of(name),
            description: Bytes::of(description),
            function: function.cast(),
        };
        // SAFETY: the owner's function with the owner's data, and texts that are there for the call.
        let status = unsafe { (self.raw.declare)(self.raw.data, &declared) };
        if status != STATUS_OK {
            // SAFETY: it was made above, and what fails takes nothing.
            drop(unsafe { Box::from_raw(function) });
        }
        check(status)
    }
}

/// A function that is called.
#[derive(Clone, Copy)]
pub struct FunctionCall<'a> {
    raw: &'a FunctionRun,
}

impl<'a> FunctionCall<'a> {
    /// Its name.
    pub fn name(&self) -> &'a [u8] {
        // SAFETY: the owner lends the run and all in it for the call.
        unsafe { self.raw.name.as_slice() }
    }

    /// `FUNCTION_*` bits: [`FUNCTION_NO_WRITES`] also where FCALL_RO calls.
    pub fn flags(&self) -> u32 {
        self.raw.flags
    }

    /// The keys that it was given.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        words(self.raw.keys, self.raw.key_count)
    }

    /// The arguments behind them.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        words(self.raw.args, self.raw.arg_count)
    }

    /// Runs a command for the function and hands its reply to `take`; see `command` of [`FunctionRun`].
    pub fn command<R>(
        &self,
        call: &mut Call<'_>,
        args: &[&[u8]],
        flags: u32,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        with_args(args, |args, argc| {
            crate::take::taking(take, |function, data| {
                // SAFETY: the call is valid and nobody holds an entry of it, the arguments are borrowed for it, and
                // `data` fits `function`.
                unsafe { (self.raw.command)(call.as_raw(), self.raw.data, args, argc, flags, function, data) }
            })
        })
    }

    /// Serves others if it is time, and says whether the function is to end, with an error; see `give_way` of
    /// [`FunctionRun`].
    pub fn give_way(&self, call: &mut Call<'_>) -> bool {
        // A module of functions that is older than this has none.
        let end = std::mem::offset_of!(FunctionRun, give_way) + size_of::<usize>();
        let is_there = self.raw.size as usize >= end;
        // SAFETY: the call is valid and nobody holds an entry of it.
        is_there && unsafe { (self.raw.give_way)(call.as_raw(), self.raw.data) } & BUSY_END != 0
    }

    /// Has functions that the language calls find the call by [`lent`] while `work` runs, which cannot use it.
    pub fn lend<R>(&self, call: &mut Call<'_>, work: impl FnOnce() -> R) -> R {
        let lent = Lent { call: call.as_raw(), run: self.raw };
        let _back = Restore(LENT.replace(Some(lent)));
        work()
    }
}

fn words<'a>(first: *const Bytes, count: u32) -> impl ExactSizeIterator<Item = &'a [u8]> {
    let all: &'a [Bytes] = match count {
        0 => &[],
        // SAFETY: the owner lends so many of them for the call.
        _ => unsafe { std::slice::from_raw_parts(first, count as usize) },
    };
    // SAFETY: the owner lends the texts for the call.
    all.iter().map(|word| unsafe { word.as_slice() })
}

/// A call that is lent.
#[derive(Clone, Copy)]
struct Lent {
    call: *mut abi::call::Call,
    run: *const FunctionRun,
}

thread_local! {
    static LENT: Cell<Option<Lent>> = const { Cell::new(None) };
}

/// Puts back what was lent before.
struct Restore(Option<Lent>);

impl Drop for Restore {
    fn drop(&mut self) {
        LENT.set(self.0);
    }
}

/// Does something with the call that [`FunctionCall::lend`] lends; `None` where none is lent, or further up the same
/// is done already.
pub fn lent<R>(work: impl FnOnce(&mut Call<'_>, FunctionCall<'_>) -> R) -> Option<R> {
    let lent = LENT.take()?;
    let _back = Restore(Some(lent));
    // SAFETY: whoever lent it waits on this thread and does not touch it, and nobody else finds it meanwhile.
    let (mut call, raw) = unsafe { (Call::from_raw(lent.call), &*lent.run) };
    Some(work(&mut call, FunctionCall { raw }))
}

unsafe extern "C" fn compile<P: LanguageProvider>(call: *mut abi::call::Call, library: *const LibrarySource) -> Status {
    // SAFETY: the owner lends the call, and the library with all in it for it.
    unsafe {
        let raw = &*library;
        answer(call, |call| {
            let mut source = Source { raw, marker: PhantomData };
            P::compile(call, &mut source).map_err(|text| {
                (raw.fail)(raw.data, Bytes::of(&text));
                Error::BadData
            })
        })
    }
}

unsafe extern "C" fn call<P: LanguageProvider>(
    call: *mut abi::call::Call,
    function: Opaque,
    run: *const FunctionRun,
) -> Status {
    // SAFETY: the owner lends the call and the run, and gives back what `declare` was given and `free` was not.
    unsafe {
        let (function, raw) = (&*function.cast::<P::Function>().cast_const(), &*run);
        answer(call, |call| P::call(call, function, &FunctionCall { raw }))
    }
}

unsafe extern "C" fn free<P: LanguageProvider>(function: Opaque) {
    // SAFETY: it is what `declare` was given, and the owner has no other.
    guard(|| drop(unsafe { Box::from_raw(function.cast::<P::Function>()) }));
}

unsafe extern "C" fn memory<P: LanguageProvider>() -> u64 {
    guard(P::memory).unwrap_or(0)
}

// ---- For the module that has functions ----

/// How a function has a command run: the call, the command, `RUN_RESP3` or 0, and who takes the reply.
pub type RunCommand = fn(&mut Call<'_>, &[&[u8]], u32, &mut dyn FnMut(&[u8])) -> Result;

/// What the module that has functions does for one that runs.
#[derive(Clone, Copy)]
pub struct Served {
    /// Has a command run.
    pub command: RunCommand,
    /// Serves others if it is time, and says whether the function is to end.
    pub give_way: fn(&mut Call<'_>) -> bool,
}

/// A language.
#[derive(Clone)]
pub struct Language(Arc<Found>);

enum Found {
    /// This module's own.
    Own(&'static LanguageService),
    /// Another's, under this id.
    Others(NonNull<LanguageService>, String),
}

// SAFETY: the table is looked at with a call at hand, which is the main thread's, and in `Compiled`, which sees to it.
unsafe impl Send for Found {}
// SAFETY: as above.
unsafe impl Sync for Found {}

/// How many of this module's [`Found`] are of an id: the host counts a module as a user, once.
static FOUND: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

impl Found {
    fn table(&self) -> *const LanguageService {
        match self {
            Found::Own(table) => *table,
            Found::Others(table, _) => table.as_ptr(),
        }
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        let Found::Others(_, id) = self else { return };
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let left = found.get(id).map_or(0, |count| count - 1);
        if left == 0 {
            found.remove(id);
            host::let_go(id);
        } else {
            found.insert(id.clone(), left);
        }
    }
}

/// A function that a library has declared.
pub struct Declared {
    /// What FCALL calls it.
    pub name: Vec<u8>,
    /// What it is for; empty when the library does not say.
    pub description: Vec<u8>,
    /// `FUNCTION_*` bits.
    pub flags: u32,
    /// What is called.
    pub function: Compiled,
}

/// A compiled function, freed when it is dropped: on the thread that it was made on, and on another not at all.
pub struct Compiled {
    language: Language,
    function: Opaque,
    thread: ThreadId,
}

// SAFETY: on another thread nothing is done with it.
unsafe impl Send for Compiled {}
// SAFETY: as above: it is called with a call at hand, which is the main thread's.
unsafe impl Sync for Compiled {}

impl Drop for Compiled {
    fn drop(&mut self) {
        if std::thread::current().id() == self.thread {
            // SAFETY: the language's own function with what the language declared; nobody else has it.
            unsafe { ((*self.language.0.table()).free)(self.function) }
        }
    }
}

/// What a language declares is put together here.
struct Draft<'a> {
    language: &'a Language,
    accept: &'a mut dyn FnMut(&[u8]) -> bool,
    declared: Vec<Declared>,
    error: Option<Vec<u8>>,
}

impl Language {
    /// This module's own.
    pub fn own(table: &'static LanguageService) -> Language {
        Language(Arc::new(Found::Own(table)))
    }

    /// The language of a name, if a module is there that brings it.
    pub fn find(_call: &Call<'_>, name: &str) -> Option<Language> {
        let id = format!("{LANGUAGE_BEGIN}{name}{LANGUAGE_END}");
        let table = host::find_own(&id, size_of::<LanguageService>() as u32);
        let table = NonNull::new(table.cast::<LanguageService>())?;
        *FOUND.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default() += 1;
        Some(Language(Arc::new(Found::Others(table, id))))
    }

    /// Compiles a library: its functions, whose names `accept` has taken. Else the error.
    pub fn compile(
        &self,
        call: &mut Call<'_>,
        name: &[u8],
        source: &[u8],
        accept: &mut dyn FnMut(&[u8]) -> bool,
    ) -> core::result::Result<Vec<Declared>, Vec<u8>> {
        let mut draft = Draft { language: self, accept, declared: Vec::new(), error: None };
        let library = LibrarySource {
            size: size_of::<LibrarySource>() as u32,
            reserved: 0,
            name: Bytes::of(name),
            source: Bytes::of(source),
            data: (&raw mut draft).cast(),
            declare,
            fail,
        };
        // SAFETY: the call is valid; the library and all in it are there for the call.
        let status = unsafe { ((*self.0.table()).compile)(call.as_raw(), &library) };
        match (status, draft.error) {
            (STATUS_OK, None) => Ok(draft.declared),
            (_, Some(text)) => Err(text),
            (status, None) => Err(format!("ERR the library does not compile: {}", Error::from_status(status)).into()),
        }
    }

    /// Bytes that the language has for all functions together.
    pub fn memory(&self, _call: &Call<'_>) -> u64 {
        // SAFETY: the table is there as long as this is; the call is the main thread's.
        unsafe { ((*self.0.table()).memory)() }
    }
}

unsafe extern "C" fn declare(data: Opaque, function: *const DeclaredFunction) -> Status {
    let declared = guard(|| {
        // SAFETY: `data` is the draft of the `compile` that is on the stack, and the language lends the rest.
        let (draft, raw) = unsafe { (&mut *data.cast::<Draft<'_>>(), &*function) };
        // SAFETY: as above.
        let (name, description) = unsafe { (raw.name.as_slice(), raw.description.as_slice()) };
        if !(draft.accept)(name) {
            return Err(Error::BadData);
        }
        if draft.declared.iter().any(|one| one.name == name) {
            return Err(Error::Exists);
        }
        let thread = std::thread::current().id();
        let function = Compiled { language: draft.language.clone(), function: raw.function, thread };
        let (name, description) = (name.to_vec(), description.to_vec());
        draft.declared.push(Declared { name, description, flags: raw.flags, function });
        Ok(())
    });
    status_of(declared.unwrap_or(Err(Error::Panic)))
}

unsafe extern "C" fn fail(data: Opaque, text: Bytes) {
    // SAFETY: as in `declare`.
    let (draft, text) = unsafe { (&mut *data.cast::<Draft<'_>>(), text.as_slice()) };
    draft.error = Some(text.to_vec());
}

impl Compiled {
    /// Calls it for the command that runs: `keys` of the arguments from `first` on are keys.
    pub fn call(
        &self,
        call: &mut Call<'_>,
        name: &[u8],
        flags: u32,
        (first, keys): (usize, usize),
        served: Served,
    ) -> Result {
        // SAFETY: the call is valid.
        let raw = unsafe { &*call.as_raw() };
        // Arguments are checked here, because the language reads them by their numbers.
        let behind = (raw.argc as usize).checked_sub(first + keys).ok_or(Error::Arity)?;
        let run = FunctionRun {
            size: size_of::<FunctionRun>() as u32,
            flags,
            name: Bytes::of(name),
            keys: if keys == 0 { null() } else { raw.args.wrapping_add(first) },
            args: if behind == 0 { null() } else { raw.args.wrapping_add(first + keys) },
            key_count: keys as u32,
            arg_count: behind as u32,
            data: (&raw const served).cast_mut().cast(),
            command: run_command,
            give_way,
        };
        // SAFETY: the call is valid; the run and all in it are there for the call; the function was declared by this
        // language and is not freed.
        check(unsafe { ((*self.language.0.table()).call)(call.as_raw(), self.function, &run) })
    }
}

unsafe extern "C" fn run_command(
    call: *mut abi::call::Call,
    data: Opaque,
    args: *const Bytes,
    argc: u32,
    flags: u32,
    take: Take,
    take_data: Opaque,
) -> Status {
    if argc == 0 || flags & !abi::run::RUN_RESP3 != 0 {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: the language calls it within its own call, whose run is on the stack, with arguments for the call.
    unsafe {
        let command = (*data.cast::<Served>().cast_const()).command;
        let args: Vec<&[u8]> = words(args, argc).collect();
        answer(call, |call| command(call, &args, flags, &mut |reply| (take.run)(take_data, Bytes::of(reply))))
    }
}

unsafe extern "C" fn give_way(call: *mut abi::call::Call, data: Opaque) -> u32 {
    let mut ends = false;
    // SAFETY: as in `run_command`.
    unsafe {
        let give_way = (*data.cast::<Served>().cast_const()).give_way;
        answer(call, |call| {
            ends = give_way(call);
            Ok(())
        });
    }
    if ends { BUSY_END } else { 0 }
}
