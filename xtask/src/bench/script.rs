//! The bench as a client of its own, for rows that `redis-benchmark` cannot write: numbers without
//! leading zeros, and two commands by turns.
//!
//! As `redis-benchmark` does, each connection has one pipeline on its way at a time; the next is sent
//! when its replies are there.

use std::net::SocketAddr;

use super::client::Connection;
use super::load::{self, Tally};
use super::workload::Script;

impl Script {
    /// Sends so many commands; the first error reply, if there was one.
    ///
    /// # Errors
    /// When a connection breaks.
    pub(crate) fn run(
        &self,
        address: SocketAddr,
        command: &[&str],
        pipeline: u64,
        commands: u64,
    ) -> Result<Option<String>, String> {
        let mut connections =
            (0..self.connections).map(|_| Connection::open(address)).collect::<Result<Vec<_>, _>>()?;
        for command in self.begin {
            connections[0].call(command)?;
        }
        let (mut tally, mut sent, mut bytes) = (Tally::default(), 0, Vec::new());
        while sent < commands {
            let mut asked = 0;
            for connection in &mut connections {
                bytes.clear();
                for number in sent..(sent + pipeline).min(commands) {
                    let template = self.then.filter(|_| number % 2 == 1).unwrap_or(command);
                    load::expand(template, number, &mut bytes);
                }
                connection.send(&bytes)?;
                asked += 1;
                sent = (sent + pipeline).min(commands);
                if sent == commands {
                    break;
                }
            }
            for (place, connection) in connections.iter_mut().take(asked).enumerate() {
                let is_last = sent == commands && place + 1 == asked;
                let rest = (commands - 1) % pipeline + 1;
                for _ in 0..if is_last { rest } else { pipeline } {
                    connection.receive(|reply| tally.count(reply))?;
                }
            }
        }
        Ok(tally.first_error)
    }
}
