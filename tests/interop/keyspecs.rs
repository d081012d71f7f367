//! Which arguments are keys, and what a command does with them: COMMAND GETKEYSANDFLAGS as other servers
//! answer it, also where options decide.

use crate::peer::{assert_same, with_each};

const COMMANDS: &[&str] = &[
    "GET k",
    "SET k v",
    "SET k v NX",
    "SET k v GET",
    "SET k v nx get",
    "SET k v EX 10",
    "SET k v EX GET",
    "SET k v PXAT 10 GET",
    "BITFIELD k",
    "BITFIELD k GET u8 0",
    "BITFIELD k GET u8 0 GET u8 8",
    "BITFIELD k GET u8 0 SET u8 0 1",
    "BITFIELD k OVERFLOW SAT INCRBY u8 0 1",
    "BITFIELD_RO k GET u8 0",
    "SORT a",
    "SORT a STORE b",
    "SORT a LIMIT 0 STORE BY x STORE b",
    "MSET a 1 b 2",
    "RENAME a b",
    "LMOVE a b LEFT LEFT",
    "LMPOP 2 a b LEFT COUNT 1",
    "BLMPOP 0 2 a b LEFT",
    "ZUNIONSTORE d 2 a b WEIGHTS 1 2",
    "ZINTER 2 a b",
    "SINTERCARD 2 a b LIMIT 1",
    "BITOP AND d a b",
    "PFMERGE d a b",
    "GEORADIUS a 1 1 1 km STORE b",
    "XREAD COUNT 1 STREAMS a b 0 0",
    "XREADGROUP GROUP g c COUNT 1 STREAMS a b > >",
    "MIGRATE h 1 a 0 1",
    "MIGRATE h 1 KEYS a b",
    "OBJECT ENCODING a",
    "COPY a b",
];

#[test]
fn keys_and_their_flags_are_found_alike() {
    with_each(|peer, theirs, plinth| {
        for command in COMMANDS {
            let words: Vec<&str> = ["COMMAND", "GETKEYSANDFLAGS"].into_iter().chain(command.split(' ')).collect();
            assert_same(peer, theirs, plinth, &words);
        }
    });
}
