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
static SKETCHES: Data = Data {
    name: "a dense HyperLogLog and 1M small ones",
    loads: &[
        (100_000, &["PFADD", "sketch", "element:{index}"]),
        (POPULATION, &["PFADD", "sketch:{index}", "first", "second"]),
    ],
};

static FEED: Data = Data { name: "a short stream", loads: &[(1_000, &["XADD", "feed", "*", "a", "1", "b", "2"])] };
static LOG: Data = Data {
    name: "a stream of 1M with a group",
    loads: &[
        (POPULATION, &["XADD", "log", "{next}-1", "a", "1", "b", "2"]),
        (1, &["XGROUP", "CREATE", "log", "group", "0"]),
    ],
};
static BITS: Data = Data {
    name: "a bitmap of 1 MiB",
    loads: &[(1, &["SETBIT", "bits", "8388607", "1"]), (100_000, &["SETBIT", "bits", "{random}", "1"])],
};
/// On 10 by 10 degrees at the equator some 0.8 a square kilometre.
static PLACES: Data =
    Data { name: "1M places", loads: &[(POPULATION, &["GEOADD", "places", "{lon}", "{lat}", "element:{index}"])] };

static SCRIPT: Data = Data {
    name: "strings and a script",
    loads: &[
        (POPULATION, &["SET", "key:{index}", "xxx"]),
        (1, &["SCRIPT", "LOAD", "return redis.call('GET', KEYS[1])"]),
    ],
};
/// A bucket of tokens: 20 lines, four commands.
const LIMITER: &str = "local key = KEYS[1]\n\
                       local rate = tonumber(ARGV[1])\n\
                       local burst = tonumber(ARGV[2])\n\
                       local now = tonumber(ARGV[3])\n\
                       local asked = tonumber(ARGV[4])\n\
                       local fill = burst / rate\n\
                       local lifetime = math.floor(fill * 2) + 1\n\
                       local tokens = tonumber(redis.call('HGET', key, 'tokens'))\n\
                       if tokens == nil then\n\
                           tokens = burst\n\
                       end\n\
                       local last = tonumber(redis.call('HGET', key, 'last')) or 0\n\
                       local passed = math.max(0, now - last)\n\
                       local filled = math.min(burst, tokens + passed * rate)\n\
                       local allowed = filled >= asked\n\
                       if allowed then\n\
                           filled = filled - asked\n\
                       end\n\
                       redis.call('HSET', key, 'tokens', filled, 'last', now)\n\
                       redis.call('EXPIRE', key, lifetime)\n\
                       return allowed and math.floor(filled) or -1\n";
static LIMITERS: Data = Data { name: "a script", loads: &[(1, &["SCRIPT", "LOAD", LIMITER])] };

/// A command at one or more pipeline depths.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) command: &'static [&'static str],
    pub(crate) data: &'static Data,
    pub(crate) levels: &'static [Level],
    pub(crate) driver: Driver,
    /// How many times the work of a GET a command is, about.
    pub(crate) weight: u64,
}

/// Who sends the commands.
pub(crate) enum Driver {
    /// `redis-benchmark`, over 50 connections.
    RedisBenchmark,
    /// The bench itself, for what `redis-benchmark` cannot write: the command is a template.
    Own(&'static Script),
}

/// How the bench itself sends a workload's commands.
pub(crate) struct Script {
    pub(crate) connections: usize,
    /// Commands before each run.
    pub(crate) begin: &'static [&'static [&'static str]],
    /// A second template, by turns with the workload's command.
    pub(crate) then: Option<&'static [&'static str]>,
}

static SCATTERED: Script = Script { connections: 50, begin: &[], then: None };
/// One connection, because what is acknowledged must have been read.
static CONSUMER: Script = Script {
    connections: 1,
    begin: &[&["XGROUP", "SETID", "log", "group", "0"]],
    then: Some(&[
        "XACK",
        "log",
        "group",
        "{tens0}-1",
        "{tens1}-1",
        "{tens2}-1",
        "{tens3}-1",
        "{tens4}-1",
        "{tens5}-1",
        "{tens6}-1",
        "{tens7}-1",
        "{tens8}-1",
        "{tens9}-1",
    ]),
};

/// What most rows have in common.
const PLAIN: Workload =
    Workload { name: "", command: &[], data: &STRINGS, levels: &[], driver: Driver::RedisBenchmark, weight: 1 };

/// Commands per round trip, and the bar there.
pub(crate) struct Level {
    pub(crate) pipeline: u64,
    pub(crate) bar: Bar,
}

const fn level(pipeline: u64, must: f64, goal: f64) -> Level {
    Level { pipeline, bar: Bar::Ratio { must, goal } }
}

static PING_LEVELS: [Level; 3] = [level(1, 0.92, 0.85), level(16, 0.80, 0.70), level(64, 0.55, 0.40)];
static SCRIPT_LEVELS: [Level; 1] = [level(16, 0.65, 0.55)];
static STRING_LEVELS: [Level; 3] = [level(1, 0.92, 0.85), level(16, 0.55, 0.45), level(64, 0.40, 0.28)];
static WRITE_LEVELS: [Level; 1] = [level(16, 0.60, 0.45)];
static BOARD_LEVELS: [Level; 1] = [level(16, 0.50, 0.30)];
static RANGE_LEVELS: [Level; 1] = [level(16, 0.55, 0.40)];
static HALF_LEVELS: [Level; 1] = [level(16, 0.50, 0.40)];
static BIT_LEVELS: [Level; 1] = [level(16, 0.55, 0.45)];
static BITCOUNT_LEVELS: [Level; 1] = [level(16, 0.60, 0.45)];

/// All rows; those with equal data stand together, for each change of data is a load.
pub(crate) static WORKLOADS: &[Workload] = &[
    Workload { name: "PING", command: &["PING"], data: &STRINGS, levels: &PING_LEVELS, ..PLAIN },
    Workload { name: "GET", command: &["GET", "key:__rand_int__"], data: &STRINGS, levels: &STRING_LEVELS, ..PLAIN },
    Workload {
        name: "SET",
        command: &["SET", "key:__rand_int__", "xxx"],
        data: &STRINGS,
        levels: &STRING_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "EVALSHA of one GET",
        // SHA-1 of the script of the data set, as below.
        command: &["EVALSHA", "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f", "1", "key:__rand_int__"],
        data: &SCRIPT,
        levels: &SCRIPT_LEVELS,
        weight: 3,
        ..PLAIN
    },
    Workload {
        name: "EVALSHA of a rate limiter",
        command: &[
            "EVALSHA",
            "235c9a86784f84957b64e91f50c1b5b61eb92bc2",
            "1",
            "limit:__rand_int__",
            "0.5",
            "10",
            "1000",
            "1",
        ],
        data: &LIMITERS,
        levels: &SCRIPT_LEVELS,
        weight: 15,
        ..PLAIN
    },
    Workload {
        name: "SETBIT",
        command: &["SETBIT", "key:__rand_int__", "7", "1"],
        data: &STRINGS,
        levels: &BIT_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "GETBIT",
        command: &["GETBIT", "key:__rand_int__", "7"],
        data: &STRINGS,
        levels: &BIT_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "INCR",
        command: &["INCR", "counter:__rand_int__"],
        data: &COUNTERS,
        levels: &STRING_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "HSET, 2 fields",
        command: &["HSET", "hash:__rand_int__", "field1", "xxx", "field2", "xxx"],
        data: &HASHES,
        levels: &WRITE_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "SADD",
        command: &["SADD", "set", "element:__rand_int__"],
        data: &SET,
        levels: &WRITE_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "LPUSH",
        command: &["LPUSH", "list:__rand_int__", "xxx"],
        data: &LISTS,
        levels: &WRITE_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "ZADD to 1M members",
        command: &["ZADD", "board", "__rand_int__", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "ZRANK in 1M members",
        command: &["ZRANK", "board", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "ZSCORE in 1M members",
        command: &["ZSCORE", "board", "element:__rand_int__"],
        data: &BOARD,
        levels: &BOARD_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "LRANGE of 100",
        command: &["LRANGE", "list", "0", "99"],
        data: &RANGES,
        levels: &RANGE_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "ZRANGE of 100",
        command: &["ZRANGE", "board", "0", "99"],
        data: &RANGES,
        levels: &RANGE_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "XADD, 2 fields, MAXLEN ~",
        command: &["XADD", "feed", "MAXLEN", "~", "100000", "*", "a", "1", "b", "2"],
        data: &FEED,
        levels: &HALF_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "XRANGE of 100 in 1M entries",
        command: &["XRANGE", "log", "__rand_int__-0", "+", "COUNT", "100"],
        data: &LOG,
        levels: &HALF_LEVELS,
        weight: 10,
        ..PLAIN
    },
    Workload {
        name: "XREADGROUP of 10, and XACK",
        command: &["XREADGROUP", "GROUP", "group", "consumer", "COUNT", "10", "STREAMS", "log", ">"],
        data: &LOG,
        levels: &HALF_LEVELS,
        driver: Driver::Own(&CONSUMER),
        weight: 10,
    },
    Workload {
        name: "SETBIT in 1 MiB",
        command: &["SETBIT", "bits", "{random}", "1"],
        data: &BITS,
        levels: &BIT_LEVELS,
        driver: Driver::Own(&SCATTERED),
        ..PLAIN
    },
    Workload {
        name: "GETBIT in 1 MiB",
        command: &["GETBIT", "bits", "{random}"],
        data: &BITS,
        levels: &BIT_LEVELS,
        driver: Driver::Own(&SCATTERED),
        ..PLAIN
    },
    Workload {
        name: "BITCOUNT of 1 MiB",
        command: &["BITCOUNT", "bits"],
        data: &BITS,
        levels: &BITCOUNT_LEVELS,
        weight: 50,
        ..PLAIN
    },
    Workload {
        name: "GEOSEARCH of 100 in 1M places",
        command: &["GEOSEARCH", "places", "FROMMEMBER", "element:__rand_int__", "BYRADIUS", "6.25", "km"],
        data: &PLACES,
        levels: &HALF_LEVELS,
        weight: 50,
        ..PLAIN
    },
    Workload {
        name: "PFADD to a dense key",
        command: &["PFADD", "sketch", "element:__rand_int__"],
        data: &SKETCHES,
        levels: &HALF_LEVELS,
        ..PLAIN
    },
    Workload {
        name: "PFADD to 1M keys",
        command: &["PFADD", "sketch:__rand_int__", "element:__rand_int__"],
        data: &SKETCHES,
        levels: &HALF_LEVELS,
        ..PLAIN
    },
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
    pub(crate) fn commands(&self, pipeline: u64, quick: bool) -> u64 {
        let full = match pipeline {
            0..=7 => 300_000,
            8..=31 => 1_600_000,
            _ => 3_200_000,
        };
        let wanted = if quick { full / 5 } else { full } / self.weight;
        // A whole number of pipelines, or redis-benchmark rounds it up unasked.
        wanted / pipeline * pipeline
    }
}
