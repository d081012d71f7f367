//! Every kind of reply, byte by byte, in both versions of the protocol.
#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_testbed::Testbed;

fn say(call: &mut Call<'_>) -> Result {
    let reply = &mut call.reply;
    match call.args.bytes(1) {
        b"simple" => reply.simple("a\r\nb"),
        b"error" => return Err(reply.error("ERR a\nb")),
        b"integer" => reply.integer(call.args.integer(2)?),
        b"bulk_integer" => reply.bulk_integer(call.args.integer(2)?),
        b"bulk" => reply.bulk("x".repeat(call.args.integer(2)? as usize)),
        b"null" => reply.null(),
        b"null_array" => reply.null_array(),
        b"double" => reply.double(call.args.float(2)?),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"verbatim" => reply.verbatim(b"txt", "hello"),
        b"big_number" => reply.big_number("123456789012345678901234567890"),
        b"array" => {
            reply.array(3);
            reply.ok();
            reply.map(1);
            reply.bulk("k");
            reply.bulk("v");
            reply.set(1);
            reply.integer(7);
        }
        b"push" => reply.push(0),
        b"attribute" => {
            if reply.attribute(1) {
                reply.bulk("k");
                reply.integer(1);
            }
            reply.ok();
        }
        b"open" => {
            let outer = reply.open();
            reply.bulk("a");
            let inner = reply.open();
            reply.integer(1);
            reply.integer(2);
            reply.close_map(inner, 1);
            reply.close_array(outer, 2);
        }
        b"raw" => reply.raw(b"+x\r\n"),
        _ => return Err(Error::Syntax),
    }
    Ok(())
}

export!(Module {
    name: "reply",
    commands: &[Command { name: text("say"), arity: -2, run: run(say), ..Command::NEW }],
    ..Module::NEW
});

fn said(resp3: bool, args: &[&str]) -> String {
    let mut host = Testbed::new(&plinth_module_entry).expect("the module loads");
    host.set_resp3(resp3);
    String::from_utf8(host.run(&[&["say"], args].concat())).expect("this module writes text")
}

#[test]
fn replies_that_read_alike_in_both_versions() {
    for resp3 in [false, true] {
        assert_eq!(said(resp3, &["simple"]), "+a  b\r\n");
        assert_eq!(said(resp3, &["error"]), "-ERR a b\r\n");
        assert_eq!(said(resp3, &["bulk_integer", "-120"]), "$4\r\n-120\r\n");
        assert_eq!(said(resp3, &["raw"]), "+x\r\n");
        assert_eq!(said(resp3, &["nothing"]), "-ERR syntax error\r\n");
        for value in [0, 9, 10, 99, 100, 12345, -1, -99, i64::MAX, i64::MIN] {
            assert_eq!(said(resp3, &["integer", &value.to_string()]), format!(":{value}\r\n"));
        }
        for len in [0, 1, 9, 10, 99, 100, 999, 4000, 4069, 4070, 4071, 4096, 5000, 100_000] {
            assert_eq!(said(resp3, &["bulk", &len.to_string()]), format!("${len}\r\n{}\r\n", "x".repeat(len)));
        }
    }
}

#[test]
fn replies_that_only_resp3_knows() {
    for (args, resp2, resp3) in [
        (&["null"][..], "$-1\r\n", "_\r\n"),
        (&["null_array"], "*-1\r\n", "_\r\n"),
        (&["double", "3"], "$1\r\n3\r\n", ",3\r\n"),
        (&["double", "0.25"], "$4\r\n0.25\r\n", ",0.25\r\n"),
        (&["double", "-inf"], "$4\r\n-inf\r\n", ",-inf\r\n"),
        (&["true"], ":1\r\n", "#t\r\n"),
        (&["false"], ":0\r\n", "#f\r\n"),
        (&["verbatim"], "$5\r\nhello\r\n", "=9\r\ntxt:hello\r\n"),
        (&["big_number"], "$30\r\n123456789012345678901234567890\r\n", "(123456789012345678901234567890\r\n"),
        (&["push"], "*0\r\n", ">0\r\n"),
        (&["attribute"], "+OK\r\n", "|1\r\n$1\r\nk\r\n:1\r\n+OK\r\n"),
        (&["open"], "*2\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n", "*2\r\n$1\r\na\r\n%1\r\n:1\r\n:2\r\n"),
        (
            &["array"],
            "*3\r\n+OK\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n*1\r\n:7\r\n",
            "*3\r\n+OK\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n~1\r\n:7\r\n",
        ),
    ] {
        assert_eq!(said(false, args), resp2);
        assert_eq!(said(true, args), resp3);
    }
}
