//! Libraries of functions: their sources, and what FCALL finds in them.
//! <https://redis.io/docs/latest/develop/programmability/functions-intro/>
//!
//! ```text
//!   FUNCTION LOAD ──> header: engine and name ──> the language compiles and declares ─────────┐
//!   FCALL name ──> by_function ──> its library's function                               a Draft
//!   files ──> one text for each library, in the order of their names                         │
//!   libraries <── all of its functions, or none, when none of the names is another's <───────┘
//! ```

use crate::shebang;
use plinth_module::language::Compiled;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longest source of a library.
pub(crate) const SOURCE_BYTES_MAX: usize = 64 << 20;

/// A function of a library.
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// What it is for, if its library says so.
    pub description: Option<Vec<u8>>,
    /// What may be done with it.
    pub flags: u32,
    /// What is called.
    pub compiled: Arc<Compiled>,
}

/// A library.
pub(crate) struct Library {
    /// The language's name, in lower case.
    pub engine: String,
    /// The source, with its first line.
    pub source: Vec<u8>,
    /// Its functions, in the order of their names; none while its language is not there.
    pub functions: Vec<Function>,
}

/// All libraries by their names.
#[derive(Default)]
pub(crate) struct Libraries {
    by_name: BTreeMap<String, Library>,
    /// In which library a function is, and where, by its name in lower case: FCALL takes any.
    by_function: BTreeMap<String, (String, usize)>,
}

impl Libraries {
    /// A function, and its flags.
    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        let (library, at) = self.by_function.get(&name.to_ascii_lowercase())?;
        self.by_name.get(library)?.functions.get(*at)
    }

    /// A library.
    pub(crate) fn get(&self, name: &str) -> Option<&Library> {
        self.by_name.get(name)
    }

    /// All, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Library)> {
        self.by_name.iter()
    }

    /// Whose function has this name, unless it is of the library `but`.
    pub(crate) fn clash(&self, function: &str, but: &str) -> bool {
        self.by_function.get(&function.to_ascii_lowercase()).is_some_and(|(library, _)| library != but)
    }

    /// Take a library in, in the place of one of its name, which is given back.
    pub(crate) fn put(&mut self, name: String, mut library: Library) -> Option<Library> {
        let old = self.remove(&name);
        library.functions.sort_by(|one, other| one.name.cmp(&other.name));
        for (at, function) in library.functions.iter().enumerate() {
            self.by_function.insert(function.name.to_ascii_lowercase(), (name.clone(), at));
        }
        self.by_name.insert(name, library);
        old
    }

    /// Take a library out.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Library> {
        let library = self.by_name.remove(name)?;
        for function in &library.functions {
            self.by_function.remove(&function.name.to_ascii_lowercase());
        }
        Some(library)
    }

    /// How many libraries and functions a language has.
    pub(crate) fn counts_of(&self, engine: &str) -> (usize, usize) {
        let mine = self.by_name.values().filter(|library| library.engine == engine);
        mine.fold((0, 0), |(libraries, functions), one| (libraries + 1, functions + one.functions.len()))
    }

    /// The languages that libraries are in, and Lua.
    pub(crate) fn engines(&self) -> BTreeSet<&str> {
        self.by_name.values().map(|library| library.engine.as_str()).chain(["lua"]).collect()
    }

    /// How many libraries and functions there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.by_name.len(), self.by_function.len())
    }

    /// Bytes of sources and names.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of = |library: &Library| library.source.len() + library.functions.len() * (size_of::<Function>() + 64);
        self.by_name.iter().map(|(name, library)| name.len() + size_of::<Library>() + of(library)).sum()
    }
}

/// Whether a text can be a name of a library or function.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// What the first line of a library says.
pub(crate) struct Header {
    /// The language's name, as it stands there.
    pub engine: String,
    /// The library's name.
    pub name: String,
}

impl Header {
    /// The header of a source; else the error.
    pub(crate) fn of(source: &[u8]) -> Result<Header, String> {
        if !source.starts_with(b"#!") {
            return Err("ERR Missing library metadata".into());
        }
        let end = source.iter().position(|&byte| byte == b'\n').ok_or("ERR Invalid library metadata")?;
        let line = String::from_utf8_lossy(&source[2..end]).into_owned();
        // A blank behind `#!` leaves no name of a language.
        let (engine, rest) = line.split_once(|letter: char| letter.is_ascii_whitespace()).unwrap_or((&line, ""));
        let words = rest.split_ascii_whitespace();
        let mut name = None;
        for word in words {
            let Some(value) = word.strip_prefix("name=") else {
                return Err(format!("ERR Invalid metadata value given: {word}"));
            };
            if name.replace(value.trim_matches(['"', '\'']).to_owned()).is_some() {
                return Err("ERR Invalid metadata value, name argument was given multiple times".into());
            }
        }
        let name = name.ok_or("ERR Library name was not given")?;
        if !is_name(name.as_bytes()) {
            let text = "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                    character long";
            return Err(text.into());
        }
        Ok(Header { engine: engine.to_owned(), name })
    }
}

/// The flags of a function, as they are shown.
pub(crate) fn flag_names(flags: u32) -> impl Iterator<Item = &'static str> {
    shebang::FLAGS.into_iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, name)| name)
}
