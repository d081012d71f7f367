//! `redis.conf`: from text to directives in order.
//!
//! ```text
//!   plinth-server  my.conf        -            --port 7000 --save 60 1
//!                  ───┬───        ┬            ───────────┬───────────
//!                   file   then standard   then a text made of the options,
//!                           input          one line an option
//! ```
//!
//! All three are the same language: a directive a line, split by [`crate::base::words`],
//! with `#` comments, blank lines and `include`. They are read as one text, so a later
//! line overrides an earlier one and line numbers run on.
//!
//! Each directive goes to the caller as soon as its line is read, and an included file
//! is opened at its `include` line. Redis does the same, and it shows: the first fault
//! in the text is the one reported, and a `dir` above an `include` moves the place
//! that the path is relative to.
//!
//! Invariants:
//! - No I/O but through [`Files`].
//! - Includes end: they nest 16 deep at most, and 1,024 files are read at most.
//! - A fault in an included file carries that file's own line number.

use crate::base::words;
use crate::base::words::UnbalancedQuotes;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// How deep `include` may nest; a file that includes itself ends here.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// How many files one start may read, so that wide includes end too.
pub const INCLUDE_FILES_MAX: usize = 1024;

/// The longest configuration file read from disk.
pub const FILE_LEN_MAX: u64 = 64 << 20;

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The first word, in lower case.
    pub name: String,
    /// The other words, unquoted.
    pub args: Vec<Vec<u8>>,
    /// The line's number, from 1.
    pub line: usize,
    /// The line as written, without the blanks around it.
    pub text: Vec<u8>,
}

/// What is wrong with a line; `Display` is the text for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A quote is left open or closes within a word.
    #[error("Unbalanced quotes in configuration line")]
    UnbalancedQuotes,
    /// No such directive, or not with so many words.
    #[error("Bad directive or wrong number of arguments")]
    BadDirective,
    /// The files include each other too deeply, most likely in a circle.
    #[error("include is nested more than {INCLUDE_DEPTH_MAX} files deep")]
    IncludeDepth,
    /// Too many files in all.
    #[error("include reads more than {INCLUDE_FILES_MAX} files")]
    IncludeCount,
    /// The directive is known and its value is not accepted.
    #[error("{0}")]
    Value(String),
}

impl From<UnbalancedQuotes> for LineError {
    fn from(_: UnbalancedQuotes) -> Self {
        Self::UnbalancedQuotes
    }
}

impl From<crate::settings::value::ValueError> for LineError {
    fn from(error: crate::settings::value::ValueError) -> Self {
        Self::Value(error.to_string())
    }
}

/// Why a configuration cannot be used. `Display` is what goes to standard error.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("Fatal error, can't open config file '{}': {}", path.display(), Plain(source))]
    Unreadable {
        /// The file, as named on the command line or in `include`.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is wrong.
    #[error(
        "*** FATAL CONFIG FILE ERROR ({server}) ***\n\
         Reading the configuration file, at line {line}\n\
         >>> '{}'\n\
         {reason}",
        String::from_utf8_lossy(text)
    )]
    Line {
        /// Name and version of the server, as the reader was given it.
        server: String,
        /// The line's number in its file, from 1.
        line: usize,
        /// The line, without the blanks around it.
        text: Vec<u8>,
        /// What is wrong with it.
        reason: LineError,
    },
}

/// An I/O error in the system's words, without Rust's error number behind them.
struct Plain<'a>(&'a io::Error);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split(" (os error").next().unwrap_or_default())
    }
}

/// Where configuration files come from.
pub trait Files {
    /// The bytes of the file at `path`; a relative path is taken as the system takes it.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files that match a pattern with `*`, `?` or `[...]`, in order of name.
    /// None is no error.
    fn matching(&self, pattern: &str) -> Vec<PathBuf>;
}

/// The files of the system that the server runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_LEN_MAX {
            return Err(io::Error::other("File is larger than 64 MiB"));
        }
        Ok(bytes)
    }

    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        // As the shell and libc have it: a wildcard matches neither `/` nor a first dot.
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        match glob::glob_with(pattern, options) {
            Ok(paths) => paths.filter_map(Result::ok).collect(),
            Err(_) => Vec::new(),
        }
    }
}

/// The texts that make up a configuration, in the order in which they are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The file named on the command line.
    pub file: Option<&'a Path>,
    /// What was read from standard input, when the command line has `-`.
    pub stdin: Option<&'a [u8]>,
    /// [`CommandLine::options`].
    pub options: &'a [u8],
}

/// Reads all sources and hands over each directive in turn.
///
/// `server` is the name and version for the error's heading, as in `Redis 7.0.15`.
/// When `apply` refuses a directive the error carries its line, and reading ends.
pub fn read(
    sources: &Sources<'_>,
    files: &dyn Files,
    server: &str,
    apply: &mut dyn FnMut(Directive) -> Result<(), LineError>,
) -> Result<(), ConfigError> {
    let reader = Reader { files, server, files_read: Cell::new(0) };
    let mut line_ends = 0;
    if let Some(path) = sources.file {
        let text = reader.open(path)?;
        reader.text(&text, 1, 0, apply)?;
        line_ends += count_line_ends(&text);
    }
    if let Some(text) = sources.stdin {
        reader.text(text, line_ends + 1, 0, apply)?;
        line_ends += count_line_ends(text);
    }
    // A line end is put between the files and the options.
    reader.text(sources.options, line_ends + 2, 0, apply)
}

/// As [`read`], with the directives in a list.
pub fn read_all(sources: &Sources<'_>, files: &dyn Files, server: &str) -> Result<Vec<Directive>, ConfigError> {
    let mut all = Vec::new();
    read(sources, files, server, &mut |directive| {
        all.push(directive);
        Ok(())
    })?;
    Ok(all)
}

/// Reads one line; `None` for a comment or a blank one.
pub fn parse_line(text: &[u8], line: usize) -> Result<Option<Directive>, LineError> {
    let text = trimmed(text);
    if text.is_empty() || text.starts_with(b"#") {
        return Ok(None);
    }
    let mut words = words::split(text)?.into_iter();
    let Some(name) = words.next() else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
    Ok(Some(Directive { name, args: words.collect(), line, text: text.to_vec() }))
}

/// One run over a configuration and all that it includes.
struct Reader<'a> {
    files: &'a dyn Files,
    server: &'a str,
    files_read: Cell<usize>,
}

impl Reader<'_> {
    /// Reads a file's bytes.
    fn open(&self, path: &Path) -> Result<Vec<u8>, ConfigError> {
        self.files_read.set(self.files_read.get() + 1);
        self.files.read(path).map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })
    }

    /// Goes through the lines of a text whose first line has the given number.
    fn text(
        &self,
        text: &[u8],
        first_line: usize,
        depth: usize,
        apply: &mut dyn FnMut(Directive) -> Result<(), LineError>,
    ) -> Result<(), ConfigError> {
        for (index, raw) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = first_line + index;
            let refused = |reason| self.refused(raw, line, reason);
            let Some(directive) = parse_line(raw, line).map_err(refused)? else {
                continue;
            };
            if directive.name != "include" {
                apply(directive).map_err(refused)?;
                continue;
            }
            let [path] = directive.args.as_slice() else {
                return Err(refused(LineError::BadDirective));
            };
            for path in self.included(path) {
                if depth == INCLUDE_DEPTH_MAX {
                    return Err(refused(LineError::IncludeDepth));
                }
                if self.files_read.get() == INCLUDE_FILES_MAX {
                    return Err(refused(LineError::IncludeCount));
                }
                let text = self.open(&path)?;
                self.text(&text, 1, depth + 1, apply)?;
            }
        }
        Ok(())
    }

    /// The files that an `include` names.
    fn included(&self, path: &[u8]) -> Vec<PathBuf> {
        if path.iter().any(|byte| b"*?[".contains(byte)) {
            return self.files.matching(&String::from_utf8_lossy(path));
        }
        vec![to_path(path)]
    }

    /// The error for a line.
    fn refused(&self, raw: &[u8], line: usize, reason: LineError) -> ConfigError {
        let text = trimmed(raw).to_vec();
        ConfigError::Line { server: self.server.to_owned(), line, text, reason }
    }
}

/// A command line, taken apart.
///
/// ```text
///   plinth-server [file] [-] [--directive value ...] ... [-]
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Whether standard input is to be read as configuration too.
    pub stdin: bool,
    /// The options as configuration text: a line each, every value quoted.
    pub options: Vec<u8>,
}

impl CommandLine {
    /// Takes apart the arguments that follow the program's name.
    ///
    /// - A first argument without a leading `-` is the configuration file; when it is empty, there is none.
    /// - `-` as the first or last argument asks for standard input.
    /// - `--name` opens a directive. The argument after it is a value whatever it looks
    ///   like, so that `--requirepass --x` sets a password; those that follow are values
    ///   until the next `--name`.
    /// - `'--name value'` in one argument is a whole line, its quotes kept.
    /// - `--save` directly before another option, or at the end, means `--save ''`.
    ///
    /// Nothing is wrong at this stage: an odd argument becomes an odd line, and reading
    /// that reports it in the usual form.
    pub fn parse<A: AsRef<[u8]>>(args: &[A]) -> Self {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let mut line = Self::default();
        let mut first = 0;
        if let Some(path) = args.first().filter(|arg| !arg.starts_with(b"-")) {
            // An empty name is no file, and no directive either.
            line.file = Some(to_path(path)).filter(|path| !path.as_os_str().is_empty());
            first = 1;
        }
        // Whether `--x` opens a directive, rather than being the value of the one before.
        let mut may_open = true;
        for (index, arg) in args.iter().enumerate().skip(first) {
            let next = args.get(index + 1);
            if *arg == b"-" && (index == 0 || next.is_none()) {
                line.stdin = true;
            } else if let Some(name) = arg.strip_prefix(b"--").filter(|_| may_open) {
                may_open = line.open(name, arg, next.copied());
            } else {
                words::quote(arg, &mut line.options);
                line.options.push(b' ');
                may_open = true;
            }
        }
        line
    }

    /// Begins the line of a directive; whether the argument after it may begin another.
    fn open(&mut self, name: &[u8], arg: &[u8], next: Option<&[u8]>) -> bool {
        if !self.options.is_empty() {
            self.options.push(b'\n');
        }
        self.options.extend_from_slice(name);
        self.options.push(b' ');
        if words::split(arg).map_or(0, |words| words.len()) != 1 {
            return true;
        }
        let value_missing = next.is_none_or(|next| next.starts_with(b"--"));
        if value_missing && arg.eq_ignore_ascii_case(b"--save") {
            self.options.extend_from_slice(b"\"\"");
            return true;
        }
        value_missing && arg.eq_ignore_ascii_case(b"--sentinel")
    }
}

/// A path of any bytes.
fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// A line without blanks at either end.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    &line[start..end]
}

/// How many lines of `text` are ended.
fn count_line_ends(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

#[cfg(test)]
#[path = "file_fuzz.rs"]
mod fuzz;

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
