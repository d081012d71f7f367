//! Versions: which reader knows which value type.
//!
//! A value begins with its type byte, and each byte is known from some version of the format on. So
//! what a value was saved as says which version a reader of it needs:
//!
//! ```text
//!   Redis    ... 5.0: 9   7.0: 10   7.2: 11   7.4 and 8.2: 12
//!   Valkey   as Redis up to 11, then numbers of its own:      9: 80
//! ```
//!
//! Redis 12 and Valkey 80 part: 22 is a hash in Valkey 9, and in Redis a form that no release
//! wrote; 24 and 25 are hashes in Redis alone. A version between them is nobody's.
//!
//! Source: DUMP of the servers that `observed.rs` names, and the notes on the format at
//! <https://rdb.fnordig.de/file_format.html>.

/// That of Redis 6.2, the oldest that can be a replica.
pub const OLDEST: u16 = 9;
/// That of Redis 7.0, the oldest for which DUMP chooses its form.
pub const PAYLOAD: u16 = 10;
/// That of Redis 7.2, which a file has unless a value in it needs a newer one.
pub const FILE: u16 = 11;
/// The newest of Redis: that of 7.4 and 8.2.
pub const NEWEST: u16 = 12;
/// That of Valkey 9.
pub const VALKEY: u16 = 80;

/// The lowest version whose readers know a value type; `None` for what is no value, or none
/// that can be passed on.
pub fn needed(tag: u8) -> Option<u16> {
    Some(match tag {
        // Those of Redis 2 are not told apart.
        0..=4 | 9..=13 => 6,
        14 => 7,
        // 7 is the container.
        5 | 7 => 8,
        15 => 9,
        16..=19 => 10,
        20 | 21 => 11,
        24 | 25 => 12,
        22 => VALKEY,
        _ => return None,
    })
}

/// Whether a payload or file of a version means by a value type what is meant here. An old version
/// with a type that is younger does no harm.
pub fn may_hold(version: u16, tag: u8) -> bool {
    match tag {
        22 | 23 => version >= VALKEY,
        24 | 25 => version < VALKEY,
        _ => true,
    }
}

/// For whom a value is saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The version that the reader knows.
    pub version: u16,
    /// Whether it is known that nobody else reads the value: then it is refused when this version
    /// cannot hold it, and what the version has no place for is left out.
    pub is_certain: bool,
}

impl Target {
    /// This server itself: nothing is lost.
    pub const OWN: Target = Target { version: NEWEST, is_certain: false };
    /// Whoever gets a payload: the lowest version that holds the value.
    pub const PAYLOAD: Target = Target { version: PAYLOAD, is_certain: false };

    /// A file or a server of this version.
    pub const fn version(version: u16) -> Target {
        Target { version, is_certain: true }
    }

    /// Whether the reader knows a value type.
    pub fn knows(self, tag: u8) -> bool {
        needed(tag).is_some_and(|needed| match needed {
            VALKEY => self.version >= VALKEY,
            NEWEST => (NEWEST..VALKEY).contains(&self.version),
            _ => needed <= self.version,
        })
    }

    /// Whether a value that was saved under a tag can go to the reader.
    pub fn takes(self, tag: u8) -> bool {
        !self.is_certain || self.knows(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_knows_what_it_and_older_ones_have() {
        let known = |version| (0..=u8::MAX).filter(|tag| Target::version(version).knows(*tag)).collect::<Vec<u8>>();
        let of_9: Vec<u8> = (0..=5).chain([7]).chain(9..=15).collect();
        assert_eq!(known(9), of_9);
        assert_eq!(known(10), [&of_9[..], &[16, 17, 18, 19]].concat());
        assert_eq!(known(11), [&of_9[..], &[16, 17, 18, 19, 20, 21]].concat());
        assert_eq!(known(12), [&known(11)[..], &[24, 25]].concat());
        assert_eq!(known(80), [&known(11)[..], &[22]].concat());
    }

    #[test]
    fn types_that_mean_something_else_are_not_held() {
        for (version, held) in
            [(9, [false, false, true, true]), (12, [false, false, true, true]), (80, [true, true, false, false])]
        {
            assert_eq!([22, 23, 24, 25].map(|tag| may_hold(version, tag)), held, "{version}");
        }
        assert!((0..=21).all(|tag| may_hold(9, tag) == may_hold(80, tag)));
    }
}
