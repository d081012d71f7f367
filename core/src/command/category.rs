//! ACL categories: a few that the host knows, and those that modules name.
//!
//! A category is a bit. The host's are constants of the ABI; a name of a module gets the next free
//! bit when a command with it is registered, and keeps it for as long as the process runs, so that
//! what refers to it goes on meaning the same after the module is gone and back.

use plinth_abi::command as abi;

/// The host's, in the order in which they are shown; those of modules stand after the first
/// [`BEFORE_NAMED`].
const OWN: [(u64, &str); 12] = [
    (abi::CATEGORY_KEYSPACE, "keyspace"),
    (abi::CATEGORY_READ, "read"),
    (abi::CATEGORY_WRITE, "write"),
    (abi::CATEGORY_PUBSUB, "pubsub"),
    (abi::CATEGORY_ADMIN, "admin"),
    (abi::CATEGORY_FAST, "fast"),
    (abi::CATEGORY_SLOW, "slow"),
    (abi::CATEGORY_BLOCKING, "blocking"),
    (abi::CATEGORY_DANGEROUS, "dangerous"),
    (abi::CATEGORY_CONNECTION, "connection"),
    (abi::CATEGORY_TRANSACTION, "transaction"),
    (abi::CATEGORY_SCRIPTING, "scripting"),
];
const BEFORE_NAMED: usize = 3;
/// Bit of the first category that a module has named.
const NAMED_SHIFT: usize = 16;
/// How many modules can name.
pub const NAMED_MAX: usize = 64 - NAMED_SHIFT;
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 24;

/// Whether a module may give a category such a name.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(fits)
}

/// All categories.
#[derive(Default)]
pub struct Categories {
    named: Vec<String>,
}

impl Categories {
    fn all(&self) -> impl Iterator<Item = (u64, &str)> {
        let named = self.named.iter().enumerate().map(|(at, name)| (1 << (NAMED_SHIFT + at), name.as_str()));
        let (before, after) = OWN.split_at(BEFORE_NAMED);
        before.iter().copied().chain(named).chain(after.iter().copied())
    }

    /// The bit of a name in any case, 0 without.
    pub fn find(&self, name: &[u8]) -> u64 {
        self.all().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name)).map_or(0, |(bit, _)| bit)
    }

    /// Names of the bits that are set.
    pub fn names(&self, bits: u64) -> impl Iterator<Item = &str> {
        self.all().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| name)
    }

    /// Whether all these names have a bit, or can have one.
    pub fn has_room_for<'n>(&self, names: impl Iterator<Item = &'n str>) -> bool {
        let new: std::collections::HashSet<&str> = names.filter(|name| self.find(name.as_bytes()) == 0).collect();
        self.named.len() + new.len() <= NAMED_MAX
    }

    /// The bit of a name, which gets one if it has none; 0 when there are no more.
    pub fn allot(&mut self, name: &str) -> u64 {
        let known = self.find(name.as_bytes());
        if known != 0 || self.named.len() == NAMED_MAX {
            return known;
        }
        self.named.push(name.into());
        1 << (NAMED_SHIFT + self.named.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_one_bit_and_keeps_it() {
        let mut categories = Categories::default();
        let gauge = categories.allot("gauge");
        assert_eq!(categories.allot("gauge"), gauge);
        assert_eq!(categories.find(b"GAUGE"), gauge);
        assert_eq!(categories.allot("read"), abi::CATEGORY_READ);
        let names: Vec<&str> = categories.names(gauge | abi::CATEGORY_WRITE | abi::CATEGORY_FAST).collect();
        assert_eq!(names, ["write", "gauge", "fast"]);
    }

    #[test]
    fn there_is_room_for_as_many_as_there_are_bits() {
        let mut categories = Categories::default();
        let names: Vec<String> = (0..=NAMED_MAX).map(|at| format!("c{at}")).collect();
        assert!(categories.has_room_for(names[..NAMED_MAX].iter().map(String::as_str)));
        assert!(!categories.has_room_for(names.iter().map(String::as_str)));
        let bits = names[..NAMED_MAX].iter().map(|name| categories.allot(name)).fold(0, |all, bit| all | bit);
        assert_eq!(bits.count_ones() as usize, NAMED_MAX);
        assert_eq!(categories.allot(&names[NAMED_MAX]), 0);
        assert!(categories.has_room_for(["c0", "write"].into_iter()));
    }
}
