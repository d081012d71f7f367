//! Users and their rules: ACL, AUTH, and what is refused.

use plinth_testkit::server::run_to_end;
use plinth_testkit::{Client, Server, TempDir, assert_wire, wait_until};

fn run(client: &mut Client, line: &str) -> String {
    client.text(&line.split(' ').collect::<Vec<_>>())
}

#[track_caller]
fn set_user(client: &mut Client, line: &str) {
    assert_eq!(run(client, &format!("ACL SETUSER {line}")), "OK", "{line}");
}

fn connect_as(server: &Server, user: &str) -> Client {
    let mut client = server.connect();
    assert_eq!(client.text(&["AUTH", user, "p"]), "OK");
    client
}

#[test]
fn what_a_user_may_not_do_is_refused_counted_and_logged() {
    let server = Server::start();
    let mut admin = server.connect();
    set_user(&mut admin, "u on >p ~a* &n* +get +set +mget +publish +select|1");
    let mut client = connect_as(&server, "u");
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_eq!(run(&mut client, "DEL a"), "NOPERM User u has no permissions to run the 'del' command");
    assert_eq!(run(&mut client, "CONFIG GET x"), "NOPERM User u has no permissions to run the 'config|get' command");
    assert_eq!(run(&mut client, "MGET a b"), "NOPERM No permissions to access a key");
    assert_eq!(run(&mut client, "PUBLISH c m"), "NOPERM No permissions to access a channel");
    assert_wire(&mut client, &["SELECT", "1"], b"+OK\r\n");
    assert!(run(&mut client, "SELECT 0").starts_with("NOPERM"));
    assert_eq!(run(&mut client, "AUTH u x"), "WRONGPASS invalid username-password pair or user is disabled.");
    for (field, count) in [("auth", "1"), ("cmd", "3"), ("key", "1"), ("channel", "1")] {
        assert_eq!(admin.info("stats", &format!("acl_access_denied_{field}")).as_deref(), Some(count), "{field}");
    }
    let log = admin.ask(&["ACL", "LOG"]);
    let seen: Vec<String> = log
        .items()
        .iter()
        .map(|entry| {
            let text = |name| entry.field(name).map(plinth_testkit::reply::Reply::text).unwrap_or_default();
            format!("{} {} {} {}", text("reason"), text("context"), text("object"), text("username"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "auth toplevel AUTH u",
            "command toplevel select u",
            "channel toplevel c u",
            "key toplevel b u",
            "command toplevel config|get u",
            "command toplevel del u",
        ]
    );
    let list = run(&mut admin, "CLIENT LIST");
    assert!(list.contains(" user=u ") && list.contains(" user=default "), "{list}");
    assert_eq!(admin.ask(&["CLIENT", "KILL", "USER", "u"]).integer(), 1);
    client.assert_closed();
}

#[test]
fn what_was_queued_is_checked_again_by_exec() {
    let server = Server::start();
    let mut admin = server.connect();
    set_user(&mut admin, "u on >p ~* +@all");
    let mut client = connect_as(&server, "u");
    for line in ["MULTI", "SET a 1", "INCR a"] {
        run(&mut client, line);
    }
    set_user(&mut admin, "u -incr");
    let replies = client.ask(&["EXEC"]).texts();
    assert_eq!(replies[0], "OK");
    assert!(replies[1].starts_with("NOPERM ") && replies[1].contains("'incr'"), "{replies:?}");
    // And what waits is, when it is run again.
    client.send(&["BLPOP", "l", "0"]);
    wait_until("it waits", || admin.info("clients", "blocked_clients").as_deref() == Some("1"));
    set_user(&mut admin, "u resetkeys");
    run(&mut admin, "RPUSH l 1");
    assert_eq!(client.read(), b"-NOPERM No permissions to access a key\r\n");
}

#[test]
fn who_loses_a_channel_or_whose_user_goes_is_cut_off() {
    let server = Server::start();
    let mut admin = server.connect();
    set_user(&mut admin, "u on >p &a &b* +@all");
    let (mut one, mut two, mut three) = (connect_as(&server, "u"), connect_as(&server, "u"), connect_as(&server, "u"));
    one.command(&["SUBSCRIBE", "a"]);
    two.command(&["PSUBSCRIBE", "b*"]);
    assert_wire(&mut three, &["PSUBSCRIBE", "b?"], b"-NOPERM No permissions to access a channel\r\n");
    set_user(&mut admin, "u resetchannels &b*");
    one.assert_closed();
    assert_wire(&mut two, &["PING"], b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert_eq!(admin.ask(&["ACL", "DELUSER", "u", "none"]).integer(), 1);
    two.assert_closed();
    three.assert_closed();
    assert_eq!(run(&mut admin, "ACL DELUSER default"), "ERR The 'default' user cannot be removed");
}

#[test]
fn rules_of_a_module_that_goes_hold_when_it_is_back() {
    let folder = TempDir::new();
    let file = folder.write("users.acl", "user u on >p ~* -@all +@hash +hget +gone.command -none\n");
    let server = Server::within(folder, &["--aclfile", &file]);
    server.wait_for_log("A rule of the user 'u' is about 'gone.command'");
    let mut admin = server.connect();
    let mut client = connect_as(&server, "u");
    assert_wire(&mut client, &["HSET", "h", "f", "v"], b":1\r\n");
    let module = admin.ask(&["MODULE", "LIST"]);
    let hash = module.items().iter().find(|one| one.field("name").is_some_and(|name| name.text() == "hash")).unwrap();
    let path = hash.field("path").unwrap().text();
    assert_wire(&mut admin, &["DEL", "h"], b":1\r\n");
    assert_wire(&mut admin, &["MODULE", "UNLOAD", "hash"], b"+OK\r\n");
    assert!(run(&mut client, "HSET h f v").starts_with("ERR unknown command"));
    assert_wire(&mut admin, &["ACL", "SAVE"], b"+OK\r\n");
    assert_wire(&mut admin, &["ACL", "LOAD"], b"+OK\r\n");
    client.assert_closed();
    assert_wire(&mut admin, &["MODULE", "LOAD", &path], b"+OK\r\n");
    let mut client = connect_as(&server, "u");
    assert_wire(&mut client, &["HSET", "h", "f", "v"], b":1\r\n");
    assert!(run(&mut client, "GET k").starts_with("NOPERM"));
    // By hand, what is not there is a slip.
    assert!(run(&mut admin, "ACL SETUSER u +gone.other").contains("Unknown command or category name in ACL"));
}

#[test]
fn a_file_with_a_fault_changes_nothing_and_a_saved_one_comes_back() {
    let folder = TempDir::new();
    let file =
        folder.write("users.acl", "# mine\n\nuser default on nopass ~* &* +@all\nuser u on >p ~a +get (~b +set)\n");
    let mut server = Server::within(folder, &["--aclfile", "users.acl"]);
    let mut admin = server.connect();
    set_user(&mut admin, "v on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b %R~c db=1");
    let before = admin.command(&["ACL", "LIST"]);
    assert_wire(&mut admin, &["ACL", "SAVE"], b"+OK\r\n");
    let saved = std::fs::read(&file).unwrap();
    std::fs::write(&file, [saved.as_slice(), b"user u on\nuse x\nuser w ~\0\n"].concat()).unwrap();
    let said = run(&mut admin, "ACL LOAD");
    assert!(said.contains("Duplicate user 'u' found") && said.contains(":5:") && said.contains(":6:"), "{said}");
    assert_eq!(admin.command(&["ACL", "LIST"]), before);
    std::fs::write(&file, &saved).unwrap();
    server = server.again("TERM", &["--aclfile", "users.acl"]);
    assert_eq!(server.connect().command(&["ACL", "LIST"]), before);
}

#[test]
fn users_of_the_configuration_are_rewritten_into_it() {
    let folder = TempDir::new();
    let file = folder.write("plinth.conf", "# mine\nuser u on nopass ~a\nuser v off\n");
    let server = Server::within(folder, &[&file]);
    let mut admin = server.connect();
    set_user(&mut admin, "u +get (+set ~b)");
    run(&mut admin, "ACL DELUSER v");
    assert_wire(&mut admin, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("user ")).collect();
    assert_eq!(lines, ["user u on nopass sanitize-payload ~a resetchannels -@all +get (~b resetchannels -@all +set)"]);
    assert!(text.starts_with("# mine\n"), "{text}");
    for words in [["--user", "x", "--user", "x"].as_slice(), &["--user", "x", "+none|"], &["--user", "x", "(+get"]] {
        let ended = run_to_end(words);
        assert_ne!(ended.code, Some(0), "{words:?}");
    }
}

#[test]
fn the_default_user_has_the_password_of_requirepass() {
    let server = Server::with(&["--requirepass", "secret"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["GET", "k"], b"-NOAUTH Authentication required.\r\n");
    assert!(run(&mut client, "AUTH wrong").starts_with("WRONGPASS"));
    assert_wire(&mut client, &["AUTH", "secret"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "requirepass", ""], b"+OK\r\n");
    assert_wire(&mut server.connect(), &["GET", "k"], b"$-1\r\n");
    // One that waits to be let in is, when anybody is; and one that is off lets nobody in.
    set_user(&mut client, "default off");
    let mut late = server.connect();
    assert_wire(&mut late, &["GET", "k"], b"-NOAUTH Authentication required.\r\n");
    set_user(&mut client, "default on");
    assert_wire(&mut late, &["GET", "k"], b"$-1\r\n");
    set_user(&mut client, "default -@all +acl");
    assert_wire(&mut late, &["GET", "k"], b"-NOPERM User default has no permissions to run the 'get' command\r\n");
    assert_wire(&mut late, &["RESET"], b"+RESET\r\n");
}

#[test]
fn keys_that_sort_reads_are_those_of_a_user_who_reads_all() {
    let server = Server::start();
    let mut admin = server.connect();
    run(&mut admin, "RPUSH l 1");
    set_user(&mut admin, "u on >p +sort ~l (+sort ~l %W~*)");
    let mut client = connect_as(&server, "u");
    for (option, line) in [("BY", "SORT l BY w*"), ("GET", "SORT l GET w*"), ("BY", "SORT l BY w* GET w*")] {
        let expected = format!("ERR {option} option of SORT denied due to insufficient ACL permissions.");
        assert_eq!(run(&mut client, line), expected, "{line}");
    }
    assert_wire(&mut client, &["SORT", "l", "BY", "none"], b"*1\r\n$1\r\n1\r\n");
    set_user(&mut admin, "u (+sort ~l %R~*)");
    assert_wire(&mut client, &["SORT", "l", "BY", "w*", "GET", "w*"], b"*1\r\n$-1\r\n");
}

#[test]
fn plinth_databases_are_those_of_the_rule() {
    let server = Server::start();
    let mut admin = server.connect();
    set_user(&mut admin, "u on >p ~* +@all db=1,2");
    let mut client = connect_as(&server, "u");
    let refused = "NOPERM No permissions to access database";
    for line in ["GET k", "KEYS *", "SELECT 0", "SWAPDB 1 3", "FLUSHALL", "FLUSHDB", "MOVE k 1", "COPY a b DB 1"] {
        assert_eq!(run(&mut client, line), refused, "{line}");
    }
    assert_wire(&mut client, &["SELECT", "1"], b"+OK\r\n");
    for line in ["SET k v", "SWAPDB 1 2", "SWAPDB 1 2", "COPY k c DB 2"] {
        assert!(!run(&mut client, line).starts_with("NOPERM"), "{line}");
    }
    for line in ["MOVE k 3", "COPY k c DB 0"] {
        assert_eq!(run(&mut client, line), refused, "{line}");
    }
    assert_eq!(admin.info("stats", "acl_access_denied_db").as_deref(), Some("10"));
    set_user(&mut admin, "u alldbs");
    assert_wire(&mut client, &["SELECT", "0"], b"+OK\r\n");
}
