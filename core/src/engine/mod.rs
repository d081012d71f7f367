//! The engine: the server put together, and what runs a command in it.
//!
//! - [`server`]: all state, in one value owned by one thread.
//! - [`dispatch`]: from a command that was looked up to its end.
//! - [`call`]: a call into a handler or a module; [`hooks`], [`timers`]: calls outside commands.
//! - [`gates`]: what a command has to pass; [`duties`]: what is done without one.
//! - [`effects`]: what follows from what has happened in the store; [`observers`]: who is told.
//! - [`eviction`]: which keys go when there is too little memory, and for how long; [`excess`]: whether there is.
//! - [`footprint`]: what memory goes into; [`weights`]: which clients are closed when all take too much.
//! - [`propagate`]: which commands bring about elsewhere what one has done here.
//! - [`restate`]: commands that make keys what they are; [`replay`]: commands of a file.
//! - [`handover`]: which of two modules runs a command while one takes over from the other.
//! - [`wait`]: running those again who wait; [`watches`]: what modules watch.
//! - [`acl`]: who a client is, and what it may do.
//! - [`transaction`]: queueing for EXEC; [`tracking`]: client-side caching.
//! - [`lookback`]: who looks at commands that have run.
//! - [`limits`]: what a client may make the server hold.
//! - [`parameters`]: reading and setting parameters; [`tls`]: what TLS is spoken with.
//! - [`slots`]: state of rooms above.

pub mod acl;
pub mod busy;
pub mod call;
pub mod defrag;
pub mod dispatch;
pub mod duties;
pub mod effects;
pub mod eviction;
pub mod excess;
pub mod footprint;
pub mod gates;
pub mod handover;
pub mod hooks;
pub mod limits;
pub mod listening;
pub mod lookback;
pub mod observers;
pub mod parameters;
pub mod propagate;
pub mod replay;
pub mod restate;
pub mod server;
pub mod slots;
pub mod stream;
pub mod timers;
pub mod tls;
pub mod tracking;
pub mod transaction;
pub mod wait;
pub mod watches;
pub mod weights;
