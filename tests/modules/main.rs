//! Modules in the real server: loading, every way in which that fails, unloading, parameters, and
//! what a stranger sees who has only the headers.

mod alignment;
mod faults;
mod ghosts;
mod hostile;
mod libraries;
mod listing;
mod panics;
mod parameters;
mod replace;
mod replace_lacks;
mod replace_types;
mod replace_under;
mod rounds;
mod storm;
mod stranger;
mod unload;

use plinth_testkit::{Client, Server, TempDir, cc};

/// A module of `tests/modules/faults`, compiled.
fn fault(folder: &TempDir, name: &str, flags: &[&str]) -> String {
    cc::module(folder, &format!("tests/modules/faults/{name}.c"), flags)
}

/// All that a module could leave behind, as one text: commands, modules, parameters, INFO.
///
/// Figures in INFO are left out; they count what the server does meanwhile.
fn registered(client: &mut Client) -> String {
    let commands = client.text(&["COMMAND", "COUNT"]);
    let modules = client.command(&["MODULE", "LIST"]);
    let parameters = client.ask(&["CONFIG", "GET", "*"]).items().len();
    let mut info = client.text(&["INFO", "modules"]);
    info.retain(|letter| !letter.is_ascii_digit());
    format!("{commands} commands, {parameters} parameters\n{}\n{info}", String::from_utf8_lossy(&modules))
}

/// A load is refused with a text, the server serves on, and nothing is left of it.
#[track_caller]
fn assert_refused(server: &Server, args: &[&str], expected: &str) {
    let mut client = server.connect();
    let before = registered(&mut client);
    let said = client.text(args);
    assert!(said.starts_with("ERR ") && said.contains(expected), "{said:?} does not say {expected:?}");
    assert_eq!(client.command(&["PING"]), b"+PONG\r\n");
    assert_eq!(registered(&mut client), before);
}
