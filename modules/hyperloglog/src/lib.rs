//! HyperLogLogs.

#![deny(unsafe_code)]

pub mod dense;
pub mod estimate;
pub mod hash;
pub mod registers;
pub mod sparse;
pub mod value;
pub mod vector;
