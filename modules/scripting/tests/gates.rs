//! What scripts and functions may do by what they say of themselves: what Redis 7.0 and 8.2 answer, byte by byte.

#![allow(missing_docs)]

use plinth_testkit::{Server, assert_wire};

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const WRITES: &str = "-ERR Can not execute a script with write flag using *_ro command.\r\n";
const READ_ONLY: &str = "-READONLY You can't write against a read only replica.\r\n";
const STALE: &str = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";

#[test]
fn a_script_that_says_what_it_does_is_refused_before_it_begins() {
    let server = Server::start();
    let mut client = server.connect();
    let library = "#!lua name=l\nredis.register_function('w', function() return 1 end)\n\
                   redis.register_function{function_name='o', callback=function() return 2 end, flags={'allow-oom'}}";
    assert_wire(&mut client, &["FUNCTION", "LOAD", library], "$1\r\nl\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "1"], "+OK\r\n");
    assert_wire(&mut client, &["EVAL", "return 1", "0"], ":1\r\n");
    assert_wire(&mut client, &["EVAL", "#!lua\nreturn 1", "0"], OOM);
    assert_wire(&mut client, &["EVAL", "#!lua flags=no-writes\nreturn 1", "0"], ":1\r\n");
    assert_wire(&mut client, &["EVAL", "#!lua flags=allow-oom\nreturn 1", "0"], ":1\r\n");
    assert_wire(&mut client, &["EVAL_RO", "#!lua\nreturn 1", "0"], OOM);
    assert_wire(&mut client, &["EVAL_RO", "#!lua flags=allow-oom\nreturn 1", "0"], WRITES);
    assert_wire(&mut client, &["FCALL", "w", "0"], OOM);
    assert_wire(&mut client, &["FCALL", "O", "0"], ":2\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "0"], "+OK\r\n");
    let unknown = "-ERR Unexpected flag in script shebang: \r\n";
    assert_wire(&mut client, &["EVAL", "#!lua flags=no-writes,\nreturn 1", "0"], unknown);
}

#[test]
fn a_replica_runs_what_does_not_write_and_a_stale_one_what_says_that_it_may() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", "1"], "+OK\r\n");
    assert_wire(&mut client, &["EVAL", "return 1", "0"], ":1\r\n");
    assert_wire(&mut client, &["EVAL", "#!lua\nreturn 1", "0"], READ_ONLY);
    let refused = "-READONLY You can't write against a read only replica. script: \
                   8b2ae6dd76cda7fc3e27f97431ae27d7b08a221d, on @user_script:1.\r\n";
    assert_wire(&mut client, &["EVAL", "return redis.call('set','x','1')", "0"], refused);
    assert_wire(&mut client, &["CONFIG", "SET", "replica-serve-stale-data", "no"], "+OK\r\n");
    assert_wire(&mut client, &["EVAL", "return 1", "0"], STALE);
    assert_wire(&mut client, &["EVAL", "#!lua flags=no-writes\nreturn 1", "0"], STALE);
    assert_wire(&mut client, &["EVAL", "#!lua flags=allow-stale\nreturn 1", "0"], READ_ONLY);
    assert_wire(&mut client, &["EVAL", "#!lua flags=allow-stale,no-writes\nreturn 1", "0"], ":1\r\n");
}

#[test]
fn a_library_sees_little_while_it_is_loaded_and_may_not_take_long() {
    let server = Server::start();
    let mut client = server.connect();
    let mut load = |body: &str| {
        let said = client.command(&["FUNCTION", "LOAD", "REPLACE", &format!("#!lua name=l\n{body}")]);
        String::from_utf8_lossy(&said).into_owned()
    };
    for (body, name) in [("math.random()", "math"), ("redis.call('get', 'k')", "call"), ("local x = _G", "_G")] {
        let text = "-ERR Error registering functions: ERR user_function:2: \
                    Script attempted to access nonexistent global variable";
        assert_eq!(load(body), format!("{text} '{name}'\r\n"));
    }
    assert_eq!(load("while true do end"), "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n");
    let twice = "redis.register_function('f', function() return 1 end) redis.register_function('F', function() end)";
    assert!(load(twice).contains("Function already exists in the library"));
    let late = "redis.register_function('f', function() return {type(math.floor), redis.register_function == nil} end)";
    assert_eq!(load(late), "$1\r\nl\r\n");
    assert_wire(&mut client, &["FCALL", "f", "0"], "*2\r\n$8\r\nfunction\r\n:1\r\n");
    let words = "-ERR unknown subcommand or wrong number of arguments for 'FLUSH'. Try FUNCTION HELP.\r\n";
    assert_wire(&mut client, &["FUNCTION", "FLUSH", "SYNC", "x"], words);
}

#[test]
fn a_script_that_says_that_it_does_not_write_is_not_held_back_by_a_pause_of_writes() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let library = "#!lua name=l\nredis.register_function{function_name='r', callback=function() return 2 end, \
                   flags={'no-writes'}}";
    assert_wire(&mut client, &["FUNCTION", "LOAD", library], "$1\r\nl\r\n");
    let sha = client.ask(&["SCRIPT", "LOAD", "#!lua flags=no-writes\nreturn 3"]).text();
    assert_wire(&mut other, &["CLIENT", "PAUSE", "100000", "WRITE"], "+OK\r\n");
    assert_wire(&mut client, &["EVAL", "#!lua flags=no-writes\nreturn 1", "0"], ":1\r\n");
    assert_wire(&mut client, &["EVALSHA", &sha.to_uppercase(), "0"], ":3\r\n");
    assert_wire(&mut client, &["FCALL", "r", "0"], ":2\r\n");
    assert_wire(&mut client, &["MULTI"], "+OK\r\n");
    assert_wire(&mut client, &["EVALSHA", &sha, "0"], "+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], "*1\r\n:3\r\n");
    client.send(&["EVAL", "return 4", "0"]);
    client.assert_unanswered(&mut other);
    assert_wire(&mut other, &["CLIENT", "UNPAUSE"], "+OK\r\n");
    assert_eq!(client.read(), b":4\r\n");
}
