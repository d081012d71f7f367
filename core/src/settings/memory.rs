//! Parameters of memory beyond `maxmemory` and its policy: how keys are chosen that make room, and how much
//! clients may take.

use crate::settings::parameters::Kind::{Custom, Integer};
use crate::settings::parameters::{INT_MAX, Parameter, Settings, one, parameter};
use crate::settings::value::memory_size;

/// Values of the parameters.
#[derive(Clone)]
pub struct Limits {
    /// Keys that are looked at for each one that makes room.
    pub samples: i64,
    /// How long keys are evicted before a command runs: 0 hardly, 10 half a millisecond, 100 as long as it takes.
    pub tenacity: i64,
    /// What all clients together may take, 0 for any amount.
    pub clients: Share,
    /// Most keys that are remembered for those who track what they have read, 0 for any number.
    pub tracked_keys: i64,
}

/// A number of bytes, as such or as a share of `maxmemory`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// Bytes.
    Bytes(u64),
    /// Percent.
    Percent(u64),
}

impl Share {
    /// Bytes, where there are `all` to be had.
    pub fn bytes(self, all: u64) -> u64 {
        match self {
            Share::Bytes(bytes) => bytes,
            Share::Percent(percent) => (u128::from(all) * u128::from(percent) / 100) as u64,
        }
    }

    fn text(self) -> String {
        match self {
            Share::Bytes(bytes) => bytes.to_string(),
            Share::Percent(percent) => format!("{percent}%"),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { samples: 5, tenacity: 10, clients: Share::Bytes(0), tracked_keys: 1_000_000 }
    }
}

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("maxmemory-samples", Integer(|s| &mut s.memory.samples, 1, INT_MAX)),
    parameter("maxmemory-eviction-tenacity", Integer(|s| &mut s.memory.tenacity, 0, 100)),
    parameter("maxmemory-clients", Custom(|s| s.memory.clients.text(), set_clients)),
    parameter("tracking-table-max-keys", Integer(|s| &mut s.memory.tracked_keys, 0, i64::MAX)),
];

fn set_clients(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    settings.memory.clients = memory_or_percent(&String::from_utf8_lossy(one(words)?))?;
    Ok(())
}

fn memory_or_percent(word: &str) -> Result<Share, String> {
    let neither = || String::from("argument must be a memory or percent value");
    let Some(percent) = word.strip_suffix('%') else {
        return memory_size(word.as_bytes()).map(Share::Bytes).ok_or_else(neither);
    };
    match percent.parse::<u64>() {
        Ok(percent @ 0..=100) => Ok(Share::Percent(percent)),
        Ok(_) => Err("percentage argument must be less or equal to 100".into()),
        Err(_) => Err(neither()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_what_there_is() {
        assert_eq!(memory_or_percent("5%").map(|share| share.bytes(1000)), Ok(50));
        assert_eq!(memory_or_percent("1kb").map(|share| (share.bytes(7), share.text())), Ok((1024, "1024".into())));
        assert!(memory_or_percent("101%").is_err() && memory_or_percent("x").is_err());
    }
}
