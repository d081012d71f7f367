//! The generator against the mirror's real types, and against sources that it must refuse.

use std::path::PathBuf;

use super::emit;
use super::layout::{self, Layout};
use super::model::{Abi, File};
use super::read;
use super::tags;

fn mirror() -> Abi {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../module-api/abi/src");
    read::folder(&sources).unwrap()
}

fn abi_of(source: &str) -> Result<Abi, String> {
    let root = File { stem: "lib".to_string(), docs: Vec::new(), items: Vec::new() };
    Ok(Abi { root, files: vec![read::text("probe", source)?] })
}

/// The layout of a type as this compiler has it.
macro_rules! real {
    ($($name:literal $type:ty { $($field:ident),+ })+) => {
        vec![$(($name, Layout {
            size: size_of::<$type>(),
            offsets: vec![$(std::mem::offset_of!($type, $field)),+],
        })),+]
    };
}

#[cfg(target_pointer_width = "64")]
#[test]
fn computed_layouts_are_those_of_the_compiler() {
    use plinth_abi::{bytes, call, clients, codec, command, config, digest, entry, events, host, info, keys};
    use plinth_abi::{rdb, reply, rewrite, value};
    let computed = layout::of_all(&mirror()).unwrap();
    for (name, real) in real! {
        "Bytes" bytes::Bytes { data, len }
        "Slice" bytes::Slice<command::Command> { items, count, stride }
        "Call" call::Call { size, flags, args, argc, resp, reply, module_data, command, db, key_index, key_hash,
            now_ms, client_id, host }
        "Client" clients::Client { size, db, id, resp, is_unix, address, name, user, age_s, idle_s }
        "CodecService" codec::CodecService { size, reserved, put_tag, put_u64, put_i64, put_f64, put_bytes, put_raw,
            get_u64, get_i64, get_f64, get_bytes, get_raw, finish_inline, finish_boxed, knows, may_omit }
        "KeySpec" command::KeySpec { size, begin, flags, index, find, keyword, last, step, limit, reserved, notes }
        "Arg" command::Arg { size, kind, flags, key_spec, name, token, since, args }
        "Change" command::Change { version, what }
        "Docs" command::Docs { size, reserved, summary, since, group, complexity, deprecated_since, replaced_by,
            history, args }
        "FoundKey" command::FoundKey { flags, position, reserved }
        "Handler" command::Handler { invoke, data }
        "Command" command::Command { size, arity, name, flags, categories, run, keys, tips, subcommands, docs,
            find_keys, look_ahead, category_names, channels, find_flags }
        "Channels" command::Channels { size, flags, first, count }
        "Ahead" command::Ahead { size, stage, type_id, argc, args, boxed, memo }
        "Config" config::Config { size, kind, flags, reserved, name, default, min, max, choices, apply, data,
            alias }
        "Provided" entry::Provided { id, table }
        "Module" entry::Module { magic, abi_major, abi_minor, size, reserved, name, version, requires, provides,
            types, commands, configs, infos, start, stop, layout }
        "Event" events::Event { size, kind, class, db, other_db, reserved, name, key, client_id, unit }
        "Host" host::Host { size, abi_major, abi_minor, context, service, log, give_way, panicked, allocate, release,
            let_go }
        "Section" info::Section { size, flags, name, write }
        "DigestService" digest::DigestService { size, reserved, add, end }
        "RdbClaim" rdb::RdbClaim { size, kind, flags, encoding, data, clear, load, save, rewrite }
        "RdbService" rdb::RdbService { size, reserved, claim }
        "RewriteService" rewrite::RewriteService { size, reserved, emit }
        "EntryStat" keys::EntryStat { size, idle_s, frequency, lfu, encoding, memory, address }
        "Entry" keys::Entry { size, type_id, form, tag, data, len, boxed, expire_at_ms, entry, hash }
        "Reply" reply::Reply { size, reserved, at, end, grow, append }
        "Value" value::Value { size, form, tag, reserved, data, len, boxed }
        "Type" value::Type { size, encoding, name, id_out, rdb_tags, save, load, drop, memory, free_effort,
            encoding_name, copy, data, convert, rdb_version, rewrite, digest }
    } {
        assert_eq!(computed.get(name), Some(&real), "{name}");
    }
}

#[cfg(target_pointer_width = "64")]
#[test]
fn every_struct_that_crosses_has_the_size_of_its_description() {
    use abi_stable::StableAbi;
    use plinth_abi::layout::Everything;
    // The mirror's own list of what crosses: one field per struct, no other.
    let computed = layout::of_all(&mirror()).unwrap();
    let fields = <Everything as StableAbi>::LAYOUT.get_fields().unwrap();
    for field in fields.iter() {
        let layout = field.layout();
        let name = layout.name();
        assert_eq!(computed.get(name).map(|found| found.size), Some(layout.size()), "{name}");
    }
}

#[test]
fn names_prose_and_layout_reach_the_header() {
    let abi = abi_of(
        "//! Service `plinth.probe/1`.\n\
         /// What a fallible function returns.\npub type Status = i32;\n\
         /// There is none.\npub const STATUS_NONE: Status = 2;\n\
         /// [`ProbeService::look`]: closely.\npub const LOOK_CLOSELY: u32 = 1 << 3;\n\
         /// Called back.\n#[repr(transparent)]\npub struct Take { pub run: unsafe extern \"C\" fn(data: Opaque) }\n\
         /// The table.\n#[repr(C)]\npub struct ProbeService {\n\
         /// Size.\npub size: u32,\n/// Class.\npub class: u32,\n\
         /// Look with [`LOOK_CLOSELY`] or another of `LOOK_*`.\n///\n\
         /// Thread: main. Borrow: nothing. Fails: `NONE`.\n\
         pub look: Option<unsafe extern \"C\" fn(probe: *const ProbeService, take: Take, out: *mut Opaque) -> Status>,\n\
         }",
    )
    .unwrap();
    tags::check(&abi).unwrap();
    let layouts = layout::of_all(&abi).unwrap();
    let headers = emit::headers(&abi, &layouts).unwrap();
    let text = &headers[1].text;
    for line in [
        "// Service `plinth.probe/1`.",
        "typedef int32_t plinth_status;",
        "#define PLINTH_STATUS_NONE 2",
        "// `plinth_probe_service.look`: closely.",
        "#define PLINTH_LOOK_CLOSELY (UINT32_C(1) << 3)",
        "typedef void (*plinth_take)(void *data);",
        "    uint32_t class_;",
        "    // Look with `PLINTH_LOOK_CLOSELY` or another of `PLINTH_LOOK_*`.",
        "    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.",
        "    plinth_status (*look)(const plinth_probe_service *probe, plinth_take take, void **out);",
        "PLINTH_ASSERT_SIZE(plinth_probe_service, 16);",
        "PLINTH_ASSERT_OFFSET(plinth_probe_service, look, 8);",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_function_without_its_tag_line_is_named() {
    let table = |docs: &str| {
        format!("#[repr(C)]\npub struct Table {{\n/// Look.\n///\n/// {docs}\npub look: extern \"C\" fn(),\n}}")
    };
    let fault = |docs: &str| tags::check(&abi_of(&table(docs)).unwrap()).unwrap_err();
    assert!(fault("Thread: main. Fails: never.").contains("Table::look: its comment must end with"));
    assert!(fault("Thread: main. Borrow: Fails: never.").ends_with("Borrow: says nothing"));
    tags::check(&abi_of(&table("Thread: main. Borrow: nothing. Fails: never.")).unwrap()).unwrap();
}

#[test]
fn a_gap_in_a_struct_is_refused() {
    let gap = abi_of("#[repr(C)]\npub struct Gap { pub size: u32, pub at: Opaque }").unwrap();
    assert!(layout::of_all(&gap).unwrap_err().contains("Gap::at: a gap before it"));
    let tail = abi_of("#[repr(C)]\npub struct Tail { pub at: Opaque, pub size: u32 }").unwrap();
    assert!(layout::of_all(&tail).unwrap_err().contains("Tail: a gap at its end"));
}

#[test]
fn what_has_no_form_in_c_is_an_error_and_not_left_out() {
    for (source, reason) in [
        ("pub enum Form { Inline }", "an enum does not cross"),
        ("pub struct Plain { pub size: u32 }", "must be repr(C)"),
        ("#[repr(C)] pub struct Hidden { size: u32 }", "must be public"),
        ("#[repr(C)] pub struct Table { pub run: fn() }", "must be extern \"C\""),
        ("#[repr(C)] pub struct Table { pub text: Vec<u8> }", "Vec<...> has no form"),
        ("pub const MASK: u32 = !0;", "an expression that has no form"),
    ] {
        let error = abi_of(source).map(|_| ()).unwrap_err();
        assert!(error.contains(reason), "{source}: {error}");
    }
}
