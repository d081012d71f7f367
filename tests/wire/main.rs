//! The server as clients and operators see it: bytes, files, signals.
//!
//! What is asserted is what Redis 7 documents and does; with `PLINTH_SERVER=redis-server` most of
//! these tests pass against it too, which is how they were checked. Tests whose names begin with
//! `plinth_` are about what Redis does not have.

mod append;
mod blocking;
mod busy;
mod clients;
mod clock;
mod configuration;
mod crash;
mod defrag;
mod eviction;
mod keyspace;
mod limits;
mod memory;
mod process;
mod propagation;
mod protocol;
mod replica;
mod replication;
mod scan;
mod tls;
mod tracking;
mod transactions;
mod users;
mod values;
mod watching;
