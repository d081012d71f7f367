//! A user: whether it may come in, its passwords, and its rules.

use crate::acl::access::{Denial, Request};
use crate::acl::catalog::Catalog;
use crate::acl::password::Password;
use crate::acl::selector::{Names, RuleError, Selector};
use std::rc::Rc;

/// Bytes that the rules and passwords of a user may take.
const BYTES_MAX: usize = 1 << 20;

/// A user.
#[derive(Clone)]
pub struct User {
    /// Name.
    pub name: Rc<[u8]>,
    /// Whether a password lets anybody in.
    pub is_on: bool,
    /// Whether any password does.
    pub needs_no_password: bool,
    /// Whether what it RESTOREs is looked at in depth.
    pub sanitizes: bool,
    /// Passwords, in the order in which they were given.
    pub passwords: Vec<Password>,
    /// Its own rules, and those in parentheses: one of them must allow a command.
    pub selectors: Vec<Selector>,
}

/// Whether a name can be a user's.
pub fn is_name(name: &[u8]) -> bool {
    !name.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b))
}

impl User {
    /// A user who may do nothing, but perhaps use all channels.
    pub fn new(name: &[u8], all_channels: bool) -> User {
        User {
            name: name.into(),
            is_on: false,
            needs_no_password: false,
            sanitizes: true,
            passwords: Vec::new(),
            selectors: vec![Selector::new(all_channels)],
        }
    }

    /// The one who everybody is at first, and who may do everything without a password.
    pub fn default_user() -> User {
        let mut user = User { is_on: true, needs_no_password: true, ..User::new(b"default", true) };
        let catalog = Catalog::default();
        let names = Names { catalog: &catalog, takes_unknown: false };
        for rule in ["allkeys", "allcommands"] {
            // Neither of them can fail.
            let _ = user.selectors[0].apply(rule.as_bytes(), names);
        }
        user
    }

    /// Have it come in with one password, or with any if that is empty.
    pub fn set_only_password(&mut self, password: &[u8]) {
        self.needs_no_password = password.is_empty();
        self.passwords = if password.is_empty() { Vec::new() } else { vec![Password::of(password)] };
    }

    /// Whether it may do everything, commands to come included.
    pub fn may_all(&self) -> bool {
        self.selectors.iter().any(Selector::allows_all)
    }

    /// Whether a password lets somebody in as this user. All passwords are looked at, in the same time whatever
    /// they are.
    pub fn lets_in(&self, password: &[u8]) -> bool {
        let told = Password::of(password);
        let fits = self.passwords.iter().fold(false, |fits, known| fits | known.is_same(&told));
        self.is_on && (self.needs_no_password || fits)
    }

    /// Follow a rule, given what `reset` does to channels.
    ///
    /// # Errors
    /// When it is none, or adds nothing.
    pub fn apply(&mut self, rule: &[u8], names: Names<'_>, all_channels: bool) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            [] => {}
            _ if is("on") => self.is_on = true,
            _ if is("off") => self.is_on = false,
            _ if is("sanitize-payload") => self.sanitizes = true,
            _ if is("skip-sanitize-payload") => self.sanitizes = false,
            _ if is("nopass") => {
                self.needs_no_password = true;
                self.passwords.clear();
            }
            _ if is("resetpass") => {
                self.needs_no_password = false;
                self.passwords.clear();
            }
            _ if is("reset") => *self = User { name: self.name.clone(), ..User::new(b"", all_channels) },
            _ if is("clearselectors") => self.selectors.truncate(1),
            [b'>', text @ ..] => self.add_password(Password::of(text)),
            [b'<', text @ ..] => self.remove_password(Password::of(text))?,
            [b'#', hash @ ..] => self.add_password(Password::from_hex(hash).ok_or(RuleError::PasswordHash)?),
            [b'!', hash @ ..] => self.remove_password(Password::from_hex(hash).ok_or(RuleError::PasswordHash)?)?,
            [b'(', rules @ .., b')'] => {
                let mut selector = Selector::new(all_channels);
                for rule in rules.split(|byte| *byte == b' ').filter(|rule| !rule.is_empty()) {
                    selector.apply(rule, names)?;
                }
                self.selectors.push(selector);
            }
            [b'(', ..] => return Err(RuleError::Syntax),
            _ => self.selectors[0].apply(rule, names)?,
        }
        if self.bytes() > BYTES_MAX { Err(RuleError::TooLarge) } else { Ok(()) }
    }

    fn bytes(&self) -> usize {
        let selectors: usize = self.selectors.iter().map(Selector::bytes).sum();
        selectors + self.passwords.len() * size_of::<Password>()
    }

    fn add_password(&mut self, password: Password) {
        self.needs_no_password = false;
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
    }

    fn remove_password(&mut self, password: Password) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|known| *known == password).ok_or(RuleError::NoPassword)?;
        self.passwords.remove(at);
        Ok(())
    }

    /// Have the rules know the commands that there are.
    pub fn compile(&mut self, catalog: &Catalog) {
        self.selectors.iter_mut().for_each(|selector| selector.compile(catalog));
    }

    /// Whether one of its selectors allows a command. They must have been compiled.
    ///
    /// # Errors
    /// What the selector that came furthest does not allow.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Denial> {
        let mut furthest = Denial::Command;
        for selector in &self.selectors {
            match selector.check(request) {
                Ok(()) => return Ok(()),
                Err(denial) => furthest = furthest.max(denial),
            }
        }
        Err(furthest)
    }

    /// Its flags, as they are shown.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let on = if self.is_on { "on" } else { "off" };
        let sanitizes = if self.sanitizes { "sanitize-payload" } else { "skip-sanitize-payload" };
        [on].into_iter().chain(self.needs_no_password.then_some("nopass")).chain([sanitizes])
    }

    /// Its rules as one line, such that following them after `reset` makes the same.
    pub fn rules_text(&self) -> Vec<u8> {
        let mut text = self.flags().collect::<Vec<_>>().join(" ").into_bytes();
        for password in &self.passwords {
            text.extend_from_slice(b" #");
            text.extend_from_slice(password.hex().as_bytes());
        }
        for (at, selector) in self.selectors.iter().enumerate() {
            let rules = selector.text();
            let rules = if at == 0 { rules } else { [b"(", rules.as_slice(), b")"].concat() };
            text.push(b' ');
            text.extend_from_slice(&rules);
        }
        text
    }

    /// Its line in files and in ACL LIST.
    pub fn line(&self) -> Vec<u8> {
        [b"user ", &*self.name, b" ", &self.rules_text()].concat()
    }
}
