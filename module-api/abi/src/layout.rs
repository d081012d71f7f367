//! The layouts of everything above, for modules written in Rust.
//!
//! A module built by another compiler or against another copy of this crate could
//! disagree on a struct without anybody noticing. So a Rust module carries a
//! description of the layouts it was compiled with, and the host compares it with
//! its own at load.

use crate::bytes::Bytes;
use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;

/// Version of `abi_stable` whose descriptions these are; both sides must agree on
/// it before either looks at the other's.
pub const DESCRIPTION_VERSION: &str = "abi_stable 0.11";

/// What [`crate::entry::Module::layout`] points at.
#[repr(C)]
pub struct Layout {
    /// [`DESCRIPTION_VERSION`].
    pub version: Bytes,
    /// Description of [`Everything`].
    pub layout: &'static TypeLayout,
}

impl Layout {
    /// The layouts as this crate was compiled.
    pub const NEW: Layout =
        Layout { version: Bytes::new(DESCRIPTION_VERSION), layout: <Everything as StableAbi>::LAYOUT };
}

/// Everything that crosses, in one struct.
#[repr(C)]
#[derive(StableAbi)]
pub struct Everything {
    /// What modules export.
    pub module: crate::entry::Module,
    /// The host.
    pub host: crate::host::Host,
    /// One run.
    pub call: crate::call::Call,
    /// Reply buffer.
    pub reply: crate::reply::Reply,
    /// Replies.
    pub reply_service: crate::reply::ReplyService,
    /// Values.
    pub value: crate::value::Value,
    /// Keys.
    pub keys: crate::keys::KeysService,
    /// Entries.
    pub entry: crate::keys::Entry,
    /// Saving and loading.
    pub codec: crate::codec::CodecService,
    /// Parameters.
    pub config: crate::config::ConfigService,
    /// INFO.
    pub info: crate::info::InfoService,
    /// Events.
    pub events: crate::events::EventsService,
    /// Timers.
    pub timers: crate::timers::TimersService,
    /// Clients.
    pub clients: crate::clients::ClientsService,
    /// What a client listens to.
    pub listening: crate::clients::Listening,
    /// Propagation.
    pub propagate: crate::propagate::PropagateService,
    /// Running commands.
    pub run: crate::run::RunService,
    /// Strings.
    pub string: crate::string::StringService,
    /// Channels.
    pub bus: crate::bus::BusService,
    /// Languages.
    pub language: crate::language::LanguageService,
    /// A library.
    pub library_source: crate::language::LibrarySource,
    /// A function of it.
    pub declared_function: crate::language::DeclaredFunction,
    /// A function that is called.
    pub function_run: crate::language::FunctionRun,
    /// Part of a reply.
    pub reply_node: crate::run::ReplyNode,
    /// Waiting for keys.
    pub block: crate::block::BlockService,
    /// How to wait.
    pub wait: crate::block::Wait,
    /// Commands that make a value anew.
    pub rewrite: crate::rewrite::RewriteService,
    /// What a value is.
    pub digest: crate::digest::DigestService,
    /// What RDB files have beside keys.
    pub rdb: crate::rdb::RdbService,
    /// What a module claims of it.
    pub rdb_claim: crate::rdb::RdbClaim,
    /// Descriptors.
    pub event_loop: crate::event_loop::LoopService,
    /// Sockets.
    pub socket: crate::socket::SocketService,
    /// What is done with one.
    pub peer: crate::socket::Peer,
    /// Other programs.
    pub process: crate::process::ProcessService,
    /// What the server is.
    pub mode: crate::mode::ModeService,
    /// The same in words.
    pub mode_of: crate::mode::Mode,
    /// Lines of the configuration file.
    pub directives: crate::directives::DirectivesService,
    /// Replication.
    pub replication: crate::replication::ReplicationService,
    /// What is so of it.
    pub replication_state: crate::replication::ReplicationState,
    /// Who reads the stream.
    pub replica: crate::replication::Replica,
    /// What belongs together of what is passed on.
    pub unit: crate::propagate::Unit,
}
