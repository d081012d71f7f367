//! Commands: the table, the gates before a run, and transactions.
//!
//! - [`table`]: every command by name.
//! - [`dispatch`]: gates, run, errors, counts.
//! - [`block`]: waiting for keys, and running those again who wait.
//! - [`resume`]: waiting for a thread, which says when to run the command again.
//! - [`keyspec`]: which arguments are keys.
//! - [`status`]: the standard errors.
//! - [`transaction`]: MULTI, EXEC, WATCH.
//! - [`watch`]: who watches which keys.

pub mod block;
pub mod category;
pub mod dispatch;
pub mod keyspec;
pub mod resume;
pub mod status;
pub mod table;
pub mod transaction;
pub mod watch;
