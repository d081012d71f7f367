//! Users, and what each of them may do: <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/>.
//!
//! ```text
//!   user ── passwords (SHA-256)
//!        └─ selectors: the user's own rules, and those in parentheses; one of them must allow all of a command
//!             rules      +@read -debug +client|id +select|0     in the order in which they were given
//!             bits       a bit per command, made of the rules    made again when commands come or go
//!             keys       %R~app:*      channels  &news.*         databases  db=0,1
//! ```
//!
//! - [`user`], [`selector`], [`password`]: one user. [`users`]: all of them.
//! - [`catalog`]: what rules name: commands by number, and categories.
//! - [`access`]: what a command asks for, and why it is refused.
//! - [`log`]: what was refused. [`file`]: users as text.
//!
//! It is state and no calls: who asks, and what follows from a change, is the engine's.
//!
//! Invariant: rules are kept by the names that they were given, so that a rule about a module's command goes
//! on meaning it after the module is gone and back.

pub mod access;
pub mod catalog;
pub mod file;
pub mod log;
pub mod password;
pub mod selector;
pub mod user;
pub mod users;

use crate::acl::catalog::Catalog;
use crate::acl::log::Log;
use crate::acl::users::Users;

/// All of it.
#[derive(Default)]
pub struct Acl {
    /// Users.
    pub users: Users,
    /// What rules name.
    pub catalog: Catalog,
    /// What was refused.
    pub log: Log,
}
