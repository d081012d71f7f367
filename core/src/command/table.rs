//! The command table: every command by name, whoever registered it.
//!
//! A look-up happens for each command that arrives, so names are not compared as
//! text: the name, in lower case and padded, is three words, which are hashed by a
//! multiplication and compared as words.

use crate::base::foreign::{text, widened};
use crate::base::id::ModuleId;
use crate::command::category::Categories;
use crate::command::durations::Durations;
use crate::command::lifetime::Lifetime;
use plinth_abi::command::{self as abi, Command, KeySpec};
use plinth_abi::host::Host;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Longest name of a command or subcommand in bytes, ...
pub const NAME_BYTES_MAX: usize = 64;
/// ... and of those that are found without a hash of their text.
const PACKED_BYTES_MAX: usize = 24;
type Name = [u64; 3];

/// Counters of a command. They are cells, because whoever runs the command holds a reference to it while the
/// handler may run it again, or have all counters begin anew.
#[derive(Default, Clone)]
pub struct CommandStats {
    /// Runs.
    pub calls: Cell<u64>,
    /// Time of all runs, in ticks.
    pub ticks: Cell<u64>,
    /// Refused before the run.
    pub rejected: Cell<u64>,
    /// Ended in an error.
    pub failed: Cell<u64>,
    /// Panicked.
    pub panics: Cell<u64>,
    /// How long runs took.
    pub durations: Durations,
}

/// Count so many more.
#[inline]
pub fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get().wrapping_add(more));
}

impl CommandStats {
    /// Take over what another has counted, which begins anew.
    pub fn take(&self, other: &CommandStats) {
        add(&self.calls, other.calls.take());
        add(&self.ticks, other.ticks.take());
        add(&self.rejected, other.rejected.take());
        add(&self.failed, other.failed.take());
        add(&self.panics, other.panics.take());
        self.durations.take(&other.durations);
    }

    /// Begin anew.
    pub fn reset(&self) {
        CommandStats::default().take(self);
    }
}

/// A registered command.
pub struct Registered<R> {
    /// The spec, with pointers into the module's constants.
    pub spec: Command,
    /// Name, with the container's before `|` for a subcommand.
    pub name: String,
    /// The same, for clients to keep.
    pub shared_name: Rc<str>,
    /// Who registered it.
    pub module: ModuleId,
    /// The host that its calls carry.
    pub host: *const Host,
    /// What runs it.
    pub run: R,
    /// Position of the first key when it is fixed, else 0.
    pub first_key: u32,
    /// Its place among all commands and subcommands, until the table's next epoch.
    pub number: u32,
    /// Bits of the ACL categories that the module names.
    named_categories: u64,
    /// Which bits of the server's word of what is special concern it (`MINDS_*`).
    pub minds: u32,
    /// Whether it counts a time from when it runs.
    pub lifetime: Lifetime,
    /// Subcommands, put there by [`Registered::add_subcommand`].
    pub subcommands: Vec<Box<Registered<R>>>,
    /// Which of its words nobody is to see, by position; `None` if all may be seen.
    pub secrets: Option<Secrets>,
    /// Counters.
    pub stats: CommandStats,
}

/// Positions of those words of a command that nobody is to see.
pub type Secrets = fn(&[&[u8]]) -> Vec<usize>;

/// Those of a command that says that its words hold secrets, and no more: what follows a word AUTH (a password)
/// or AUTH2 (a user and a password), or all if there is neither.
fn told_secrets(words: &[&[u8]]) -> Vec<usize> {
    let is = |word: &str| words.iter().skip(1).position(|own| own.eq_ignore_ascii_case(word.as_bytes()));
    match (is("auth"), is("auth2")) {
        (Some(at), _) => vec![at + 2],
        (None, Some(at)) => vec![at + 2, at + 3],
        (None, None) => (1..words.len()).collect(),
    }
}

/// Clients are paused, data are being loaded, or the disk has failed: every command minds.
pub const MINDS_ALWAYS: u32 = 1;
/// Memory is limited: those mind that may need more.
pub const MINDS_MEMORY: u32 = 2;
/// It is always so: a command with subcommands is to be resolved.
pub const MINDS_SUBCOMMANDS: u32 = 4;
/// Writes may be refused: those mind that write.
pub const MINDS_WRITES: u32 = 8;

impl<R> Registered<R> {
    /// Take in a subcommand.
    pub fn add_subcommand(&mut self, subcommand: Box<Registered<R>>) {
        self.minds |= MINDS_SUBCOMMANDS;
        self.subcommands.push(subcommand);
    }

    /// Make what the table holds of a spec.
    ///
    /// # Safety
    /// The spec's pointers are valid for as long as the command is registered.
    pub unsafe fn new(
        spec: Command,
        parent: Option<&str>,
        module: ModuleId,
        host: *const Host,
        run: R,
    ) -> Box<Registered<R>> {
        // SAFETY: promised by the caller.
        let (short, keys) = unsafe { (spec.name.as_slice(), key_specs(&spec)) };
        let short = String::from_utf8_lossy(short).to_ascii_lowercase();
        let name = parent.map_or_else(|| short.clone(), |parent| format!("{parent}|{short}"));
        let first_key = match keys.first() {
            Some(key) if key.begin == abi::KEY_BEGIN_INDEX && key.find == abi::KEY_FIND_RANGE => {
                key.index.max(0) as u32
            }
            _ => 0,
        };
        Box::new(Registered {
            spec,
            shared_name: name.as_str().into(),
            name,
            module,
            host,
            run,
            first_key,
            number: 0,
            named_categories: 0,
            minds: MINDS_ALWAYS
                | if spec.flags & abi::COMMAND_DENY_OOM != 0 { MINDS_MEMORY } else { 0 }
                | if spec.flags & abi::COMMAND_WRITE != 0 { MINDS_WRITES } else { 0 },
            // SAFETY: promised by the caller.
            lifetime: unsafe { Lifetime::of(&spec) },
            subcommands: Vec::new(),
            secrets: (spec.flags & abi::COMMAND_SENSITIVE != 0).then_some(told_secrets as Secrets),
            stats: CommandStats::default(),
        })
    }

    /// Name without the container's.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('|').next().unwrap_or(&self.name)
    }

    /// The subcommand of a name.
    pub fn subcommand(&self, name: &[u8]) -> Option<&Registered<R>> {
        self.subcommands.iter().map(|sub| &**sub).find(|sub| sub.short_name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// It and its subcommands.
    pub fn with_subcommands(&self) -> impl Iterator<Item = &Registered<R>> {
        std::iter::once(self).chain(self.subcommands.iter().map(|sub| &**sub))
    }

    /// Whether a number of arguments fits.
    #[inline]
    pub fn takes(&self, argc: usize) -> bool {
        let arity = self.spec.arity;
        if arity >= 0 { argc == arity as usize } else { argc >= arity.unsigned_abs() as usize }
    }

    /// Whether a `COMMAND_*` bit is set.
    #[inline]
    pub fn is(&self, flag: u64) -> bool {
        self.spec.flags & flag != 0
    }

    /// Key specs.
    pub fn keys(&self) -> Vec<KeySpec> {
        // SAFETY: the spec is valid while registered, see `new`.
        unsafe { key_specs(&self.spec) }
    }

    /// Categories, with those that follow from flags.
    pub fn categories(&self) -> u64 {
        let flags = self.spec.flags;
        let mut all = self.spec.categories | self.named_categories;
        all |= if flags & abi::COMMAND_FAST != 0 { abi::CATEGORY_FAST } else { abi::CATEGORY_SLOW };
        for (flag, category) in [
            (abi::COMMAND_WRITE, abi::CATEGORY_WRITE),
            (abi::COMMAND_ADMIN, abi::CATEGORY_ADMIN | abi::CATEGORY_DANGEROUS),
            (abi::COMMAND_PUBSUB, abi::CATEGORY_PUBSUB),
            (abi::COMMAND_BLOCKING, abi::CATEGORY_BLOCKING),
        ] {
            all |= if flags & flag != 0 { category } else { 0 };
        }
        if flags & abi::COMMAND_READONLY != 0 && all & abi::CATEGORY_SCRIPTING == 0 {
            all |= abi::CATEGORY_READ;
        }
        all
    }

    /// Give the categories that the module names their bits.
    fn allot_categories(&mut self, categories: &mut Categories) {
        // SAFETY: the spec is valid while registered, see `new`.
        let names = self.spec.category_names.iter().map(|name| unsafe { text(*name) });
        self.named_categories = names.fold(0, |all, name| all | categories.allot(&name));
        self.subcommands.iter_mut().for_each(|sub| sub.allot_categories(categories));
    }

    /// Go on counting where another command of the same name has stopped.
    pub fn take_stats(&self, other: &Registered<R>) {
        self.stats.take(&other.stats);
        for sub in &self.subcommands {
            if let Some(other) = other.subcommands.iter().find(|other| other.name == sub.name) {
                sub.take_stats(other);
            }
        }
    }

    /// Note a run that took so many ticks.
    #[inline]
    pub fn count(&self, ticks: u64) {
        add(&self.stats.calls, 1);
        add(&self.stats.ticks, ticks);
    }
}

/// # Safety
/// The spec's pointers are valid.
unsafe fn key_specs(spec: &Command) -> Vec<KeySpec> {
    // SAFETY: promised by the caller; each element begins with its size.
    spec.keys.iter().map(|at| unsafe { widened(at, KeySpec::at(0, 0)) }).collect()
}

/// Why a command cannot be renamed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RenameError {
    /// There is none of the name.
    #[error("No such command in rename-command")]
    NoCommand,
    /// The other name is a command's.
    #[error("Target command name already exists")]
    Taken,
}

/// All commands.
pub struct Table<R> {
    /// Open addressing with linear probing; its length is a power of two and at
    /// least twice the number of commands.
    slots: Vec<Option<(Name, *const Registered<R>)>>,
    /// Boxed, because `slots` point at them.
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    all: Vec<Box<Registered<R>>>,
    /// Commands whose names `slots` cannot hold, in lower case.
    long: HashMap<Vec<u8>, *const Registered<R>>,
    /// Commands that clients do not find, in lower case.
    internal: HashMap<Vec<u8>, *const Registered<R>>,
    /// Other names for commands, in lower case; an empty one hides the command.
    renamed: HashMap<String, Vec<u8>>,
    /// The only ones that are to be there, if a module has said so, in lower case.
    only: Option<HashSet<String>>,
    /// Commands that are not to be there meanwhile.
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    away: Vec<Box<Registered<R>>>,
    /// Commands that modules have resolved since the last change.
    handles: Vec<*const Registered<R>>,
    /// ACL categories.
    pub categories: Categories,
    /// Changes when commands come or go, so that kept pointers can be told stale.
    pub epoch: u64,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Table {
            slots: Vec::new(),
            all: Vec::new(),
            long: HashMap::new(),
            internal: HashMap::new(),
            renamed: HashMap::new(),
            only: None,
            away: Vec::new(),
            handles: Vec::new(),
            categories: Categories::default(),
            epoch: 0,
        }
    }
}

fn pack(name: &[u8]) -> Option<Name> {
    if name.len() > PACKED_BYTES_MAX {
        return None;
    }
    let mut bytes = [0; PACKED_BYTES_MAX];
    for (to, from) in bytes.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at * 8 + byte]));
    Some([word(0), word(1), word(2)])
}

/// At most eight bytes as a word, by two loads that may overlap. Of each command's name, so never a call.
#[inline(always)]
pub fn load_short(name: &[u8]) -> u64 {
    let len = name.len();
    if let (Some(first), Some(last)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        let (first, last) = (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
        return first | last << ((len - 4) * 8);
    }
    if let (Some(first), Some(last)) = (name.first_chunk::<2>(), name.last_chunk::<2>()) {
        let (first, last) = (u64::from(u16::from_le_bytes(*first)), u64::from(u16::from_le_bytes(*last)));
        return first | last << ((len - 2) * 8);
    }
    name.first().map_or(0, |byte| u64::from(*byte))
}

/// The packed name, without a loop over bytes for the usual short ones.
#[inline]
fn pack_fast(name: &[u8]) -> Option<Name> {
    if name.len() > 8 {
        return pack(name);
    }
    let word = load_short(name);
    // ASCII letters to lower case, eight at once: bit 5 is set in bytes from A to Z.
    let heptets = word & 0x7f7f_7f7f_7f7f_7f7f;
    let above_z = heptets.wrapping_add(0x2525_2525_2525_2525);
    let from_a = heptets.wrapping_add(0x3f3f_3f3f_3f3f_3f3f);
    let upper = (from_a ^ above_z) & !word & 0x8080_8080_8080_8080;
    Some([word | (upper >> 2), 0, 0])
}

#[inline]
fn slot_of(name: &Name, mask: usize) -> usize {
    let mixed = (name[0] ^ name[1].rotate_left(21) ^ name[2].rotate_left(42)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize & mask
}

impl<R> Table<R> {
    /// The command of a name, in any case, as clients find it.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<*const Registered<R>> {
        let Some(name) = pack_fast(name) else { return self.find_long(name) };
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = slot_of(&name, mask);
        while let Some((known, command)) = &self.slots[at] {
            if *known == name {
                return Some(*command);
            }
            at = (at + 1) & mask;
        }
        None
    }

    #[cold]
    fn find_long(&self, name: &[u8]) -> Option<*const Registered<R>> {
        self.long.get(&name.to_ascii_lowercase()).copied()
    }

    /// The command of a name, in any case, also one that is not for clients.
    pub fn find_any(&self, name: &[u8]) -> Option<*const Registered<R>> {
        self.find(name).or_else(|| self.internal.get(&name.to_ascii_lowercase()).copied())
    }

    /// Have a command answer to another name only, or to none if it is empty. It goes on
    /// under its own name in statistics and errors.
    ///
    /// # Errors
    /// When there is no such command, or another has the new name.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), RenameError> {
        let name = self.get(from).ok_or(RenameError::NoCommand)?.name.clone();
        if self.find(to).is_some() {
            return Err(RenameError::Taken);
        }
        self.renamed.insert(name, to.to_ascii_lowercase());
        self.rebuild();
        Ok(())
    }

    /// A number by which [`Table<R>::resolved`] finds the command again without its
    /// name, until commands come or go. Never 0.
    pub fn resolve(&mut self, name: &[u8]) -> Option<usize> {
        let command = self.find_any(name)?;
        let at = self.handles.iter().position(|known| *known == command).unwrap_or_else(|| {
            self.handles.push(command);
            self.handles.len() - 1
        });
        Some((self.epoch as usize) << 16 | (at + 1))
    }

    /// The command of a number of [`Table<R>::resolve`], unless it is stale.
    pub fn resolved(&self, handle: usize) -> Option<*const Registered<R>> {
        if handle >> 16 != self.epoch as usize {
            return None;
        }
        self.handles.get((handle & 0xffff).checked_sub(1)?).copied()
    }

    /// The same as a reference.
    pub fn get(&self, name: &[u8]) -> Option<&Registered<R>> {
        // SAFETY: pointers in `slots` are into `all`, which we borrow.
        self.find(name).map(|command| unsafe { &*command })
    }

    /// A run of a command by this name has failed after all.
    pub fn count_failure(&mut self, name: &[u8]) {
        if let Some(command) = self.get(name) {
            add(&command.stats.failed, 1);
        }
    }

    /// All commands.
    pub fn iter(&self) -> impl Iterator<Item = &Registered<R>> {
        self.all.iter().map(|command| &**command)
    }

    /// Number of commands without subcommands.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Take in a command; its name must be free and fit.
    pub fn insert(&mut self, mut command: Box<Registered<R>>) {
        command.allot_categories(&mut self.categories);
        let is_there = self.only.as_ref().is_none_or(|only| only.contains(&command.name));
        if is_there { &mut self.all } else { &mut self.away }.push(command);
        self.rebuild();
    }

    /// Remove all commands of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.all.retain(|command| command.module != module);
        self.away.retain(|command| command.module != module);
        self.rebuild();
    }

    /// Have no other commands than those of these names, and `instead` in the place of others of their names.
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    pub fn restrict(&mut self, only: HashSet<String>, instead: Vec<Box<Registered<R>>>) {
        let replaced: HashSet<&str> = instead.iter().map(|command| command.name.as_str()).collect();
        let goes = |command: &Registered<R>| !only.contains(&command.name) || replaced.contains(&*command.name);
        self.away.extend(self.all.extract_if(.., |command| goes(command)));
        drop(replaced);
        for mut command in instead {
            command.allot_categories(&mut self.categories);
            self.all.push(command);
        }
        self.only = Some(only);
        self.rebuild();
    }

    /// Have all commands again, but those whose names others have by now.
    pub fn unrestrict(&mut self) {
        self.only = None;
        for command in std::mem::take(&mut self.away) {
            if self.all.iter().all(|other| other.name != command.name) {
                self.all.push(command);
            }
        }
        self.rebuild();
    }

    /// Let go of all commands of a module.
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    pub fn take_module(&mut self, module: ModuleId) -> Vec<Box<Registered<R>>> {
        let taken = self.all.extract_if(.., |command| command.module == module).collect();
        self.rebuild();
        taken
    }

    fn rebuild(&mut self) {
        self.epoch += 1;
        self.handles.clear();
        let size = (self.all.len() * 2).next_power_of_two().max(16);
        self.slots = vec![None; size];
        self.long.clear();
        self.internal.clear();
        let mut number = 0;
        for command in &mut self.all {
            let command = &mut **command;
            for one in
                std::iter::once(&mut command.number).chain(command.subcommands.iter_mut().map(|sub| &mut sub.number))
            {
                *one = number;
                number += 1;
            }
            let command = &*command;
            let called = self.renamed.get(&command.name).map_or(command.name.as_bytes(), Vec::as_slice);
            if called.is_empty() {
                continue;
            }
            if command.is(abi::COMMAND_INTERNAL) {
                self.internal.insert(called.to_vec(), &raw const *command);
                continue;
            }
            let Some(name) = pack(called) else {
                self.long.insert(called.to_vec(), &raw const *command);
                continue;
            };
            let mut at = slot_of(&name, size - 1);
            while self.slots[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = Some((name, &raw const *command));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_packing_a_name_agree() {
        for name in ["GET", "get", "GeT", "a", "", "[@`{", "Z", "SETRANGE"] {
            assert_eq!(pack(name.as_bytes()), pack_fast(name.as_bytes()), "{name}");
        }
        assert_eq!(pack_fast(&[b'A', 0xC1, b'Z']), pack(&[b'A', 0xC1, b'Z']));
    }
}
