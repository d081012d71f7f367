//! Commands: what is known of each.
//!
//! - [`table`]: every command by name.
//! - [`keyspec`]: which arguments are keys.
//! - [`category`]: ACL categories.
//! - [`durations`]: how long its runs took.
//! - [`lifetime`]: whether it counts a time from when it runs.
//! - [`status`]: the standard errors.

pub mod category;
pub mod durations;
pub mod keyspec;
pub mod lifetime;
pub mod status;
pub mod table;
