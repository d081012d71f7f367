//! Configuration: parameters that a module declares, and the service
//! `plinth.config/1`, which reads and sets any parameter of the server.
//!
//! A parameter `limit` of module `gauge` is `gauge.limit` in `redis.conf`, CONFIG
//! GET, CONFIG SET and MODULE LOADEX. The host parses and checks its text before
//! `apply` sees the value. A parameter may have a second name, its alias, which is as
//! good as the first everywhere; only CONFIG REWRITE prefers the first.

use crate::bytes::{Bytes, Opaque, Slice, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Kind of a parameter: any text.
pub const CONFIG_TEXT: u32 = 0;
/// Kind of a parameter: an integer between `min` and `max`.
pub const CONFIG_INTEGER: u32 = 1;
/// Kind of a parameter: `yes` or `no`, 1 or 0.
pub const CONFIG_BOOLEAN: u32 = 2;
/// Kind of a parameter: one of `choices`, as its position.
pub const CONFIG_CHOICE: u32 = 3;
/// Kind of a parameter: a number of bytes, such as `64mb`.
pub const CONFIG_MEMORY: u32 = 4;
/// Parameter flag: set at start only.
pub const CONFIG_IMMUTABLE: u32 = 1 << 0;
/// Parameter flag: not shown by CONFIG GET.
pub const CONFIG_SENSITIVE: u32 = 1 << 1;
/// Parameter flag: the name stands alone, without the module in front; refused when taken.
pub const CONFIG_BARE: u32 = 1 << 3;
/// Parameter flag: not matched by patterns of CONFIG GET.
pub const CONFIG_HIDDEN: u32 = 1 << 2;

/// What belongs to a parameter's function. In Rust only unsafe code makes one: the function believes it.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct ConfigData(Opaque);

impl ConfigData {
    /// Nothing.
    pub const NULL: ConfigData = ConfigData(std::ptr::null_mut());

    /// An address for a function.
    ///
    /// # Safety
    /// It is what the function that it stands beside takes it for.
    pub const unsafe fn new(data: Opaque) -> ConfigData {
        ConfigData(data)
    }

    /// The address.
    #[inline(always)]
    pub const fn get(self) -> Opaque {
        self.0
    }
}

/// A parameter that a module declares.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Config {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `CONFIG_*` kind.
    pub kind: u32,
    /// `CONFIG_*` flag bits.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Name without the module's.
    pub name: Bytes,
    /// Value when nothing sets it, as text.
    pub default: Bytes,
    /// Least integer.
    pub min: i64,
    /// Greatest integer.
    pub max: i64,
    /// Words of a choice.
    pub choices: Slice<Bytes>,
    /// Told the value at load, before `start`, and at each CONFIG SET: `number`
    /// for integers, booleans, choices and sizes, `text` for text. An error
    /// written to the call's reply is shown to whoever sets it.
    ///
    /// Thread: main. Borrow: `text` for the call. Fails: the value is refused.
    pub apply: Option<unsafe extern "C" fn(call: *mut Call, number: i64, text: Bytes, data: Opaque) -> Status>,
    /// The module's own, handed to `apply`.
    pub data: ConfigData,
    /// Second name, such as a former one, under the same rules as `name`; empty for none.
    pub alias: Bytes,
}

// SAFETY: a parameter is constant data; `data` is the module's and the host only
// hands it back.
unsafe impl Sync for Config {}

impl Config {
    /// An integer without limits, to be completed with `..Config::NEW`.
    pub const NEW: Config = Config {
        size: size_of::<Config>() as u32,
        kind: CONFIG_INTEGER,
        flags: 0,
        reserved: 0,
        name: Bytes::EMPTY,
        default: Bytes::EMPTY,
        min: i64::MIN,
        max: i64::MAX,
        choices: Slice::EMPTY,
        apply: None,
        data: ConfigData::NULL,
        alias: Bytes::EMPTY,
    };
}

/// Id of the service below.
pub const CONFIG_SERVICE: &str = "plinth.config/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ConfigService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A parameter's value as CONFIG GET shows it, handed to `take`.
    ///
    /// Thread: main. Borrow: `text` for `take`'s call. Fails: `NONE`.
    pub get: unsafe extern "C" fn(call: *mut Call, name: Bytes, take: Take, data: Opaque) -> Status,
    /// A number, boolean, size or choice's position without text, for hot paths.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`, `NOT_INTEGER`.
    pub get_number: unsafe extern "C" fn(call: *mut Call, name: Bytes, number_out: *mut i64) -> Status,
    /// Set a parameter as CONFIG SET does.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE`; `NOT_ALLOWED` for one that is fixed, and when
    /// parameters are set within one another four deep; `SYNTAX`.
    pub set: unsafe extern "C" fn(call: *mut Call, name: Bytes, value: Bytes) -> Status,
}
