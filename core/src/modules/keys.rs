//! Keys of threads (`pthread_key_create`), of which a process has 1024.
//!
//! A library that is unmapped does not give back those that it took unless it says so, and Rust's standard
//! library never does: a module in Rust whose code asks for its thread's handle (`thread::current`, what waits
//! in `std::sync`, a panic's message) takes one at each load, for good. A process without any is one in which
//! Rust code aborts. So a module is not loaded when few are left.
//!
//! Nothing says how many are taken. The C library gives out the lowest number that is free: those that it
//! gives to somebody who asks for a few tell how many there are below.

use crate::modules::load::LoadError;
use std::ffi::{c_int, c_uint, c_void};

/// How many must be left for a module to be loaded: what it may take, and what threads of the host's may.
const LEFT_MIN: usize = 32;

unsafe extern "C" {
    fn pthread_key_create(key: *mut c_uint, destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    fn pthread_key_delete(key: c_uint) -> c_int;
}

/// What a look at the keys has found.
pub struct Keys {
    /// How many are taken, but for some above one that was given back.
    pub taken: u32,
    /// How many are left; [`LEFT_MIN`] stands for that many or more.
    left: usize,
}

/// Look at the keys, in a few microseconds.
pub fn look() -> Keys {
    let mut ours = Vec::with_capacity(LEFT_MIN);
    while ours.len() < LEFT_MIN {
        let mut key = 0;
        // SAFETY: the key is written, and is ours until it is deleted; it has no destructor.
        if unsafe { pthread_key_create(&raw mut key, None) } != 0 {
            break;
        }
        ours.push(key);
    }
    for key in &ours {
        // SAFETY: it was just made, and nobody has used it.
        unsafe { pthread_key_delete(*key) };
    }
    let taken = ours.last().map_or(KEYS_MAX, |last| last + 1 - ours.len() as u32);
    Keys { taken, left: ours.len() }
}

/// How many a process has where a C library has no more to give: glibc's `PTHREAD_KEYS_MAX`.
const KEYS_MAX: u32 = 1024;

/// Refuse a load when few keys are left.
pub fn check() -> Result<(), LoadError> {
    let left = look().left;
    if left < LEFT_MIN { Err(LoadError::ThreadKeys(left as u32)) } else { Ok(()) }
}
