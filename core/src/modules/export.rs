//! The entry: what a module exports, read and checked before any of its code runs.

use crate::base::foreign::widened;
use crate::command::category::is_name;
use crate::command::table::NAME_BYTES_MAX;
use libloading::Library;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::Command;
use plinth_abi::config::Config;
use plinth_abi::entry::{ENTRY_SYMBOL, MAGIC, Module, Provided};
use plinth_abi::info::Section;
use plinth_abi::layout::{DESCRIPTION_VERSION, Everything, Layout};
use plinth_abi::value::Type;
use plinth_abi::{ABI_MAJOR, ABI_MINOR};
use std::mem::offset_of;

/// Least size of an entry: up to and with `provides`, below which it makes no sense.
const ENTRY_BYTES_MIN: usize = offset_of!(Module, types);
/// Bytes of an entry up to and with its size.
pub const HEAD_BYTES: usize = offset_of!(Module, reserved);
/// Most elements in any list of an entry.
const LIST_MAX: u32 = 4096;
/// Longest name in bytes.
const TEXT_MAX: usize = 256;

/// Why a file is not a module for this host.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The file cannot be opened as a shared library.
    #[error("cannot open it as a shared library: {0}")]
    Open(String),
    /// Variables that it would share with a library that is mapped.
    #[error(
        "the linker would give it variables of a library that is mapped already, not its own: {0}. Compile it with \
         -fno-gnu-unique{1}"
    )]
    Shared(String, &'static str),
    /// There is no entry.
    #[error("it does not export '{ENTRY_SYMBOL}': not a Plinth module")]
    NoEntry,
    /// The entry begins with something else.
    #[error("its entry begins with {0:#010x} instead of {MAGIC:#010x}: not a Plinth module")]
    Magic(u32),
    /// Built for another ABI.
    #[error("it was built for ABI {0}.{1}, and this server offers {ABI_MAJOR}.{ABI_MINOR}")]
    Version(u16, u16),
    /// An entry that is too short.
    #[error("its entry has {0} bytes, and at least {ENTRY_BYTES_MIN} are required")]
    Size(u32),
    /// A struct in the entry that is too short.
    #[error("{what} '{name}' has a struct of {got} bytes, and at least {least} are required")]
    Struct {
        /// Command, type, ...
        what: &'static str,
        /// Its name.
        name: String,
        /// Its size.
        got: u32,
        /// What is required.
        least: usize,
    },
    /// A name that cannot be one.
    #[error("{0} is not a valid name for {1}")]
    Name(String, &'static str),
    /// A command that nothing runs: its client would wait for ever.
    #[error("command '{0}' has neither a function nor subcommands")]
    Idle(String),
    /// A type, section or service without what makes it one.
    #[error("{what} '{name}' has no {member}")]
    Lacks {
        /// Type, section, ...
        what: &'static str,
        /// Its name.
        name: String,
        /// What it lacks.
        member: &'static str,
    },
    /// A list that cannot be one.
    #[error("its list of {0} is damaged")]
    List(&'static str),
    /// A Rust module compiled against other layouts.
    #[error("it was compiled against other struct layouts than this server (details are in the log)")]
    Layout(String),
}

/// An entry that has been checked, in this host's words.
pub struct Entry {
    /// The module's own struct; members that it does not have are empty.
    pub module: Module,
    /// Name.
    pub name: String,
    /// Version as text.
    pub version: String,
    /// Services that it requires.
    pub requires: Vec<String>,
    /// Services that it provides.
    pub provides: Vec<Provided>,
    /// Types.
    pub types: Vec<Type>,
    /// Commands.
    pub commands: Vec<Command>,
    /// ACL categories that they name, some perhaps more than once.
    pub categories: Vec<String>,
    /// Parameters.
    pub configs: Vec<Config>,
    /// Sections of INFO.
    pub sections: Vec<Section>,
}

/// Read and check the entry of a library that is mapped.
pub fn read(library: &Library) -> Result<Entry, EntryError> {
    // SAFETY: the symbol is only looked at as far as its size says.
    let symbol = unsafe { library.get::<*const Module>(ENTRY_SYMBOL.as_bytes()) }.map_err(|_| EntryError::NoEntry)?;
    // SAFETY: the symbol's address, that of the struct itself, is only compared and
    // read in `check`.
    let at: *const Module =
        unsafe { symbol.try_as_raw_ptr() }.map_or(std::ptr::null(), |address| address as *const Module);
    // SAFETY: an exported object has at least the first twelve bytes or the file is not a
    // module; nothing tells its size before they are read.
    unsafe { check(at) }
}

/// Check the first bytes of an entry, which are the same in the file and in memory; its size.
pub fn check_head(head: [u8; HEAD_BYTES]) -> Result<u32, EntryError> {
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
    let (magic, major, minor, size) = (word(0), half(4), half(6), word(8));
    if magic != MAGIC {
        return Err(EntryError::Magic(magic));
    }
    if major != ABI_MAJOR || minor > ABI_MINOR {
        return Err(EntryError::Version(major, minor));
    }
    if (size as usize) < ENTRY_BYTES_MIN {
        return Err(EntryError::Size(size));
    }
    Ok(size)
}

/// Read and check an entry.
///
/// # Safety
/// `at` points at an object that outlives the result, and that is a module's entry
/// if it begins with the magic number.
pub unsafe fn check(at: *const Module) -> Result<Entry, EntryError> {
    if at.is_null() {
        return Err(EntryError::NoEntry);
    }
    // SAFETY: as promised; an entry has these bytes.
    let size = check_head(unsafe { at.cast::<[u8; HEAD_BYTES]>().read_unaligned() })?;
    // SAFETY: the object has `size` bytes; what it lacks is left empty.
    let module = unsafe {
        let mut module = empty_entry();
        let bytes = (size as usize).min(size_of::<Module>());
        std::ptr::copy_nonoverlapping(at.cast::<u8>(), (&raw mut module).cast::<u8>(), bytes);
        module
    };
    if module.abi_minor == ABI_MINOR {
        check_layout(&module)?;
    }
    contents(module)
}

fn empty_entry() -> Module {
    Module {
        magic: MAGIC,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<Module>() as u32,
        reserved: 0,
        name: Bytes::EMPTY,
        version: Bytes::EMPTY,
        requires: Slice::EMPTY,
        provides: Slice::EMPTY,
        types: Slice::EMPTY,
        commands: Slice::EMPTY,
        configs: Slice::EMPTY,
        infos: Slice::EMPTY,
        start: None,
        stop: None,
        layout: std::ptr::null_mut(),
    }
}

/// Compare a Rust module's layouts with ours.
fn check_layout(module: &Module) -> Result<(), EntryError> {
    if module.layout.is_null() {
        return Ok(());
    }
    // SAFETY: a module that sets the field points it at a `Layout`; its first member, the
    // version, is read before the rest is believed.
    let layout = unsafe { &*module.layout.cast::<Layout>() };
    // SAFETY: a constant of the module.
    let version = unsafe { layout.version.as_slice() };
    if version != DESCRIPTION_VERSION.as_bytes() {
        let text =
            format!("its layouts are described by '{}'", String::from_utf8_lossy(&version[..version.len().min(64)]));
        return Err(EntryError::Layout(text));
    }
    use abi_stable::StableAbi;
    let compared =
        abi_stable::abi_stability::check_layout_compatibility(layout.layout, <Everything as StableAbi>::LAYOUT);
    compared.into_result().map_err(|report| EntryError::Layout(report.to_string()))
}

fn contents(module: Module) -> Result<Entry, EntryError> {
    let name = text(module.name, "a module")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(EntryError::Name(format!("'{name}'"), "a module"));
    }
    let version = text(module.version, "a version")?;
    let requires = list(module.requires, "required services")?;
    check_members(module.types, "type", TYPE_MEMBERS)?;
    check_members(module.infos, "section", SECTION_MEMBERS)?;
    let mut entry = Entry {
        requires: requires.iter().map(|id| text(*id, "a service")).collect::<Result<_, _>>()?,
        provides: list(module.provides, "provided services")?,
        types: structs(module.types, "type", types_least(), |ty| ty.name)?,
        commands: structs(module.commands, "command", commands_least(), |command| command.name)?,
        configs: structs(module.configs, "parameter", configs_least(), |config| config.name)?,
        categories: Vec::new(),
        sections: structs(module.infos, "section", size_of::<Section>(), |section| section.name)?,
        name,
        version,
        module,
    };
    if let Some(provided) = entry.provides.iter().find(|provided| provided.table.is_null()) {
        return Err(EntryError::Lacks { what: "service", name: text(provided.id, "a service")?, member: "table" });
    }
    for command in &entry.commands {
        entry.categories.extend(command_names(command)?);
        let subcommands = structs(command.subcommands, "subcommand", commands_least(), |sub: &Command| sub.name)?;
        for sub in &subcommands {
            entry.categories.extend(command_names(sub)?);
        }
        let name = || text(command.name, "a command");
        if command.run.invoke.is_none() && subcommands.is_empty() {
            return Err(EntryError::Idle(name()?));
        }
        // Subcommands nest once: one of these has no others.
        if let Some(sub) = subcommands.iter().find(|sub| sub.run.invoke.is_none()) {
            return Err(EntryError::Idle(format!("{}|{}", name()?, text(sub.name, "a command")?)));
        }
    }
    Ok(entry)
}

/// Where the name of a type is, and where its functions are that it cannot do without.
const TYPE_MEMBERS: (usize, &[(usize, &str)]) =
    (offset_of!(Type, name), &[(offset_of!(Type, save), "save"), (offset_of!(Type, load), "load")]);
/// The same of a section of INFO.
const SECTION_MEMBERS: (usize, &[(usize, &str)]) =
    (offset_of!(Section, name), &[(offset_of!(Section, write), "write")]);

/// Check that no function is null that must be there, before any element is read as a struct that has it. A
/// struct that is too short for them is refused afterwards.
fn check_members<T>(
    slice: Slice<T>,
    what: &'static str,
    (name_at, functions): (usize, &[(usize, &'static str)]),
) -> Result<(), EntryError> {
    if slice.count > LIST_MAX || slice.count > 0 && slice.items.is_null() {
        return Err(EntryError::List(what));
    }
    for at in slice.iter() {
        let at = at.cast::<u8>();
        let end = functions.iter().map(|(offset, _)| offset + size_of::<usize>()).max().unwrap_or_default();
        // SAFETY: an element begins with its size, and is so long.
        if (unsafe { at.cast::<u32>().read_unaligned() } as usize).min(slice.stride as usize) < end {
            continue;
        }
        for (offset, member) in functions {
            // SAFETY: as above; `end` is behind the function and the name.
            let (function, name) = unsafe {
                (at.add(*offset).cast::<usize>().read_unaligned(), at.add(name_at).cast::<Bytes>().read_unaligned())
            };
            if function == 0 {
                return Err(EntryError::Lacks { what, name: text(name, what)?, member });
            }
        }
    }
    Ok(())
}

const fn types_least() -> usize {
    offset_of!(Type, drop)
}

const fn commands_least() -> usize {
    offset_of!(Command, keys)
}

const fn configs_least() -> usize {
    offset_of!(Config, alias)
}

/// Check a command's name and those of its ACL categories, which are returned.
fn command_names(command: &Command) -> Result<Vec<String>, EntryError> {
    let name = text(command.name, "a command")?;
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|');
    if !fits {
        return Err(EntryError::Name(format!("'{name}'"), "a command"));
    }
    let categories = list(command.category_names, "ACL categories")?;
    let categories: Vec<String> =
        categories.iter().map(|name| text(*name, "an ACL category")).collect::<Result<_, _>>()?;
    match categories.iter().find(|name| !is_name(name)) {
        Some(name) => Err(EntryError::Name(format!("'{name}'"), "an ACL category")),
        None => Ok(categories),
    }
}

fn text(bytes: Bytes, what: &'static str) -> Result<String, EntryError> {
    if bytes.len > TEXT_MAX || bytes.data.is_null() && bytes.len > 0 {
        return Err(EntryError::Name("a damaged text".into(), what));
    }
    // SAFETY: a constant of the module, of a believable length.
    let text = unsafe { bytes.as_slice() };
    String::from_utf8(text.to_vec()).map_err(|_| EntryError::Name(format!("{text:?}"), what))
}

fn list<T: Copy>(slice: Slice<T>, what: &'static str) -> Result<Vec<T>, EntryError> {
    let damaged = slice.count > LIST_MAX
        || slice.count > 0 && (slice.items.is_null() || (slice.stride as usize) < size_of::<T>());
    if damaged {
        return Err(EntryError::List(what));
    }
    // SAFETY: the elements are constants of the module, `stride` apart.
    Ok(slice.iter().map(|at| unsafe { at.read_unaligned() }).collect())
}

/// The elements of a list of structs that begin with their size, in this host's form.
fn structs<T: Copy + Blank>(
    slice: Slice<T>,
    what: &'static str,
    least: usize,
    name: fn(&T) -> Bytes,
) -> Result<Vec<T>, EntryError> {
    if slice.count > LIST_MAX || slice.count > 0 && (slice.items.is_null() || (slice.stride as usize) < least) {
        return Err(EntryError::List(what));
    }
    let mut all = Vec::new();
    for at in slice.iter() {
        // SAFETY: an element is at least `least` bytes, which begin with its size.
        let (size, element) = unsafe { (at.cast::<u32>().read_unaligned(), widened(at, T::BLANK)) };
        if (size as usize) < least || size > slice.stride {
            return Err(EntryError::Struct {
                what,
                name: text(name(&element), "it").unwrap_or_default(),
                got: size,
                least,
            });
        }
        all.push(element);
    }
    Ok(all)
}

/// What stands for members that a shorter struct does not have.
trait Blank {
    const BLANK: Self;
}

impl Blank for Command {
    const BLANK: Self = Command::NEW;
}

impl Blank for Config {
    const BLANK: Self = Config::NEW;
}

impl Blank for Section {
    const BLANK: Self = Section { size: 0, flags: 0, name: Bytes::EMPTY, write: no_section };
}

impl Blank for Type {
    const BLANK: Self = Type {
        size: 0,
        encoding: 0,
        name: Bytes::EMPTY,
        id_out: std::ptr::null_mut(),
        rdb_tags: Slice::EMPTY,
        save: no_save,
        load: no_load,
        drop: None,
        memory: None,
        free_effort: None,
        encoding_name: None,
        copy: None,
        data: std::ptr::null_mut(),
        convert: std::ptr::null(),
        rdb_version: None,
        rewrite: None,
        digest: None,
    };
}

unsafe extern "C" fn no_section(_: *mut plinth_abi::call::Call, _: plinth_abi::bytes::Opaque) {}

unsafe extern "C" fn no_save(_: *const plinth_abi::value::Value, _: plinth_abi::bytes::Opaque) -> i32 {
    plinth_abi::status::STATUS_UNSUPPORTED
}

unsafe extern "C" fn no_load(_: plinth_abi::bytes::Opaque, _: u32) -> i32 {
    plinth_abi::status::STATUS_UNSUPPORTED
}
