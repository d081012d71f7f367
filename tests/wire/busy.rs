//! Scripts that do not end: who is served meanwhile, with what, and how they are ended.
//!
//! The answers are those of Redis 7.0 and 8.2, which give the same.

use plinth_testkit::client::Client;
use plinth_testkit::{Server, assert_wire, wait_until};

const ENDLESS: &str = "while true do end";
const BUSY: &str = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
const BUSY_FUNCTION: &str =
    "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.\r\n";
const UNKILLABLE: &str = "-UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
                          either wait the script termination or kill the server in a hard way using the SHUTDOWN \
                          NOSAVE command.\r\n";
const LIBRARY: &str = "#!lua name=lib\nredis.register_function('endless', function() while true do end end)";

fn server() -> Server {
    Server::with(&["--lua-time-limit", "20"])
}

/// The server has begun to serve others in the middle of a script.
#[track_caller]
fn wait_until_busy(client: &mut Client) {
    wait_until("the server is busy", || client.command(&["PING"]).starts_with(b"-BUSY"));
}

#[track_caller]
fn assert_reads(client: &mut Client, expected: &str) {
    assert_eq!(String::from_utf8_lossy(&client.read()), expected);
}

#[track_caller]
fn assert_killed(client: &mut Client) {
    let text = String::from_utf8_lossy(&client.read()).into_owned();
    assert!(text.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{text}");
    assert!(text.ends_with(", on @user_script:1.\r\n"), "{text}");
}

/// A client sends a script that others see run.
#[track_caller]
fn send_endless(client: &mut Client, script: &str, other: &mut Client) {
    client.send(&["EVAL", script, "0"]);
    wait_until_busy(other);
}

#[test]
fn a_script_that_does_not_end_lets_others_end_it() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    assert_wire(&mut other, &["SCRIPT", "KILL"], "-NOTBUSY No scripts in execution right now.\r\n");
    send_endless(&mut caller, ENDLESS, &mut other);
    for words in [&["GET", "k"][..], &["INFO"], &["EVAL", "return 1", "0"], &["SCRIPT", "EXISTS", "x"], &["SHUTDOWN"]] {
        assert_wire(&mut other, words, BUSY);
    }
    for words in [&["FUNCTION", "STATS"], &["FUNCTION", "KILL"], &["MODULE", "LIST"], &["SHUTDOWN", "SAVE"]] {
        assert_wire(&mut other, words, BUSY);
    }
    assert_wire(&mut other, &["MODULE", "UNLOAD", "scripting"], BUSY);
    assert_wire(&mut other, &["REPLICAOF", "127.0.0.1", "1"], BUSY);
    assert_wire(&mut other, &["NOSUCH"], "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
    assert!(other.command(&["HELLO", "2"]).starts_with(b"*14\r\n"));
    assert_wire(&mut other, &["WATCH", "k"], "+OK\r\n");
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    assert_wire(&mut other, &["SCRIPT", "KILL"], "-NOTBUSY No scripts in execution right now.\r\n");
    assert_wire(&mut caller, &["PING"], "+PONG\r\n");
    server.wait_for_log("Slow script detected: still in execution after");
    server.wait_for_log("You can try killing the script using the SCRIPT KILL command.");
}

#[test]
fn no_script_outlives_its_end_by_catching_it() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    for script in [
        "while true do pcall(function() while true do end end) end",
        "local function f() while true do pcall(f) end end f()",
        "while true do xpcall(function() while true do end end, function(e) return e end) end",
        "while true do xpcall(error, function() while true do pcall(function() while true do end end) end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do coroutine.resume(coroutine.create(function() while true do pcall(function() while 1 do end end) end end)) end",
        "while true do redis.pcall('ping') end",
        "while true do redis.pcall('nosuch') end",
    ] {
        send_endless(&mut caller, script, &mut other);
        assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
        // Where it was is not known of all: a handler of errors that is ended has no line.
        let text = String::from_utf8_lossy(&caller.read()).into_owned();
        assert!(text.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{text}");
        assert_wire(&mut caller, &["EVAL", "return pcall(function() return 1 end) and 2", "0"], ":2\r\n");
    }
}

#[test]
fn a_script_that_has_written_is_ended_with_the_server_only() {
    let mut server = Server::with(&["--lua-time-limit", "20", "--appendonly", "yes"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    assert_wire(&mut caller, &["SET", "before", "1"], "+OK\r\n");
    send_endless(&mut caller, "redis.call('set', 'half', '1') while true do end", &mut other);
    assert_wire(&mut other, &["SCRIPT", "KILL"], UNKILLABLE);
    assert_wire(&mut other, &["FUNCTION", "KILL"], UNKILLABLE);
    assert_wire(&mut other, &["GET", "half"], BUSY);
    other.send(&["SHUTDOWN", "NOSAVE"]);
    assert_eq!(server.wait(), Some(0));
    let server = server.again("KILL", &["--appendonly", "yes"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["MGET", "before", "half"], "*2\r\n$1\r\n1\r\n$-1\r\n");
}

#[test]
fn the_caller_may_hang_up_and_the_script_goes_on() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    send_endless(&mut caller, ENDLESS, &mut other);
    drop(caller);
    assert_wire(&mut other, &["GET", "k"], BUSY);
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    wait_until("it is gone", || other.info("clients", "connected_clients").as_deref() == Some("1"));
}

#[test]
fn what_is_sent_meanwhile_is_answered_in_order_and_nothing_is_lost() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    let mut crowd: Vec<Client> = (0..50).map(|_| server.connect()).collect();
    send_endless(&mut caller, ENDLESS, &mut other);
    caller.send(&["INCR", "of-caller"]);
    for client in &mut crowd {
        for at in 0..100 {
            client.send(&["INCR", "n"]);
            client.send(&["HELLO", if at % 2 == 0 { "3" } else { "2" }]);
        }
    }
    for client in &mut crowd {
        for at in 0..100 {
            assert_reads(client, BUSY);
            let hello = client.read();
            assert!(hello.starts_with(if at % 2 == 0 { b"%7" } else { b"*14" }));
        }
    }
    for client in &mut crowd {
        client.send(&["INCR", "n"]);
    }
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    assert_reads(&mut caller, ":1\r\n");
    let ran = crowd.iter_mut().filter_map(|client| client.read().starts_with(b":").then_some(())).count();
    let n = other.command(&["GET", "n"]);
    assert!(if ran == 0 { n == b"$-1\r\n" } else { n.ends_with(format!("\r\n{ran}\r\n").as_bytes()) });
}

#[test]
fn commands_that_were_read_with_the_script_are_answered_too() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    let mut crowd: Vec<Client> = (0..60).map(|_| server.connect()).collect();
    for round in 0..3 {
        // All of it is run in one turn of the loop, when the pause ends.
        assert_wire(&mut other, &["CLIENT", "PAUSE", "150", "ALL"], "+OK\r\n");
        let (before, after) = crowd.split_at_mut(if round == 0 { 0 } else { 20 * round });
        let send = |client: &mut Client| {
            client.raw(
                [plinth_testkit::reply::request(&["INCR", "n"]), plinth_testkit::reply::request(&["ECHO", "x"])]
                    .concat(),
            );
        };
        before.iter_mut().for_each(send);
        caller.send(&["ECHO", "first"]);
        caller.send(&["EVAL", ENDLESS, "0"]);
        caller.send(&["ECHO", "last"]);
        after.iter_mut().for_each(send);
        wait_until_busy(&mut other);
        let mut ran = 0;
        for client in &mut crowd {
            let (first, second) = (client.read(), client.read());
            ran += usize::from(first.starts_with(b":"));
            assert!(first.starts_with(b":") || first == BUSY.as_bytes());
            assert!(second == b"$1\r\nx\r\n" || second == BUSY.as_bytes());
        }
        assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
        assert_reads(&mut caller, "$5\r\nfirst\r\n");
        assert_killed(&mut caller);
        assert_reads(&mut caller, "$4\r\nlast\r\n");
        assert_wire(&mut other, &["INCR", "n"], format!(":{}\r\n", ran + 1));
        assert_wire(&mut other, &["DEL", "n"], ":1\r\n");
    }
}

#[test]
fn others_open_transactions_meanwhile_which_fail_by_what_they_queue() {
    let server = server();
    let (mut caller, mut other, mut third) = (server.connect(), server.connect(), server.connect());
    send_endless(&mut caller, ENDLESS, &mut other);
    assert_wire(&mut other, &["MULTI"], "+OK\r\n");
    assert_wire(&mut other, &["GET", "k"], BUSY);
    let refused = format!("-EXECABORT Transaction discarded because of: {}", &BUSY[1..]);
    assert_wire(&mut other, &["EXEC"], &refused);
    assert_wire(&mut other, &["MULTI"], "+OK\r\n");
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+QUEUED\r\n");
    assert_wire(&mut other, &["DISCARD"], "+OK\r\n");
    assert_wire(&mut other, &["MULTI"], "+OK\r\n");
    assert_wire(&mut third, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    assert_wire(&mut other, &["PING"], "+QUEUED\r\n");
    assert_wire(&mut other, &["EXEC"], "*1\r\n+PONG\r\n");
}

#[test]
fn a_script_within_exec_is_ended_and_exec_goes_on() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    for words in [&["MULTI"][..], &["SET", "k", "1"], &["EVAL", ENDLESS, "0"], &["INCR", "k"]] {
        caller.command(words);
    }
    caller.send(&["EXEC"]);
    wait_until_busy(&mut other);
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    let reply = String::from_utf8_lossy(&caller.read()).into_owned();
    assert!(reply.starts_with("*3\r\n+OK\r\n-ERR Script killed by user") && reply.ends_with("\r\n:2\r\n"), "{reply}");
}

#[test]
fn a_function_is_shown_while_it_runs_and_ended_by_its_own_command() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    assert_wire(&mut caller, &["FUNCTION", "LOAD", LIBRARY], "$3\r\nlib\r\n");
    caller.send(&["FCALL", "endless", "1", "k", "a"]);
    wait_until_busy(&mut other);
    assert_wire(&mut other, &["GET", "k"], BUSY_FUNCTION);
    assert_wire(&mut other, &["SCRIPT", "KILL"], BUSY_FUNCTION);
    let running = other.ask(&["FUNCTION", "STATS"]).items()[1].items()[..4].to_vec();
    assert_eq!(running[1].text(), "endless");
    assert_eq!(running[3].texts(), ["FCALL", "endless", "1", "k", "a"]);
    assert_wire(&mut other, &["FUNCTION", "KILL"], "+OK\r\n");
    let text = String::from_utf8_lossy(&caller.read()).into_owned();
    let killed = "-ERR Script killed by user with SCRIPT KILL... script: endless, on @user_function:2.\r\n";
    assert_eq!(text, killed);
    assert_wire(&mut other, &["FUNCTION", "KILL"], "-NOTBUSY No scripts in execution right now.\r\n");
}

#[test]
fn clients_come_and_go_meanwhile() {
    let server = Server::with(&["--lua-time-limit", "20", "--maxclients", "12"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    let mut old = server.connect();
    send_endless(&mut caller, ENDLESS, &mut other);
    assert_wire(&mut old, &["QUIT"], "+OK\r\n");
    for at in 0..60 {
        let mut new = server.connect();
        assert_wire(&mut new, &["GET", "k"], BUSY);
        if at % 2 == 0 {
            assert_wire(&mut new, &["QUIT"], "+OK\r\n");
            new.assert_closed();
        }
    }
    let mut last = server.connect();
    assert_wire(&mut last, &["RESET"], "+RESET\r\n");
    assert_wire(&mut last, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    assert_wire(&mut last, &["PING"], "+PONG\r\n");
    wait_until("the others are gone", || other.info("clients", "connected_clients").as_deref() == Some("3"));
}

#[test]
fn who_listens_gets_its_messages_before_and_after() {
    let server = server();
    let (mut caller, mut other, mut listener) = (server.connect(), server.connect(), server.connect());
    assert!(listener.command(&["SUBSCRIBE", "c"]).starts_with(b"*3\r\n"));
    send_endless(&mut caller, ENDLESS, &mut other);
    assert_wire(&mut listener, &["RESET"], "+RESET\r\n");
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    assert_wire(&mut other, &["PUBLISH", "c", "m"], ":0\r\n");
    assert_wire(&mut listener, &["GET", "k"], "$-1\r\n");
}

#[test]
fn the_limit_is_set_under_both_its_names() {
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(client.ask(&["CONFIG", "GET", "lua-time-limit"]).texts(), ["lua-time-limit", "5000"]);
    assert_wire(&mut client, &["CONFIG", "SET", "lua-time-limit", "30"], "+OK\r\n");
    let both = client.ask(&["CONFIG", "GET", "busy-reply-threshold"]).texts();
    assert_eq!(both, ["busy-reply-threshold", "30"]);
    let mut caller = server.connect();
    send_endless(&mut caller, ENDLESS, &mut client);
    assert_wire(&mut client, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
}

#[test]
fn steps_that_take_long_let_others_in_as_well() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    for script in [
        "local s = string.rep('x', 2e7) while true do s = 'y' .. string.sub(s, 2) end",
        "local s = string.rep('x', 2e7) coroutine.wrap(function() while true do s = 'y' .. string.sub(s, 2) end end)()",
        "local s = string.rep('word ', 4e5) while true do string.gsub(s, '%w+', '') end",
        "local s = string.rep('word ', 4e5) .. '!' while true do string.find(s, '[^%w ]', 3) end",
        "local s = string.rep('x', 2e7) while true do string.find(s, 'y', 1, true) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end",
        "local t = {} for i = 1, 5e4 do t[i] = -i end while true do table.sort(t) table.concat(t) end",
        "local t = {} for i = 1, 1e4 do t[i] = string.rep('x', 100) .. i end while true do table.sort(t) end",
        "local s = '[' .. string.rep('[1],', 1e5) .. '1]' while true do cjson.encode(cjson.decode(s)) end",
        "local s = 'local t = {' .. string.rep('1,', 1e5) .. '}' while true do loadstring(s) end",
    ] {
        send_endless(&mut caller, script, &mut other);
        assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
        let text = String::from_utf8_lossy(&caller.read()).into_owned();
        assert!(text.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{script}: {text}");
    }
}

#[test]
fn one_step_that_takes_long_lets_others_in_or_is_refused() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    // How often the pattern matches is found out in some seconds without optimisation, and while others are served.
    caller.send(&["EVAL", "return select(2, string.gsub(string.rep('ab ', 2e7), '%w+ ?', ''))", "0"]);
    wait_until_busy(&mut other);
    assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
    assert_killed(&mut caller);
    for script in [
        "return string.gsub(string.rep('a', 5e4), '.-b', '')",
        "return string.find('b' .. string.rep('a', 60), 'b?' .. string.rep('a?', 60) .. string.rep('a', 60) .. 'c', 2)",
    ] {
        caller.send(&["EVAL", script, "0"]);
        let text = loop {
            let said = other.command(&["PING"]);
            if said == b"+PONG\r\n" {
                break String::from_utf8_lossy(&caller.read()).into_owned();
            }
        };
        assert!(text.contains("pattern too complex"), "{script}: {text}");
    }
}

#[test]
fn nothing_of_a_script_runs_when_it_has_been_ended() {
    let server = server();
    let (mut caller, mut other) = (server.connect(), server.connect());
    for begin in [
        "coroutine.resume(coroutine.create(function() while true do end end))",
        "local go = coroutine.wrap(function() while true do end end) pcall(go)",
        "pcall(function() while true do end end)",
        "xpcall(function() while true do end end, function() redis.call('set', 'went', 'on') end)",
        "coroutine.resume(coroutine.create(function() pcall(function() while true do end end) end))",
        "coroutine.resume(coroutine.create(function() while true do redis.pcall('ping') end end))",
        "pcall(string.gsub, 'x', 'x', function() while true do end end)",
        "pcall(table.sort, {1, 2, 3}, function() while true do end end)",
        "coroutine.wrap(function() coroutine.resume(coroutine.create(function() while true do end end)) redis.call('set', 'went', 'on') end)()",
    ] {
        send_endless(&mut caller, &format!("{begin} redis.call('set', 'went', 'on')"), &mut other);
        assert_wire(&mut other, &["SCRIPT", "KILL"], "+OK\r\n");
        let text = String::from_utf8_lossy(&caller.read()).into_owned();
        assert!(text.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "), "{begin}: {text}");
        assert_wire(&mut other, &["EXISTS", "went"], ":0\r\n");
    }
}
