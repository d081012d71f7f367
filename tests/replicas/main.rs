//! Groups of servers: a primary and its replicas, and what befalls them.
//!
//! - [`group`]: the servers, and who of them is the primary.
//! - [`load`]: clients that write, and note what is in two servers.
//! - [`faults`]: rounds of one fault each under that load; what holds after each of them.

mod faults;
mod group;
mod load;
