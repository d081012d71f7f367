//! Parameters of modules: `module.parameter` in CONFIG, checked by the host and by the module.

use plinth_testkit::{Client, Server, assert_wire, cc};

/// The probe of `tests/abi` declares one parameter of each kind.
fn server() -> Server {
    let folder = plinth_testkit::TempDir::new();
    let path = cc::module(&folder, "tests/abi/probe.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

fn get(client: &mut Client, name: &str) -> String {
    client.ask(&["CONFIG", "GET", name]).field(name).map(|value| value.text()).unwrap_or_default()
}

#[test]
fn every_kind_of_parameter_has_its_default() {
    let server = server();
    let mut client = server.connect();
    let shown: Vec<String> = ["probe.number", "probe.flag", "probe.choice", "probe.size", "probe.text"]
        .iter()
        .map(|name| get(&mut client, name))
        .collect();
    assert_eq!(shown, ["5", "yes", "green", "2097152", "plain"]);
}

#[test]
fn a_value_that_fits_is_told_to_the_module() {
    let server = server();
    let mut client = server.connect();
    for (name, value, number) in [
        ("probe.number", "-9", ":-9\r\n"),
        ("probe.flag", "no", ":0\r\n"),
        ("probe.choice", "BLUE", ":2\r\n"),
        ("probe.size", "64kb", ":65536\r\n"),
    ] {
        assert_wire(&mut client, &["CONFIG", "SET", name, value], b"+OK\r\n");
        assert_wire(&mut client, &["PROBE.APPLIED", name], number);
    }
    assert_eq!(get(&mut client, "probe.choice"), "blue");
    assert_eq!(get(&mut client, "probe.size"), "65536");
}

#[test]
fn a_value_that_does_not_fit_is_refused_before_the_module_sees_it() {
    let server = server();
    let mut client = server.connect();
    for (name, value, reason) in [
        ("probe.number", "-11", "argument must be between -10 and 10 inclusive"),
        ("probe.number", "many", "argument couldn't be parsed into an integer"),
        ("probe.flag", "maybe", "argument must be 'yes' or 'no'"),
        ("probe.choice", "grey", "argument(s) must be one of the following: red, green, blue"),
        ("probe.size", "1lb", "argument must be a memory value"),
    ] {
        let said = client.text(&["CONFIG", "SET", name, value]);
        assert!(said.contains(name) && said.contains(reason), "{said}");
    }
    assert_eq!(get(&mut client, "probe.number"), "5");
}

#[test]
fn a_module_refuses_a_value_with_its_own_words() {
    let server = server();
    let mut client = server.connect();
    let said = client.text(&["CONFIG", "SET", "probe.text", "rude"]);
    assert!(said.contains("probe.text") && said.contains("not that word"), "{said}");
    assert_eq!(get(&mut client, "probe.text"), "plain");
}

#[test]
fn config_set_of_several_parameters_is_all_or_nothing() {
    let server = server();
    let mut client = server.connect();
    let said = client.text(&["CONFIG", "SET", "probe.number", "7", "maxclients", "100", "probe.text", "rude"]);
    assert!(said.starts_with("ERR "), "{said}");
    assert_eq!(get(&mut client, "probe.number"), "5");
    assert_eq!(get(&mut client, "maxclients"), "10000");
    assert_wire(&mut client, &["PROBE.APPLIED", "probe.number"], b":5\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "probe.number", "7", "probe.text", "kind"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.APPLIED", "probe.number"], b":7\r\n");
}

#[test]
fn immutable_hidden_and_sensitive_parameters_are_what_they_say() {
    let server = server();
    let mut client = server.connect();
    let said = client.text(&["CONFIG", "SET", "probe.fixed", "2"]);
    assert!(said.contains("immutable"), "{said}");
    let shown = client.ask(&["CONFIG", "GET", "probe.*"]).texts();
    assert!(shown.contains(&"probe.fixed".to_owned()), "{shown:?}");
    assert!(!shown.contains(&"probe.hidden".to_owned()), "{shown:?}");
    assert_eq!(get(&mut client, "probe.hidden"), "3");
}
