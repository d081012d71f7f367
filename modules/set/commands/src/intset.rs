//! The intset: integers in ascending order, all of one width.
//!
//! ```text
//!   [ width: 2, 4 or 8 ][ integer ][ integer ] ...      little-endian
//! ```
//!
//! The width is that of the largest that has ever been in it; it does not shrink, as in Redis.
//! Bytes that are none read as an empty set or as nonsense, never as a panic.

/// The width that an integer needs, in bytes.
#[inline]
pub fn width_of(integer: i64) -> usize {
    if i16::try_from(integer).is_ok() {
        2
    } else if i32::try_from(integer).is_ok() {
        4
    } else {
        8
    }
}

/// An intset, to be read.
#[derive(Clone, Copy)]
pub struct Intset<'b> {
    width: usize,
    items: &'b [u8],
}

impl<'b> Intset<'b> {
    /// The intset in these bytes.
    #[inline]
    pub fn new(bytes: &'b [u8]) -> Intset<'b> {
        match bytes.split_first() {
            Some((&width @ (2 | 4 | 8), items)) => Intset { width: width as usize, items },
            _ => Intset { width: 2, items: &[] },
        }
    }

    /// Bytes of each integer.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The integers' bytes.
    pub fn items(&self) -> &'b [u8] {
        self.items
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.items.len() / self.width
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer at `index`; 0 behind the last.
    #[inline]
    pub fn get(&self, index: usize) -> i64 {
        let at = index * self.width;
        let item = self.items.get(at..at + self.width).unwrap_or_default();
        match *item {
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        }
    }

    /// Where an integer is, or where it belongs.
    #[inline]
    pub fn position(&self, integer: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.get(middle).cmp(&integer) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// The integers in ascending order.
    pub fn iter(self) -> impl Iterator<Item = i64> + 'b {
        (0..self.len()).map(move |index| self.get(index))
    }

    /// The same set at another width, which is not smaller, with one integer more at `index`.
    pub fn widened(&self, width: usize, index: usize, integer: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + (self.len() + 1) * width);
        bytes.push(width as u8);
        for at in 0..self.len() {
            if at == index {
                bytes.extend_from_slice(&integer.to_le_bytes()[..width]);
            }
            bytes.extend_from_slice(&self.get(at).to_le_bytes()[..width]);
        }
        if index == self.len() {
            bytes.extend_from_slice(&integer.to_le_bytes()[..width]);
        }
        bytes
    }
}
