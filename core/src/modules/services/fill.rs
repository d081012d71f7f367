//! Structs that a module has room for, which may be shorter or longer than ours.

/// Fill in a struct that a module has room for: as much as its size says.
///
/// # Safety
/// `out` is writable for as many bytes as it begins with, and both begin with their size.
pub(super) unsafe fn fill<T: Copy>(out: *mut T, mut value: T) {
    // SAFETY: promised by the caller; no more is written than both have.
    unsafe {
        let size = out.cast::<u32>().read_unaligned().min(size_of::<T>() as u32);
        (&raw mut value).cast::<u32>().write_unaligned(size);
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), out.cast::<u8>(), size as usize);
    }
}
