//! CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR: client-side caching.
//! <https://redis.io/docs/latest/develop/reference/client-side-caching/>

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::tracking::{Choice, PREFIXES_MAX, Tracking};
use plinth_abi::command::{self as abi, Arg};
use plinth_abi::status::{STATUS_OK, Status};
use std::collections::BTreeSet;
use std::ops::Bound::{Included, Unbounded};

/// Arguments of TRACKING.
pub(super) const ARGS: &[Arg] = &[
    Arg::group(abi::ARG_ONE_OF, "status", &[Arg::word("on", "ON"), Arg::word("off", "OFF")]),
    Arg::new(abi::ARG_INTEGER, "client-id").token("REDIRECT").flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_STRING, "prefix")
        .token("PREFIX")
        .flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE | abi::ARG_MULTIPLE_TOKEN),
    Arg::word("bcast", "BCAST").flags(abi::ARG_OPTIONAL),
    Arg::word("optin", "OPTIN").flags(abi::ARG_OPTIONAL),
    Arg::word("optout", "OPTOUT").flags(abi::ARG_OPTIONAL),
    Arg::word("noloop", "NOLOOP").flags(abi::ARG_OPTIONAL),
];

/// What TRACKING asks for.
#[derive(Default)]
struct Asked {
    tracking: Tracking,
    prefixes: Vec<Vec<u8>>,
    opt_in: bool,
    opt_out: bool,
}

fn parse(context: &mut Context) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut at = 3;
    while at < context.argc() {
        let more = at + 1 < context.argc();
        if context.arg_is(at, "REDIRECT") && more {
            at += 1;
            if asked.tracking.redirect.is_some() {
                return Err("A client can only redirect to a single other client".into());
            }
            let id = parse_i64(context.arg(at)).ok_or("value is not an integer or out of range")?;
            let id = u64::try_from(id).ok().filter(|id| context.server().sessions.clients.token(*id).is_some());
            asked.tracking.redirect = Some(id.ok_or("The client ID you want redirect to does not exist")?);
        } else if context.arg_is(at, "BCAST") {
            asked.tracking.broadcast = true;
        } else if context.arg_is(at, "OPTIN") {
            asked.opt_in = true;
        } else if context.arg_is(at, "OPTOUT") {
            asked.opt_out = true;
        } else if context.arg_is(at, "NOLOOP") {
            asked.tracking.no_loop = true;
        } else if context.arg_is(at, "PREFIX") && more {
            at += 1;
            asked.prefixes.push(context.arg(at).to_vec());
        } else {
            return Err("syntax error".into());
        }
        at += 1;
    }
    Ok(asked)
}

/// Why a client that caches in one way may not do so in another, or in none.
fn check(asked: &Asked, before: Option<&Tracking>) -> Result<(), String> {
    let (broadcast, prefixes) = (asked.tracking.broadcast, &asked.prefixes);
    if !prefixes.is_empty() && !broadcast {
        return Err("PREFIX option requires BCAST mode to be enabled".into());
    }
    if before.is_some_and(|before| before.broadcast != broadcast) {
        return Err("You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                    re-enabling it with a different mode."
            .into());
    }
    if broadcast && (asked.opt_in || asked.opt_out) {
        return Err("OPTIN and OPTOUT are not compatible with BCAST".into());
    }
    if asked.opt_in && asked.opt_out {
        return Err("You can't specify both OPTIN mode and OPTOUT mode".into());
    }
    let was = before.map_or(Choice::All, |before| before.choice);
    if asked.opt_in && was == Choice::OptOut || asked.opt_out && was == Choice::OptIn {
        return Err("You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                    re-enabling it with a different mode."
            .into());
    }
    check_prefixes(prefixes, before.map_or(&BTreeSet::new(), |before| &before.prefixes))
}

/// Why a client may not listen to more prefixes: they are too many, or a key could have two of them.
///
/// A prefix of another stands right before it where they are in order, unless what is between has it, too:
/// so only neighbours are looked at.
fn check_prefixes(prefixes: &[Vec<u8>], known: &BTreeSet<Vec<u8>>) -> Result<(), String> {
    if known.len() + prefixes.len() > PREFIXES_MAX {
        return Err(format!("A client can have {PREFIXES_MAX} prefixes at most"));
    }
    let refuse = |which: &str, one: &[u8], other: &[u8]| {
        let text = String::from_utf8_lossy;
        Err(format!(
            "Prefix '{}' overlaps with {which} prefix '{}'. Prefixes for a single client must not overlap.",
            text(one),
            text(other)
        ))
    };
    for prefix in prefixes {
        let before = known.range::<[u8], _>((Unbounded, Included(&prefix[..]))).next_back();
        let after = known.range::<[u8], _>((Included(&prefix[..]), Unbounded)).next();
        if let Some(other) = before.filter(|other| prefix.starts_with(other)) {
            return refuse("an existing", prefix, other);
        }
        if let Some(other) = after.filter(|other| other.starts_with(prefix)) {
            return refuse("an existing", prefix, other);
        }
    }
    let mut sorted: Vec<(&[u8], usize)> = prefixes.iter().enumerate().map(|(at, prefix)| (&prefix[..], at)).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[1].0.starts_with(pair[0].0)) {
        Some(pair) => {
            let (one, other) = (pair[0].1.min(pair[1].1), pair[0].1.max(pair[1].1));
            refuse("another provided", &prefixes[one], &prefixes[other])
        }
        None => Ok(()),
    }
}

pub(super) fn tracking(context: &mut Context) -> Status {
    let asked = match parse(context) {
        Ok(asked) => asked,
        Err(reason) => return context.error(format!("ERR {reason}")),
    };
    let Some(token) = context.client else { return context.error("ERR there is no client connection") };
    match super::on_or_off(context) {
        None => return context.error("ERR syntax error"),
        Some(false) => context.server().track(token, None),
        Some(true) => {
            let before = context.client().and_then(|client| client.tracking.clone());
            if let Err(reason) = check(&asked, before.as_deref()) {
                return context.error(format!("ERR {reason}"));
            }
            let Asked { mut tracking, prefixes, opt_in, opt_out } = asked;
            tracking.choice = match (opt_in, opt_out) {
                (true, _) => Choice::OptIn,
                (_, true) => Choice::OptOut,
                _ => Choice::All,
            };
            if tracking.broadcast {
                tracking.prefixes = before.map_or_else(BTreeSet::new, |before| before.prefixes);
                tracking.prefixes.extend(prefixes);
                if tracking.prefixes.is_empty() {
                    tracking.prefixes.insert(Vec::new());
                }
            }
            context.server().track(token, Some(Box::new(tracking)));
        }
    }
    context.ok()
}

pub(super) fn caching(context: &mut Context) -> Status {
    let choice = context.client().and_then(|client| client.tracking.as_ref()).map(|tracking| tracking.choice);
    let Some(choice) = choice else {
        return context.error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        );
    };
    let wanted = if context.arg_is(2, "YES") {
        Choice::OptIn
    } else if context.arg_is(2, "NO") {
        Choice::OptOut
    } else {
        return context.error("ERR syntax error");
    };
    if choice != wanted {
        let (word, mode) = if wanted == Choice::OptIn { ("YES", "OPTIN") } else { ("NO", "OPTOUT") };
        return context
            .error(format!("ERR CLIENT CACHING {word} is only valid when tracking is enabled in {mode} mode."));
    }
    if let Some(tracking) = context.client().and_then(|client| client.tracking.as_mut()) {
        tracking.is_excepted = true;
    }
    context.ok()
}

pub(super) fn getredir(context: &mut Context) -> Status {
    let id = context.client().map_or(-1, |client| client.redirection());
    context.reply().integer(id);
    STATUS_OK
}

pub(super) fn trackinginfo(context: &mut Context) -> Status {
    let Some(client) = context.client() else { return context.error("ERR there is no client connection") };
    let (redirect, tracking) = (client.redirection(), client.tracking.clone());
    let mut flags = vec![if tracking.is_some() { "on" } else { "off" }];
    if let Some(tracking) = &tracking {
        let said = |is_so: bool, word: &'static str| is_so.then_some(word);
        let (is_in, is_out) = (tracking.choice == Choice::OptIn, tracking.choice == Choice::OptOut);
        flags.extend(
            [
                said(tracking.broadcast, "bcast"),
                said(is_in, "optin"),
                said(is_in && tracking.is_excepted, "caching-yes"),
                said(is_out, "optout"),
                said(is_out && tracking.is_excepted, "caching-no"),
                said(tracking.no_loop, "noloop"),
                said(tracking.is_broken, "broken_redirect"),
            ]
            .into_iter()
            .flatten(),
        );
    }
    let prefixes = tracking.map_or_else(BTreeSet::new, |tracking| tracking.prefixes);
    let mut reply = context.reply();
    reply.map(3);
    reply.bulk("flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag));
    reply.bulk("redirect");
    reply.integer(redirect);
    reply.bulk("prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    STATUS_OK
}
