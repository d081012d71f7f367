//! The rows of the `cpu` part. A row is one entry here and nothing else.
//!
//! `redis-benchmark` replaces each `__rand_int__` with 12 random digits below a million; the data
//! sets use `{index}`, which writes the running number in the same form, so every drawn key is
//! there.

use super::table::Bar;

/// Keys, or elements of the one big key, that a data set holds; also redis-benchmark's `-r`.
pub(crate) const POPULATION: u64 = 1_000_000;

/// What a server must hold before a row runs: templates (see `load.rs`) and how often each is sent.
#[derive(PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) name: &'static str,
    pub(crate) loads: &'static [(u64, &'static [&'static str])],
}

static STRINGS: Data = Data { name: "strings", loads: &[(POPULATION, &["SET", "key:{index}", "xxx"])] };
static COUNTERS: Data = Data { name: "counters", loads: &[(POPULATION, &["SET", "counter:{index}", "1{index}"])] };
static HASHES: Data =
    Data { name: "hashes", loads: &[(POPULATION, &["HSET", "hash:{index}", "field1", "xxx", "field2", "xxx"])] };
static SET: Data = Data { name: "one set", loads: &[(POPULATION, &["SADD", "set", "element:{index}"])] };
static LISTS: Data = Data { name: "lists", loads: &[(POPULATION, &["RPUSH", "list:{index}", "xxx"])] };
static BOARD: Data =
    Data { name: "one sorted set", loads: &[(POPULATION, &["ZADD", "board", "{score}", "element:{index}"])] };
static RANGES: Data = Data {
    name: "a list and a sorted set of 1,000",
    loads: &[(1_000, &["RPUSH", "list", "element:{index}"]), (1_000, &["ZADD", "board", "{score}", "element:{index}"])],
};

/// A command at one or more pipeline depths.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) command: &'static [&'static str],
    pub(crate) data: &'static Data,
    pub(crate) levels: &'static [Level],
}

/// Commands per round trip, and the bar there.
pub(crate) struct Level {
    pub(crate) pipeline: u64,
    pub(crate) bar: Bar,
}

const fn level(pipeline: u64, must: f64, goal: f64) -> Level {
    Level { pipeline, bar: Bar::Ratio { must, goal } }
}

static PING_LEVELS: [Level; 3] = [level(1, 0.92, 0.85), level(16, 0.80, 0.70), level(64, 0.55, 0.40)];
static STRING_LEVELS: [Level; 3] = [level(1, 0.92, 0.85), level(16, 0.55, 0.45), level(64, 0.40, 0.28)];
static BIT_LEVELS: [Level; 1] = [level(16, 0.55, 0.45)];
static WRITE_LEVELS: [Level; 1] = [level(16, 0.60, 0.45)];
static BOARD_LEVELS: [Level; 1] = [level(16, 0.50, 0.35)];
static RANGE_LEVELS: [Level; 1] = [level(16, 0.60, 0.40)];

/// All rows; those with equal data stand together, for each change of data is a load.
pub(crate) static WORKLOADS: &[Workload] = &[
    Workload { name: "PING", command: &["PING"], data: &STRINGS, levels: &PING_LEVELS },
    Workload { name: "GET", command: &["GET", "key:__rand_int__"], data: &STRINGS, levels: &STRING_LEVELS },
    Workload { name: "SET", command: &["SET", "key:__rand_int__", "xxx"], data: &STRINGS, levels: &STRING_LEVELS },
    Workload {
        name: "SETBIT",
        command: &["SETBIT", "key:__rand_int__", "7", "1"],
        data: &STRINGS,
        levels: &BIT_LEVELS,
    },
    Workload { name: "GETBIT", command: &["GETBIT", "key:__rand_int__", "7"], data: &STRINGS, levels: &BIT_LEVELS },
    Workload { name: "INCR", command: &["INCR", "counter:__rand_int__"], data: &COUNTERS, levels: &STRING_LEVELS },
    Workload {
        name: "HSET, 2 fields",
        command: &["HSET", "hash:__rand_int__", "field1", "xxx", "field2", "xxx"],
        data: &HASHES,
        levels: &WRITE_LEVELS,
    },
    Workload { name: "SADD", command: &["SADD", "set", "element:__rand_int__"], data: &SET, levels: &WRITE_LEVELS },
    Workload { name: "LPUSH", command: &["LPUSH", "list:__rand_int__", "xxx"], data: &LISTS, levels: &WRITE_LEVELS },
    Workload {
        name: "ZADD to 1M members",
        command: &["ZADD", "board", "__rand_int__", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
    },
    Workload {
        name: "ZRANK in 1M members",
        command: &["ZRANK", "board", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
    },
    Workload {
        name: "ZSCORE in 1M members",
        command: &["ZSCORE", "board", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
    },
    Workload { name: "LRANGE of 100", command: &["LRANGE", "list", "0", "99"], data: &RANGES, levels: &RANGE_LEVELS },
    Workload { name: "ZRANGE of 100", command: &["ZRANGE", "board", "0", "99"], data: &RANGES, levels: &RANGE_LEVELS },
];

/// The workload of this name.
pub(crate) fn named(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

impl Workload {
    /// The row's name at one depth.
    pub(crate) fn row_name(&self, pipeline: u64) -> String {
        format!("{}, {pipeline} per round trip", self.name)
    }

    /// How many commands one run sends: enough for about a second of the server's time.
    pub(crate) fn commands(pipeline: u64, quick: bool) -> u64 {
        let full = match pipeline {
            0..=7 => 300_000,
            8..=31 => 1_600_000,
            _ => 3_200_000,
        };
        let wanted = if quick { full / 5 } else { full };
        // A whole number of pipelines, or redis-benchmark rounds it up unasked.
        wanted / pipeline * pipeline
    }
}
