//! What modules show of themselves, and have shown to them: structs in their memory, read and filled in as they are.
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

/// Fill in a struct that a module has room for: as much as its size says.
///
/// # Safety
/// `out` is writable for as many bytes as it begins with, and both begin with their size.
pub unsafe fn fill<T: Copy>(out: *mut T, mut value: T) {
    // SAFETY: promised by the caller; no more is written than both have.
    unsafe {
        let size = out.cast::<u32>().read_unaligned().min(size_of::<T>() as u32);
        (&raw mut value).cast::<u32>().write_unaligned(size);
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), out.cast::<u8>(), size as usize);
    }
}

/// Text of a constant of the module.
///
/// # Safety
/// The bytes are valid for as long as the module is loaded.
pub unsafe fn text<'a>(bytes: Bytes) -> std::borrow::Cow<'a, str> {
    // SAFETY: promised by the caller.
    String::from_utf8_lossy(unsafe { bytes.as_slice() })
}
