//! Scripts over sockets: what Redis 7.0 and 8.2 answer, byte by byte.

#![allow(missing_docs)]

use plinth_testkit::{Client, Server, assert_wire, wait_until};

#[track_caller]
fn eval(client: &mut Client, script: &str, reply: impl AsRef<[u8]>) {
    assert_wire(client, &["EVAL", script, "0"], reply);
}

#[test]
fn a_script_gets_its_keys_and_arguments_and_runs_commands() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["EVAL", "return redis.call('GET', KEYS[1])", "1", "k"], b"$1\r\nv\r\n");
    let both = "return {KEYS[1], ARGV[1], ARGV[2], #KEYS, #ARGV}";
    let reply = b"*5\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n:2\r\n";
    assert_wire(&mut client, &["EVAL", both, "1", "k", "a", "b"], reply);
    eval(
        &mut client,
        "return server.call('set', 'n', 1e17) and redis.call('get', 'n')",
        "$18\r\n100000000000000000\r\n",
    );
}

#[test]
fn a_script_is_run_by_its_sha_once_it_is_there() {
    let server = Server::start();
    let mut client = server.connect();
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    assert_wire(&mut client, &["EVALSHA", sha, "0"], b"-NOSCRIPT No matching script. Please use EVAL.\r\n");
    assert_wire(&mut client, &["SCRIPT", "LOAD", "return 1"], format!("$40\r\n{sha}\r\n"));
    assert_wire(&mut client, &["EVALSHA", &sha.to_uppercase(), "0"], b":1\r\n");
    assert_wire(&mut client, &["SCRIPT", "EXISTS", sha, "x"], b"*2\r\n:1\r\n:0\r\n");
    assert_wire(&mut client, &["SCRIPT", "SHOW", sha], b"$8\r\nreturn 1\r\n");
    assert_wire(&mut client, &["SCRIPT", "FLUSH", "SYNC"], b"+OK\r\n");
    assert_wire(&mut client, &["SCRIPT", "EXISTS", sha], b"*1\r\n:0\r\n");
}

#[test]
fn errors_name_script_and_line() {
    let server = Server::start();
    let mut client = server.connect();
    let unknown = "-ERR Unknown Redis command called from script script: \
                   206396248e12c6e742fd7296250433c8d7343b74, on @user_script:1.\r\n";
    eval(&mut client, "return redis.call('nosuch')", unknown);
    eval(&mut client, "return redis.pcall('nosuch')", "-ERR Unknown Redis command called from script\r\n");
    let thrown = "-ERR user_script:1: boom script: 82903a0434f1503e152f89c03c9acd881a0e8150, on @user_script:1.\r\n";
    eval(&mut client, "error('boom')", thrown);
    eval(
        &mut client,
        "return x y",
        "-ERR Error compiling script (new function): user_script:1: '<eof>' expected near 'y'\r\n",
    );
}

#[test]
fn what_scripts_share_cannot_be_changed() {
    let server = Server::start();
    let mut client = server.connect();
    let tries = [
        "foo = 1",
        "redis.call = 1",
        "string.x = 1",
        "setmetatable(_G, {})",
        "rawset(_G, 'a', 1)",
        "rawset(redis, 'call', 1)",
        "getmetatable(_G).__index = {}",
        "getmetatable('').__index = {}",
        "getmetatable('').__index.len = 1",
        "table.insert(_G, 1)",
        "table.sort(math)",
        "_G._G.x = 1",
        "setmetatable(string, nil)",
    ];
    for script in tries {
        let said = client.command(&["EVAL", script, "0"]);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("Attempt to modify a readonly table"), "{script}: {said}");
    }
    for gone in ["print", "dofile", "loadfile", "require", "module", "package", "io", "setfenv", "getfenv", "newproxy"]
    {
        let said = client.command(&["EVAL", &format!("return {gone}"), "0"]);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("nonexistent global variable"), "{gone}: {said}");
    }
    let refused = "-ERR user_script:1: attempt to call a nil value script: \
                   5dcb142d767eb350dbcc8f0ae66433b0e227f5a2, on @user_script:1.\r\n";
    eval(&mut client, "return loadstring(string.dump(function() return 1 end))()", refused);
    eval(&mut client, "return {loadstring('\\27Lua')}", "*0\r\n");
    eval(&mut client, "local n = 0 for k in pairs(redis) do n = n + 1 end return n > 20", ":1\r\n");
}

#[test]
fn what_a_script_writes_is_one_unit() {
    let server = Server::with(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    client.command(&["DEBUG", "PROPAGATION", "ON"]);
    eval(&mut client, "redis.call('set', 'a', 1) redis.call('incr', 'a') return redis.call('get', 'a')", "$1\r\n2\r\n");
    eval(&mut client, "redis.set_repl(redis.REPL_NONE) redis.call('set', 'b', 1)", "$-1\r\n");
    let said = client.command(&["DEBUG", "PROPAGATION"]);
    let said = String::from_utf8_lossy(&said).to_lowercase();
    assert!(said.contains("incr") && !said.contains("eval") && !said.contains("$1\r\nb\r\n"), "{said}");
}

#[test]
fn scripts_of_eval_go_when_there_are_too_many_and_loaded_ones_stay() {
    let server = Server::start();
    let mut client = server.connect();
    let loaded = client.ask(&["SCRIPT", "LOAD", "return 'stays'"]).text();
    for n in 0..510 {
        eval(&mut client, &format!("return {n}"), format!(":{n}\r\n"));
    }
    assert_wire(&mut client, &["EVALSHA", &loaded, "0"], b"$5\r\nstays\r\n");
    assert_eq!(client.info("memory", "number_of_cached_scripts").as_deref(), Some("501"));
    assert_eq!(client.info("stats", "evicted_scripts").as_deref(), Some("10"));
    wait_until("the state is there", || client.info("memory", "used_memory_vm_eval").is_some());
}

const LIBRARY: &str = "#!lua name=shop
redis.register_function('sell', function(keys, args) return redis.call('incrby', keys[1], args[1]) end)
redis.register_function{function_name = 'look', description = 'reads', flags = {'no-writes'},
    callback = function(keys) return redis.call('get', keys[1]) end}
local n = 0
redis.register_function('count', function() n = n + 1 return n end)";

#[test]
fn functions_are_loaded_called_listed_and_deleted() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["FUNCTION", "LOAD", LIBRARY], b"$4\r\nshop\r\n");
    assert_wire(&mut client, &["FUNCTION", "LOAD", LIBRARY], b"-ERR Library 'shop' already exists\r\n");
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "5"], b":5\r\n");
    assert_wire(&mut client, &["FCALL_RO", "look", "1", "k"], b"$1\r\n5\r\n");
    let refused = b"-ERR Can not execute a script with write flag using *_ro command.\r\n";
    assert_wire(&mut client, &["FCALL_RO", "sell", "1", "k", "5"], refused);
    assert_wire(&mut client, &["FCALL", "count", "0"], b":1\r\n");
    assert_wire(&mut client, &["FCALL", "count", "0"], b":2\r\n");
    assert_eq!(client.info("memory", "number_of_functions").as_deref(), Some("3"));
    assert_wire(&mut client, &["FUNCTION", "DELETE", "shop"], b"+OK\r\n");
    assert_wire(&mut client, &["FCALL", "count", "0"], b"-ERR Function not found\r\n");
}

#[test]
fn a_library_that_does_not_load_leaves_what_was_there() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["FUNCTION", "LOAD", LIBRARY]);
    let clash = "#!lua name=other\nredis.register_function('fresh', print) redis.register_function('sell', pairs)";
    let said = client.command(&["FUNCTION", "LOAD", clash]);
    assert!(said.starts_with(b"-ERR Error registering functions"), "{said:?}");
    let clash = "#!lua name=other\nredis.register_function('fresh', function() end) redis.register_function('sell', function() end)";
    assert_wire(&mut client, &["FUNCTION", "LOAD", clash], b"-ERR Function sell already exists\r\n");
    assert_wire(&mut client, &["FCALL", "fresh", "0"], b"-ERR Function not found\r\n");
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "1"], b":1\r\n");
}

#[test]
fn libraries_come_back_from_files_and_payloads() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["FUNCTION", "LOAD", LIBRARY]);
    let dump = client.command(&["FUNCTION", "DUMP"]);
    let begin = dump.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let payload = &dump[begin..dump.len() - 2];
    assert_wire(&mut client, &["FUNCTION", "FLUSH"], b"+OK\r\n");
    assert_wire(&mut client, &[&b"FUNCTION"[..], b"RESTORE", payload], b"+OK\r\n");
    let again: [&[u8]; 3] = [b"FUNCTION", b"RESTORE", payload];
    assert_wire(&mut client, &again, b"-ERR Library shop already exists\r\n");
    assert_wire(&mut client, &[&b"FUNCTION"[..], b"RESTORE", payload, b"REPLACE"], b"+OK\r\n");
    assert_wire(&mut client, &["FCALL", "count", "0"], b":1\r\n");
}

#[test]
fn a_select_is_the_scripts_own() {
    let server = Server::start();
    let mut client = server.connect();
    eval(&mut client, "redis.call('select', 3) return redis.call('set', 'there', 1)", "+OK\r\n");
    assert_wire(&mut client, &["EXISTS", "there"], b":0\r\n");
    assert_wire(&mut client, &["SELECT", "3"], b"+OK\r\n");
    assert_wire(&mut client, &["EXISTS", "there"], b":1\r\n");
}

#[test]
fn a_script_may_do_what_the_user_may_who_called_it() {
    let server = Server::start();
    let (mut admin, mut client) = (server.connect(), server.connect());
    let rules = ["on", ">p", "+eval", "+eval_ro", "+fcall", "+get", "+publish", "~a*", "resetchannels", "&a*"];
    assert_wire(&mut admin, &[&["ACL", "SETUSER", "u"], &rules[..]].concat(), b"+OK\r\n");
    let library = "#!lua name=l\nredis.register_function('f', function() return redis.pcall('set', 'a', 1) end)";
    assert_wire(&mut admin, &["FUNCTION", "LOAD", library], b"$1\r\nl\r\n");
    assert_wire(&mut client, &["AUTH", "u", "p"], b"+OK\r\n");
    let command = "-ERR ACL failure in script: User u has no permissions to run the 'set' command\r\n";
    eval(&mut client, "return redis.pcall('set', 'a', 1)", command);
    assert_wire(&mut client, &["EVAL_RO", "return redis.pcall('set', 'a', 1)", "0"], command);
    assert_wire(&mut client, &["FCALL", "f", "0"], command);
    let thrown = "-ERR ACL failure in script: No permissions to access a key script: \
                  0f3b7dac407d337857de9c32ca7864e1f018c9de, on @user_script:1.\r\n";
    eval(&mut client, "return redis.call(\"get\",\"b\")", thrown);
    eval(&mut client, "return redis.call('get', 'a')", "$-1\r\n");
    let channel = "-ERR ACL failure in script: No permissions to access a channel\r\n";
    eval(&mut client, "return redis.pcall('publish', 'x', 1)", channel);
    eval(&mut client, "return redis.call('publish', 'a', 1)", ":0\r\n");
    assert_wire(&mut admin, &["EXISTS", "a"], b":0\r\n");

    let noted = admin.command(&["ACL", "LOG"]);
    let noted = String::from_utf8_lossy(&noted);
    for object in ["$7\r\ncommand\r\n", "$3\r\nkey\r\n", "$7\r\nchannel\r\n"] {
        assert!(noted.contains(&format!("{object}$7\r\ncontext\r\n$3\r\nlua\r\n")), "{noted}");
    }

    let asks = |words: &str| format!("return redis.acl_check_cmd({words}) and 1 or 0");
    for words in ["'get', 'a'", "'get'", "'publish', 'a', 1"] {
        eval(&mut client, &asks(words), ":1\r\n");
    }
    for words in ["'set', 'a', 1", "'set'", "'get', 'b'", "'publish', 'x', 1", "'config', 'get', 'port'"] {
        eval(&mut client, &asks(words), ":0\r\n");
        eval(&mut admin, &asks(words), ":1\r\n");
    }
}

#[test]
fn what_would_take_too_much_is_an_error() {
    let server = Server::with(&["--scripting.memory-max", "16mb"]);
    let mut client = server.connect();
    let too_much = [
        "local t = {} for i = 1, 1e8 do t[i] = 'x' .. i end",
        "return string.rep('x', 2^40)",
        "return ('x'):find(string.rep('a?', 5000))",
        "return unpack({}, 0, 2^31 - 1)",
        "local function f() return 1 + f() end return f()",
        "local t = {} for i = 1, 2000 do t = {t} end return cjson.encode(t)",
    ];
    for script in too_much {
        assert!(client.command(&["EVAL", script, "0"]).starts_with(b"-ERR "), "{script}");
    }
    eval(&mut client, "return #string.rep('', 2^50)", ":0\r\n");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn what_a_large_script_leaves_is_given_back_when_it_ends() {
    let server = Server::start();
    let mut client = server.connect();
    for script in ["return #string.rep('x', 64 * 1024 * 1024)", "error(#string.rep('x', 64 * 1024 * 1024))"] {
        client.command(&["EVAL", script, "0"]);
        let bytes: usize = client.info("memory", "used_memory_vm_eval").and_then(|bytes| bytes.parse().ok()).unwrap();
        assert!((1..16 << 20).contains(&bytes), "{bytes} after {script}");
    }
}

#[test]
fn no_pattern_keeps_the_server() {
    let server = Server::start();
    let mut client = server.connect();
    for script in [
        "return string.find(('a'):rep(200), ('.-'):rep(12) .. 'b')",
        "return (('a'):rep(40)):match(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
        "return (string.gsub(('a'):rep(3000), '(.-)(.-)(.-)b', ''))",
        "for word in string.gmatch(('a'):rep(3000), '.*.*.*b') do return word end",
    ] {
        let said = String::from_utf8_lossy(&client.command(&["EVAL", script, "0"])).into_owned();
        assert!(said.starts_with("-ERR") && said.contains("pattern too complex"), "{script}: {said}");
    }
    eval(&mut client, "return {string.find(('ab'):rep(100000), ('ab'):rep(50000) .. 'c', 1, true)}", "*0\r\n");
    let found = "*2\r\n:3\r\n:100003\r\n";
    eval(&mut client, "return {string.find('c' .. ('ab'):rep(100000), ('ba'):rep(50000) .. 'b', -200000)}", found);
    eval(&mut client, "return {('key = value'):match('^(%w+)%s*=%s*(%w+)$')}", "*2\r\n$3\r\nkey\r\n$5\r\nvalue\r\n");
    eval(&mut client, "return (('x'):rep(1000000)):gsub('x', 'yy'):len()", ":2000000\r\n");
}

#[test]
fn as_many_arguments_as_the_stack_takes_get_a_reply() {
    let server = Server::start();
    let mut client = server.connect();
    let script = "local a = {} for i = 1, 7999 do a[i] = 1 end return redis.call('lpush', 'l', unpack(a))";
    eval(&mut client, script, ":7999\r\n");
}

#[test]
fn who_watches_sees_a_script_and_then_its_commands() {
    let server = Server::start();
    let (mut client, mut monitor) = (server.connect(), server.connect());
    assert_wire(&mut monitor, &["MONITOR"], "+OK\r\n");
    let script =
        "redis.call('set', 'k', 'v') redis.pcall('nosuch') redis.call('select', 3) return redis.call('get', 'k')";
    eval(&mut client, script, "$-1\r\n");
    let sha = "ffffffffffffffffffffffffffffffffffffffff";
    client.command(&["EVALSHA", sha, "0"]);
    client.command(&["FCALL", "nosuch", "0"]);
    for words in [&["MULTI"][..], &["EVAL", "return redis.call('get', 'q')", "0"], &["EXEC"]] {
        client.command(words);
    }
    let expected = [
        "[0 127.0.0.1:P] \"EVAL\" \"redis.call('set', 'k', 'v') redis.pcall('nosuch') redis.call('select', 3) return redis.call('get', 'k')\" \"0\"",
        "[0 lua] \"set\" \"k\" \"v\"",
        "[3 lua] \"select\" \"3\"",
        "[3 lua] \"get\" \"k\"",
        "[0 127.0.0.1:P] \"EVALSHA\" \"ffffffffffffffffffffffffffffffffffffffff\" \"0\"",
        "[0 127.0.0.1:P] \"FCALL\" \"nosuch\" \"0\"",
        "[0 127.0.0.1:P] \"MULTI\"",
        "[0 127.0.0.1:P] \"EVAL\" \"return redis.call('get', 'q')\" \"0\"",
        "[0 lua] \"get\" \"q\"",
        "[0 127.0.0.1:P] \"EXEC\"",
    ];
    for expected in expected {
        let line = String::from_utf8_lossy(&monitor.read()).into_owned();
        let shown = line.split_once(' ').map_or("", |(_, shown)| shown.trim_end());
        // Which port the client has is not what this is about.
        let shown = match (shown.find("127.0.0.1:"), shown.find(']')) {
            (Some(at), Some(end)) if at < end => format!("{}127.0.0.1:P{}", &shown[..at], &shown[end..]),
            _ => shown.to_owned(),
        };
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_slow_command_of_a_script_is_noted_and_the_scripts_time_is_not_its() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "0"], "+OK\r\n");
    assert_wire(&mut client, &["SLOWLOG", "RESET"], "+OK\r\n");
    eval(&mut client, "return redis.call('incr', 'n')", ":1\r\n");
    let noted = client.ask(&["SLOWLOG", "GET", "2"]);
    let words = |at: usize| noted.items()[at].items()[3].texts()[0].clone();
    assert_eq!((words(0), words(1)), ("EVAL".into(), "incr".into()));
    assert_eq!(noted.items()[1].items()[4].text(), "?:0");
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "50000"], "+OK\r\n");
    assert_wire(&mut client, &["SLOWLOG", "RESET"], "+OK\r\n");
    let slow = "local from = os.clock() while os.clock() - from < 0.1 do end return redis.call('get', 'n')";
    eval(&mut client, slow, "$1\r\n1\r\n");
    assert_wire(&mut client, &["SLOWLOG", "LEN"], ":1\r\n");
}

#[test]
fn a_script_says_who_is_told_of_what_it_writes() {
    let server = Server::with(&["--appendonly", "yes"]);
    let port = server.port().to_string();
    let replica = Server::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let (mut client, mut other) = (server.connect(), replica.connect());
    wait_until("the replica follows", || other.info("replication", "master_link_status").as_deref() == Some("up"));
    let script = "redis.call('set', 'a', 1) redis.set_repl(redis.REPL_NONE) redis.call('set', 'b', 2)
        redis.set_repl(redis.REPL_AOF) redis.call('set', 'c', 3) redis.set_repl(redis.REPL_REPLICA)
        redis.call('set', 'd', 4) redis.set_repl(redis.REPL_ALL) return redis.call('incr', 'e')";
    eval(&mut client, script, ":1\r\n");
    assert_wire(&mut client, &["WAIT", "1", "0"], ":1\r\n");
    assert_eq!(other.ask(&["KEYS", "*"]).items().len(), 3);
    assert_wire(&mut other, &["EXISTS", "a", "d", "e"], ":3\r\n");
    assert_wire(&mut client, &["DEBUG", "LOADAOF"], "+OK\r\n");
    assert_eq!(client.ask(&["KEYS", "*"]).items().len(), 3);
    assert_wire(&mut client, &["EXISTS", "a", "c", "e"], ":3\r\n");
}

#[test]
fn what_has_no_order_is_sorted_for_a_script() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SADD", "s", "c", "b", "aa", "a", "zz"]);
    let sorted = b"*5\r\n$1\r\na\r\n$2\r\naa\r\n$1\r\nb\r\n$1\r\nc\r\n$2\r\nzz\r\n";
    eval(&mut client, "return redis.call('sort', 's', 'by', '_')", sorted);
}
