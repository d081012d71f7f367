//! Which connections CLIENT LIST and CLIENT KILL mean: options of which all must fit.
//! Options: <https://redis.io/docs/latest/commands/client-kill/>, and those that Valkey 9 has beside them:
//! <https://valkey.io/commands/client-list/>.

use crate::admin::client::listing::Kind;
use crate::base::number::parse_i64;
use crate::command::status::shown;
use crate::engine::call::Context;
use crate::session::client::Client;
use crate::session::line::{LETTERS, flags};
use plinth_abi::command::{self as abi, Arg};
use std::mem::discriminant;

/// Arguments of the options.
pub(super) const ARGS: &[Arg] = &[
    Arg::new(abi::ARG_INTEGER, "client-id").token("ID").since("2.8.12").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
    Arg::group(
        abi::ARG_ONE_OF,
        "client-type",
        &[
            Arg::word("normal", "NORMAL"),
            Arg::word("master", "MASTER").since("3.2.0"),
            Arg::word("slave", "SLAVE"),
            Arg::word("replica", "REPLICA").since("5.0.0"),
            Arg::word("pubsub", "PUBSUB"),
        ],
    )
    .token("TYPE")
    .since("2.8.12")
    .flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_STRING, "username").token("USER").flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_STRING, "addr").token("ADDR").flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_STRING, "laddr").token("LADDR").since("6.2.0").flags(abi::ARG_OPTIONAL),
    Arg::group(abi::ARG_ONE_OF, "skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
        .token("SKIPME")
        .flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_INTEGER, "maxage").token("MAXAGE").since("7.4.0").flags(abi::ARG_OPTIONAL),
];

/// What one option asks of a connection.
enum Test {
    Ids(Vec<u64>),
    Kind(Kind),
    Address(Vec<u8>),
    LocalAddress(Vec<u8>),
    Ip(Vec<u8>),
    User(Vec<u8>),
    Name(Vec<u8>),
    LibName(Vec<u8>),
    LibVersion(Vec<u8>),
    Flags(Vec<u8>),
    Db(u32),
    AgeAtLeast(i64),
    IdleAtLeast(i64),
}

impl Test {
    fn fits(&self, client: &Client, now_s: i64) -> bool {
        match self {
            Test::Ids(ids) => ids.contains(&client.id),
            Test::Kind(kind) => *kind == Kind::of(client),
            Test::Address(address) => address == client.address.as_bytes(),
            Test::LocalAddress(address) => address == client.local_address.as_bytes(),
            Test::Ip(ip) => ip == ip_of(&client.address).as_bytes(),
            Test::User(name) => **name == *client.user_name,
            Test::Name(name) => *name == client.name,
            Test::LibName(name) => *name == client.lib_name,
            Test::LibVersion(version) => *version == client.lib_version,
            Test::Flags(letters) => {
                let own = flags(client);
                letters.iter().all(|letter| own.as_bytes().contains(letter))
            }
            Test::Db(db) => *db == client.db,
            Test::AgeAtLeast(seconds) => now_s - client.created_s >= *seconds,
            Test::IdleAtLeast(seconds) => now_s - client.active_s >= *seconds,
        }
    }
}

/// The host in an address.
fn ip_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(ip, _)| ip.trim_matches(['[', ']']))
}

/// Which connections are meant.
pub(super) struct Filter {
    /// Tests, and whether they are to fail.
    tests: Vec<(bool, Test)>,
    /// Whether the one that asks is left out.
    pub keeps_self: bool,
}

impl Filter {
    /// Those at an address.
    pub(super) fn at(address: &[u8]) -> Filter {
        Filter { tests: vec![(false, Test::Address(address.to_vec()))], keeps_self: false }
    }

    /// Whether a connection is meant.
    pub(super) fn fits(&self, client: &Client, now_s: i64) -> bool {
        self.tests.iter().all(|(is_not, test)| test.fits(client, now_s) != *is_not)
    }

    /// The filter that the options from the third argument on describe, or the error. What an option says twice, it
    /// says the second time.
    pub(super) fn of_options(context: &mut Context, keeps_self: bool) -> Result<Filter, Vec<u8>> {
        let mut filter = Filter { tests: Vec::new(), keeps_self };
        let mut at = 2;
        while at < context.argc() {
            let word = context.arg(at).to_ascii_lowercase();
            let (is_not, option) = word.strip_prefix(b"not-").map_or((false, &word[..]), |rest| (true, rest));
            if at + 1 == context.argc() {
                return Err("ERR syntax error".into());
            }
            let value = context.arg(at + 1);
            at += 2;
            if option == b"skipme" && !is_not {
                filter.keeps_self = yes_or_no(value)?;
                continue;
            }
            let test = match option {
                b"id" => {
                    let mut ids = vec![id(value)?];
                    while let Some(more) = (at < context.argc()).then(|| parse_i64(context.arg(at))).flatten() {
                        ids.push(u64::try_from(more).unwrap_or(0));
                        at += 1;
                    }
                    Test::Ids(ids)
                }
                _ => test(context, option, value, is_not)?,
            };
            filter
                .tests
                .retain(|(other_is_not, other)| *other_is_not != is_not || discriminant(other) != discriminant(&test));
            filter.tests.push((is_not, test));
        }
        Ok(filter)
    }
}

fn yes_or_no(value: &[u8]) -> Result<bool, Vec<u8>> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("ERR syntax error".into()),
    }
}

fn id(value: &[u8]) -> Result<u64, Vec<u8>> {
    match parse_i64(value) {
        Some(id @ 1..) => Ok(id as u64),
        _ => Err("ERR client-id should be greater than 0".into()),
    }
}

/// A number of seconds of an option, above 0.
fn seconds(name: &str, value: &[u8]) -> Result<i64, Vec<u8>> {
    match parse_i64(value) {
        Some(seconds @ 1..) => Ok(seconds),
        Some(_) => Err(format!("ERR {name} should be greater than 0").into()),
        None => Err(format!("ERR {name} is not an integer or out of range").into()),
    }
}

/// The test that an option asks for.
fn test(context: &mut Context, option: &[u8], value: &[u8], is_not: bool) -> Result<Test, Vec<u8>> {
    let text = || value.to_vec();
    Ok(match option {
        b"type" => match Kind::named(value) {
            Some(kind) => Test::Kind(kind),
            None => return Err([b"ERR Unknown client type '", shown(value), b"'"].concat()),
        },
        b"addr" => Test::Address(text()),
        b"laddr" => Test::LocalAddress(text()),
        b"ip" => Test::Ip(text()),
        b"user" if context.server().acl.users.find(value).is_some() => Test::User(text()),
        b"user" => return Err([b"ERR No such user '", shown(value), b"'"].concat()),
        b"name" => Test::Name(text()),
        b"lib-name" => Test::LibName(text()),
        b"lib-ver" => Test::LibVersion(text()),
        b"flags" if value.iter().all(|letter| LETTERS.contains(letter)) => Test::Flags(text()),
        b"flags" => return Err([b"ERR Unknown flags found in the provided filter: ", shown(value)].concat()),
        b"db" => {
            let databases = context.server().store.databases.len() as i64;
            match parse_i64(value) {
                Some(db) if (0..databases).contains(&db) => Test::Db(db as u32),
                Some(_) => return Err(format!("ERR DB number should be between 0 and {}", databases - 1).into()),
                None => return Err("ERR DB is not an integer or out of range".into()),
            }
        }
        b"maxage" if !is_not => Test::AgeAtLeast(seconds("maxage", value)?),
        b"idle" if !is_not => Test::IdleAtLeast(seconds("idle", value)?),
        _ => return Err("ERR syntax error".into()),
    })
}
