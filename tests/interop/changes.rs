//! How many changes a command counts for (`rdb_changes_since_last_save`), which is what save points go by:
//! as many as with other servers, for each command that changes something.

use crate::peer::with_each;
use plinth_testkit::Client;

/// What is there before each command.
const BEFORE: &[&str] = &[
    "RPUSH l a b c d e f",
    "RPUSH m 1",
    "HSET h a 1 b 2 c 3 n 5",
    "SADD s a b c d",
    "SADD t c d e",
    "ZADD z 1 a 2 b 3 c 4 d",
    "ZADD y 1 a 9 q",
    "SET k v",
    "SET n 5",
    "SET e v EX 1000",
    "XADD x 1-1 f v",
    "XADD x 1-2 f v",
    "XADD x 1-3 f v",
    "XGROUP CREATE x g 0",
    "XREADGROUP GROUP g c STREAMS x >",
    "GEOADD geo 1 1 a 2 2 b",
    "PFADD p a b",
    "PFADD q c",
];

/// Left out is XREADGROUP: one that makes a consumer and finds nothing counts for nothing in Redis 7.0.
const COMMANDS: &[&str] = &[
    "RPUSH l 1 2 3 4 5 6",
    "LPUSH new 1 2 3",
    "RPUSHX l 1 2",
    "LPUSHX none 1",
    "LPOP l",
    "LPOP l 3",
    "RPOP l 100",
    "LTRIM l 1 2",
    "LTRIM l 9 10",
    "LREM l 0 a",
    "LINSERT l BEFORE b x",
    "LINSERT l BEFORE nope x",
    "LSET l 0 x",
    "LMOVE l m LEFT RIGHT",
    "LMOVE l l LEFT RIGHT",
    "RPOPLPUSH l m",
    "LMPOP 2 none l LEFT COUNT 3",
    "BLPOP l 0",
    "BLMOVE l m LEFT LEFT 0",
    "BLMPOP 0 1 l LEFT COUNT 2",
    "SORT l ALPHA STORE m",
    "SORT none STORE m",
    "HSET h a 1 x 2 y 3",
    "HSET h a 1",
    "HMSET h a 1 x 2",
    "HSETNX h a 1",
    "HSETNX h z 1",
    "HDEL h a b zz",
    "HDEL h a b c n",
    "HINCRBY h n 1",
    "HINCRBYFLOAT h n 1.5",
    "SADD s a x y",
    "SREM s a b zz",
    "SPOP s",
    "SPOP s 2",
    "SPOP s 100",
    "SMOVE s t a",
    "SMOVE s t c",
    "SMOVE s s a",
    "SMOVE s t zz",
    "SINTERSTORE dst s t",
    "SINTERSTORE dst s none",
    "SINTERSTORE k s none",
    "SUNIONSTORE dst s t",
    "SDIFFSTORE s s t",
    "ZADD z 5 a 6 x 7 y",
    "ZADD z 1 a",
    "ZADD z XX 1 zz",
    "ZADD z INCR 1 a",
    "ZINCRBY z 1 a",
    "ZINCRBY z 0 a",
    "ZREM z a b zz",
    "ZPOPMIN z",
    "ZPOPMIN z 2",
    "ZPOPMAX z 100",
    "ZMPOP 1 z MIN COUNT 2",
    "BZPOPMIN z 0",
    "BZMPOP 0 1 z MIN COUNT 2",
    "ZREMRANGEBYSCORE z 1 2",
    "ZREMRANGEBYRANK z 0 1",
    "ZREMRANGEBYRANK z 10 11",
    "ZREMRANGEBYLEX y - +",
    "ZUNIONSTORE dst 2 z y",
    "ZINTERSTORE z 1 none",
    "ZINTERSTORE dst 1 none",
    "ZRANGESTORE dst z 0 -1",
    "ZRANGESTORE z none 0 -1",
    "SET k 1",
    "SET k 1 EX 100",
    "SET k 1 NX",
    "SETNX k 1",
    "SETNX nk 1",
    "SETEX k 100 v",
    "PSETEX k 10000 v",
    "MSET a 1 b 2 c 3",
    "MSETNX a 1 b 2",
    "MSETNX k 1 b 2",
    "GETSET k 2",
    "GETDEL k",
    "GETDEL none",
    "GETEX k",
    "GETEX k EX 100",
    "GETEX e PERSIST",
    "GETEX k PERSIST",
    "INCR n",
    "DECRBY n 2",
    "INCRBYFLOAT n 1.5",
    "APPEND k abc",
    "APPEND k2 abc",
    "SETRANGE k 1 xy",
    "SETRANGE none 1 a",
    "SETBIT k 1 1",
    "SETBIT k 1 0",
    "SETBIT nk 1 0",
    "BITFIELD k SET u8 0 1 SET u8 8 2 GET u8 0",
    "BITFIELD k GET u8 0",
    "BITFIELD k INCRBY u8 0 1",
    "BITFIELD k INCRBY u8 0 0",
    "BITFIELD nk SET u8 0 0",
    "BITOP AND dst k n",
    "BITOP AND k none",
    "DEL k n zz",
    "UNLINK k n zz",
    "EXPIRE k 100",
    "EXPIRE none 100",
    "EXPIRE k -1",
    "EXPIRE k 100 XX",
    "PERSIST e",
    "PERSIST k",
    "RENAME k k9",
    "RENAME k n",
    "RENAMENX k n",
    "MOVE k 1",
    "COPY k k3",
    "COPY none k3",
    "FLUSHDB",
    "XADD x 2-1 f v",
    "XADD x MAXLEN 2 2-1 f v",
    "XADD x NOMKSTREAM 2-1 f v",
    "XADD xx NOMKSTREAM 2-1 f v",
    "XDEL x 1-1 1-2",
    "XTRIM x MAXLEN 1",
    "XTRIM x MAXLEN 10",
    "XSETID x 5-5",
    "XGROUP CREATE x g2 0",
    "XGROUP SETID x g 0",
    "XGROUP CREATECONSUMER x g cc",
    "XGROUP CREATECONSUMER x g c",
    "XGROUP DELCONSUMER x g c",
    "XGROUP DESTROY x g",
    "XGROUP DESTROY x nope",
    "XACK x g 1-1 1-2 9-9",
    "XCLAIM x g c3 0 1-1 1-2",
    "XCLAIM x g c3 0 1-1 JUSTID",
    "XAUTOCLAIM x g c3 0 0",
    "GEOADD geo 1 1 a 3 3 c",
    "GEOSEARCHSTORE dst geo FROMLONLAT 1 1 BYRADIUS 1000 km",
    "GEORADIUS geo 1 1 1000 km STORE dst",
    "PFADD p a",
    "PFADD p a z y x",
    "PFADD np a",
    "PFADD np",
    "PFMERGE p q",
    "PFMERGE np p q",
    "PFCOUNT p",
    "PFCOUNT p q",
    "SWAPDB 0 1",
];

fn ask(client: &mut Client, line: &str) {
    client.ask(&line.split(' ').collect::<Vec<_>>());
}

/// By how much a command raises the count.
fn counted(client: &mut Client, command: &str) -> u64 {
    ask(client, "FLUSHALL");
    BEFORE.iter().for_each(|line| ask(client, line));
    let count = |client: &mut Client| -> u64 {
        let text = client.info("persistence", "rdb_changes_since_last_save");
        text.and_then(|text| text.parse().ok()).expect("a number")
    };
    let before = count(client);
    ask(client, command);
    count(client) - before
}

#[test]
fn a_command_counts_for_as_many_changes() {
    with_each(|peer, theirs, plinth| {
        let differing: Vec<String> = COMMANDS
            .iter()
            .map(|command| (command, counted(theirs, command), counted(plinth, command)))
            .filter(|(_, theirs, ours)| theirs != ours)
            .map(|(command, theirs, ours)| format!("{command}: {ours}, with {} {theirs}", peer.name()))
            .collect();
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    });
}
