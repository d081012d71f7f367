//! The command: one function with its spec, which feeds COMMAND, COMMAND DOCS,
//! ACL categories, key extraction and the gates before a run.
//!
//! Fields mean what <https://redis.io/docs/latest/commands/command/> says.

use crate::bytes::{Bytes, Opaque, Slice};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// May modify data.
pub const COMMAND_WRITE: u64 = 1 << 0;
/// Reads data only.
pub const COMMAND_READONLY: u64 = 1 << 1;
/// Refused when `maxmemory` is reached.
pub const COMMAND_DENY_OOM: u64 = 1 << 2;
/// For administrators.
pub const COMMAND_ADMIN: u64 = 1 << 3;
/// About publish and subscribe.
pub const COMMAND_PUBSUB: u64 = 1 << 4;
/// Not from scripts.
pub const COMMAND_NO_SCRIPT: u64 = 1 << 5;
/// May wait for data.
pub const COMMAND_BLOCKING: u64 = 1 << 6;
/// Runs while the server loads its data.
pub const COMMAND_LOADING: u64 = 1 << 7;
/// Runs on a replica whose data may be old.
pub const COMMAND_STALE: u64 = 1 << 8;
/// Not shown to MONITOR.
pub const COMMAND_SKIP_MONITOR: u64 = 1 << 9;
/// Not kept in the slow log.
pub const COMMAND_SKIP_SLOWLOG: u64 = 1 << 10;
/// A cluster node in migration runs it as if ASKING had come before.
pub const COMMAND_ASKING: u64 = 1 << 11;
/// Constant or logarithmic time.
pub const COMMAND_FAST: u64 = 1 << 12;
/// Runs before authentication.
pub const COMMAND_NO_AUTH: u64 = 1 << 13;
/// Sent to replicas though it writes nothing.
pub const COMMAND_MAY_REPLICATE: u64 = 1 << 14;
/// Not inside MULTI.
pub const COMMAND_NO_MULTI: u64 = 1 << 15;
/// Its keys are found only by the specs or by `find_keys`, not by a fixed range.
pub const COMMAND_MOVABLE_KEYS: u64 = 1 << 16;
/// Runs in a script only when the script says `allow-busy`.
pub const COMMAND_ALLOW_BUSY: u64 = 1 << 17;
/// Its arguments hold secrets: masked in logs.
pub const COMMAND_SENSITIVE: u64 = 1 << 18;
/// Not for clients, who are told that there is no such command: modules run it with
/// `plinth.run/1`, and DEBUG runs `debug.name` for its subcommand `name`.
pub const COMMAND_INTERNAL: u64 = 1 << 19;
/// Runs at once inside MULTI instead of being queued.
pub const COMMAND_NOT_QUEUED: u64 = 1 << 20;
/// May touch keys that its specs do not name (KEYS, SCAN, FLUSHALL).
pub const COMMAND_TOUCHES_ARBITRARY_KEYS: u64 = 1 << 21;
/// Answers by several replies, by pushes, or not at all: the host does not mind that it has not
/// written one reply, and CLIENT REPLY does not silence what it writes.
pub const COMMAND_MANY_REPLIES: u64 = 1 << 22;
/// Runs also for a client that listens (`listen` of `plinth.clients/1`) and speaks RESP2, which cannot tell
/// a reply from what it listens to.
pub const COMMAND_WHILE_LISTENING: u64 = 1 << 23;
/// Its keys are those of commands that it runs, and it may be told none: COMMAND GETKEYS answers an empty list
/// then, and clients that cache are told of what the commands have read, not of what was declared.
pub const COMMAND_NO_MANDATORY_KEYS: u64 = 1 << 24;
/// Does not run while a replica loads a snapshot beside the data that it goes on serving, whatever else does.
pub const COMMAND_NO_ASYNC_LOADING: u64 = 1 << 25;

/// ACL category `@keyspace`.
pub const CATEGORY_KEYSPACE: u64 = 1 << 0;
/// ACL category `@read`; the host adds it from [`COMMAND_READONLY`].
pub const CATEGORY_READ: u64 = 1 << 1;
/// ACL category `@write`; the host adds it from [`COMMAND_WRITE`].
pub const CATEGORY_WRITE: u64 = 1 << 2;
/// ACL category `@pubsub`; the host adds it from [`COMMAND_PUBSUB`].
pub const CATEGORY_PUBSUB: u64 = 1 << 3;
/// ACL category `@admin`; the host adds it from [`COMMAND_ADMIN`].
pub const CATEGORY_ADMIN: u64 = 1 << 4;
/// ACL category `@fast`; the host adds it from [`COMMAND_FAST`].
pub const CATEGORY_FAST: u64 = 1 << 5;
/// ACL category `@slow`; the host adds it to all that are not fast.
pub const CATEGORY_SLOW: u64 = 1 << 6;
/// ACL category `@blocking`; the host adds it from [`COMMAND_BLOCKING`].
pub const CATEGORY_BLOCKING: u64 = 1 << 7;
/// ACL category `@dangerous`; the host adds it from [`COMMAND_ADMIN`].
pub const CATEGORY_DANGEROUS: u64 = 1 << 8;
/// ACL category `@connection`.
pub const CATEGORY_CONNECTION: u64 = 1 << 9;
/// ACL category `@transaction`.
pub const CATEGORY_TRANSACTION: u64 = 1 << 10;
/// ACL category `@scripting`.
pub const CATEGORY_SCRIPTING: u64 = 1 << 11;

/// Key flag: the whole value is read and written.
pub const KEY_RW: u64 = 1 << 0;
/// Key flag: the value is read, nothing is written.
pub const KEY_RO: u64 = 1 << 1;
/// Key flag: the value is overwritten without being read.
pub const KEY_OW: u64 = 1 << 2;
/// Key flag: the key is removed.
pub const KEY_RM: u64 = 1 << 3;
/// Key flag: its content reaches the reply.
pub const KEY_ACCESS: u64 = 1 << 4;
/// Key flag: its content is changed by what it was or by an argument.
pub const KEY_UPDATE: u64 = 1 << 5;
/// Key flag: content is added.
pub const KEY_INSERT: u64 = 1 << 6;
/// Key flag: content is taken away.
pub const KEY_DELETE: u64 = 1 << 7;
/// Key flag: not a key, but routed by like one.
pub const KEY_NOT_KEY: u64 = 1 << 8;
/// Key flag: the spec may miss keys.
pub const KEY_INCOMPLETE: u64 = 1 << 9;
/// Key flag: whether the key is read or written depends on other arguments.
pub const KEY_VARIABLE_FLAGS: u64 = 1 << 10;

/// Where keys begin: at a fixed argument.
pub const KEY_BEGIN_INDEX: u32 = 1;
/// Where keys begin: after a keyword.
pub const KEY_BEGIN_KEYWORD: u32 = 2;
/// Which arguments are keys: from the first to `last` in steps.
pub const KEY_FIND_RANGE: u32 = 1;
/// Which arguments are keys: as many as an argument says.
pub const KEY_FIND_KEYNUM: u32 = 2;

/// One way in which arguments are keys.
/// <https://redis.io/docs/latest/develop/reference/key-specs/>
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct KeySpec {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `KEY_BEGIN_*`.
    pub begin: u32,
    /// `KEY_*` flag bits.
    pub flags: u64,
    /// Position of the first key, or for a keyword where its search starts
    /// (negative: from the end, backwards).
    pub index: i32,
    /// `KEY_FIND_*`.
    pub find: u32,
    /// Keyword after which keys begin, for [`KEY_BEGIN_KEYWORD`].
    pub keyword: Bytes,
    /// Range: last key relative to the first, negative counts from the end (-1 is
    /// the last argument). Keynum: offset of the argument that holds the number.
    pub last: i32,
    /// Distance between keys.
    pub step: i32,
    /// Range: with `last` -1, 2 means the first half of what is left. Keynum:
    /// offset of the first key.
    pub limit: i32,
    /// Must be 0.
    pub reserved: u32,
    /// A remark, or empty.
    pub notes: Bytes,
}

impl KeySpec {
    /// Keys at arguments `first`, `first + step`, ... up to `last` (relative to
    /// `first`, -1: to the end).
    pub const fn range(flags: u64, first: i32, last: i32, step: i32) -> KeySpec {
        KeySpec {
            size: size_of::<KeySpec>() as u32,
            begin: KEY_BEGIN_INDEX,
            flags,
            index: first,
            find: KEY_FIND_RANGE,
            keyword: Bytes::EMPTY,
            last,
            step,
            limit: 0,
            reserved: 0,
            notes: Bytes::EMPTY,
        }
    }

    /// One key at argument `index`.
    pub const fn at(flags: u64, index: i32) -> KeySpec {
        KeySpec::range(flags, index, 0, 1)
    }
}

/// Kind of an argument in docs: text.
pub const ARG_STRING: u32 = 0;
/// Kind of an argument in docs: integer.
pub const ARG_INTEGER: u32 = 1;
/// Kind of an argument in docs: floating point number.
pub const ARG_DOUBLE: u32 = 2;
/// Kind of an argument in docs: a key.
pub const ARG_KEY: u32 = 3;
/// Kind of an argument in docs: a glob pattern.
pub const ARG_PATTERN: u32 = 4;
/// Kind of an argument in docs: Unix time.
pub const ARG_UNIX_TIME: u32 = 5;
/// Kind of an argument in docs: a bare word, its `token`.
pub const ARG_PURE_TOKEN: u32 = 6;
/// Kind of an argument in docs: one of its `args`.
pub const ARG_ONE_OF: u32 = 7;
/// Kind of an argument in docs: all of its `args` in order.
pub const ARG_BLOCK: u32 = 8;
/// Argument flag: may be left out.
pub const ARG_OPTIONAL: u32 = 1 << 0;
/// Argument flag: may be repeated.
pub const ARG_MULTIPLE: u32 = 1 << 1;
/// Argument flag: its token is repeated with it.
pub const ARG_MULTIPLE_TOKEN: u32 = 1 << 2;

/// One argument as COMMAND DOCS shows it.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Arg {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `ARG_*` kind.
    pub kind: u32,
    /// `ARG_*` flag bits.
    pub flags: u32,
    /// Which key spec it belongs to, or -1.
    pub key_spec: i32,
    /// Name.
    pub name: Bytes,
    /// Word that goes before it, or empty.
    pub token: Bytes,
    /// Version since which it exists, when later than its command; or empty.
    pub since: Bytes,
    /// Members of a one-of or a block.
    pub args: Slice<Arg>,
}

impl Arg {
    /// An argument of a kind, with nothing special about it.
    pub const fn new(kind: u32, name: &'static str) -> Arg {
        Arg {
            size: size_of::<Arg>() as u32,
            kind,
            flags: 0,
            key_spec: -1,
            name: Bytes::new(name),
            token: Bytes::EMPTY,
            since: Bytes::EMPTY,
            args: Slice::EMPTY,
        }
    }

    /// The key of a key spec.
    pub const fn key(name: &'static str, key_spec: i32) -> Arg {
        let mut arg = Arg::new(ARG_KEY, name);
        arg.key_spec = key_spec;
        arg
    }

    /// A bare word.
    pub const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg::new(ARG_PURE_TOKEN, name).token(token)
    }

    /// A choice or a block of arguments.
    pub const fn group(kind: u32, name: &'static str, args: &'static [Arg]) -> Arg {
        let mut arg = Arg::new(kind, name);
        arg.args = Slice::new(args);
        arg
    }

    /// The same, led by a word.
    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = Bytes::new(token);
        self
    }

    /// The same, with `ARG_*` flags.
    pub const fn flags(mut self, flags: u32) -> Arg {
        self.flags = flags;
        self
    }

    /// The same, since a version.
    pub const fn since(mut self, version: &'static str) -> Arg {
        self.since = Bytes::new(version);
        self
    }
}

/// One change of a command in its past.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Change {
    /// Version.
    pub version: Bytes,
    /// What changed, a sentence.
    pub what: Bytes,
}

/// What COMMAND DOCS says of a command.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Docs {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// One sentence.
    pub summary: Bytes,
    /// Version of Redis (or of the module) since which it exists.
    pub since: Bytes,
    /// Group in the docs, such as `string`.
    pub group: Bytes,
    /// Time complexity in O notation.
    pub complexity: Bytes,
    /// Version since which it is deprecated, or empty.
    pub deprecated_since: Bytes,
    /// What replaces it, or empty.
    pub replaced_by: Bytes,
    /// Changes in its past.
    pub history: Slice<Change>,
    /// Arguments.
    pub args: Slice<Arg>,
}

impl Docs {
    /// Docs that say nothing, to be completed with `..Docs::NEW`.
    pub const NEW: Docs = Docs {
        size: size_of::<Docs>() as u32,
        reserved: 0,
        summary: Bytes::EMPTY,
        since: Bytes::EMPTY,
        group: Bytes::EMPTY,
        complexity: Bytes::EMPTY,
        deprecated_since: Bytes::EMPTY,
        replaced_by: Bytes::EMPTY,
        history: Slice::EMPTY,
        args: Slice::EMPTY,
    };
}

/// What belongs to a command's function. In Rust only unsafe code makes one: the function believes it.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct HandlerData(Opaque);

impl HandlerData {
    /// Nothing.
    pub const NULL: HandlerData = HandlerData(std::ptr::null_mut());

    /// An address for a function.
    ///
    /// # Safety
    /// It is what the function that it stands beside takes it for.
    pub const unsafe fn new(data: Opaque) -> HandlerData {
        HandlerData(data)
    }

    /// The address.
    #[inline(always)]
    pub const fn get(self) -> Opaque {
        self.0
    }
}

/// What runs a command.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Handler {
    /// The function; null for a command that only has subcommands. For a status
    /// other than OK and REPLIED the host sends the standard error.
    ///
    /// Thread: main. Borrow: the call until it returns. Fails: any status.
    pub invoke: Option<unsafe extern "C" fn(call: *mut Call) -> Status>,
    /// The module's own: the Rust SDK keeps the safe function here.
    pub data: HandlerData,
}

/// What [`Command::look_ahead`] gets: a command that is going to run, and the value of its
/// first key.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Ahead {
    /// Size of this struct in bytes.
    pub size: u32,
    /// 0, 1 and so on.
    pub stage: u32,
    /// The value's type: the number that the host wrote to `id_out`. It may be another
    /// module's.
    pub type_id: u32,
    /// Number of arguments with the name. The command's arity has not been checked.
    pub argc: u32,
    /// Arguments.
    pub args: *const Bytes,
    /// The value, a boxed one. It must not be changed.
    pub boxed: Opaque,
    /// The function's own from one stage to the next, such as a hash; 0 at first.
    pub memo: u64,
}

/// A key that [`Command::find_keys`] found.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct FoundKey {
    /// `KEY_*` bits, which say what these arguments do with it; 0 for what its spec says.
    pub flags: u64,
    /// Position of the argument; the command's name is 0.
    pub position: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// Channel flag: messages are sent to it.
pub const CHANNEL_PUBLISH: u32 = 1 << 0;
/// Channel flag: it is listened to.
pub const CHANNEL_SUBSCRIBE: u32 = 1 << 1;
/// Channel flag: it is listened to no more.
pub const CHANNEL_UNSUBSCRIBE: u32 = 1 << 2;
/// Channel flag: it is a pattern of channels.
pub const CHANNEL_PATTERN: u32 = 1 << 3;

/// Which arguments of a command are channels. A user's rules are asked about those that are published or
/// subscribed to.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Channels {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `CHANNEL_*` bits, 0 for a command without channels.
    pub flags: u32,
    /// Position of the first.
    pub first: u32,
    /// How many there are; negative: all arguments from the first.
    pub count: i32,
}

impl Channels {
    /// None.
    pub const NONE: Channels = Channels { size: size_of::<Channels>() as u32, flags: 0, first: 0, count: 0 };

    /// The argument at a position.
    pub const fn at(flags: u32, first: u32) -> Channels {
        Channels { flags, first, count: 1, ..Channels::NONE }
    }

    /// All arguments from a position on.
    pub const fn from(flags: u32, first: u32) -> Channels {
        Channels { flags, first, count: -1, ..Channels::NONE }
    }
}

/// A command.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Command {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Number of arguments with the name; negative: at least that many. A
    /// subcommand counts the container's name too.
    pub arity: i32,
    /// Name in lower case; of a subcommand, without the container's name.
    pub name: Bytes,
    /// `COMMAND_*` bits.
    pub flags: u64,
    /// `CATEGORY_*` bits.
    pub categories: u64,
    /// What runs it.
    pub run: Handler,
    /// Which arguments are keys.
    pub keys: Slice<KeySpec>,
    /// Tips for clients and proxies.
    /// <https://redis.io/docs/latest/develop/reference/command-tips/>
    pub tips: Slice<Bytes>,
    /// Subcommands; they nest once.
    pub subcommands: Slice<Command>,
    /// Docs, or null.
    pub docs: *const Docs,
    /// For commands whose keys no spec describes, or whose options say what becomes of them
    /// ([`KEY_VARIABLE_FLAGS`]): writes the keys to `keys_out` (room for `argc`), returns how many.
    /// Null without.
    ///
    /// Thread: main. Borrow: the arguments for the call. Fails: 0.
    pub find_keys: Option<unsafe extern "C" fn(args: *const Bytes, argc: u32, keys_out: *mut FoundKey) -> u32>,
    /// Starts loading the memory that a run will look at behind its first key, so that
    /// the waiting times of commands that arrived together overlap. The host calls it
    /// before it runs them, for commands whose first key is at a fixed argument and has a
    /// boxed value: stage 0 for all of them, then stage 1 for those that returned 1, and
    /// so on, four stages at most. It is a hint: it must change nothing but `memo`, it may
    /// not be called, and commands that run first may change the value. Null without.
    ///
    /// Thread: main. Borrow: the call. Fails: 0.
    pub look_ahead: Option<unsafe extern "C" fn(ahead: *mut Ahead) -> u32>,
    /// ACL categories by name, beside `categories`: those of data types, or a module's own.
    /// 1 to 24 lower-case letters, digits, `-` and `_`, without the `@`. A name that nobody
    /// has used before is a new category; there can be 48 of them.
    pub category_names: Slice<Bytes>,
    /// Which arguments are channels.
    pub channels: Channels,
    /// For commands that do what their arguments say, as scripts do: the bits that hold with these in the place of
    /// `flags`. `WRITE` and `MAY_REPLICATE` are looked at, by CLIENT PAUSE, and of what is queued for EXEC. Null without.
    ///
    /// Thread: main. Borrow: the arguments for the call. Fails: 0.
    pub find_flags: Option<unsafe extern "C" fn(args: *const Bytes, argc: u32) -> u64>,
}

// SAFETY: a command is constant data.
unsafe impl Sync for Command {}
// SAFETY: as above.
unsafe impl Send for Command {}
// SAFETY: as above.
unsafe impl Sync for Handler {}

impl Command {
    /// A command without anything, to be completed with `..Command::NEW`.
    pub const NEW: Command = Command {
        size: size_of::<Command>() as u32,
        arity: -1,
        name: Bytes::EMPTY,
        flags: 0,
        categories: 0,
        run: Handler { invoke: None, data: HandlerData::NULL },
        keys: Slice::EMPTY,
        tips: Slice::EMPTY,
        subcommands: Slice::EMPTY,
        docs: std::ptr::null(),
        find_keys: None,
        look_ahead: None,
        category_names: Slice::EMPTY,
        channels: Channels::NONE,
        find_flags: None,
    };
}
