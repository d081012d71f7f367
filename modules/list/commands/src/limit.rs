//! The limits: the parameters of lists, and what they mean.
//!
//! `list-max-listpack-size` is a number of elements when it is positive, and a number of bytes when
//! it is negative: -1 stands for 4 KB, -5 for 64 KB. A list within it shows itself as `listpack`,
//! one beyond it as `quicklist`, and as `listpack` again when it has shrunk to half of it.
//!
//! The bytes that are meant are those of Redis's listpack, which is what users have tuned the
//! parameter for, and not those of our pack: so the size that a list would have there is computed
//! ([`element_bytes`]). It is kept along while a list may still be one, and that is at most the
//! limit's bytes.
//!
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use crate::storage::Layout;
use plinth_module::pack::listpack::element_bytes;
use plinth_module::pack::{Value, parse_integer};
use plinth_module::prelude::*;

static SIZE: ConfigInteger = ConfigInteger::new();
static DEPTH: ConfigInteger = ConfigInteger::new();

const INT_MIN: i64 = i32::MIN as i64;
const INT_MAX: i64 = i32::MAX as i64;

/// The parameters, for the module's list.
pub const CONFIGS: [Config; 2] = [
    Config {
        flags: CONFIG_BARE,
        alias: text("list-max-ziplist-size"),
        ..SIZE.declare("list-max-listpack-size", "-2", INT_MIN, INT_MAX)
    },
    Config { flags: CONFIG_BARE, ..DEPTH.declare("list-compress-depth", "0", 0, INT_MAX) },
];

/// Most bytes of a listpack whose elements are counted.
const COUNTED_BYTES_MAX: usize = 8192;
/// What the parameter stands for when it is negative, from -1 on.
const BYTES: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];

/// What `list-max-listpack-size` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So many bytes.
    Bytes(usize),
    /// So many elements.
    Count(usize),
}

impl Limit {
    /// The limit that is set.
    #[inline]
    pub fn now() -> Limit {
        Limit::of(SIZE.get())
    }

    #[inline]
    fn of(setting: i64) -> Limit {
        match setting {
            // 0 means 1, and whatever is below -5 means -5.
            0.. => Limit::Count(setting.max(1) as usize),
            _ => Limit::Bytes(BYTES[(-setting).min(5) as usize - 1]),
        }
    }

    /// Whether a listpack of so many bytes and elements is beyond the limit.
    #[inline]
    pub fn is_exceeded(self, bytes: usize, count: usize) -> bool {
        match self {
            Limit::Bytes(max) => bytes > max,
            Limit::Count(max) => bytes > COUNTED_BYTES_MAX || count > max,
        }
    }

    /// Whether a listpack of so many bytes and elements has shrunk to half of the limit.
    pub fn is_half_met(self, bytes: usize, count: usize) -> bool {
        match self {
            Limit::Bytes(max) => bytes <= max / 2,
            Limit::Count(max) => bytes <= COUNTED_BYTES_MAX && count <= max / 2,
        }
    }

    /// Most elements of a listpack that meets half of the limit: each takes at least two bytes.
    pub fn half_count_max(self) -> usize {
        match self {
            Limit::Bytes(max) => max / 4,
            Limit::Count(max) => (max / 2).min(COUNTED_BYTES_MAX / 2),
        }
    }

    /// Whether an element of so many bytes gets a node of its own in a file.
    pub fn is_plain(self, len: usize) -> bool {
        match self {
            Limit::Bytes(max) => len > max,
            Limit::Count(_) => len > COUNTED_BYTES_MAX,
        }
    }
}

/// How a long list is to be laid out.
pub fn layout() -> Layout {
    let node_bytes = match Limit::now() {
        Limit::Bytes(max) => max / 2,
        Limit::Count(_) => COUNTED_BYTES_MAX / 2,
    };
    Layout { node_bytes: node_bytes as u32, raw_depth: DEPTH.get().clamp(0, INT_MAX) as u32 }
}

/// Bytes that a text takes in a listpack.
#[inline]
pub fn text_len(text: &[u8]) -> usize {
    element_bytes(parse_integer(text).map_or(Value::Text(text), Value::Integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_read_as_redis_reads_it() {
        assert_eq!(Limit::of(-1), Limit::Bytes(4096));
        assert_eq!(Limit::of(-2), Limit::Bytes(8192));
        assert_eq!(Limit::of(-5), Limit::Bytes(65_536));
        assert_eq!(Limit::of(-100), Limit::Bytes(65_536));
        assert_eq!(Limit::of(INT_MIN), Limit::Bytes(65_536));
        assert_eq!(Limit::of(0), Limit::Count(1));
        assert_eq!(Limit::of(3), Limit::Count(3));
        assert!(Limit::Count(3).is_exceeded(9000, 1));
        assert!(Limit::Count(3).is_exceeded(20, 4));
        assert!(!Limit::Count(3).is_exceeded(20, 3));
        assert!(Limit::Count(3).is_half_met(20, 1));
        assert!(!Limit::Count(3).is_half_met(20, 2));
    }

    #[test]
    fn an_element_takes_what_it_takes_in_a_listpack() {
        for (text, expected) in [
            ("", 2),
            ("a", 3),
            ("0", 2),
            ("127", 2),
            ("128", 3),
            ("-1", 3),
            ("4096", 4),
            ("32768", 5),
            ("8388608", 6),
            ("2147483648", 10),
        ] {
            assert_eq!(text_len(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(text_len(&[b'x'; 63]), 65);
        assert_eq!(text_len(&[b'x'; 64]), 67);
        assert_eq!(text_len(&[b'x'; 126]), 130);
        assert_eq!(text_len(&[b'x'; 4096]), 4103);
    }
}
