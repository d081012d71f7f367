//! Commands: what is known of each.
//!
//! - [`table`]: every command by name.
//! - [`keyspec`]: which arguments are keys.
//! - [`category`]: ACL categories.
//! - [`durations`]: how long its runs took.
//! - [`status`]: the standard errors.

pub mod category;
pub mod durations;
pub mod keyspec;
pub mod status;
pub mod table;
