//! Those who connect while the data are loaded.

use plinth_testkit::{Server, TempDir, assert_wire, server, wait_until};

/// A folder with a file of some keys.
fn saved(keys: usize) -> TempDir {
    let server = Server::with(&["--save", ""]);
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "POPULATE", &keys.to_string(), "key", "1000"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "rdbcompression", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    server.end("KILL")
}

/// Loads two thousand keys in some seconds, and serves after each.
const SLOWLY: &str = "save ''\nunixsocket socket\nkey-load-delay 1000\nloading-process-events-interval-bytes 1024\n";

#[test]
fn whoever_connects_is_told_that_data_are_loaded_and_how_far() {
    let folder = saved(2000);
    folder.write("slow.conf", SLOWLY);
    let socket = folder.file("socket");
    let asking = std::thread::spawn(move || {
        let mut client = server::connect_unix(&socket);
        for refused in [&["GET", "key:1"][..], &["SET", "a", "b"], &["DBSIZE"], &["SAVE"]] {
            assert_eq!(client.text(refused), "LOADING Redis is loading the dataset in memory", "{refused:?}");
        }
        assert_eq!(client.info("persistence", "loading").as_deref(), Some("1"));
        let mut loaded =
            || client.info("persistence", "loading_loaded_bytes").and_then(|text| text.parse::<u64>().ok());
        let first = loaded().unwrap();
        wait_until("more is loaded", || loaded().is_some_and(|bytes| bytes > first));
        let total = client.info("persistence", "loading_total_bytes").and_then(|text| text.parse::<u64>().ok());
        assert!(total.is_some_and(|total| total > 2_000_000), "{total:?}");
        assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
        assert!(client.text(&["GET", "key:1"]).starts_with("LOADING"));
        assert!(client.text(&["EXEC"]).starts_with("EXECABORT"));
    });
    let server = Server::within(folder, &["slow.conf"]);
    asking.join().unwrap();
    let mut client = server.connect();
    assert_wire(&mut client, &["DBSIZE"], b":2000\r\n");
    assert_eq!(client.info("persistence", "loading").as_deref(), Some("0"));
}

#[test]
fn a_server_that_loads_can_be_stopped_and_does_not_touch_the_file() {
    let folder = saved(20_000);
    folder.write(
        "slow.conf",
        "unixsocket socket\nport 0\nkey-load-delay 1000\nloading-process-events-interval-bytes 1024\n",
    );
    let file = std::fs::read(folder.file("dump.rdb")).unwrap();
    let (socket, dir) = (folder.file("socket"), folder.path().display().to_string());
    let asking = std::thread::spawn(move || server::connect_unix(&socket).send(&["SHUTDOWN"]));
    let finished = server::run_to_end(&[&folder.file("slow.conf"), "--dir", &dir]);
    asking.join().unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.output);
    assert_eq!(std::fs::read(folder.file("dump.rdb")).unwrap(), file);
}
