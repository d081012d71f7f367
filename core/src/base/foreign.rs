//! What modules show of themselves: constants in their memory, read as they are.
//!
//! A struct of a module begins with its size and may be older, and so shorter, than ours.

use plinth_abi::bytes::Bytes;

/// A struct of a module that may be shorter than ours: the members it has, and
/// `base` for the rest.
///
/// # Safety
/// `at` points at a struct of the module that begins with its size.
pub unsafe fn widened<T: Copy>(at: *const T, base: T) -> T {
    let mut value = base;
    // SAFETY: the first four bytes are the size, and so many bytes are there.
    unsafe {
        let size = at.cast::<u32>().read_unaligned() as usize;
        let bytes = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(at.cast::<u8>(), (&raw mut value).cast::<u8>(), bytes);
    }
    value
}

/// Text of a constant of the module.
///
/// # Safety
/// The bytes are valid for as long as the module is loaded.
pub unsafe fn text<'a>(bytes: Bytes) -> std::borrow::Cow<'a, str> {
    // SAFETY: promised by the caller.
    String::from_utf8_lossy(unsafe { bytes.as_slice() })
}
