//! The core's own commands: those that need no data type.
//!
//! One file per family, and [`spec`] for what a command is; in each the spec stands beside the handler, and
//! `COMMANDS` lists them.

pub mod acl;
pub mod append;
pub mod client;
pub mod command;
pub mod config;
pub mod connection;
pub mod crash;
pub mod debug;
pub mod failover;
pub mod info;
pub mod latency;
pub mod lolwut;
pub mod memory;
pub mod module;
pub mod monitor;
pub mod persistence;
pub mod replicaof;
pub mod replicas;
pub mod server;
pub mod slowlog;
pub mod spec;
pub mod transaction;
pub mod wait;

use crate::engine::server::Server;

/// Register the core's commands.
pub fn register_core_commands(server: &mut Server) {
    let families = [
        acl::COMMANDS,
        append::COMMANDS,
        client::COMMANDS,
        command::COMMANDS,
        config::COMMANDS,
        connection::COMMANDS,
        debug::COMMANDS,
        failover::COMMANDS,
        info::COMMANDS,
        latency::COMMANDS,
        lolwut::COMMANDS,
        memory::COMMANDS,
        module::COMMANDS,
        monitor::COMMANDS,
        persistence::COMMANDS,
        replicas::COMMANDS,
        replicaof::COMMANDS,
        server::COMMANDS,
        slowlog::COMMANDS,
        transaction::COMMANDS,
        wait::COMMANDS,
    ];
    for command in families.into_iter().flatten() {
        server.commands.insert(command.register(None));
    }
}
