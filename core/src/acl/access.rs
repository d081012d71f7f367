//! What a command asks for, and why it is refused.

use crate::command::keyspec::KeyAt;

/// A channel among the arguments of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelAt {
    /// Position of the argument.
    pub at: usize,
    /// Whether it is a pattern of channels.
    pub is_pattern: bool,
}

/// A database that a command works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatabaseAt {
    /// The selected one.
    Selected(u32),
    /// One that an argument names.
    Named(u32),
    /// All of them.
    All,
}

/// What a command asks for.
pub struct Request<'a> {
    /// Number of the command.
    pub number: u32,
    /// Whether everybody may run it.
    pub is_open: bool,
    /// Its arguments with its name.
    pub args: &'a [&'a [u8]],
    /// Keys.
    pub keys: &'a [KeyAt],
    /// Channels.
    pub channels: &'a [ChannelAt],
    /// Databases.
    pub databases: &'a [DatabaseAt],
    /// Whether it reads keys of any name.
    pub reads_any: bool,
}

/// Why a command is refused. What comes later came further, which is what its sender wants to know when
/// several selectors refuse it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Denial {
    /// The command itself.
    Command,
    /// A database, or the selected or all databases where there is no number.
    Database(Option<u32>),
    /// The key at an argument.
    Key(usize),
    /// The channel at an argument.
    Channel(usize),
}

impl Denial {
    /// What ACL LOG calls it.
    pub fn reason(self) -> &'static str {
        match self {
            Denial::Command => "command",
            Denial::Database(_) => "database",
            Denial::Key(_) => "key",
            Denial::Channel(_) => "channel",
        }
    }

    /// The key, channel, database or command that it is about.
    pub fn object(self, name: &str, args: &[&[u8]]) -> Vec<u8> {
        match self {
            Denial::Command | Denial::Database(None) => name.into(),
            Denial::Database(Some(number)) => number.to_string().into(),
            Denial::Key(at) | Denial::Channel(at) => args.get(at).map_or_else(Vec::new, |arg| arg.to_vec()),
        }
    }

    /// What its sender is told: no name of a key or channel, which may be a secret of somebody else's.
    pub fn text(self, user: &[u8], name: &str) -> Vec<u8> {
        match self {
            Denial::Command => {
                [b"User ", user, b" has no permissions to run the '", name.as_bytes(), b"' command"].concat()
            }
            Denial::Database(_) => "No permissions to access database".into(),
            Denial::Key(_) => "No permissions to access a key".into(),
            Denial::Channel(_) => "No permissions to access a channel".into(),
        }
    }

    /// What ACL DRYRUN answers, which names it.
    pub fn full_text(self, user: &[u8], name: &str, args: &[&[u8]]) -> Vec<u8> {
        let object = self.object(name, args);
        let (before, after): (&[u8], &[u8]) = match self {
            Denial::Command => return self.text(user, name),
            Denial::Database(_) => (b"database ", b""),
            Denial::Key(_) => (b"the '", b"' key"),
            Denial::Channel(_) => (b"the '", b"' channel"),
        };
        [b"User ", user, b" has no permissions to access ", before, &object, after].concat()
    }
}
