//! What a shared library says of itself in its file, read before it is mapped.
//!
//! Mapping runs a library's constructors, and the dynamic linker believes what it maps: a file that ends
//! before its segments do kills the process at the first access beyond its end. So the host looks first,
//! as the linker itself will, through the program headers and the dynamic segment:
//!
//! ```text
//! ELF header ─> program headers ─> each within the file
//!                    └─> PT_DYNAMIC ─> strings, symbols, needed libraries, flags, constructors
//!                                          └─> plinth_module_entry ─> magic, ABI, size
//! ```
//!
//! Section headers are for debuggers and may be missing; they count only in that a file which says that it
//! has some, beyond its end, is cut off.
//!
//! *Invariant*: no number out of the file is believed before it is known to lie within the file, so a
//! damaged one is an error, and nothing larger than the file is allocated.

use crate::modules::export::{EntryError, HEAD_BYTES, check_head};
use object::elf::{self, Dyn64, FileHeader64, ProgramHeader64, Sym64};
use object::read::elf::{Dyn as _, FileHeader as _, GnuHashTable, HashTable, ProgramHeader as _, Sym as _};
use object::{LittleEndian, ReadCache, ReadRef as _};
use plinth_abi::entry::ENTRY_SYMBOL;
use std::fs::File;

const LE: LittleEndian = LittleEndian;

type Header = FileHeader64<LittleEndian>;
type Segment = ProgramHeader64<LittleEndian>;
type Symbol = Sym64<LittleEndian>;
type Cached = ReadCache<File>;

/// The machine that this host runs on, as ELF numbers it.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") {
    elf::EM_AARCH64
} else if cfg!(target_arch = "riscv64") {
    elf::EM_RISCV
} else {
    elf::EM_X86_64
};
/// Most symbols that a library may export; the largest C++ libraries have a tenth of it.
const SYMBOLS_MAX: u64 = 1 << 20;
/// Longest name of a symbol, a library or a run path that is looked at.
const TEXT_MAX: u64 = 1 << 14;

/// What has been read of a library that holds a module.
#[derive(Debug, Default)]
pub struct Image {
    /// Libraries that it needs, by the names that it gives.
    pub needed: Vec<String>,
    /// Where it wants them to be looked for, with `$ORIGIN` as it stands.
    pub run_path: String,
    /// Variables of which the linker lets there be one per process (`STB_GNU_UNIQUE`), with their sizes.
    pub unique: Vec<(String, u64)>,
    /// Whether it was linked never to be unmapped.
    pub stays: bool,
    /// Where in the file the entries of the dynamic segment are that name its constructors and destructors.
    pub constructors: Vec<u64>,
}

/// The tag that a loader ignores, in the range that it skips: it takes the place of a constructor's.
pub const IGNORED_TAG: u64 = elf::DT_DEBUG as u64;

/// Read what a file says that is to be mapped.
pub fn read(file: File) -> Result<Image, EntryError> {
    let data = ReadCache::new(file);
    let whole = Whole::open(&data)?;
    let dynamic = whole.dynamic()?;
    let symbols = whole.symbols(&dynamic)?;
    whole.check_entry(&dynamic, symbols)?;
    let mut image = Image { stays: dynamic.flags_1 & u64::from(elf::DF_1_NODELETE) != 0, ..Image::default() };
    for at in &dynamic.needed {
        image.needed.push(whole.text(&dynamic, *at)?);
    }
    if let Some(at) = dynamic.run_path {
        image.run_path = whole.text(&dynamic, at)?;
    }
    for symbol in symbols.iter().filter(|symbol| is_offered(symbol) && symbol.st_bind() == elf::STB_GNU_UNIQUE) {
        image.unique.push((whole.text(&dynamic, symbol.st_name(LE).into())?, symbol.st_size(LE)));
    }
    image.constructors = dynamic.constructors;
    Ok(image)
}

/// The dynamic segment, as far as it matters; addresses as they stand in it.
#[derive(Default)]
struct Dynamic {
    strings: u64,
    strings_bytes: u64,
    symbols: u64,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    needed: Vec<u64>,
    run_path: Option<u64>,
    flags_1: u64,
    constructors: Vec<u64>,
}

/// A file whose segments lie within it.
struct Whole<'data> {
    data: &'data Cached,
    segments: &'data [Segment],
}

impl<'data> Whole<'data> {
    fn open(data: &'data Cached) -> Result<Whole<'data>, EntryError> {
        let bytes = data.len().map_err(|()| damaged("length"))?;
        if bytes == 0 {
            return Err(fault("it is empty"));
        }
        let header: &Header = data.read_at(0).map_err(|()| fault("it is no ELF file"))?;
        if !header.is_supported() || !header.is_class_64() || !header.is_little_endian() {
            return Err(fault("it is no ELF file of 64 bits, little-endian"));
        }
        let (kind, machine) = (header.e_type(LE), header.e_machine(LE));
        if kind != elf::ET_DYN {
            return Err(fault(format!("it is no shared library, but an ELF file of kind {kind}")));
        }
        if machine != MACHINE {
            return Err(fault(format!("it is for machine {machine}, and this is machine {MACHINE}")));
        }
        let sections = u64::from(header.e_shnum(LE)) * u64::from(header.e_shentsize(LE));
        if ends_after(header.e_shoff(LE), sections, bytes) {
            return Err(fault("it is cut off: its section headers are beyond its end"));
        }
        let segments = header
            .program_headers(LE, data)
            .map_err(|_| fault("it is cut off or damaged: its program headers are not within it"))?;
        for segment in segments {
            if ends_after(segment.p_offset(LE), segment.p_filesz(LE), bytes) {
                return Err(fault("it is cut off: a segment is beyond its end"));
            }
        }
        if !segments.iter().any(|segment| segment.p_type(LE) == elf::PT_LOAD) {
            return Err(fault("it has nothing to be mapped"));
        }
        Ok(Whole { data, segments })
    }

    /// Where in the file an address is, and how many bytes of its segment follow there.
    fn place(&self, address: u64) -> Option<(u64, u64)> {
        let loaded = self.segments.iter().filter(|segment| segment.p_type(LE) == elf::PT_LOAD);
        loaded.into_iter().find_map(|segment| {
            let into = address.checked_sub(segment.p_vaddr(LE))?;
            let left = segment.p_filesz(LE).checked_sub(into).filter(|left| *left > 0)?;
            Some((segment.p_offset(LE) + into, left))
        })
    }

    fn dynamic(&self) -> Result<Dynamic, EntryError> {
        let segment = self.segments.iter().find(|segment| segment.p_type(LE) == elf::PT_DYNAMIC);
        let segment = segment.ok_or_else(|| fault("it is linked statically"))?;
        let (at, left) = self.place(segment.p_vaddr(LE)).ok_or_else(|| damaged("dynamic segment"))?;
        let count = segment.p_filesz(LE).min(left) / ENTRY_BYTES;
        let entries: &[Dyn64<LittleEndian>] =
            self.data.read_slice_at(at, count as usize).map_err(|()| damaged("dynamic segment"))?;
        let mut dynamic = Dynamic::default();
        for (index, entry) in entries.iter().enumerate() {
            let value = entry.d_val(LE);
            match entry.tag32(LE).unwrap_or(elf::DT_DEBUG) {
                elf::DT_NULL => break,
                elf::DT_STRTAB => dynamic.strings = value,
                elf::DT_STRSZ => dynamic.strings_bytes = value,
                elf::DT_SYMTAB => dynamic.symbols = value,
                elf::DT_HASH => dynamic.hash = Some(value),
                elf::DT_GNU_HASH => dynamic.gnu_hash = Some(value),
                elf::DT_NEEDED => dynamic.needed.push(value),
                // Where there are both, the linker goes by the second.
                elf::DT_RPATH => dynamic.run_path = dynamic.run_path.or(Some(value)),
                elf::DT_RUNPATH => dynamic.run_path = Some(value),
                elf::DT_FLAGS_1 => dynamic.flags_1 = value,
                elf::DT_INIT | elf::DT_INIT_ARRAY | elf::DT_FINI | elf::DT_FINI_ARRAY => {
                    dynamic.constructors.push(at + index as u64 * ENTRY_BYTES);
                }
                _ => {}
            }
        }
        if dynamic.flags_1 & u64::from(elf::DF_1_PIE) != 0 {
            return Err(fault("it is a program and no shared library"));
        }
        Ok(dynamic)
    }

    /// The symbols that it exports and imports.
    fn symbols(&self, dynamic: &Dynamic) -> Result<&'data [Symbol], EntryError> {
        let count = self.symbol_count(dynamic)?;
        if count > SYMBOLS_MAX {
            return Err(fault(format!("it has {count} symbols, and at most {SYMBOLS_MAX} are looked at")));
        }
        if count == 0 {
            return Ok(&[]);
        }
        let (at, left) = self.place(dynamic.symbols).ok_or_else(|| damaged("symbol table"))?;
        if count * size_of::<Symbol>() as u64 > left {
            return Err(damaged("symbol table"));
        }
        self.data.read_slice_at(at, count as usize).map_err(|()| damaged("symbol table"))
    }

    /// Nothing says the number of symbols but the tables that find them by name.
    fn symbol_count(&self, dynamic: &Dynamic) -> Result<u64, EntryError> {
        let table = |address| {
            let (at, left) = self.place(address)?;
            self.data.read_bytes_at(at, left).ok()
        };
        if let Some(address) = dynamic.gnu_hash {
            let bytes = table(address).ok_or_else(|| damaged("hash table"))?;
            let table = GnuHashTable::<Header>::parse(LE, bytes).map_err(|_| damaged("hash table"))?;
            // A table without a symbol has no length: it exports nothing.
            return Ok(table.symbol_table_length(LE).unwrap_or(0).into());
        }
        let Some(address) = dynamic.hash else { return Ok(0) };
        let bytes = table(address).ok_or_else(|| damaged("hash table"))?;
        let table = HashTable::<Header>::parse(LE, bytes).map_err(|_| damaged("hash table"))?;
        Ok(table.symbol_table_length().into())
    }

    /// A text of the string table.
    fn text(&self, dynamic: &Dynamic, at: u64) -> Result<String, EntryError> {
        let (begin, left) = self.place(dynamic.strings).ok_or_else(|| damaged("string table"))?;
        let end = dynamic.strings_bytes.min(left);
        let range = begin + at.min(end)..begin + end.min(at.saturating_add(TEXT_MAX));
        let bytes = self.data.read_bytes_at_until(range, 0).map_err(|()| damaged("string table"))?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The entry is in this very file, and begins as one does that this host can read. The linker would
    /// find one of a library that this one needs, too.
    fn check_entry(&self, dynamic: &Dynamic, symbols: &[Symbol]) -> Result<(), EntryError> {
        let mut found = None;
        for symbol in symbols.iter().filter(|symbol| is_offered(symbol)) {
            if self.text(dynamic, symbol.st_name(LE).into())? == ENTRY_SYMBOL {
                found = Some(symbol);
                break;
            }
        }
        let symbol = found.ok_or(EntryError::NoEntry)?;
        // One in memory that the file does not hold, such as `.bss`, is all zeros.
        let Some((at, left)) = self.place(symbol.st_value(LE)) else { return Err(EntryError::Magic(0)) };
        let mut head = [0; HEAD_BYTES];
        let there = (left as usize).min(HEAD_BYTES);
        let bytes = self.data.read_bytes_at(at, there as u64).map_err(|()| damaged("entry"))?;
        head[..there].copy_from_slice(bytes);
        let size = check_head(head)?;
        // What an assembler says nothing of has no size.
        let has = if symbol.st_size(LE) == 0 { left } else { left.min(symbol.st_size(LE)) };
        if u64::from(size) > has {
            return Err(fault(format!("its entry says that it has {size} bytes, and has {has}")));
        }
        Ok(())
    }
}

/// Bytes of an entry of the dynamic segment.
const ENTRY_BYTES: u64 = size_of::<Dyn64<LittleEndian>>() as u64;

/// Whether a symbol is one that others find in this library.
fn is_offered(symbol: &Symbol) -> bool {
    symbol.st_shndx(LE) != elf::SHN_UNDEF
        && symbol.st_bind() != elf::STB_LOCAL
        && matches!(symbol.st_visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED)
}

fn ends_after(at: u64, bytes: u64, end: u64) -> bool {
    at.checked_add(bytes).is_none_or(|last| last > end)
}

fn fault(text: impl Into<String>) -> EntryError {
    EntryError::Open(text.into())
}

fn damaged(what: &str) -> EntryError {
    EntryError::Open(format!("its {what} is damaged"))
}
