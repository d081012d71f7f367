//! The natural number: as many bits as it takes, for texts of numbers that no machine word holds.
//!
//! Limbs of 64 bits, the least first, without zeros at the top. Only what reading and printing of
//! [`Extended`](crate::extended::Extended) needs: numbers have at most some 34,000 bits there, so
//! the schoolbook ways are right.

/// A number. See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural {
    limbs: Vec<u64>,
}

/// Decimal digits that a limb is printed in.
const CHUNK_DIGITS: u32 = 19;

impl From<u64> for Natural {
    fn from(value: u64) -> Natural {
        Natural { limbs: if value == 0 { Vec::new() } else { vec![value] } }
    }
}

impl Natural {
    /// The number of these digits in `base`, 10 or 16.
    pub fn from_digits(digits: impl Iterator<Item = u8>, base: u32) -> Natural {
        let per_chunk = if base == 16 { 15 } else { CHUNK_DIGITS };
        let mut number = Natural::from(0);
        let (mut chunk, mut count) = (0u64, 0);
        for digit in digits {
            let digit = (digit as char).to_digit(base).unwrap_or(0);
            chunk = chunk * u64::from(base) + u64::from(digit);
            count += 1;
            if count == per_chunk {
                number.multiply_add(u64::from(base).pow(count), chunk);
                (chunk, count) = (0, 0);
            }
        }
        number.multiply_add(u64::from(base).pow(count), chunk);
        number
    }

    fn multiply_add(&mut self, factor: u64, addend: u64) {
        let mut carry = u128::from(addend);
        for limb in &mut self.limbs {
            carry += u128::from(*limb) * u128::from(factor);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry != 0 {
            self.limbs.push(carry as u64);
        }
    }

    /// The number times `base^power`; `base` is at most 10.
    pub fn times_power(mut self, base: u64, power: u32) -> Natural {
        let whole = u64::MAX.ilog(base);
        for _ in 0..power / whole {
            self.multiply_add(base.pow(whole), 0);
        }
        self.multiply_add(base.pow(power % whole), 0);
        self
    }

    /// Number of bits.
    fn bits(&self) -> u32 {
        self.limbs.last().map_or(0, |top| self.limbs.len() as u32 * 64 - top.leading_zeros())
    }

    /// The number times 2^`count`.
    pub fn shifted(&self, count: u32) -> Natural {
        let (limbs, bits) = (count as usize / 64, count % 64);
        let mut shifted = vec![0; limbs];
        let mut carry = 0;
        for &limb in &self.limbs {
            shifted.push(limb << bits | carry);
            carry = limb.checked_shr(64 - bits).unwrap_or(0);
        }
        shifted.push(carry);
        Natural { limbs: shifted }.trimmed()
    }

    fn trimmed(mut self) -> Natural {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        self
    }

    /// Hands the first 128 bits at most to `take`: the bits, the exponent with which they make up
    /// this number times 2^`exponent`, and whether there were bits set behind them.
    pub fn round<R>(&self, exponent: i32, take: impl FnOnce(u128, i32, bool) -> R) -> R {
        let dropped = self.bits().saturating_sub(128);
        let (limb, shift) = (dropped as usize / 64, dropped % 64);
        let at = |index: usize| u128::from(self.limbs.get(index).copied().unwrap_or(0));
        let low = at(limb) | at(limb + 1) << 64;
        let bits = if shift == 0 { low } else { low >> shift | at(limb + 2) << (128 - shift) };
        let more = self.limbs.iter().take(limb).any(|&limb| limb != 0) || at(limb) & ((1 << shift) - 1) != 0;
        take(bits, exponent + dropped as i32, more)
    }

    /// This number divided by another, neither of them 0: the first 66 bits or so of the quotient,
    /// the exponent to go with them, and whether something is left.
    pub fn quotient(&self, divisor: &Natural) -> (u128, i32, bool) {
        // The divisor is lifted until its first bit is a limb's first, and it is at most 66 bits
        // shorter than the dividend; then the dividend, until it is exactly that.
        let excess = self.bits().saturating_sub(divisor.bits() + 66);
        let lift = (divisor.bits() + excess).next_multiple_of(64) - divisor.bits();
        let divisor = divisor.shifted(lift);
        let up = divisor.bits() + 66 - self.bits();
        let mut rest = self.shifted(up);
        rest.limbs.resize(divisor.limbs.len() + 2, 0);
        let (high, low) = (rest.divide_limb(&divisor, 1), rest.divide_limb(&divisor, 0));
        let more = rest.limbs.iter().any(|&limb| limb != 0);
        (u128::from(high) << 64 | u128::from(low), lift as i32 - up as i32, more)
    }

    /// One limb of a quotient: takes the divisor times 2^(64·`at`) off as often as it goes, which
    /// is returned. The divisor's first bit is set, and this number below the divisor times
    /// 2^(64·(`at` + 1)). Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D.
    fn divide_limb(&mut self, divisor: &Natural, at: usize) -> u64 {
        let count = divisor.limbs.len();
        let limbs = &mut self.limbs[at..=at + count];
        let top = u128::from(limbs[count]) << 64 | u128::from(limbs[count - 1]);
        // At most two too large.
        let mut guess = (top / u128::from(divisor.limbs[count - 1])).min(u128::from(u64::MAX));
        let (mut carry, mut borrow) = (0u128, false);
        for (limb, &part) in limbs.iter_mut().zip(divisor.limbs.iter().chain(&[0])) {
            carry += u128::from(part) * guess;
            let (less, first) = limb.overflowing_sub(carry as u64);
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (less, first || second);
            carry >>= 64;
        }
        while borrow {
            guess -= 1;
            let mut carry = false;
            for (limb, &part) in limbs.iter_mut().zip(divisor.limbs.iter().chain(&[0])) {
                let (more, first) = limb.overflowing_add(part);
                let (more, second) = more.overflowing_add(u64::from(carry));
                (*limb, carry) = (more, first || second);
            }
            borrow = !carry;
        }
        guess as u64
    }

    /// Writes the number in decimal.
    pub fn write(mut self, out: &mut Vec<u8>) {
        let chunk = 10u64.pow(CHUNK_DIGITS);
        let mut chunks = Vec::new();
        while !self.limbs.is_empty() {
            let mut rest = 0u128;
            for limb in self.limbs.iter_mut().rev() {
                rest = rest << 64 | u128::from(*limb);
                *limb = (rest / u128::from(chunk)) as u64;
                rest %= u128::from(chunk);
            }
            chunks.push(rest as u64);
            self = self.trimmed();
        }
        let first = chunks.pop().unwrap_or(0);
        out.extend_from_slice(itoa::Buffer::new().format(first).as_bytes());
        for chunk in chunks.into_iter().rev() {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(chunk).as_bytes();
            out.extend(std::iter::repeat_n(b'0', CHUNK_DIGITS as usize - digits.len()));
            out.extend_from_slice(digits);
        }
    }
}
