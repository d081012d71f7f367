//! Clients that ask Sentinels where the primary is: while they write, it is killed, and they go on with the new one
//! without being started anew.

use crate::Language;
use crate::watched::{Maker, Member, fails_over, group, sentinels};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

/// A program that writes, and what it says of that.
struct Program {
    name: &'static str,
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Program {
    fn start(name: &'static str, packages: &Path, sentinels: &[Member]) -> Program {
        let mut child = Language::of(name)
            .command(name, packages)
            .args(sentinels.iter().map(|one| one.port().to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = BufReader::new(child.stdout.take().expect("made for a test"));
        Program { name, child, lines }
    }

    fn expect(&mut self, line: &str) {
        let mut said = String::new();
        self.lines.read_line(&mut said).expect("made for a test");
        assert_eq!(said.trim_end(), line, "{}", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the programs have written is with the new primary, and they write there.
fn go_on(servers: &[Maker], watchers: &[Maker]) {
    let group = group(servers);
    let sentinels = sentinels(watchers, &group);
    let old = group[0].port();
    let mut programs = Vec::new();
    for name in ["sentinel_py.py", "sentinel.js"] {
        match Language::of(name).packages() {
            Some(packages) => programs.push(Program::start(name, &packages, &sentinels)),
            None => println!("WITHOUT {name}: its packages are not here (`cargo xtask clients`)"),
        }
    }
    for program in &mut programs {
        program.expect(&format!("writes to {old}"));
    }
    let group = fails_over(group, &sentinels);
    for mut program in programs {
        program.expect(&format!("writes to {}", group[0].port()));
        program.expect("done");
        assert!(program.child.wait().is_ok_and(|status| status.success()), "{}", program.name);
    }
}

#[test]
fn clients_of_our_sentinels_over_redis_go_on_after_a_failover() {
    let Some(redis) = Maker::find("Redis 7.0") else { return };
    go_on(&vec![redis; 3], &vec![Maker::Ours; 3]);
}

#[test]
fn clients_of_redis_s_sentinels_over_plinth_go_on_after_a_failover() {
    let Some(redis) = Maker::find("Redis 7.0") else { return };
    go_on(&vec![Maker::Ours; 3], &vec![redis; 3]);
}

#[test]
fn clients_of_sentinels_of_both_go_on_after_a_failover() {
    let Some(redis) = Maker::find("Redis 7.0") else { return };
    go_on(&vec![Maker::Ours; 3], &[Maker::Ours, redis, Maker::Ours]);
}
