//! Options that SET, MSETEX and GETEX share: conditions, the old value, and the expiry.
//!
//! An option may come in any case and any order. Those that contradict each other are a syntax
//! error; one that is repeated counts as it was given last.

use plinth_module::pack::parse_integer;
use plinth_module::prelude::*;

/// NX and XX are options.
pub(super) const TAKES_CONDITION: u32 = 1 << 0;
/// IFEQ is an option.
pub(super) const TAKES_EQUAL: u32 = 1 << 1;
/// GET is an option.
pub(super) const TAKES_GET: u32 = 1 << 2;
/// KEEPTTL is an option.
pub(super) const TAKES_KEEP: u32 = 1 << 3;
/// PERSIST is an option.
pub(super) const TAKES_PERSIST: u32 = 1 << 4;

/// When a key is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// At any time.
    Always,
    /// NX: when it is not there.
    Absent,
    /// XX: when it is there.
    Present,
    /// IFEQ: when it is this string.
    Equal(&'a [u8]),
}

/// What becomes of a key's expiry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry<'a> {
    /// Nothing was said.
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// EX, PX, EXAT or PXAT.
    At(Deadline<'a>),
}

/// A point in time, as a client says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline<'a> {
    /// A number of units.
    pub amount: &'a [u8],
    /// Milliseconds in a unit.
    pub unit_ms: i64,
    /// Whether they count from now rather than from 1970.
    pub from_now: bool,
}

impl Deadline<'_> {
    /// Unix time in ms. Fails with `NotInteger`, and with `InvalidExpire` for what is not positive
    /// or does not fit.
    pub(super) fn at_ms(&self, now_ms: i64) -> Result<i64> {
        let amount = parse_integer(self.amount).ok_or(Error::NotInteger)?;
        let begin_ms = if self.from_now { now_ms } else { 0 };
        let sum = amount.checked_mul(self.unit_ms).and_then(|span_ms| span_ms.checked_add(begin_ms));
        sum.filter(|_| amount > 0).ok_or(Error::InvalidExpire)
    }
}

/// The options of a command.
pub(super) struct Options<'a> {
    pub condition: Condition<'a>,
    pub get: bool,
    pub expiry: Expiry<'a>,
}

impl<'a> Options<'a> {
    /// No option.
    pub(super) const NONE: Options<'a> = Options { condition: Condition::Always, get: false, expiry: Expiry::Unsaid };

    /// Reads the arguments from `first` on, of which `takes` says what they may be. Fails with
    /// `Syntax`.
    pub(super) fn read(args: &Args<'a>, first: usize, takes: u32) -> Result<Options<'a>> {
        let mut options = Options::NONE;
        let mut at = first;
        while let Some(word) = args.get(at) {
            at += match args.get(at + 1) {
                Some(next) if options.take_pair(word, next, takes) => 2,
                _ if options.take_word(word, takes) => 1,
                _ => return Err(Error::Syntax),
            };
        }
        Ok(options)
    }

    /// Takes an option without a value; whether it is one that fits here.
    fn take_word(&mut self, word: &[u8], takes: u32) -> bool {
        let is = |name: &str, taken: u32| takes & taken != 0 && word.eq_ignore_ascii_case(name.as_bytes());
        if is("NX", TAKES_CONDITION) {
            self.take_condition(Condition::Absent)
        } else if is("XX", TAKES_CONDITION) {
            self.take_condition(Condition::Present)
        } else if is("GET", TAKES_GET) {
            self.get = true;
            true
        } else if is("KEEPTTL", TAKES_KEEP) {
            self.take_expiry(Expiry::Keep)
        } else if is("PERSIST", TAKES_PERSIST) {
            self.take_expiry(Expiry::Persist)
        } else {
            false
        }
    }

    /// Takes an option with its value; whether it is one that fits here.
    fn take_pair(&mut self, word: &[u8], next: &'a [u8], takes: u32) -> bool {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let (unit_ms, from_now) = if is("EX") {
            (1000, true)
        } else if is("PX") {
            (1, true)
        } else if is("EXAT") {
            (1000, false)
        } else if is("PXAT") {
            (1, false)
        } else {
            return takes & TAKES_EQUAL != 0 && is("IFEQ") && self.take_condition(Condition::Equal(next));
        };
        self.take_expiry(Expiry::At(Deadline { amount: next, unit_ms, from_now }))
    }

    fn take_condition(&mut self, condition: Condition<'a>) -> bool {
        let fits = self.condition == Condition::Always
            || self.condition == condition && !matches!(condition, Condition::Equal(_));
        self.condition = condition;
        fits
    }

    fn take_expiry(&mut self, expiry: Expiry<'a>) -> bool {
        let fits = match (self.expiry, expiry) {
            (Expiry::Unsaid, _) => true,
            (Expiry::At(before), Expiry::At(now)) => (before.unit_ms, before.from_now) == (now.unit_ms, now.from_now),
            (before, now) => before == now,
        };
        self.expiry = expiry;
        fits
    }
}

/// The docs of the options for a point in time, without a version.
pub(super) const SECONDS: Arg = Arg::new(ARG_INTEGER, "seconds").token("EX");
pub(super) const MILLISECONDS: Arg = Arg::new(ARG_INTEGER, "milliseconds").token("PX");
pub(super) const UNIX_SECONDS: Arg = Arg::new(ARG_UNIX_TIME, "unix-time-seconds").token("EXAT");
pub(super) const UNIX_MILLISECONDS: Arg = Arg::new(ARG_UNIX_TIME, "unix-time-milliseconds").token("PXAT");
