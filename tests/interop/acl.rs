//! Users' rules as other servers follow them: made-up rules, and what they come to, in ACL GETUSER, ACL LIST and
//! ACL DRYRUN.
//!
//! `PLINTH_ACL_CASES` says how many users are made up, `PLINTH_ACL_SEED` where it begins.
//!
//! What differs, and why:
//! - Redis 7.0 shows rules about commands as it finds them in its bits; 7.2 and others as they were given, which
//!   is what Plinth does. So these are compared with the others only.
//! - `sanitize-payload` is shown by Redis from 7.2 on.
//! - Redis 7.0 says "This user" where 7.2 names it.
//! - Of parentheses within open ones Redis 7.0 names the last, others the first.

use crate::peer::{Peer, with_each};
use plinth_fuzz::Random;
use plinth_testkit::Client;
use plinth_testkit::reply::Reply;

const RULES: &[&str] = &[
    "on",
    "off",
    "nopass",
    "resetpass",
    "reset",
    "clearselectors",
    ">a",
    ">b",
    "<a",
    "<none",
    "allkeys",
    "~*",
    "resetkeys",
    "~a*",
    "~*b",
    "~c",
    "~[a-b]",
    "%R~a*",
    "%W~b*",
    "%RW~c",
    "%rw~d",
    "%R~*",
    "%W~a*",
    "%X~a",
    "%~a",
    "%RR~a",
    "%R",
    "%RW~*",
    "~a b",
    "allchannels",
    "&*",
    "resetchannels",
    "&a",
    "&b*",
    "&a*",
    "&",
    "allcommands",
    "+@all",
    "nocommands",
    "-@all",
    "+@read",
    "-@read",
    "+@write",
    "-@write",
    "+@string",
    "-@hash",
    "+@pubsub",
    "-@dangerous",
    "+@admin",
    "+@fast",
    "-@slow",
    "+@connection",
    "+@transaction",
    "+@none",
    "-@keyspace",
    "+get",
    "-get",
    "+GET",
    "+set",
    "-set",
    "+config",
    "-config",
    "+config|get",
    "-config|get",
    "+config|set",
    "-client|list",
    "+client",
    "+client|id",
    "+object",
    "-object|freq",
    "+select|0",
    "+select|1",
    "+select",
    "-select",
    "-select|0",
    "+get|",
    "+config|",
    "+config|none",
    "+config|get|x",
    "+none",
    "+publish",
    "+subscribe",
    "-psubscribe",
    "+mget",
    "+copy",
    "+rename",
    "+sort",
    "-@list",
    "+xread",
    "+@stream",
    "+memory|usage",
    "+debug|object",
    "-debug",
    "",
    "foo",
    "(+get ~a*)",
    "(%R~b* +mget +@read)",
    "(+@write ~c)",
    "(+publish &a*)",
    "(nocommands allkeys +set)",
    "()",
    "(+none)",
    "(foo)",
    "(+get",
    "+set)",
    "(",
    ")",
];

const COMMANDS: &[&str] = &[
    "get a1",
    "get b",
    "set a1 v",
    "set b v",
    "set ab v GET",
    "mget a b",
    "mset a 1 c 2",
    "del a",
    "exists ab",
    "copy a b",
    "copy b a",
    "rename a b",
    "sort a",
    "sort a BY x GET y STORE b",
    "bitop and d a b",
    "zunionstore c 2 a b",
    "zinter 2 a c",
    "georadius a 1 1 1 km STORE b",
    "xread streams a b 0 0",
    "xreadgroup group g c streams a b > >",
    "xadd a * f v",
    "migrate h 1 a 0 1",
    "migrate h 1 \u{0} 0 1 KEYS a b",
    "object encoding a",
    "object freq b",
    "memory usage a",
    "config get x",
    "config set x y",
    "client list",
    "client id",
    "client kill x",
    "select 0",
    "select 1",
    "publish a m",
    "publish c m",
    "subscribe a b",
    "psubscribe a*",
    "psubscribe b*",
    "ssubscribe a",
    "spublish b m",
    "unsubscribe c",
    "sunsubscribe c",
    "ping",
    "hello",
    "auth x",
    "quit",
    "reset",
    "multi",
    "exec",
    "flushall",
    "keys *",
    "scan 0",
    "acl whoami",
    "acl list",
    "debug object a",
    "debug x",
    "lmpop 2 a b left",
    "blmpop 0 2 a c left",
    "hget a f",
    "hset b f v",
    "lpush c 1",
    "sadd a m",
    "zadd b 1 m",
    "sinterstore c a b",
    "getex a",
    "getdel b",
    "append c x",
    "strlen a",
    "type b",
    "ttl c",
    "expire a 1",
    "persist b",
    "pfadd a x",
    "pfcount a b",
    "bitfield a get u8 0",
    "bitfield b set u8 0 1",
    "dump a",
    "restore c 0 x",
    "touch a b",
    "unlink a",
    "lmove a b left left",
    "watch a",
    "unwatch",
    "info",
    "command",
    "swapdb 0 1",
    "move a 1",
    "get",
    "none a",
    "config none",
];

/// Commands whose categories or flags of keys others have otherwise.
fn is_otherwise(peer: &Peer, command: &str) -> Option<&'static str> {
    let name = command.split(' ').next().unwrap_or_default();
    match name {
        "debug" if command == "debug x" && peer.name() != "Redis 7.0" => Some("its subcommands are words of its own"),
        _ => None,
    }
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| if word == "\0" { Vec::new() } else { word.as_bytes().to_vec() }).collect()
}

/// A reply as all servers would write it.
fn plain(reply: &[u8], user: &str) -> String {
    let text = String::from_utf8_lossy(reply);
    let text = text.split_once("\r\n").filter(|_| text.starts_with('$')).map_or(&*text, |(_, text)| text);
    text.trim_end().replace("This user ", &format!("User {user} "))
}

/// What GETUSER says: flags, passwords, and of each selector its keys, channels and, where they can be compared,
/// commands.
fn described(client: &mut Client, with_commands: bool) -> Vec<String> {
    fn walk(reply: &Reply, with_commands: bool, into: &mut Vec<String>) {
        let items = reply.items();
        for pair in items.chunks(2) {
            let name = pair[0].text();
            match name.as_str() {
                "commands" if !with_commands => {}
                "databases" => {}
                "flags" => {
                    let flags = pair[1].texts();
                    into.extend(flags.into_iter().filter(|flag| !flag.contains("sanitize")));
                }
                "passwords" => into.extend(pair[1].texts()),
                "selectors" => pair[1].items().iter().for_each(|one| walk(one, with_commands, into)),
                _ => into.push(format!("{name} {}", pair[1].text())),
            }
        }
    }
    let mut all = Vec::new();
    walk(&client.ask(&["ACL", "GETUSER", "u"]), with_commands, &mut all);
    all
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn made_up_rules_come_to_the_same() {
    let (cases, seed) = (number("PLINTH_ACL_CASES", 400), number("PLINTH_ACL_SEED", 1));
    with_each(|peer, theirs, plinth| {
        let with_commands = peer.name() != "Redis 7.0";
        let known: Vec<&str> = COMMANDS.iter().copied().filter(|line| is_otherwise(peer, line).is_none()).collect();
        // Redis 7.0 has another opinion of parentheses in parentheses.
        let is_alike = |rule: &&str| with_commands || !matches!(*rule, "(" | "(+get");
        let rules: Vec<&str> = RULES.iter().copied().filter(is_alike).collect();
        for client in [&mut *theirs, &mut *plinth] {
            client.command(&["ACL", "SETUSER", "u"]);
        }
        for case in seed..seed + cases {
            let mut random = Random::new(case);
            let mut given: Vec<Vec<u8>> =
                ["ACL", "SETUSER", "u", "reset"].iter().map(|word| word.as_bytes().to_vec()).collect();
            for _ in 0..1 + random.below(7) {
                given.push(random.one(&rules).as_bytes().to_vec());
            }
            let shown = || {
                let rules: Vec<_> = given[4..].iter().map(|rule| String::from_utf8_lossy(rule).into_owned()).collect();
                format!("case {case}, rules {rules:?}, {}", peer.name())
            };
            let (expected, reply) = (theirs.command(&given), plinth.command(&given));
            assert_eq!(plain(&reply, "u"), plain(&expected, "u"), "{}", shown());
            assert_eq!(described(plinth, with_commands), described(theirs, with_commands), "{}", shown());
            for _ in 0..6 {
                let line = random.one(&known);
                let mut asked = words("ACL DRYRUN u");
                asked.extend(words(line));
                let (expected, reply) = (theirs.command(&asked), plinth.command(&asked));
                assert_eq!(plain(&reply, "u"), plain(&expected, "u"), "{line}: {}", shown());
            }
        }
    });
}
