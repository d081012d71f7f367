//! Every command of sets, as bytes in and out of a real server, over whatever storage
//! `super::server` starts one with.

use plinth_testkit::{Client, Reply, Server, assert_wire, wait_until};
use std::collections::BTreeSet;

const OK: &[u8] = b"+OK\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const WRONG_TYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

fn connected() -> (Server, Client) {
    let server = super::server();
    let client = server.connect();
    (server, client)
}

fn sorted(client: &mut Client, args: &[&str]) -> Vec<String> {
    let mut texts = client.ask(args).texts();
    texts.sort();
    texts
}

fn encoding(client: &mut Client, key: &str) -> String {
    client.text(&["OBJECT", "ENCODING", key])
}

/// Adds `prefix` and a number for each of a range, a few at a time.
fn add_many(client: &mut Client, key: &str, prefix: &str, range: std::ops::Range<u32>) {
    for start in range.clone().step_by(100) {
        let mut args = vec!["SADD".to_string(), key.to_string()];
        args.extend((start..range.end.min(start + 100)).map(|n| format!("{prefix}{n}")));
        client.command(&args);
    }
}

fn payload(client: &mut Client, key: &str) -> Vec<u8> {
    match client.ask(&["DUMP", key]) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{other:?} is no payload"),
    }
}

#[test]
fn members_are_added_looked_for_and_removed() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SADD", "s", "a", "b", "a", "7"], b":3\r\n");
    assert_wire(&mut client, &["SADD", "s", "b"], b":0\r\n");
    assert_wire(&mut client, &["SCARD", "s"], b":3\r\n");
    assert_wire(&mut client, &["SISMEMBER", "s", "7"], b":1\r\n");
    assert_wire(&mut client, &["SISMEMBER", "s", "07"], b":0\r\n");
    assert_wire(&mut client, &["SMISMEMBER", "s", "a", "x", "b"], b"*3\r\n:1\r\n:0\r\n:1\r\n");
    assert_wire(&mut client, &["SMISMEMBER", "none", "a", "x"], b"*2\r\n:0\r\n:0\r\n");
    assert_eq!(sorted(&mut client, &["SMEMBERS", "s"]), ["7", "a", "b"]);
    assert_wire(&mut client, &["SREM", "s", "a", "x", "a"], b":1\r\n");
    assert_wire(&mut client, &["SREM", "none", "a"], b":0\r\n");
    assert_wire(&mut client, &["SREM", "s", "7", "b", "b"], b":2\r\n");
    assert_wire(&mut client, &["EXISTS", "s"], b":0\r\n");
    assert_wire(&mut client, &["SMEMBERS", "s"], b"*0\r\n");
    assert_wire(&mut client, &["TYPE", "s"], b"+none\r\n");
}

#[test]
fn another_type_is_refused_and_too_few_arguments_are() {
    let (_server, mut client) = connected();
    client.command(&["SET", "str", "v"]);
    client.command(&["SADD", "s", "a"]);
    for args in [
        &["SADD", "str", "a"][..],
        &["SREM", "str", "a"],
        &["SCARD", "str"],
        &["SMEMBERS", "str"],
        &["SPOP", "str"],
        &["SPOP", "str", "1"],
        &["SRANDMEMBER", "str"],
        &["SMOVE", "s", "str", "a"],
        &["SMOVE", "str", "s", "a"],
        &["SINTER", "none", "str"],
        &["SUNION", "s", "str"],
        &["SDIFFSTORE", "d", "none", "str"],
        &["SINTERCARD", "2", "none", "str"],
        &["SSCAN", "str", "0"],
        &["GET", "s"],
    ] {
        assert_wire(&mut client, args, WRONG_TYPE);
    }
    assert_wire(&mut client, &["SMISMEMBER", "s"], b"-ERR wrong number of arguments for 'smismember' command\r\n");
    assert_wire(&mut client, &["SMOVE", "none", "str", "a"], b":0\r\n");
    assert_wire(&mut client, &["TYPE", "s"], b"+set\r\n");
}

#[test]
fn encodings_change_at_their_limits() {
    let (_server, mut client) = connected();
    add_many(&mut client, "ints", "", 0..512);
    assert_eq!(encoding(&mut client, "ints"), "intset");
    client.command(&["SADD", "ints", "512"]);
    assert_eq!(encoding(&mut client, "ints"), "hashtable");
    client.command(&["SADD", "few", "1", "2"]);
    client.command(&["SADD", "few", "x"]);
    assert_eq!(encoding(&mut client, "few"), "listpack");
    add_many(&mut client, "texts", "m", 0..128);
    assert_eq!(encoding(&mut client, "texts"), "listpack");
    client.command(&["SADD", "texts", "m"]);
    assert_eq!(encoding(&mut client, "texts"), "hashtable");
    client.command(&["SADD", "long", "x".repeat(64).as_str()]);
    assert_eq!(encoding(&mut client, "long"), "listpack");
    client.command(&["SADD", "long", "x".repeat(65).as_str()]);
    assert_eq!(encoding(&mut client, "long"), "hashtable");
    assert_wire(&mut client, &["CONFIG", "SET", "set-max-intset-entries", "2"], OK);
    client.command(&["SADD", "three", "1", "2", "3"]);
    assert_eq!(encoding(&mut client, "three"), "listpack");
}

#[test]
fn a_set_keeps_its_members_through_every_change_of_form() {
    let (_server, mut client) = connected();
    let mut model = BTreeSet::new();
    for n in 0..300 {
        let member = if n < 100 { (n * 700 - 40_000).to_string() } else { format!("member:{n}") };
        assert_wire(&mut client, &["SADD", "s", &member], b":1\r\n");
        assert_wire(&mut client, &["SADD", "s", &member], b":0\r\n");
        model.insert(member);
        assert_wire(&mut client, &["SCARD", "s"], format!(":{}\r\n", model.len()));
    }
    assert_eq!(sorted(&mut client, &["SMEMBERS", "s"]), model.iter().cloned().collect::<Vec<_>>());
    for member in &model {
        assert_wire(&mut client, &["SREM", "s", member], b":1\r\n");
        assert_wire(&mut client, &["SISMEMBER", "s", member], b":0\r\n");
    }
    assert_wire(&mut client, &["EXISTS", "s"], b":0\r\n");
}

#[test]
fn a_member_moves() {
    let (_server, mut client) = connected();
    client.command(&["SADD", "from", "a", "1"]);
    client.command(&["SADD", "to", "1"]);
    assert_wire(&mut client, &["SMOVE", "from", "to", "x"], b":0\r\n");
    assert_wire(&mut client, &["SMOVE", "from", "from", "a"], b":1\r\n");
    assert_wire(&mut client, &["SMOVE", "from", "to", "1"], b":1\r\n");
    assert_wire(&mut client, &["SMOVE", "from", "new", "a"], b":1\r\n");
    assert_wire(&mut client, &["EXISTS", "from", "to", "new"], b":2\r\n");
    assert_wire(&mut client, &["SMEMBERS", "new"], b"*1\r\n$1\r\na\r\n");
}

#[test]
fn replies_have_the_shapes_of_both_protocols() {
    let (_server, mut client) = connected();
    client.command(&["SADD", "one", "a"]);
    assert_wire(&mut client, &["SPOP", "none"], b"$-1\r\n");
    assert_wire(&mut client, &["SRANDMEMBER", "none"], b"$-1\r\n");
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["SMEMBERS", "one"], b"~1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SMEMBERS", "none"], b"~0\r\n");
    assert_wire(&mut client, &["SINTER", "one", "none"], b"~0\r\n");
    assert_wire(&mut client, &["SUNION", "one", "none"], b"~1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SDIFF", "one", "none"], b"~1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SMISMEMBER", "one", "a"], b"*1\r\n:1\r\n");
    assert_wire(&mut client, &["SRANDMEMBER", "one", "2"], b"*1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SRANDMEMBER", "none", "2"], b"*0\r\n");
    assert_wire(&mut client, &["SRANDMEMBER", "none"], b"_\r\n");
    assert_wire(&mut client, &["SSCAN", "one", "0"], b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SPOP", "none", "2"], b"~0\r\n");
    assert_wire(&mut client, &["SPOP", "one", "2"], b"~1\r\n$1\r\na\r\n");
    assert_wire(&mut client, &["SPOP", "one"], b"_\r\n");
}

#[test]
fn sets_are_intersected_united_and_subtracted_in_every_form() {
    let (_server, mut client) = connected();
    // Each set in each form; the large ones hold as many members more as make them large.
    for (form, more) in [("small", 0), ("large", 600)] {
        for (name, range) in [("a", 0..60), ("b", 30..90), ("c", 40..50)] {
            let key = format!("{form}:{name}");
            add_many(&mut client, &key, "", range.clone());
            add_many(&mut client, &key, "m", range);
            add_many(&mut client, &key, &format!("{name}:"), 0..more);
        }
    }
    let both = |range: std::ops::Range<u32>| -> BTreeSet<String> {
        range.flat_map(|n| [n.to_string(), format!("m{n}")]).collect()
    };
    for (a, b, c) in [("small", "small", "small"), ("large", "small", "large"), ("large", "large", "large")] {
        let (a, b, c) = (format!("{a}:a"), format!("{b}:b"), format!("{c}:c"));
        let common: Vec<String> = both(40..50).into_iter().collect();
        assert_eq!(sorted(&mut client, &["SINTER", &a, &b, &c]), common);
        assert_wire(&mut client, &["SINTERCARD", "3", &a, &b, &c], b":20\r\n");
        assert_wire(&mut client, &["SINTERCARD", "3", &a, &b, &c, "LIMIT", "7"], b":7\r\n");
        assert_wire(&mut client, &["SINTERCARD", "3", &a, &b, &c, "LIMIT", "0"], b":20\r\n");
        assert_wire(&mut client, &["SINTERSTORE", "d", &a, &b, &c], b":20\r\n");
        assert_eq!(sorted(&mut client, &["SMEMBERS", "d"]), common);
        let union = client.ask(&["SUNION", &a, &b, &c]).texts();
        let distinct: BTreeSet<&String> = union.iter().collect();
        assert_eq!(union.len(), distinct.len());
        assert_wire(&mut client, &["SUNIONSTORE", "d", &a, &b, &c], format!(":{}\r\n", union.len()));
        assert_wire(&mut client, &["SCARD", "d"], format!(":{}\r\n", union.len()));
        let many = client.ask(&["SUNION", &a, &b, &c, &a, &b, "none"]).texts();
        assert_eq!(many.iter().collect::<BTreeSet<_>>(), distinct);
        assert_eq!(many.len(), union.len());
        let left = sorted(&mut client, &["SDIFF", &a, &b, &c]);
        assert_eq!(left.iter().filter(|member| !member.contains(':')).count(), 60);
        assert_eq!(sorted(&mut client, &["SDIFF", &a, &c, &b, &c, &b, "none"]), left);
        assert_wire(&mut client, &["SDIFFSTORE", "d", &a, &b, &c], format!(":{}\r\n", left.len()));
        assert_eq!(sorted(&mut client, &["SMEMBERS", "d"]), left);
    }
}

#[test]
fn a_stored_result_replaces_what_was_there_and_may_be_one_of_the_sources() {
    let (_server, mut client) = connected();
    client.command(&["SADD", "a", "1", "2", "x"]);
    client.command(&["SADD", "b", "2", "1"]);
    client.command(&["SET", "d", "v", "EX", "100"]);
    assert_wire(&mut client, &["SINTERSTORE", "d", "a", "b"], b":2\r\n");
    assert_wire(&mut client, &["TTL", "d"], b":-1\r\n");
    assert_eq!(encoding(&mut client, "d"), "intset");
    assert_wire(&mut client, &["SDIFFSTORE", "a", "a", "b"], b":1\r\n");
    assert_wire(&mut client, &["SMEMBERS", "a"], b"*1\r\n$1\r\nx\r\n");
    assert_wire(&mut client, &["SUNIONSTORE", "b", "b", "b"], b":2\r\n");
    assert_wire(&mut client, &["SINTERSTORE", "d", "a", "none"], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "d"], b":0\r\n");
    assert_wire(&mut client, &["SUNIONSTORE", "a", "none", "none"], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "a"], b":0\r\n");
}

#[test]
fn sintercard_reads_its_options_strictly() {
    let (_server, mut client) = connected();
    client.command(&["SADD", "s", "a"]);
    let numkeys: &[u8] = b"-ERR numkeys should be greater than 0\r\n";
    let negative: &[u8] = b"-ERR LIMIT can't be negative\r\n";
    assert_wire(&mut client, &["SINTERCARD", "0", "s"], numkeys);
    assert_wire(&mut client, &["SINTERCARD", "x", "s"], numkeys);
    let too_many = b"-ERR Number of keys can't be greater than number of args\r\n";
    assert_wire(&mut client, &["SINTERCARD", "2", "s"], too_many);
    assert_wire(&mut client, &["SINTERCARD", "1", "s", "LIMIT", "-1"], negative);
    assert_wire(&mut client, &["SINTERCARD", "1", "s", "LIMIT", "x"], negative);
    for rest in [&["LIMIT"][..], &["FOO", "1"], &["x"]] {
        let args: Vec<&str> = ["SINTERCARD", "1", "s"].iter().chain(rest).copied().collect();
        assert_wire(&mut client, &args, SYNTAX);
    }
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "SINTERCARD", "1", "s", "x"], b"*1\r\n$1\r\ns\r\n");
}

#[test]
fn what_is_popped_is_gone_however_much_it_is() {
    let (_server, mut client) = connected();
    for (prefix, count) in [("", 100u32), ("m", 100), ("", 2000), ("m", 2000)] {
        for popped in [1, count / 3, count - 5, count, count + 7] {
            client.command(&["DEL", "s"]);
            add_many(&mut client, "s", prefix, 0..count);
            client.command(&["PEXPIRE", "s", "1000000"]);
            let gone = client.ask(&["SPOP", "s", &popped.to_string()]).texts();
            assert_eq!(gone.len() as u32, popped.min(count));
            let mut all: BTreeSet<String> = gone.into_iter().collect();
            let left = client.ask(&["SMEMBERS", "s"]).texts();
            assert_eq!(all.len() + left.len(), count as usize);
            assert_eq!(client.ask(&["TTL", "s"]).integer() > 0, popped < count);
            all.extend(left);
            assert_eq!(all.len(), count as usize);
        }
    }
    client.command(&["SADD", "s", "a", "b"]);
    assert_eq!(client.ask(&["SPOP", "s"]).text().len(), 1);
    assert_wire(&mut client, &["SCARD", "s"], b":1\r\n");
    client.command(&["SPOP", "s"]);
    assert_wire(&mut client, &["EXISTS", "s"], b":0\r\n");
    let not_positive: &[u8] = b"-ERR value is out of range, must be positive\r\n";
    assert_wire(&mut client, &["SPOP", "s", "-1"], not_positive);
    assert_wire(&mut client, &["SPOP", "s", "x"], not_positive);
    assert_wire(&mut client, &["SPOP", "s", "1", "2"], SYNTAX);
}

#[test]
fn a_set_of_which_few_stay_is_small_again() {
    let (_server, mut client) = connected();
    add_many(&mut client, "s", "m", 0..1000);
    assert_eq!(encoding(&mut client, "s"), "hashtable");
    client.command(&["SPOP", "s", "990"]);
    assert_eq!(encoding(&mut client, "s"), "listpack");
    assert_wire(&mut client, &["SCARD", "s"], b":10\r\n");
}

#[test]
fn random_members_are_distinct_unless_repeats_are_asked_for() {
    let (_server, mut client) = connected();
    for count in [20u32, 3000] {
        client.command(&["DEL", "s"]);
        add_many(&mut client, "s", "m", 0..count);
        for wanted in [0, 1, 5, count / 2, count - 1, count, count * 2] {
            let shown = client.ask(&["SRANDMEMBER", "s", &wanted.to_string()]).texts();
            assert_eq!(shown.len() as u32, wanted.min(count));
            let distinct: BTreeSet<String> = shown.into_iter().collect();
            assert_eq!(distinct.len() as u32, wanted.min(count));
        }
        let shown = client.ask(&["SRANDMEMBER", "s", "-10000"]).texts();
        assert_eq!(shown.len(), 10_000);
        let distinct: BTreeSet<String> = shown.into_iter().collect();
        assert!(distinct.len() as u32 > count / 2);
        assert_wire(&mut client, &["SCARD", "s"], format!(":{count}\r\n"));
    }
    let range: &[u8] =
        b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
    assert_wire(&mut client, &["SRANDMEMBER", "s", "-9223372036854775808"], range);
    assert_wire(&mut client, &["SRANDMEMBER", "none", "-9223372036854775807"], b"*0\r\n");
    for count in ["-9223372036854775807", "-4611686018427387904", "-134217729"] {
        assert_wire(&mut client, &["SRANDMEMBER", "s", count], b"-ERR value is out of range\r\n");
    }
    assert_wire(&mut client, &["SRANDMEMBER", "s", "1", "2"], SYNTAX);
}

#[test]
fn a_scan_shows_what_stays_while_the_set_grows_and_shrinks() {
    let (_server, mut client) = connected();
    for grows in [true, false] {
        client.command(&["DEL", "s"]);
        add_many(&mut client, "s", "stays:", 0..1000);
        if !grows {
            add_many(&mut client, "s", "goes:", 0..20_000);
        }
        let (mut seen, mut cursor, mut step) = (BTreeSet::new(), "0".to_string(), 0);
        loop {
            let reply = client.ask(&["SSCAN", "s", &cursor, "COUNT", "50"]);
            cursor = reply.items()[0].text();
            seen.extend(reply.items()[1].texts());
            if cursor == "0" {
                break;
            }
            let range = step * 500..(step + 1) * 500;
            step += 1;
            if range.end <= 20_000 && grows {
                add_many(&mut client, "s", "goes:", range);
            } else if range.end <= 20_000 {
                let mut args = vec!["SREM".to_string(), "s".to_string()];
                args.extend(range.map(|n| format!("goes:{n}")));
                client.command(&args);
            }
        }
        assert!((0..1000).all(|n| seen.contains(&format!("stays:{n}"))), "grows: {grows}");
    }
    let reply = client.ask(&["SSCAN", "s", "0", "MATCH", "stays:99*", "COUNT", "100000"]);
    assert_eq!(reply.items()[0].text(), "0");
    assert_eq!(reply.items()[1].texts().len(), 11);
    assert_wire(&mut client, &["SSCAN", "s", "x"], b"-ERR invalid cursor\r\n");
    assert_wire(&mut client, &["SSCAN", "s", "0", "COUNT", "0"], SYNTAX);
    assert_wire(&mut client, &["SSCAN", "none", "0", "FOO"], b"*2\r\n$1\r\n0\r\n*0\r\n");
}

#[test]
fn a_set_survives_dump_restore_copy_and_rename_in_every_form() {
    let (_server, mut client) = connected();
    add_many(&mut client, "ints", "", 0..100);
    client.command(&["SADD", "ints", "-5000000000"]);
    add_many(&mut client, "texts", "m", 0..100);
    client.command(&["SADD", "texts", "17", "-1", "", "123456789012"]);
    add_many(&mut client, "large", "m", 0..3000);
    client.command(&["SADD", "large", "17", "9223372036854775807", "x".repeat(70_000).as_str()]);
    for key in ["ints", "texts", "large"] {
        let (members, form) = (sorted(&mut client, &["SMEMBERS", key]), encoding(&mut client, key));
        let bytes = payload(&mut client, key);
        let restore: [&[u8]; 4] = [b"RESTORE", b"restored", b"0", &bytes];
        assert_wire(&mut client, &restore, OK);
        assert_wire(&mut client, &["COPY", key, "copied"], b":1\r\n");
        client.command(&["SREM", key, "17", "m5", "5"]);
        for other in ["restored", "copied"] {
            assert_eq!(encoding(&mut client, other), form);
            assert_eq!(sorted(&mut client, &["SMEMBERS", other]), members);
        }
        assert_wire(&mut client, &["DEL", "restored", "copied"], b":2\r\n");
    }
}

#[test]
fn memory_and_freeing_of_a_large_set_are_accounted_for() {
    let (_server, mut client) = connected();
    add_many(&mut client, "s", "member:", 100_000..150_000);
    let bytes = client.ask(&["MEMORY", "USAGE", "s"]).integer();
    assert!((50_000 * 24..50_000 * 44).contains(&bytes), "{bytes}");
    assert_wire(&mut client, &["UNLINK", "s"], b":1\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    wait_until("the set is freed", || {
        client
            .info("memory", "used_memory")
            .and_then(|used| used.parse::<i64>().ok())
            .is_some_and(|used| used < 40_000_000)
    });
}

#[test]
fn watched_sets_that_change_fail_a_transaction() {
    let (server, mut client) = connected();
    let mut other = server.connect();
    for change in [&["SADD", "s", "new"][..], &["SREM", "s", "a"], &["SPOP", "s"], &["SUNIONSTORE", "s", "t", "s"]] {
        client.command(&["SADD", "s", "a", "b", "c"]);
        client.command(&["SADD", "t", "u"]);
        client.command(&["WATCH", "s"]);
        other.command(change);
        client.command(&["MULTI"]);
        client.command(&["SCARD", "s"]);
        assert_wire(&mut client, &["EXEC"], b"*-1\r\n");
    }
    // SPOP may have taken either.
    client.command(&["SADD", "s", "b", "new"]);
    client.command(&["WATCH", "s"]);
    other.command(&["SADD", "s", "b", "new"]);
    other.command(&["SREM", "s", "absent"]);
    client.command(&["MULTI"]);
    client.command(&["SISMEMBER", "s", "new"]);
    assert_wire(&mut client, &["EXEC"], b"*1\r\n:1\r\n");
}
