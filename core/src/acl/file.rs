//! Users as text: the lines of an ACL file and of the configuration.

use crate::acl::selector::{Names, RuleError};
use crate::acl::user::{User, is_name};
use crate::acl::users::{USERS_MAX, Users};
use std::collections::HashSet;

/// Words of rules, with those between an open and a closed parenthesis made one.
///
/// # Errors
/// The word whose parenthesis is not closed.
pub fn merged<'w>(words: &[&'w [u8]]) -> Result<Vec<Vec<u8>>, &'w [u8]> {
    let mut merged: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<&[u8]> = None;
    for word in words {
        match merged.last_mut().filter(|_| open.is_some()) {
            Some(last) => {
                last.push(b' ');
                last.extend_from_slice(word);
            }
            None => merged.push(word.to_vec()),
        }
        let begin = open.or_else(|| word.starts_with(b"(").then_some(word));
        open = begin.filter(|_| !word.ends_with(b")"));
    }
    open.map_or(Ok(merged), Err)
}

/// What is wrong with a user that is described.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum UserError {
    #[error("a user's line begins with the word 'user' and a name")]
    NoUser,
    #[error("Usernames can't contain spaces or null characters")]
    Name,
    #[error("Duplicate user '{0}' found. A user can only be defined once in config files")]
    Duplicate(String),
    #[error("Unmatched parenthesis in acl selector starting at '{0}'.")]
    Parenthesis(String),
    #[error("Error in user '{0}', rule '{1}': {2}")]
    Rule(String, String, RuleError),
    #[error("there can be {USERS_MAX} users")]
    TooMany,
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(crate::command::status::shown(text)).into_owned()
}

/// Add the user of a name and rules to those that were described before it, as far as `seen` says so.
///
/// # Errors
/// When the name or a rule is wrong, or the user was described before.
pub fn add(
    users: &mut Users,
    seen: &mut HashSet<Vec<u8>>,
    words: &[&[u8]],
    names: Names<'_>,
    all_channels: bool,
) -> Result<(), UserError> {
    let [name, rules @ ..] = words else { return Err(UserError::NoUser) };
    if !is_name(name) {
        return Err(UserError::Name);
    }
    if seen.contains(*name) {
        return Err(UserError::Duplicate(shown(name)));
    }
    if !users.has_room() {
        return Err(UserError::TooMany);
    }
    let mut user = User::new(name, all_channels);
    for rule in merged(rules).map_err(|word| UserError::Parenthesis(shown(word)))? {
        user.apply(&rule, names, all_channels).map_err(|error| UserError::Rule(shown(name), shown(&rule), error))?;
    }
    for unknown in user.selectors.iter().flat_map(|selector| selector.unknown(names.catalog)) {
        let name = shown(name);
        crate::base::log::warning(&format!(
            "A rule of the user '{name}' is about '{unknown}', which is not there yet."
        ));
    }
    seen.insert(name.to_vec());
    users.put(user);
    Ok(())
}

/// The users that a file describes, each in a line; the default user is there in any case.
///
/// # Errors
/// All that is wrong with it, by line.
pub fn parse(text: &[u8], names: Names<'_>, all_channels: bool) -> Result<Users, Vec<(usize, UserError)>> {
    let (mut users, mut seen, mut errors) = (Users::default(), HashSet::new(), Vec::new());
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
        let added = match words.as_slice() {
            [user, described @ ..] if user.eq_ignore_ascii_case(b"user") => {
                add(&mut users, &mut seen, described, names, all_channels)
            }
            _ => Err(UserError::NoUser),
        };
        if let Err(error) = added {
            errors.push((at + 1, error));
        }
    }
    if errors.is_empty() { Ok(users) } else { Err(errors) }
}

/// The lines of all users.
pub fn text(users: &Users) -> Vec<u8> {
    users.iter().flat_map(|(_, user)| [user.line(), b"\n".to_vec()]).flatten().collect()
}
