//! What advisories about scripts in Redis and Valkey have been about, tried with harmless input: which fault each was,
//! and what keeps it away here, `README.md` says.

#![allow(missing_docs)]

use plinth_testkit::{Client, Server, assert_wire, wait_until};

#[track_caller]
fn eval(client: &mut Client, script: &str, reply: impl AsRef<[u8]>) {
    assert_wire(client, &["EVAL", script, "0"], reply);
}

/// The script is refused, and its client gets one reply.
#[track_caller]
fn refused(client: &mut Client, script: &str, why: &str) {
    let said = String::from_utf8_lossy(&client.command(&["EVAL", script, "0"])).into_owned();
    assert!(said.starts_with('-') && said.contains(why), "{}: {said}", script.get(..200).unwrap_or(script));
    assert_wire(client, &["ECHO", "next"], "$4\r\nnext\r\n");
}

#[test]
fn cve_2022_24735_and_2025_46818_no_script_leaves_code_for_another() {
    let server = Server::start();
    let mut client = server.connect();
    for script in [
        "redis.call = function() return 'mine' end",
        "rawset(redis, 'call', 1)",
        "_G.redis = {}",
        "rawset(_G, 'tostring', type)",
        "setmetatable(_G, {__index = function() return 1 end})",
        "getmetatable('').__index = function() return 1 end",
        "getmetatable('').__index.upper = 1",
        "rawset(getmetatable(''), '__index', 1)",
        "cjson.encode = 1",
    ] {
        refused(&mut client, script, "Attempt to modify a readonly table");
    }
    // Other basic types have no metatable, and nothing gives them one.
    for script in ["setmetatable(1, {})", "setmetatable(true, {})", "setmetatable(pairs, {})"] {
        let said = client.command(&["EVAL", script, "0"]);
        assert!(said.starts_with(b"-ERR"), "{script}");
    }
    eval(
        &mut client,
        "return {tostring(getmetatable(1)), tostring(getmetatable(pairs))}",
        "*2\r\n$3\r\nnil\r\n$3\r\nnil\r\n",
    );
    refused(&mut client, "return debug", "nonexistent global");
    refused(&mut client, "return setfenv", "nonexistent global");
    // What a script made itself goes with it.
    eval(&mut client, "local t = setmetatable({}, {__index = function() return 5 end}) return t.x", ":5\r\n");
    eval(&mut client, "return ('x').nosuch == nil and redis.call('PING')", "+PONG\r\n");
}

#[test]
fn cve_2022_24736_what_is_no_script_is_an_error() {
    let server = Server::start();
    let mut client = server.connect();
    for source in [
        "return",
        "",
        "error()",
        "error(nil)",
        "error({})",
        "error(setmetatable({}, {__tostring = 1}))",
        "error(pairs)",
    ] {
        client.command(&["EVAL", source, "0"]);
        assert_wire(&mut client, &["ECHO", "next"], "$4\r\nnext\r\n");
    }
    for source in
        [&b"\x1bLua"[..], b"return '", b"--[[", b"x = \0", b"return [[", b"((((", b"\xff\xfe", b"#!lua", b"#!"]
    {
        let words: [&[u8]; 3] = [b"EVAL", source, b"0"];
        assert!(client.command(&words).starts_with(b"-"), "{source:?}");
    }
    let deep = "(".repeat(100_000);
    refused(&mut client, &format!("return {deep}"), "too many syntax levels");
}

#[test]
fn cve_2022_24834_what_is_packed_may_be_longer_than_what_it_is_made_of() {
    let server = Server::start();
    let mut client = server.connect();
    eval(&mut client, "return #cjson.encode(string.rep('\\1', 1000000))", ":6000002\r\n");
    eval(&mut client, "local t = {} for i = 1, 100000 do t[i] = 'x' end return #cjson.encode(t)", ":400001\r\n");
    eval(&mut client, "return #cmsgpack.pack(string.rep('x', 1000000))", ":1000005\r\n");
    eval(&mut client, "return #cmsgpack.unpack(cmsgpack.pack(string.rep('x', 70000)))", ":70000\r\n");
    refused(&mut client, "return cmsgpack.unpack('\\221\\255\\255\\255\\255')", "Missing bytes");
}

#[test]
fn cve_2024_31449_digits_are_as_many_as_there_are() {
    let server = Server::start();
    let mut client = server.connect();
    let script = "return {bit.tohex(-1, 2^31), bit.tohex(-1, -2^31), bit.tohex(255, 1e9), bit.tohex(255, -1e9), bit.tohex(1, 0)}";
    let reply = "*5\r\n$8\r\nFFFFFFFF\r\n$8\r\nFFFFFFFF\r\n$8\r\n000000ff\r\n$8\r\n000000FF\r\n$0\r\n\r\n";
    eval(&mut client, script, reply);
}

#[test]
fn cve_2024_46981_a_state_is_closed_whole() {
    let server = Server::start();
    let mut client = server.connect();
    refused(&mut client, "return newproxy", "nonexistent global");
    // A table's `__gc` is nothing to this Lua.
    let script = "for i = 1, 1000 do setmetatable({}, {__gc = function() redis.call('set', 'gone', i) end}) end
        collectgarbage() return collectgarbage('count') > 0";
    for _ in 0..20 {
        eval(&mut client, script, ":1\r\n");
        assert_wire(&mut client, &["SCRIPT", "FLUSH", "SYNC"], "+OK\r\n");
    }
    assert_wire(&mut client, &["EXISTS", "gone"], ":0\r\n");
}

#[test]
fn cve_2025_46817_no_count_overflows() {
    let server = Server::start();
    let mut client = server.connect();
    for script in [
        "return unpack({}, 0, 2^31 - 1)",
        "return unpack({}, -2^31, 2^31 - 1)",
        "return unpack({}, 1, 2^31 - 1)",
        "return unpack({}, -2^31 + 1, 2^31 - 1)",
        "return unpack({}, 1, 1e6)",
    ] {
        refused(&mut client, script, "too many results to unpack");
    }
    eval(&mut client, "return {unpack({1, 2, 3}, 2)}", "*2\r\n:2\r\n:3\r\n");
    eval(&mut client, "return {unpack({1, 2, 3}, 2, 1)}", "*0\r\n");
}

#[test]
fn cve_2025_46819_and_49844_the_parser_keeps_within_its_text_and_holds_its_names() {
    let server = Server::start();
    let mut client = server.connect();
    let many = "=".repeat(100_000);
    eval(&mut client, &format!("return [{many}[x]{many}]"), "$1\r\nx\r\n");
    refused(&mut client, &format!("return [{many}[x]]"), "unfinished long string");
    refused(&mut client, &format!("return [{many}"), "invalid long string delimiter");
    // What is longer than a source may be is not parsed at all.
    let long = "local source = string.rep(' ', 64 * 1024 * 1024 + 1) local made, why = loadstring(source) return {made == nil and why}";
    eval(&mut client, long, "*1\r\n$21\r\nthe chunk is too long\r\n");
    // Names that nothing else holds, while there is garbage enough for collections.
    let names = "collectgarbage('setpause', 1) local sum = 0 for i = 1, 2000 do
        sum = sum + loadstring('return ' .. i, '=' .. string.rep('n', 100) .. i)() end return sum";
    eval(&mut client, names, ":2001000\r\n");
    let names = "for i = 1, 500 do loadstring('return (', string.rep('n', 1000) .. i) end return 1";
    eval(&mut client, names, ":1\r\n");
}

#[test]
fn cve_2025_67733_no_text_of_a_script_ends_its_reply() {
    let server = Server::start();
    let mut client = server.connect();
    for script in [
        "return redis.error_reply('A B\\r\\n+INJECTED')",
        "return redis.error_reply('A B\\0\\r\\n+INJECTED\\r\\n')",
        "return redis.status_reply('A\\r\\n+INJECTED\\0\\r\\n')",
        "return {err = 'A B\\0\\r\\n$1\\r\\nx'}",
        "return {ok = 'A\\0\\r\\n$1\\r\\nx'}",
        "error({err = 'A B\\0\\r\\n+INJECTED'})",
        "error('A\\0\\r\\n+INJECTED')",
        "return redis.call('nosuch\\0\\r\\n+INJECTED')",
        "return redis.pcall('get\\r\\n+INJECTED')",
        "return {big_number = '1\\r\\n+INJECTED'}",
        "return {{err = 'A\\r\\n'}, {ok = 'B\\r\\n'}, {verbatim_string = {format = 't\\r\\n', string = '\\r\\n'}}}",
    ] {
        for protocol in ["2", "3"] {
            client.command(&["HELLO", protocol]);
            client.command(&["EVAL", script, "0"]);
            assert_wire(&mut client, &["ECHO", "next"], "$4\r\nnext\r\n");
        }
    }
}

#[test]
fn cve_2026_23631_a_function_that_runs_outlives_a_full_sync() {
    let primary = Server::start();
    let port = primary.port().to_string();
    let replica = Server::with(&["--lua-time-limit", "20", "--replicaof", &format!("127.0.0.1 {port}")]);
    let (mut client, mut caller, mut other) = (primary.connect(), replica.connect(), replica.connect());
    let library = "#!lua name=l\nredis.register_function{function_name='endless', flags={'no-writes'}, \
                   callback=function() local t = {1} while true do t[1] = t[1] + 1 end end}";
    assert_wire(&mut client, &["FUNCTION", "LOAD", library], "$1\r\nl\r\n");
    wait_until("the function has come", || {
        String::from_utf8_lossy(&other.command(&["FUNCTION", "LIST"])).contains("endless")
    });
    caller.send(&["FCALL_RO", "endless", "0"]);
    wait_until("it runs", || other.command(&["GET", "k"]).starts_with(b"-BUSY"));
    // Its library goes, and the replica has to take all anew.
    assert_wire(&mut client, &["FUNCTION", "FLUSH"], "+OK\r\n");
    assert_wire(&mut client, &["SET", "after", "1"], "+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "CHANGE-REPL-ID"], "+OK\r\n");
    client.command(&["CLIENT", "KILL", "TYPE", "replica"]);
    for _ in 0..50 {
        assert!(other.command(&["GET", "k"]).starts_with(b"-BUSY"));
    }
    assert_wire(&mut other, &["FUNCTION", "KILL"], "+OK\r\n");
    let said = String::from_utf8_lossy(&caller.read()).into_owned();
    assert!(said.starts_with("-ERR Script killed by user"), "{said}");
    wait_until("all has come anew", || {
        other.command(&["GET", "after"]) == b"$1\r\n1\r\n" && other.command(&["FUNCTION", "LIST"]) == b"*0\r\n"
    });
}

#[test]
fn ghsa_fq2f_crmw_q97r_there_is_no_debugger() {
    let server = Server::start();
    let mut client = server.connect();
    for mode in ["YES", "SYNC"] {
        assert_wire(&mut client, &["SCRIPT", "DEBUG", mode], "-ERR there is no debugger of scripts\r\n");
    }
    assert_wire(&mut client, &["SCRIPT", "FLUSH"], "+OK\r\n");
    eval(&mut client, "return redis.breakpoint() == false", ":1\r\n");
}
