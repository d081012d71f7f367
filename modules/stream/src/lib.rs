//! Streams: the module, which joins the commands with a storage.

#![deny(unsafe_code)]

pub mod store;
