//! A set of rules: which commands, on which keys, channels and databases.
//!
//! Rules about commands are kept as they were given, in their order, and what they come to is a bit for each
//! command of the catalog. A rule takes the place of an earlier one about the same, or about a part of it:
//! `+config` that of `-config|set`. So there are never more of them than there are commands and categories,
//! but for first arguments, which count as bytes of the user's.

use crate::acl::access::{DatabaseAt, Denial, Request};
use crate::acl::catalog::Catalog;
use crate::base::pattern;
use crate::command::keyspec::KeyAt;
use plinth_abi::command as abi;

/// A key may be read.
const READ: u8 = 1;
/// A key may be written.
const WRITE: u8 = 2;
/// Highest number of a database in a rule.
const DATABASE_MAX: u32 = (1 << 16) - 1;

/// Why a rule is refused; `Display` is what who gave it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum RuleError {
    #[error("Unknown command or category name in ACL")]
    Unknown,
    #[error("Syntax error")]
    Syntax,
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstArg,
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )]
    AllKeys,
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    AllChannels,
    #[error("The provided database ID is out of range")]
    DatabaseRange,
    #[error("The password you are trying to remove from the user does not exist")]
    NoPassword,
    #[error("The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")]
    PasswordHash,
    #[error("The rules and passwords of a user may take 1 MB")]
    TooLarge,
}

/// What rules may name.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// Commands and categories.
    pub catalog: &'a Catalog,
    /// Whether others are kept too, because the module that has them may come yet.
    pub takes_unknown: bool,
}

/// A rule about commands.
#[derive(Clone, PartialEq, Eq, Debug)]
struct CommandRule {
    allows: bool,
    /// In lower case: a command, `container|subcommand`, `command|argument`, or `@category`.
    name: String,
}

/// Keys that may be used.
#[derive(Clone, PartialEq, Eq, Debug)]
struct KeyPattern {
    how: u8,
    pattern: Vec<u8>,
}

/// What the rules about commands come to, as of an epoch of the table.
#[derive(Clone, Default)]
struct Compiled {
    epoch: Option<u64>,
    bits: Vec<u64>,
    /// First arguments with which a command that is not allowed is allowed.
    first_args: Vec<(u32, Vec<u8>)>,
}

/// A set of rules.
#[derive(Clone, Default)]
pub struct Selector {
    /// Whether commands are allowed of which no rule says otherwise, those to come included.
    allows_others: bool,
    rules: Vec<CommandRule>,
    all_keys: bool,
    keys: Vec<KeyPattern>,
    all_channels: bool,
    channels: Vec<Vec<u8>>,
    /// `None` for all.
    databases: Option<Vec<u32>>,
    compiled: Compiled,
}

fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b))
}

impl Selector {
    /// Nothing is allowed, but perhaps all channels.
    pub fn new(all_channels: bool) -> Selector {
        Selector { all_channels, ..Selector::default() }
    }

    /// Whether it allows everything.
    pub fn allows_all(&self) -> bool {
        self.allows_others && self.rules.is_empty() && self.all_keys && self.all_channels && self.databases.is_none()
    }

    /// Whether all keys may be read and written.
    pub fn has_all_keys(&self) -> bool {
        self.all_keys
    }

    /// Whether all channels may be used.
    pub fn has_all_channels(&self) -> bool {
        self.all_channels
    }

    /// Whether it is limited to some databases.
    pub fn limits_databases(&self) -> bool {
        self.databases.is_some()
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let rules: usize = self.rules.iter().map(|rule| rule.name.len() + size_of::<CommandRule>()).sum();
        let keys: usize = self.keys.iter().map(|key| key.pattern.len() + size_of::<KeyPattern>()).sum();
        let channels: usize = self.channels.iter().map(|one| one.len() + size_of::<Vec<u8>>()).sum();
        size_of::<Selector>() + rules + keys + channels + self.databases.as_ref().map_or(0, |all| all.len() * 4)
    }

    /// Follow a rule.
    ///
    /// # Errors
    /// When it is none, or adds nothing.
    pub fn apply(&mut self, rule: &[u8], names: Names<'_>) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            _ if is("allkeys") || is("~*") => {
                self.all_keys = true;
                self.keys.clear();
            }
            _ if is("resetkeys") => {
                self.all_keys = false;
                self.keys.clear();
            }
            _ if is("allchannels") || is("&*") => {
                self.all_channels = true;
                self.channels.clear();
            }
            _ if is("resetchannels") => {
                self.all_channels = false;
                self.channels.clear();
            }
            _ if is("alldbs") => self.databases = None,
            _ if is("resetdbs") => self.databases = Some(Vec::new()),
            _ if is("allcommands") || is("+@all") => self.set_all_commands(true),
            _ if is("nocommands") || is("-@all") => self.set_all_commands(false),
            [b'~', pattern @ ..] => self.add_key(READ | WRITE, pattern)?,
            [b'%', how @ ..] => self.add_key_for(how)?,
            [b'&', pattern @ ..] => self.add_channel(pattern)?,
            [sign @ (b'+' | b'-'), name @ ..] => self.add_command(*sign == b'+', name, names)?,
            [_, _, b'=', numbers @ ..] if rule[..2].eq_ignore_ascii_case(b"db") => self.set_databases(numbers)?,
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn set_all_commands(&mut self, allows: bool) {
        self.allows_others = allows;
        self.rules.clear();
        self.compiled.epoch = None;
    }

    /// `%R~`, `%W~`, `%RW~`, given from behind the percent sign.
    fn add_key_for(&mut self, rest: &[u8]) -> Result<(), RuleError> {
        let end = rest.iter().position(|byte| *byte == b'~').unwrap_or(rest.len());
        let mut how = 0;
        for letter in &rest[..end] {
            let bit = match letter.to_ascii_uppercase() {
                b'R' => READ,
                b'W' => WRITE,
                _ => 0,
            };
            // A rule after `~*` is refused whatever it says.
            if bit == 0 || how & bit != 0 {
                return Err(if self.all_keys { RuleError::AllKeys } else { RuleError::Syntax });
            }
            how |= bit;
        }
        if how == 0 {
            return Err(if self.all_keys { RuleError::AllKeys } else { RuleError::Syntax });
        }
        self.add_key(how, rest.get(end + 1..).unwrap_or_default())
    }

    fn add_key(&mut self, how: u8, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AllKeys);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => known.how |= how,
            None => self.keys.push(KeyPattern { how, pattern: pattern.to_vec() }),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AllChannels);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    fn set_databases(&mut self, numbers: &[u8]) -> Result<(), RuleError> {
        let number = |text: &[u8]| {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
            let number = number.ok_or(RuleError::Syntax)?;
            u32::try_from(number).ok().filter(|number| *number <= DATABASE_MAX).ok_or(RuleError::DatabaseRange)
        };
        let mut all: Vec<u32> = numbers.split(|byte| *byte == b',').map(number).collect::<Result<_, _>>()?;
        all.sort_unstable();
        all.dedup();
        self.databases = Some(all);
        Ok(())
    }

    /// `+name`, `-name`, `+@category`, `-@category`, given from behind the sign.
    fn add_command(&mut self, allows: bool, name: &[u8], names: Names<'_>) -> Result<(), RuleError> {
        let name = std::str::from_utf8(name).map_err(|_| RuleError::Unknown)?.to_ascii_lowercase();
        // A first argument cannot be taken away, even where it was allowed.
        let is_rule = self.rules.iter().any(|rule| rule.name == name && (rule.allows == allows || !name.contains('|')));
        if !(is_rule || names.takes_unknown && is_plausible(&name)) {
            check_name(allows, &name, names.catalog)?;
        }
        let of_it = |rule: &CommandRule| {
            let rest = rule.name.strip_prefix(&name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
        };
        self.rules.retain(|rule| !of_it(rule));
        self.rules.push(CommandRule { allows, name });
        self.compiled.epoch = None;
        Ok(())
    }

    /// Names in its rules that nothing has.
    pub fn unknown<'s>(&'s self, catalog: &'s Catalog) -> impl Iterator<Item = &'s str> {
        let is_unknown = |rule: &&CommandRule| check_name(rule.allows, &rule.name, catalog).is_err();
        self.rules.iter().filter(is_unknown).map(|rule| rule.name.as_str())
    }

    /// Have the bits say what the rules say of the commands that there are.
    pub fn compile(&mut self, catalog: &Catalog) {
        if self.compiled.epoch == Some(catalog.epoch) {
            return;
        }
        let all = if self.allows_others { u64::MAX } else { 0 };
        let mut made = Compiled {
            epoch: Some(catalog.epoch),
            bits: vec![all; catalog.len().div_ceil(64)],
            first_args: Vec::new(),
        };
        for rule in &self.rules {
            made.follow(rule, catalog);
        }
        self.compiled = made;
    }

    /// Whether a command is allowed, by its number, with its arguments.
    fn allows_command(&self, request: &Request<'_>) -> bool {
        let (word, bit) = (request.number as usize / 64, request.number % 64);
        if request.is_open || self.compiled.bits.get(word).is_some_and(|word| word >> bit & 1 != 0) {
            return true;
        }
        let first = request.args.get(1).copied();
        self.compiled.first_args.iter().any(|(number, wanted)| {
            *number == request.number && first.is_some_and(|first| first.eq_ignore_ascii_case(wanted))
        })
    }

    /// Whether it allows all that a command asks for. It must have been compiled.
    ///
    /// # Errors
    /// What it does not allow.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Denial> {
        if !self.allows_command(request) {
            return Err(Denial::Command);
        }
        for database in request.databases {
            self.check_database(*database)?;
        }
        if request.reads_any && !self.reads_any_key() {
            return Err(Denial::Key(0));
        }
        for key in request.keys {
            if !self.allows_key(request.args[key.at], wanted(*key)) {
                return Err(Denial::Key(key.at));
            }
        }
        for channel in request.channels {
            if !self.allows_channel(request.args[channel.at], channel.is_pattern) {
                return Err(Denial::Channel(channel.at));
            }
        }
        Ok(())
    }

    fn check_database(&self, database: DatabaseAt) -> Result<(), Denial> {
        let Some(allowed) = &self.databases else { return Ok(()) };
        match database {
            DatabaseAt::Selected(number) if !allowed.contains(&number) => Err(Denial::Database(None)),
            DatabaseAt::Named(number) if !allowed.contains(&number) => Err(Denial::Database(Some(number))),
            DatabaseAt::All => Err(Denial::Database(None)),
            _ => Ok(()),
        }
    }

    /// Whether a key may be used, for reading, writing, or to see whether it is there.
    fn allows_key(&self, key: &[u8], how: u8) -> bool {
        let fits = |known: &KeyPattern| known.how & how == how && pattern::matches(&known.pattern, key, false);
        self.all_keys || self.keys.iter().any(fits)
    }

    /// Whether a key may be used as `KEY_*` flags say.
    pub fn allows_key_for(&self, key: &[u8], flags: u64) -> bool {
        self.allows_key(key, wanted(KeyAt { at: 0, flags }))
    }

    /// Whether all keys may be read.
    fn reads_any_key(&self) -> bool {
        self.all_keys || self.keys.iter().any(|known| known.how & READ != 0 && known.pattern == b"*")
    }

    /// Whether a channel may be used; a pattern is allowed by the same pattern only.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        let fits = |known: &Vec<u8>| {
            if is_pattern { known == channel } else { pattern::matches(known, channel, false) }
        };
        self.all_channels || self.channels.iter().any(fits)
    }

    /// The rules about commands.
    pub fn commands_text(&self) -> String {
        let mut text = String::from(if self.allows_others { "+@all" } else { "-@all" });
        for rule in &self.rules {
            text.push_str(if rule.allows { " +" } else { " -" });
            text.push_str(&rule.name);
        }
        text
    }

    /// The rules about keys.
    pub fn keys_text(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let sign = |how: u8| match how {
            READ => b"%R~".as_slice(),
            WRITE => b"%W~",
            _ => b"~",
        };
        self.keys.iter().map(|key| [sign(key.how), &key.pattern].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// The rules about channels.
    pub fn channels_text(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        self.channels.iter().map(|channel| [b"&", channel.as_slice()].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// The rule about databases, if it is limited to some.
    pub fn databases_text(&self) -> Option<String> {
        let all = self.databases.as_ref()?;
        if all.is_empty() {
            return Some("resetdbs".into());
        }
        let numbers: Vec<String> = all.iter().map(u32::to_string).collect();
        Some(format!("db={}", numbers.join(",")))
    }

    /// All of its rules, such that following them on an empty one makes the same.
    pub fn text(&self) -> Vec<u8> {
        let mut parts = vec![self.keys_text()];
        if !self.all_channels {
            parts.push(b"resetchannels".to_vec());
        }
        parts.push(self.channels_text());
        parts.push(self.databases_text().unwrap_or_default().into_bytes());
        parts.push(self.commands_text().into_bytes());
        parts.retain(|part| !part.is_empty());
        parts.join(&b' ')
    }
}

/// Whether a name may be a command's or category's of a module that is not there.
fn is_plausible(name: &str) -> bool {
    let name = name.strip_prefix('@').unwrap_or(name);
    !name.is_empty() && !name.starts_with('|') && !name.ends_with('|')
}

/// Whether a rule's name is a command, a subcommand, a category, or a command with a first argument.
fn check_name(allows: bool, name: &str, catalog: &Catalog) -> Result<(), RuleError> {
    if let Some(category) = name.strip_prefix('@') {
        return catalog.category(category).map(|_| ()).ok_or(RuleError::Unknown);
    }
    if catalog.number(name).is_some() {
        return Ok(());
    }
    let (command, first) = name.rsplit_once('|').filter(|_| allows).ok_or(RuleError::Unknown)?;
    let known = catalog.command(catalog.number(command).ok_or(RuleError::Unknown)?);
    match () {
        () if known.is_subcommand => Err(RuleError::FirstArg),
        () if first.is_empty() => Err(RuleError::Syntax),
        () if known.subcommands > 0 => Err(RuleError::Unknown),
        () => Ok(()),
    }
}

/// What must be allowed of a key. To see whether it is there, or how long it is, any pattern will do.
fn wanted(key: KeyAt) -> u8 {
    let bit = |bit: u8, flags: u64| if key.flags & flags != 0 { bit } else { 0 };
    bit(READ, abi::KEY_ACCESS) | bit(WRITE, abi::KEY_INSERT | abi::KEY_DELETE | abi::KEY_UPDATE)
}

impl Compiled {
    fn set(&mut self, number: u32, allows: bool) {
        let bit = 1 << (number % 64);
        let word = &mut self.bits[number as usize / 64];
        *word = if allows { *word | bit } else { *word & !bit };
        self.first_args.retain(|(of, _)| *of != number);
    }

    fn follow(&mut self, rule: &CommandRule, catalog: &Catalog) {
        if let Some(category) = rule.name.strip_prefix('@') {
            if let Some(bits) = catalog.category(category) {
                catalog.in_categories(bits).for_each(|number| self.set(number, rule.allows));
            }
        } else if let Some(number) = catalog.number(&rule.name) {
            (number..=number + catalog.command(number).subcommands).for_each(|one| self.set(one, rule.allows));
        } else if rule.allows
            && let Some((command, first)) = rule.name.rsplit_once('|')
            && let Some(number) = catalog.number(command)
            && catalog.command(number).subcommands == 0
            && !catalog.command(number).is_subcommand
        {
            self.first_args.push((number, first.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATEGORIES: &[(&str, u64)] = &[("read", 1), ("write", 2)];
    const COMMANDS: &[(&str, u64)] =
        &[("get", 1), ("set", 2), ("box", 0), ("box|look", 1), ("box|put", 2), ("pick", 0)];

    fn made(rules: &str, catalog: &Catalog) -> Result<Selector, RuleError> {
        let mut selector = Selector::default();
        for rule in rules.split(' ') {
            selector.apply(rule.as_bytes(), Names { catalog, takes_unknown: false })?;
        }
        Ok(selector)
    }

    fn allows(selector: &mut Selector, catalog: &Catalog, line: &str) -> bool {
        selector.compile(catalog);
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let name = line.split(' ').next().unwrap_or_default();
        let number = catalog.number(name).unwrap();
        let (keys, channels, databases) = (&[], &[], &[]);
        let request = Request { number, is_open: false, args: &args, keys, channels, databases, reads_any: false };
        selector.check(&request).is_ok()
    }

    #[test]
    fn rules_about_commands_hold_in_their_order() {
        let catalog = Catalog::made_of(1, COMMANDS, CATEGORIES);
        for (rules, allowed, shown) in [
            ("+@read", "get box|look", "-@all +@read"),
            ("+get +@all -@write", "get box box|look pick", "+@all -@write"),
            ("+box -box|put", "box box|look", "-@all +box -box|put"),
            ("-box|put +box", "box box|look box|put", "-@all +box"),
            ("+pick|a +pick|b", "pick&a pick&B", "-@all +pick|a +pick|b"),
            ("+pick|a -pick", "", "-@all -pick"),
            ("+GET -get +set", "set", "-@all -get +set"),
        ] {
            let mut selector = made(rules, &catalog).unwrap();
            assert_eq!(selector.commands_text(), shown);
            for (name, _) in COMMANDS {
                for line in [(*name).to_owned(), format!("{name} a"), format!("{name} B")] {
                    let is_named = |one: &str| one == *name || one.replace('&', " ") == line;
                    let expected = allowed.split(' ').any(is_named);
                    assert_eq!(allows(&mut selector, &catalog, &line), expected, "{rules}: {line}");
                }
            }
        }
    }

    #[test]
    fn rules_hold_for_commands_that_come_later_and_are_back() {
        let catalog = Catalog::made_of(1, COMMANDS, CATEGORIES);
        let mut selector = made("+@read +set +pick|a", &catalog).unwrap();
        assert!(allows(&mut selector, &catalog, "set"));
        let fewer = Catalog::made_of(2, &[("peek", 1), ("pick", 0)], CATEGORIES);
        assert!(allows(&mut selector, &fewer, "peek") && allows(&mut selector, &fewer, "pick a"));
        assert!(!allows(&mut selector, &fewer, "pick b"));
        assert_eq!(selector.unknown(&fewer).collect::<Vec<_>>(), ["set"]);
        let again = Catalog::made_of(3, COMMANDS, CATEGORIES);
        assert!(allows(&mut selector, &again, "set") && !allows(&mut selector, &again, "box|put"));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_reason() {
        let catalog = Catalog::made_of(1, COMMANDS, CATEGORIES);
        for (rules, error) in [
            ("+none", RuleError::Unknown),
            ("+@none", RuleError::Unknown),
            ("-pick|a", RuleError::Unknown),
            ("+box|none", RuleError::Unknown),
            ("+box|look|x", RuleError::FirstArg),
            ("+pick|", RuleError::Syntax),
            ("%X~a", RuleError::Syntax),
            ("%RR~a", RuleError::Syntax),
            ("%~a", RuleError::Syntax),
            ("get", RuleError::Syntax),
            ("allkeys ~a", RuleError::AllKeys),
            ("&* &a", RuleError::AllChannels),
            ("db=", RuleError::Syntax),
            ("db=65536", RuleError::DatabaseRange),
        ] {
            assert_eq!(made(rules, &catalog).err(), Some(error), "{rules}");
        }
    }

    #[test]
    fn what_is_shown_of_rules_makes_the_same_again() {
        let catalog = Catalog::made_of(1, COMMANDS, CATEGORIES);
        for rules in [
            "+@all ~* &*",
            "%R~a %W~a %R~b ~c* &x &y db=2,1 -@all +@read -get +pick|a",
            "resetdbs +box -box|put",
            "%W~x",
        ] {
            let text = made(rules, &catalog).unwrap().text();
            let again = made(&String::from_utf8_lossy(&text), &catalog).unwrap();
            assert_eq!(String::from_utf8_lossy(&again.text()), String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn keys_are_read_and_written_as_their_patterns_say() {
        let catalog = Catalog::made_of(1, COMMANDS, CATEGORIES);
        let selector = made("%R~r* %W~*w ~b", &catalog).unwrap();
        let (read, write) = (abi::KEY_ACCESS, abi::KEY_UPDATE);
        for (key, flags, expected) in [
            ("r", read, true),
            ("r", write, false),
            ("w", write, true),
            ("w", read, false),
            ("b", read | write, true),
            // One pattern has to allow both.
            ("rw", read | write, false),
            ("rw", read, true),
            ("x", 0, false),
            ("r", 0, true),
            ("w", 0, true),
        ] {
            assert_eq!(selector.allows_key_for(key.as_bytes(), flags), expected, "{key} {flags}");
        }
    }
}
