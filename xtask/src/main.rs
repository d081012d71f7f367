//! What a developer of Plinth does often: test, asan, bench, clients, conformance, crash,
//! golden, headers, new-module, peers, replicas, rounds, scripts.

mod asan;
mod bench;
mod cargo;
mod clients;
mod conformance;
mod crash;
mod golden;
mod headers;
mod new_module;
mod peers;
mod replicas;
mod rounds;
mod scripts;
mod test;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What a developer of Plinth does often")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build with AddressSanitizer, run tests and a million random calls, and see that it reports nothing.
    Asan(asan::Args),
    /// Measure Plinth beside any Redis-compatible server and print the ratio table.
    Bench(bench::Args),
    /// Serve constants, for the bench.
    #[command(hide = true)]
    BareLoop {
        /// Port on the loopback address.
        port: u16,
        /// The command that it answers.
        command: String,
    },
    /// Run queues, locks and rate limiters of others, which live by scripts, against Plinth and Redis 7.0.
    Clients(clients::Args),
    /// Run Redis 7.0's own test suite against Plinth.
    Conformance(conformance::Args),
    /// Kill the server at random moments under a checked load, and look what is there at the next start.
    Crash(crash::Args),
    /// Write the files of other servers that the tests load anew.
    Golden(golden::Args),
    /// Make the C headers from the ABI's Rust mirror, or check and compile them.
    Headers(headers::Args),
    /// Make a module that builds, loads and passes its tests.
    NewModule(new_module::Args),
    /// Install the servers that the interop tests compare with, from PyPI into `target/peers`.
    Peers(peers::Args),
    /// Have faults befall a group of servers under a checked load, one after the other.
    Replicas(replicas::Args),
    /// Load, unload and replace modules thousands of times, and see that nothing grows unnamed.
    Rounds(rounds::Args),
    /// Compare generated values of scripts with other servers, and run generated scripts.
    Scripts(scripts::Args),
    /// Run everything that has to hold before a change is sent.
    Test(test::Args),
    /// Check the architecture's invariants in the sources.
    Tidy(tidy::Args),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().task {
        Task::Asan(args) => asan::run(args),
        Task::Bench(args) => bench::run(args),
        Task::BareLoop { port, command } => {
            bench::serve_constants(port, &command).map(|()| std::process::ExitCode::SUCCESS)
        }
        Task::Clients(args) => clients::run(args),
        Task::Conformance(args) => conformance::run(args),
        Task::Crash(args) => crash::run(args),
        Task::Golden(args) => golden::run(args),
        Task::Headers(args) => headers::run(args),
        Task::NewModule(args) => new_module::run(args),
        Task::Peers(args) => peers::run(args),
        Task::Replicas(args) => replicas::run(args),
        Task::Rounds(args) => rounds::run(args),
        Task::Scripts(args) => scripts::run(args),
        Task::Test(args) => test::run(args),
        Task::Tidy(args) => tidy::run(args),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}
