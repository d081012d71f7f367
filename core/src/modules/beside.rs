//! What RDB files have beside keys, and modules have claimed (`plinth.rdb/1`): asked for when a file is written,
//! given when one is read, passed on when modules come and go.
//!
//! ```text
//!   functions    opcode 245, text                             any module
//!   section      opcode 247, "plinthtyp", when, name, encoding, the module's fields, end
//! ```
//!
//! Of two modules that have claimed the functions (one is to take the other's place) the first that has its
//! names counts. A section is found by the module's name.

use crate::base::id::ModuleId;
use crate::base::log;
use crate::durable::container::{ContainerId, Field};
use crate::durable::rdb::Section;
use crate::durable::read::Reader;
use crate::durable::version::Target;
use crate::durable::write::Writer;
use crate::engine::server::Server;
use crate::registry::modules::Standing;
use crate::registry::rdb::{Claim, Kept, PARTS_MAX};
use crate::store::codec::CONTAINER_NAME;
use crate::store::codec::{Input, Loader, Saver};
use crate::store::rewrite::{Rewriter, Sink};
use plinth_abi::call::Call;
use plinth_abi::rdb::{RDB_BEFORE_KEYS, RDB_FUNCTIONS, RDB_SECTION};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_OK, STATUS_REPLIED, STATUS_TOO_LARGE, Status};

/// Where a section stands, as files say it.
const BEFORE_KEYS: u64 = 1;
const BEHIND_KEYS: u64 = 2;

/// The claim on the functions that counts.
#[must_use]
pub fn functions_of(server: &Server) -> Option<Claim> {
    visible(server).find(|claim| claim.raw.kind == RDB_FUNCTIONS)
}

fn visible(server: &Server) -> impl Iterator<Item = Claim> {
    let modules = &server.registry.modules;
    let counts = |id| modules.get(id).is_some_and(|module| module.standing != Standing::Nameless && module.has_started);
    server.registry.beside.claims.iter().filter(move |claim| counts(claim.module)).copied()
}

/// The claims that count: of several on the functions the first.
fn claims(server: &Server) -> Vec<Claim> {
    let functions = functions_of(server).map(|claim| claim.module);
    let counts = |claim: &Claim| claim.raw.kind != RDB_FUNCTIONS || Some(claim.module) == functions;
    visible(server).filter(counts).collect()
}

/// A file that takes the place of all there is will be read.
pub fn clear(server: &mut Server) {
    server.registry.beside.kept = Kept::default();
    claims(server).iter().for_each(|claim| clear_one(server, claim));
}

/// Whether a module keeps a section of its own beside the keys, which it may need before these.
#[must_use]
pub fn has_sections(server: &Server) -> bool {
    visible(server).any(|claim| claim.raw.kind == RDB_SECTION)
}

/// Have other things in the place of all that there is beside keys.
///
/// # Errors
/// That a module does not take what it has claimed; the log says why. It is kept then, and the module has none.
pub fn put(server: &mut Server, parts: Kept) -> Result<(), String> {
    clear(server);
    server.registry.beside.kept = parts;
    claims(server).iter().for_each(|claim| hand_over(server, claim.module));
    let functions = &server.registry.beside.kept.functions;
    if functions_of(server).is_none() || functions.is_empty() {
        return Ok(());
    }
    Err(format!("{} libraries of functions cannot be loaded", functions.len()))
}

fn clear_one(server: &mut Server, claim: &Claim) {
    server.call_module(claim.module, 0, |context| {
        // SAFETY: the module is loaded, as its claim is there, and the call is whole.
        unsafe { (claim.raw.clear)(context.as_call(), claim.raw.data) }
    });
}

/// A file has a library of functions; `flags` are those of `load`.
///
/// # Errors
/// Why the module that has claimed it does not take it.
pub fn take_function(server: &mut Server, text: Vec<u8>, flags: u32) -> Result<(), String> {
    let Some(claim) = functions_of(server) else {
        server.registry.beside.kept.functions.push(text);
        return Ok(());
    };
    load_function(server, &claim, &text, flags)
}

fn load_function(server: &mut Server, claim: &Claim, text: &[u8], flags: u32) -> Result<(), String> {
    let mut fields = Writer::new(false);
    fields.put_string_field(text);
    fields.put_end();
    load(server, claim, Reader::new(fields.bytes()), claim.raw.encoding, flags)
}

/// A file has a section.
///
/// # Errors
/// Why the module that has claimed it does not take it.
pub fn take_section(server: &mut Server, section: Section, flags: u32) -> Result<(), String> {
    let Some((claim, encoding, offset)) = claim_of(server, &section) else {
        server.registry.beside.kept.sections.push(section);
        return Ok(());
    };
    load(server, &claim, Reader::new(&section.fields[offset..]), encoding, flags)
}

/// Who has claimed a section, the form that it is in, and where its own fields begin.
fn claim_of(server: &Server, section: &Section) -> Option<(Claim, u32, usize)> {
    if &section.id.name() != CONTAINER_NAME {
        return None;
    }
    let mut reader = Reader::new(&section.fields);
    let (name, encoding) = (reader.string_field().ok()?, reader.unsigned_field().ok()?);
    let is_of = |claim: &Claim| server.registry.modules.name(claim.module).as_bytes() == &*name;
    let claim = visible(server).find(|claim| claim.raw.kind == RDB_SECTION && is_of(claim))?;
    Some((claim, u32::try_from(encoding).ok()?, reader.offset()))
}

fn load(server: &mut Server, claim: &Claim, from: Reader<'_>, encoding: u32, flags: u32) -> Result<(), String> {
    let mut loader = Loader::new(Input::Bytes(from), false);
    let to = (&raw mut loader).cast();
    let run = |call: *mut Call| {
        // SAFETY: the module is loaded, as its claim is there; call and loader are whole.
        unsafe { (claim.raw.load)(call, to, encoding, flags, claim.raw.data) }
    };
    ask(server, claim, run)?;
    let (made, _, is_complete) = loader.finish();
    if is_complete && made.is_none() { Ok(()) } else { Err(refusal(server, claim, STATUS_BAD_DATA, "")) }
}

/// Call a claim's function; why it has failed, if it has.
fn ask(server: &mut Server, claim: &Claim, run: impl FnOnce(*mut Call) -> Status) -> Result<(), String> {
    let asked = server.call_module(claim.module, 0, |context| {
        let status = run(context.as_call());
        let mark = context.mark;
        let said = if status == STATUS_REPLIED { context.output().copy_after(mark).to_vec() } else { Vec::new() };
        (status, said)
    });
    match asked {
        Some((STATUS_OK, _)) => Ok(()),
        Some((status, said)) => Err(refusal(server, claim, status, &String::from_utf8_lossy(&said))),
        None => Err(refusal(server, claim, STATUS_BAD_DATA, "")),
    }
}

fn refusal(server: &Server, claim: &Claim, status: Status, said: &str) -> String {
    let name = server.registry.modules.name(claim.module);
    let what = if claim.raw.kind == RDB_FUNCTIONS { "functions" } else { "its section" };
    let said = said.trim_start_matches('-').trim();
    if said.is_empty() {
        format!("module '{name}', {what}: status {status}")
    } else {
        format!("module '{name}', {what}: {said}")
    }
}

/// All that a file is to have beside keys.
///
/// # Errors
/// Why a module does not give what it has claimed.
pub fn parts(server: &mut Server) -> Result<Kept, String> {
    let mut parts = server.registry.beside.kept.clone();
    for claim in claims(server) {
        add(server, &claim, &mut parts)?;
    }
    Ok(parts)
}

/// Add what a module has.
fn add(server: &mut Server, claim: &Claim, parts: &mut Kept) -> Result<(), String> {
    let is_section = claim.raw.kind == RDB_SECTION;
    let mut fields = Writer::new(is_section && server.store.compress);
    if is_section {
        fields.put_string_field(server.registry.modules.name(claim.module).as_bytes());
        fields.put_unsigned_field(u64::from(claim.raw.encoding));
    }
    let begin = fields.bytes().len();
    let mut saver = Saver::new(&mut fields, false, Target::OWN, None);
    let to = (&raw mut saver).cast();
    let run = |call: *mut Call| {
        // SAFETY: the module is loaded, as its claim is there; call and saver are whole.
        unsafe { (claim.raw.save)(call, to, claim.raw.data) }
    };
    ask(server, claim, run)?;
    let is_damaged = saver.damaged;
    if is_damaged {
        return Err(refusal(server, claim, STATUS_BAD_DATA, ""));
    }
    if is_section && fields.bytes().len() == begin {
        return Ok(());
    }
    fields.put_end();
    if is_section {
        let id = ContainerId::new(CONTAINER_NAME, 0).map_err(|error| error.to_string())?;
        let when = if claim.raw.flags & RDB_BEFORE_KEYS == 0 { BEHIND_KEYS } else { BEFORE_KEYS };
        parts.sections.push(Section { id, when, fields: fields.into_bytes() });
    } else {
        let mut reader = Reader::new(fields.bytes());
        loop {
            match reader.field() {
                Ok(Field::String(text)) => parts.functions.push(text.into_owned()),
                Ok(Field::End) => break,
                _ => return Err(refusal(server, claim, STATUS_BAD_DATA, "")),
            }
        }
    }
    if parts.len() > PARTS_MAX { Err(refusal(server, claim, STATUS_TOO_LARGE, "")) } else { Ok(()) }
}

/// Whether all that there is beside keys can be told as commands.
#[must_use]
pub fn has_commands(server: &Server) -> bool {
    server.registry.beside.kept.is_empty() && claims(server).iter().all(|claim| claim.raw.rewrite.is_some())
}

/// Give the commands that bring it about.
///
/// # Errors
/// Why a module does not give them, or what the sink has failed with.
pub fn rewrite<'s>(server: &mut Server, sink: &'s mut Sink<'s>) -> Result<(), String> {
    let mut rewriter = Rewriter::new(sink);
    let to = (&raw mut rewriter).cast();
    for claim in claims(server) {
        let Some(rewrite) = claim.raw.rewrite else { continue };
        // SAFETY: the module is loaded, as its claim is there; call and rewriter are whole.
        ask(server, &claim, |call| unsafe { rewrite(call, to, claim.raw.data) })?;
        // SAFETY: the rewriter is ours again, and whole.
        let failed = unsafe { (*to.cast::<Rewriter<'s>>()).failed() };
        if failed != STATUS_OK {
            return Err(refusal(server, &claim, failed, ""));
        }
    }
    Ok(())
}

/// A module has its names: it is given what is kept of what it has claimed, in the place of all it has.
pub fn hand_over(server: &mut Server, module: ModuleId) {
    for claim in claims(server).into_iter().filter(|claim| claim.module == module) {
        clear_one(server, &claim);
        if claim.raw.kind == RDB_FUNCTIONS {
            for text in std::mem::take(&mut server.registry.beside.kept.functions) {
                if let Err(reason) = load_function(server, &claim, &text, 0) {
                    log::warning(&format!("A library of functions that is kept cannot be loaded: {reason}"));
                    server.registry.beside.kept.functions.push(text);
                }
            }
            continue;
        }
        for section in std::mem::take(&mut server.registry.beside.kept.sections) {
            let kept = match claim_of(server, &section) {
                Some((of, encoding, offset)) if of.module == module => {
                    load(server, &of, Reader::new(&section.fields[offset..]), encoding, 0)
                        .inspect_err(|reason| {
                            log::warning(&format!("A section that is kept cannot be loaded: {reason}"))
                        })
                        .is_err()
                }
                _ => true,
            };
            if kept {
                server.registry.beside.kept.sections.push(section);
            }
        }
    }
}

/// A module loses its names: what it has claimed is kept for the next.
pub fn give_back(server: &mut Server, module: ModuleId) {
    let all = server.registry.beside.claims.clone();
    for claim in all.iter().filter(|claim| claim.module == module) {
        let mut kept = std::mem::take(&mut server.registry.beside.kept);
        let before = kept.clone();
        if let Err(reason) = add(server, claim, &mut kept) {
            log::warning(&format!("What a module has beside keys is lost with it: {reason}"));
            kept = before;
        }
        server.registry.beside.kept = kept;
    }
}
