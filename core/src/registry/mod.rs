//! What modules have registered, as tables: state, no calls into a module.
//!
//! - [`modules`]: the modules that are loaded.
//! - [`service`]: what they provide to each other.
//! - [`hooks`], [`timers`]: what they have asked to be told.
//!
//! *Invariant*: all that a module registers carries its [`ModuleId`](crate::base::id::ModuleId) and
//! is removed with it. An id is never given twice, so nothing of a module that left can be taken for
//! another's.

pub mod hooks;
pub mod modules;
pub mod service;
pub mod timers;
