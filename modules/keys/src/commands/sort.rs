//! SORT and SORT_RO: the elements of a list, a set or a sorted set in order.
//!
//! The order is by the elements or, with BY, by other values that belong to them; GET shows other
//! values in place of the elements. A BY pattern without a `*` asks for no order at all: then a list
//! and a sorted set come as they are, in reverse with DESC, and no more of them is read than LIMIT
//! asks for. A set has no order, and what is stored or passed on must not depend on chance: stored
//! without an order it is sorted by its bytes.

use super::{GENERIC, KEY_ARG};
use crate::sort::items::{Items, Order};
use crate::sort::number::weight;
use crate::sort::pattern::Pattern;
use crate::sort::values::{self, Source};
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::acl::ACL_READ_ANY;
use plinth_module::prelude::*;
use std::ops::Range;

pub(super) const COMMANDS: &[Command] = &[SORT, SORT_RO];

const CATEGORIES: Slice<Bytes> = list(&[text("set"), text("sortedset"), text("list")]);
const COMPLEXITY: &str = "O(N+M*log(M)) for N elements of which M are shown; O(N) when they are not sorted.";
const NOT_NUMBERS: &str = "ERR One or more scores can't be converted into double";

const SOURCE: KeySpec = KeySpec::at(KEY_RO | KEY_ACCESS, 1);
/// Keys that are named by what is sorted.
const NAMED_BY_ELEMENTS: KeySpec = KeySpec {
    begin: 0,
    find: 0,
    notes: text("The keys of BY and GET are named by the elements that are sorted."),
    ..KeySpec::at(KEY_RO | KEY_ACCESS, 0)
};
const TARGET: KeySpec = KeySpec {
    begin: 0,
    find: 0,
    notes: text("STORE may stand anywhere among the options."),
    ..KeySpec::at(KEY_OW | KEY_UPDATE, 0)
};

const BY: Arg = Arg { key_spec: 1, ..Arg::new(ARG_PATTERN, "by-pattern").token("BY").flags(ARG_OPTIONAL) };
const LIMIT: Arg = Arg::group(ARG_BLOCK, "limit", &[Arg::new(ARG_INTEGER, "offset"), Arg::new(ARG_INTEGER, "count")])
    .token("LIMIT")
    .flags(ARG_OPTIONAL);
const GET: Arg = Arg {
    key_spec: 1,
    ..Arg::new(ARG_PATTERN, "get-pattern").token("GET").flags(ARG_OPTIONAL | ARG_MULTIPLE | ARG_MULTIPLE_TOKEN)
};
const ORDER: Arg =
    Arg::group(ARG_ONE_OF, "order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).flags(ARG_OPTIONAL);
const ALPHA: Arg = Arg::word("sorting", "ALPHA").flags(ARG_OPTIONAL);

const SORT: Command = Command {
    name: text("sort"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_MOVABLE_KEYS,
    categories: CATEGORY_DANGEROUS,
    category_names: CATEGORIES,
    keys: list(&[SOURCE, NAMED_BY_ELEMENTS, TARGET]),
    docs: &Docs {
        summary: text("Shows the elements of a list, a set or a sorted set in order, or stores them as a list."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: text(COMPLEXITY),
        args: list(&[
            KEY_ARG,
            BY,
            LIMIT,
            GET,
            ORDER,
            ALPHA,
            Arg::key("destination", 2).token("STORE").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    },
    find_keys: find_keys(|args, found| {
        found.push(1);
        if let Some(at) = target(args.len(), |at| args.bytes(at)) {
            found.push_with(at, KEY_OW | KEY_UPDATE);
        }
    }),
    run: run(|call| sort(call, true)),
    ..Command::NEW
};

const SORT_RO: Command = Command {
    name: text("sort_ro"),
    flags: COMMAND_READONLY | COMMAND_MOVABLE_KEYS,
    categories: CATEGORY_DANGEROUS,
    category_names: CATEGORIES,
    keys: list(&[SOURCE, NAMED_BY_ELEMENTS]),
    docs: &Docs {
        summary: text("Shows the elements of a list, a set or a sorted set in order."),
        since: text("7.0.0"),
        group: GENERIC,
        complexity: text(COMPLEXITY),
        args: list(&[KEY_ARG, BY, LIMIT, GET, ORDER, ALPHA]),
        ..Docs::NEW
    },
    find_keys: find_keys(|_, found| found.push(1)),
    run: run(|call| sort(call, false)),
    ..SORT
};

/// Where the key behind the last STORE stands. Words that belong to other options are none.
fn target<'a>(count: usize, arg: impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let (mut found, mut at) = (None, 2);
    while at < count {
        let word = arg(at);
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        if is("limit") {
            at += 2;
        } else if is("by") || is("get") {
            at += 1;
        } else if is("store") && at + 1 < count {
            at += 1;
            found = Some(at);
        }
        at += 1;
    }
    found
}

/// The words behind the key.
struct Options<'a> {
    by: Option<Pattern<'a>>,
    get: Vec<Pattern<'a>>,
    /// Offset and count as they were given.
    limit: (i64, i64),
    is_descending: bool,
    is_alpha: bool,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn read(args: &Args<'a>, stores: bool) -> Result<Options<'a>> {
        let mut options =
            Options { by: None, get: Vec::new(), limit: (0, -1), is_descending: false, is_alpha: false, store: None };
        let mut at = 2;
        while at < args.len() {
            if args.word(at, "asc") {
                options.is_descending = false;
            } else if args.word(at, "desc") {
                options.is_descending = true;
            } else if args.word(at, "alpha") {
                options.is_alpha = true;
            } else if args.word(at, "limit") && at + 2 < args.len() {
                options.limit = (args.integer(at + 1)?, args.integer(at + 2)?);
                at += 2;
            } else if at + 1 < args.len() && args.word(at, "by") {
                at += 1;
                options.by = Some(Pattern::new(args.bytes(at)));
            } else if at + 1 < args.len() && args.word(at, "get") {
                at += 1;
                options.get.push(Pattern::new(args.bytes(at)));
            } else if stores && at + 1 < args.len() && args.word(at, "store") {
                at += 1;
                options.store = Some(args.bytes(at));
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }

    /// The keys of BY and GET are not known before they are read, so who may not read all keys may read none that way.
    fn check_allowed(&self, call: &mut Call<'_>) -> Result {
        let is_by = matches!(self.by, Some(Pattern::Key { .. }));
        if !is_by && self.get.is_empty() {
            return Ok(());
        }
        let args: Vec<Bytes> = call.args.iter().map(Bytes::of).collect();
        if call.acl.check_command(b"", &args, ACL_READ_ANY)?.is_none() {
            return Ok(());
        }
        let option = if is_by { "BY" } else { "GET" };
        let text = format!("ERR {option} option of SORT denied due to insufficient ACL permissions.");
        Err(call.reply.error(text))
    }

    /// What is to be done to the elements of a collection. What has no order gets one where somebody builds on it: in
    /// a key, and in a script.
    fn order(&self, source: Source, is_scripted: bool) -> Order {
        let is_built_on = is_scripted || self.store.is_some();
        match self.by {
            // `#` has no star either.
            Some(Pattern::Nothing | Pattern::Element) if source.is_ordered() || !is_built_on => Order::Unsorted,
            Some(Pattern::Nothing | Pattern::Element) => Order::Elements,
            Some(Pattern::Key { .. }) if self.is_alpha => Order::Texts,
            None if self.is_alpha => Order::Elements,
            _ => Order::Numbers,
        }
    }

    /// The places that LIMIT leaves of `len`.
    fn range(&self, len: usize) -> Range<usize> {
        let (offset, count) = self.limit;
        let start = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(len);
        match usize::try_from(count) {
            Err(_) => start..len,
            Ok(count) => start..start.saturating_add(count).min(len),
        }
    }
}

fn sort(call: &mut Call<'_>, stores: bool) -> Result {
    let options = Options::read(&call.args, stores)?;
    options.check_allowed(call)?;
    let key = call.args.bytes(1);
    let (mut items, mut range) = (Items::default(), 0..0);
    if let Some((source, len)) = Source::find(call, key)? {
        values::prepare(call);
        range = options.range(len);
        let scripted = CALL_NESTED | CALL_NO_BLOCK;
        let order = options.order(source, call.flags() & scripted == scripted);
        if order == Order::Unsorted && source.is_ordered() {
            items = source.collect(call, key, len, range.clone(), options.is_descending)?;
            range = 0..items.len();
        } else {
            items = source.collect(call, key, len, 0..len, false)?;
            weigh(call, &mut items, &options, order)?;
            items.sort(order, options.is_descending, &range);
        }
    }
    match options.store {
        Some(target) => store(call, target, &items, range, &options.get),
        None => show(call, &items, range, &options.get),
    }
}

/// Gives each item what it is sorted by.
fn weigh(call: &mut Call<'_>, items: &mut Items, options: &Options<'_>, order: Order) -> Result {
    if !matches!(order, Order::Numbers | Order::Texts) {
        return Ok(());
    }
    let by = options.by.unwrap_or(Pattern::Element);
    let mut name = Vec::new();
    let mut text = Vec::new();
    for at in 0..items.len() {
        text.clear();
        let found = values::look_up(&mut call.keys, &by, items.element(at), &mut name, |value| {
            value.map(|value| text.extend_from_slice(value)).is_some()
        })?;
        match order {
            _ if !found => {}
            Order::Texts => items.set_text(at, &text),
            _ => match weight(&text) {
                Some(number) => items.set_number(at, number),
                None => return Err(call.reply.error(NOT_NUMBERS)),
            },
        }
    }
    Ok(())
}

fn show(call: &mut Call<'_>, items: &Items, range: Range<usize>, get: &[Pattern<'_>]) -> Result {
    let just_elements = [Pattern::Element];
    let get = if get.is_empty() { &just_elements } else { get };
    call.reply.array(range.len() * get.len());
    let mut name = Vec::new();
    for at in range {
        for pattern in get {
            values::look_up(&mut call.keys, pattern, items.element(at), &mut name, |value| match value {
                Some(value) => call.reply.bulk(value),
                None => call.reply.null(),
            })?;
        }
    }
    Ok(())
}

/// Stores what [`show`] would show, with nothing as empty.
fn store(call: &mut Call<'_>, target: &[u8], items: &Items, range: Range<usize>, get: &[Pattern<'_>]) -> Result {
    if range.is_empty() {
        if call.keys.remove(target, 0)? {
            call.keys.modified(target, EVENT_GENERIC, "del");
        }
        call.reply.integer(0);
        return Ok(());
    }
    let (mut bytes, mut ends, mut name) = (Vec::new(), Vec::new(), Vec::new());
    for at in range.clone() {
        for pattern in get {
            values::look_up(&mut call.keys, pattern, items.element(at), &mut name, |value| {
                bytes.extend_from_slice(value.unwrap_or_default());
                ends.push(bytes.len());
            })?;
        }
    }
    let mut start = 0;
    let elements: Vec<&[u8]> = if get.is_empty() {
        range.map(|at| items.element(at)).collect()
    } else {
        ends.iter().map(|&end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
    };
    match values::store(call, target, &elements) {
        Err(Error::Unsupported) => Err(call.reply.error("ERR no module provides lists to store the result in")),
        Err(error) => Err(error),
        Ok(()) => {
            call.reply.count(elements.len());
            Ok(())
        }
    }
}
