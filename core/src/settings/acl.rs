//! Parameters of users.

use crate::settings::parameters::Kind::{Choice, Integer, Text};
use crate::settings::parameters::{Parameter, parameter};

/// Values of the parameters that concern users.
#[derive(Clone)]
pub struct Acl {
    /// Path of the file with users, or empty.
    pub file: String,
    /// Most entries of the log.
    pub log_max_len: i64,
    /// Position in `CHANNELS` of the rule about channels that a new user begins with.
    pub channels: usize,
}

const CHANNELS: &[&str] = &["allchannels", "resetchannels"];

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("aclfile", Text(|s| &mut s.acl.file)).immutable(),
    parameter("acllog-max-len", Integer(|s| &mut s.acl.log_max_len, 0, i64::MAX)),
    parameter("acl-pubsub-default", Choice(|s| &mut s.acl.channels, CHANNELS)),
];

impl Default for Acl {
    fn default() -> Self {
        Acl { file: String::new(), log_max_len: 128, channels: 1 }
    }
}

impl Acl {
    /// Whether a new user may use all channels.
    pub fn all_channels(&self) -> bool {
        self.channels == 0
    }

    /// How many entries the log keeps.
    pub fn log_len(&self) -> usize {
        usize::try_from(self.log_max_len).unwrap_or(usize::MAX)
    }
}
