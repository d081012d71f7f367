//! CLIENT KILL: by address as it was at first, or by filters of which all must fit.

use crate::admin::client::listing::Kind;
use crate::base::number::parse_i64;
use crate::command::status::shown;
use crate::engine::call::Context;
use crate::session::client::Client;
use plinth_abi::command::{self as abi, Arg};
use plinth_abi::status::{STATUS_OK, Status};

/// Arguments: either the address, or options.
pub(super) const ARGS: &[Arg] = &[
    Arg::new(abi::ARG_STRING, "ip:port"),
    Arg::group(
        abi::ARG_ONE_OF,
        "new-format",
        &[
            Arg::new(abi::ARG_INTEGER, "client-id").token("ID").since("2.8.12").flags(abi::ARG_OPTIONAL),
            Arg::group(
                abi::ARG_ONE_OF,
                "client-type",
                &[
                    Arg::word("normal", "NORMAL"),
                    Arg::word("master", "MASTER").since("3.2.0"),
                    Arg::word("slave", "SLAVE"),
                    Arg::word("replica", "REPLICA").since("5.0.0"),
                    Arg::word("pubsub", "PUBSUB"),
                ],
            )
            .token("TYPE")
            .since("2.8.12")
            .flags(abi::ARG_OPTIONAL),
            Arg::new(abi::ARG_STRING, "username").token("USER").flags(abi::ARG_OPTIONAL),
            Arg::new(abi::ARG_STRING, "addr").token("ADDR").flags(abi::ARG_OPTIONAL),
            Arg::new(abi::ARG_STRING, "laddr").token("LADDR").since("6.2.0").flags(abi::ARG_OPTIONAL),
            Arg::group(abi::ARG_ONE_OF, "skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
                .token("SKIPME")
                .flags(abi::ARG_OPTIONAL),
            Arg::new(abi::ARG_INTEGER, "maxage").token("MAXAGE").since("7.4.0").flags(abi::ARG_OPTIONAL),
        ],
    )
    .flags(abi::ARG_MULTIPLE),
];

/// Which clients are meant.
#[derive(Default)]
struct Filter<'a> {
    id: Option<u64>,
    kind: Option<Kind>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    user: Option<&'a [u8]>,
    age_s_min: i64,
    keep_self: bool,
}

impl Filter<'_> {
    fn fits(&self, client: &Client, now_s: i64) -> bool {
        self.id.is_none_or(|id| id == client.id)
            && self.kind.is_none_or(|kind| kind == Kind::of(client))
            && self.address.is_none_or(|address| address == client.address.as_bytes())
            && self.local_address.is_none_or(|address| address == client.local_address.as_bytes())
            && self.user.is_none_or(|user| *user == *client.user_name)
            && now_s - client.created_s >= self.age_s_min
    }
}

/// The filter that options describe.
fn filter(context: &mut Context) -> Result<Filter<'static>, Status> {
    let mut filter = Filter { keep_self: true, ..Filter::default() };
    for at in (2..context.argc()).step_by(2) {
        if at + 1 == context.argc() {
            return Err(context.error("ERR syntax error"));
        }
        let value = context.arg(at + 1);
        match context.arg(at).to_ascii_lowercase().as_slice() {
            b"id" => match parse_i64(value) {
                Some(id @ 1..) => filter.id = Some(id as u64),
                _ => return Err(context.error("ERR client-id should be greater than 0")),
            },
            b"maxage" => match parse_i64(value) {
                Some(age_s @ 1..) => filter.age_s_min = age_s,
                Some(_) => return Err(context.error("ERR maxage should be greater than 0")),
                None => return Err(context.error("ERR maxage is not an integer or out of range")),
            },
            b"type" => match Kind::named(value) {
                Some(kind) => filter.kind = Some(kind),
                None => {
                    return Err(context.error([b"ERR Unknown client type '", shown(value), b"'"].concat()));
                }
            },
            b"addr" => filter.address = Some(value),
            b"laddr" => filter.local_address = Some(value),
            b"user" if context.server().acl.users.find(value).is_some() => filter.user = Some(value),
            b"user" => return Err(context.error([b"ERR No such user '", shown(value), b"'"].concat())),
            b"skipme" if value.eq_ignore_ascii_case(b"yes") => filter.keep_self = true,
            b"skipme" if value.eq_ignore_ascii_case(b"no") => filter.keep_self = false,
            _ => return Err(context.error("ERR syntax error")),
        }
    }
    Ok(filter)
}

/// Close all clients that fit, the own one after the reply; how many.
fn close_all(context: &mut Context, filter: &Filter<'_>) -> i64 {
    let own = context.client;
    let server = context.server();
    let now_s = server.clock.now_s;
    let mut closed = 0;
    for token in server.sessions.clients.tokens() {
        let is_own = own == Some(token);
        let Some(client) = server.sessions.clients.get(token) else { continue };
        if is_own && filter.keep_self || !filter.fits(client, now_s) {
            continue;
        }
        closed += 1;
        if is_own {
            client.close_after_reply();
        } else {
            server.sessions.clients.close(token);
        }
    }
    closed
}

pub(super) fn kill(context: &mut Context) -> Status {
    if context.argc() == 3 {
        let filter = Filter { address: Some(context.arg(2)), ..Filter::default() };
        return match close_all(context, &filter) {
            0 => context.error("ERR No such client"),
            _ => context.ok(),
        };
    }
    match filter(context) {
        Ok(filter) => {
            let closed = close_all(context, &filter);
            context.reply().integer(closed);
            STATUS_OK
        }
        Err(status) => status,
    }
}
