//! DEBUG PROTOCOL: one reply of each kind, for the authors of clients.

use crate::engine::call::Context;
use crate::wire::write::Writer;
use plinth_abi::reply::{REPLY_ATTRIBUTE, REPLY_PUSH};
use plinth_abi::status::{STATUS_OK, Status};

pub(super) fn show(context: &mut Context) -> Status {
    let kind = context.arg_text(2).to_ascii_lowercase();
    if kind == "push" && !context.is_resp3() {
        return context.error("ERR RESP2 is not supported by this command");
    }
    let resp3 = context.is_resp3();
    let mut reply = context.reply();
    match kind.as_str() {
        "string" => reply.bulk("Hello World"),
        "integer" => reply.integer(12_345),
        // Not a rough pi, which a lint takes the number itself for.
        "double" => reply.double(3141.0 / 1000.0),
        "bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        "null" => reply.null(),
        "array" => {
            reply.array(3);
            numbers(&mut reply);
        }
        "set" => {
            reply.set(3);
            numbers(&mut reply);
        }
        "map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        "attrib" => {
            if resp3 {
                attribute(&mut reply);
            }
            reply.bulk("Some real reply following the attribute");
        }
        "push" => {
            reply.aggregate(REPLY_PUSH, 2);
            reply.bulk("server-cpu-usage");
            reply.integer(42);
            // A push is not the answer to a command, so one has to follow.
            reply.bulk("Some real reply following the push reply");
        }
        "verbatim" => reply.verbatim(b"txt", b"This is a verbatim\nstring"),
        "true" => reply.boolean(true),
        "false" => reply.boolean(false),
        _ => {
            return context.error(
                "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            );
        }
    }
    STATUS_OK
}

fn numbers(reply: &mut Writer<'_>) {
    (0..3).for_each(|number| reply.integer(number));
}

fn attribute(reply: &mut Writer<'_>) {
    reply.aggregate(REPLY_ATTRIBUTE, 1);
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
}
