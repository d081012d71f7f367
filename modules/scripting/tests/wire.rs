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
    eval(&mut client, "return string.dump", "$-1\r\n");
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
