//! Bytes and slices: the pointer-and-length pairs that cross the ABI.
//!
//! Both are plain pairs without a `size` field; they never grow. A null pointer
//! is allowed only with length 0.

use abi_stable::StableAbi;

/// A run of bytes that somebody else owns: arguments, keys, names, texts.
/// Binary safe, not terminated.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Bytes {
    /// First byte; may be null when `len` is 0.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl Bytes {
    /// No bytes at all.
    pub const EMPTY: Bytes = Bytes { data: std::ptr::null(), len: 0 };

    /// Bytes of a text constant.
    pub const fn new(text: &'static str) -> Bytes {
        Bytes { data: text.as_ptr(), len: text.len() }
    }

    /// Bytes of a slice, borrowed without a lifetime: the caller keeps it alive
    /// for as long as the receiving function's `Borrow:` line says.
    pub const fn of(slice: &[u8]) -> Bytes {
        Bytes { data: slice.as_ptr(), len: slice.len() }
    }

    /// The bytes as a Rust slice.
    ///
    /// # Safety
    /// `data` and `len` describe memory that is initialised, and that neither
    /// moves nor changes for `'a`.
    #[inline(always)]
    pub unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the caller vouches for the memory; the empty case is handled above.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

// SAFETY: `Bytes` is an address and a number; whoever dereferences it answers for
// the memory behind it.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

/// An array of structs, with the distance between two elements, so that an array
/// compiled against an older, shorter struct can still be walked.
#[repr(C)]
#[derive(StableAbi)]
pub struct Slice<T> {
    /// First element; may be null when `count` is 0.
    pub items: *const T,
    /// Number of elements.
    pub count: u32,
    /// Bytes from one element to the next: `sizeof` in the module's compiler.
    pub stride: u32,
}

impl<T> Clone for Slice<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slice<T> {}

impl<T> Slice<T> {
    /// An array without elements.
    pub const EMPTY: Slice<T> = Slice { items: std::ptr::null(), count: 0, stride: size_of::<T>() as u32 };

    /// The array behind a constant.
    pub const fn new(items: &'static [T]) -> Slice<T> {
        Slice { items: items.as_ptr(), count: items.len() as u32, stride: size_of::<T>() as u32 }
    }

    /// The elements, one pointer each.
    pub fn iter(self) -> impl Iterator<Item = *const T> {
        (0..self.count as usize).map(move |at| self.items.cast::<u8>().wrapping_add(at * self.stride as usize).cast())
    }
}

// SAFETY: a slice of constants is an address and two numbers.
unsafe impl<T> Send for Slice<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Slice<T> {}

/// An address whose type only one side knows.
pub type Opaque = *mut u8;

/// Called once with bytes that are the answer; `data` is what the asker gave.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Take {
    /// The function.
    pub run: unsafe extern "C" fn(data: Opaque, bytes: Bytes),
}
