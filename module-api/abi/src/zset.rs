//! Service `plinth.zset/1`: sorted sets, for other modules; provided by whichever
//! module implements them.
//!
//! Members are handed out as bytes, in the order of their scores and then of their
//! bytes; the first has rank 0. Scores are never NaN.
//!
//! What is only read counts neither as a hit nor as a miss of the keyspace: who serves a
//! command with it looks at the key once through `plinth.keys/1`.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const ZSET_SERVICE: &str = "plinth.zset/1";

/// Called by [`ZsetService::visit`] for each member; 0 ends the visit.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct VisitScored {
    /// The function.
    pub run: unsafe extern "C" fn(data: Opaque, member: Bytes, score: f64) -> u32,
}

/// Flag of a range: the least score or member itself is left out.
pub const ZSET_RANGE_MIN_EXCLUDED: u32 = 1 << 0;
/// Flag of a range: the greatest score or member itself is left out.
pub const ZSET_RANGE_MAX_EXCLUDED: u32 = 1 << 1;
/// Flag of a range of members: it has no least member, and `min` is not looked at.
pub const ZSET_RANGE_MIN_OPEN: u32 = 1 << 2;
/// Flag of a range of members: it has no greatest member, and `max` is not looked at.
pub const ZSET_RANGE_MAX_OPEN: u32 = 1 << 3;

/// Flag of [`ZsetService::put`]: only add a member that is not there.
pub const ZSET_PUT_NX: u32 = 1 << 0;
/// Flag of [`ZsetService::put`]: only change a member that is there.
pub const ZSET_PUT_XX: u32 = 1 << 1;
/// Flag of [`ZsetService::put`]: change a member only to a greater score; one that
/// is not there is added.
pub const ZSET_PUT_GT: u32 = 1 << 2;
/// Flag of [`ZsetService::put`]: change a member only to a lesser score; one that
/// is not there is added.
pub const ZSET_PUT_LT: u32 = 1 << 3;

/// What [`ZsetService::put`] did: nothing, since a flag forbade it or the member
/// had that score.
pub const ZSET_PUT_KEPT: u32 = 0;
/// What [`ZsetService::put`] did: it added the member.
pub const ZSET_PUT_ADDED: u32 = 1;
/// What [`ZsetService::put`] did: it gave the member another score.
pub const ZSET_PUT_CHANGED: u32 = 2;

/// A range of scores. It holds nothing where `min` is above `max`. It never grows.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct ScoreRange {
    /// The least score; not NaN.
    pub min: f64,
    /// The greatest score; not NaN.
    pub max: f64,
    /// [`ZSET_RANGE_MIN_EXCLUDED`] and [`ZSET_RANGE_MAX_EXCLUDED`] bits.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

impl ScoreRange {
    /// A range with `ZSET_RANGE_*_EXCLUDED` flags.
    pub const fn new(min: f64, max: f64, flags: u32) -> ScoreRange {
        ScoreRange { min, max, flags, reserved: 0 }
    }
}

/// A range of members in the order of their bytes, in a sorted set whose scores are
/// all the same; where they are not, what it holds is unspecified. It never grows.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct MemberRange {
    /// The least member.
    pub min: Bytes,
    /// The greatest member.
    pub max: Bytes,
    /// `ZSET_RANGE_*` bits.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// A member with its score. It never grows.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Scored {
    /// The member.
    pub member: Bytes,
    /// Its score.
    pub score: f64,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ZsetService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// How many members a sorted set has.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// A member's score.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` for no such key or
    /// member, `WRONG_TYPE`.
    pub score: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes, score_out: *mut f64) -> Status,
    /// Visit the members from rank `start` up to `stop`, which is excluded: in
    /// their order, or if `reverse` is 1 from `stop` down. Ranks beyond the last
    /// are left out. `visit` must not touch keys.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: `NONE`,
    /// `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        start: usize,
        stop: usize,
        reverse: u32,
        visit: VisitScored,
        data: Opaque,
    ) -> Status,
    /// Add a member, or give it another score; makes the key if missing. The
    /// caller then says `modified`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `WRONG_TYPE`,
    /// `OUT_OF_MEMORY`, `NOT_FLOAT` for NaN.
    pub add: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes, score: f64) -> Status,
    /// Remove a member, and the key with its last. The caller then says
    /// `modified`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` for no such key or
    /// member, `WRONG_TYPE`.
    pub remove: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes) -> Status,
    /// Visit the members of `count` ranges of scores, range by range as they are
    /// given, with one look-up of the key: each range in its order, or if `reverse`
    /// is 1 from its end. The first `skip` members are passed over, in O(log n) for
    /// each range. `visit` must not touch keys.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: `NONE`,
    /// `WRONG_TYPE`, `NOT_FLOAT` for NaN.
    pub visit_scores: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        ranges: *const ScoreRange,
        count: usize,
        skip: usize,
        reverse: u32,
        visit: VisitScored,
        data: Opaque,
    ) -> Status,
    /// Visit the members of a range of members, in their order, or if `reverse` is 1
    /// from its end, but for the first `skip`. `visit` must not touch keys.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: `NONE`,
    /// `WRONG_TYPE`.
    pub visit_members: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        range: *const MemberRange,
        skip: usize,
        reverse: u32,
        visit: VisitScored,
        data: Opaque,
    ) -> Status,
    /// How many members have a score in a range. O(log n).
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NONE`, `WRONG_TYPE`,
    /// `NOT_FLOAT` for NaN.
    pub count_scores:
        unsafe extern "C" fn(call: *mut Call, key: Bytes, range: *const ScoreRange, count_out: *mut usize) -> Status,
    /// Add a member or give it another score, as far as `ZSET_PUT_*` flags allow;
    /// makes the key if missing and something is added. Writes what it did, one of
    /// `ZSET_PUT_KEPT`, `ZSET_PUT_ADDED` and `ZSET_PUT_CHANGED`. Unless it is
    /// `ZSET_PUT_KEPT` the caller then says `modified`, once for all members.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `WRONG_TYPE`,
    /// `OUT_OF_MEMORY`, `NOT_FLOAT` for NaN, `SYNTAX` for flags that exclude each
    /// other, `UNSUPPORTED` for others than these.
    pub put: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        member: Bytes,
        score: f64,
        flags: u32,
        outcome_out: *mut u32,
    ) -> Status,
    /// Replace a key, whatever it held, by a sorted set of these members; its expiry
    /// goes. Of a member that is given twice the last score counts. Announces the
    /// change under `event`. Without members the key is removed, which is announced
    /// as `del` if it was there.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `OUT_OF_MEMORY`, `NOT_FLOAT`
    /// for NaN, nothing changed.
    pub set:
        unsafe extern "C" fn(call: *mut Call, key: Bytes, members: *const Scored, count: usize, event: Bytes) -> Status,
}
