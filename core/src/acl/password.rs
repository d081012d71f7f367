//! Passwords: what is kept of one is its SHA-256, which is what Redis keeps and shows.

use sha2::{Digest, Sha256};

/// What is kept of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Password([u8; 32]);

impl Password {
    /// What is kept of a text.
    pub fn of(text: &[u8]) -> Password {
        Password(Sha256::digest(text).into())
    }

    /// That of 64 lower-case hex digits.
    pub fn from_hex(digits: &[u8]) -> Option<Password> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        if digits.len() != bytes.len() * 2 {
            return None;
        }
        for (to, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *to = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Password(bytes))
    }

    /// As 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether another is the same, in a time that does not tell how much of it is.
    pub fn is_same(&self, other: &Password) -> bool {
        // Opaque, so that the loop is not left at the first difference.
        let differs =
            self.0.iter().zip(&other.0).fold(0, |differs, (own, other)| std::hint::black_box(differs | (own ^ other)));
        differs == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_in_either_form() {
        let hex = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let secret = Password::of(b"secret");
        assert_eq!(secret.hex(), hex);
        assert!(Password::from_hex(hex.as_bytes()).is_some_and(|same| same.is_same(&secret)));
        assert!(!Password::of(b"Secret").is_same(&secret));
        for wrong in ["", &hex[1..], &hex.to_uppercase(), &format!("{}g", &hex[1..])] {
            assert_eq!(Password::from_hex(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
