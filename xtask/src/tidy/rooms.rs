//! The rooms of the core: which folder may import from which, and the circles within one.
//!
//! A room is a folder of `core/src`, and stands on a floor. What it imports is on a lower floor, or
//! its own: rooms beside each other know nothing of each other. So a new system is a new room, and
//! whoever reads one needs the rooms below it only.
//!
//! Every path that begins with `crate`, `super`, `self`, or the name of a module below counts as an
//! import, in `use` and elsewhere, within macros too; what stands in a `mod tests` does not.
//!
//! What is still against the order is in `tests/tidy/rooms.tsv`: rule, file, word and what has to
//! happen for the line to go. The list has no more lines than [`EXCEPTIONS_MAX`], which only
//! shrinks.

use super::Fault;
use super::source::File;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// The rooms, floor by floor from below.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["stats", "settings", "durable", "socket"],
    &["wire"],
    &["store"],
    &["command"],
    &["session", "acl"],
    &["registry"],
    &["engine"],
    &["modules"],
    &["persist"],
    &["replication"],
    &["admin", "net"],
    &["main"],
];

/// Files outside folders, and the room that each belongs to.
const LOOSE: &[(&str, &str)] = &[("main", "main"), ("lib", "main"), ("startup", "main"), ("command_line", "main")];

/// Most lines of the list of exceptions. It is never made larger.
pub(super) const EXCEPTIONS_MAX: usize = 0;

/// Most files in a circle of imports within a room ...
const CIRCLE_FILES_MAX: usize = 6;
/// ... and rooms in which it may be larger, with the reason.
const LARGE_CIRCLES: &[(&str, &str)] = &[
    ("settings", "each group of parameters names the settings that it is a part of"),
    ("replication", "a change of role takes one side's state down and the other's up"),
    ("store", "what walks the databases in slices is part of the store that holds where it is"),
];

const CORE: &str = "core/src/";

/// What was found: arrows between rooms, and circles within them.
pub(super) struct Plan {
    /// Rooms that each room imports from, and by how many files.
    arrows: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    /// Number of files of each room.
    sizes: BTreeMap<&'static str, usize>,
    /// The largest circle of each room that has one.
    circles: BTreeMap<&'static str, Vec<String>>,
}

/// An import: where it stands, and the file that it leads to.
struct Import {
    line: usize,
    to: String,
}

/// Checks the core's files.
pub(super) fn check(files: &[File]) -> (Vec<Fault>, Plan) {
    let core: Vec<&File> = files.iter().filter(|file| file.path.starts_with(CORE) && !is_test(&file.path)).collect();
    let modules: BTreeSet<String> = core.iter().map(|file| module_of(&file.path).join("::")).collect();
    let mut faults = Vec::new();
    let mut plan = Plan { arrows: BTreeMap::new(), sizes: BTreeMap::new(), circles: BTreeMap::new() };
    let mut within: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for file in &core {
        let own = module_of(&file.path);
        let Some(room) = room_of(&own) else {
            let advice = "it is in no room; the rooms are in xtask/src/tidy/rooms.rs";
            faults.push(fault("rooms", file, 0, &own.join("::"), advice));
            continue;
        };
        *plan.sizes.entry(room).or_default() += 1;
        let mut rooms = BTreeMap::new();
        let mut nearby = BTreeSet::new();
        for import in imports(&file.text, &own, &modules) {
            let Some(other) = room_of(&import.to.split("::").map(str::to_owned).collect::<Vec<_>>()) else { continue };
            if other == room {
                nearby.insert(import.to);
            } else {
                rooms.entry(other).or_insert(import.line);
            }
        }
        for (other, line) in rooms {
            *plan.arrows.entry(room).or_default().entry(other).or_default() += 1;
            if floor(other) >= floor(room) {
                faults.push(fault("rooms", file, line, other, &format!("'{room}' is not above '{other}'")));
            }
        }
        nearby.remove(&own.join("::"));
        within.entry(room).or_default().insert(own.join("::"), nearby);
        if room != "engine"
            && let Some(line) = implements_server(&file.text)
        {
            faults.push(fault("server", file, line, "impl Server", "only 'engine' puts the server together"));
        }
    }
    for (room, graph) in within {
        let Some(circle) = circles(&graph).into_iter().max_by_key(Vec::len) else { continue };
        if circle.len() > CIRCLE_FILES_MAX && !LARGE_CIRCLES.iter().any(|(large, _)| *large == room) {
            let advice = format!(
                "{} files import each other in a circle, and at most {CIRCLE_FILES_MAX} are followed: {}",
                circle.len(),
                circle.join(", ")
            );
            faults.push(Fault { rule: "circle", path: format!("{CORE}{room}"), line: 0, word: room.into(), advice });
        }
        plan.circles.insert(room, circle);
    }
    (faults, plan)
}

impl Plan {
    /// Prints rooms, arrows and circles, from above.
    pub(super) fn print(&self) {
        for room in FLOORS.iter().rev().flat_map(|rooms| rooms.iter()) {
            let Some(files) = self.sizes.get(room) else { continue };
            let below = self.arrows.get(room).cloned().unwrap_or_default();
            let mut below: Vec<&str> = below.keys().copied().collect();
            below.sort_by_key(|other| std::cmp::Reverse(floor(other)));
            let below = if below.is_empty() { "nothing of ours".into() } else { below.join(", ") };
            println!("{room:<12} {files:>3} files -> {below}");
            if let Some(circle) = self.circles.get(room) {
                let short: Vec<&str> = circle
                    .iter()
                    .map(|name| name.strip_prefix(room).map_or(&**name, |rest| rest.trim_start_matches(':')))
                    .collect();
                println!("{:<12} largest circle: {} files: {}", "", circle.len(), short.join(", "));
                if let Some((_, reason)) = LARGE_CIRCLES.iter().find(|(large, _)| large == room) {
                    println!("{:<12} {reason}", "");
                }
            }
        }
    }
}

fn fault(rule: &'static str, file: &File, line: usize, word: &str, advice: &str) -> Fault {
    Fault { rule, path: file.path.clone(), line, word: word.into(), advice: advice.into() }
}

fn is_test(path: &str) -> bool {
    ["_tests.rs", "_fuzz.rs", "/tests.rs", "/fuzz.rs"].iter().any(|end| path.ends_with(end))
}

/// The module that a file is, as the names on the way to it.
fn module_of(path: &str) -> Vec<String> {
    let short = path.strip_prefix(CORE).unwrap_or(path).trim_end_matches(".rs");
    let mut names: Vec<String> = short.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

fn room_of(module: &[String]) -> Option<&'static str> {
    let first = module.first()?.as_str();
    let known = FLOORS.iter().flat_map(|rooms| rooms.iter()).find(|room| **room == first).copied();
    let loose = LOOSE.iter().find(|(file, _)| *file == first).map(|(_, room)| *room);
    if module.len() == 1 && loose.is_some() { loose } else { known }
}

fn floor(room: &str) -> usize {
    FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap_or(FLOORS.len())
}

/// What a file imports of the core, as modules.
fn imports(text: &str, own: &[String], modules: &BTreeSet<String>) -> Vec<Import> {
    let Ok(tokens) = text.parse::<TokenStream>() else { return Vec::new() };
    let mut paths = Vec::new();
    walk(tokens, own, modules, &mut paths);
    let leads_to = |(line, path): (usize, Vec<String>)| {
        let lengths = (1..=path.len()).rev();
        let to = lengths.map(|len| path[..len].join("::")).find(|module| modules.contains(module))?;
        Some(Import { line, to })
    };
    paths.into_iter().filter_map(leads_to).collect()
}

/// Collects paths from the root of the crate.
fn walk(tokens: TokenStream, own: &[String], modules: &BTreeSet<String>, paths: &mut Vec<(usize, Vec<String>)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) => {
                let is_tests = matches!(&tokens[..at], [.., TokenTree::Ident(word), TokenTree::Ident(name)]
                    if word == "mod" && name == "tests");
                if !is_tests {
                    walk(group.stream(), own, modules, paths);
                }
                at += 1;
            }
            TokenTree::Ident(name) if is_separator(&tokens, at + 1) && !is_behind_separator(&tokens, at) => {
                let begin = match name.to_string().as_str() {
                    "crate" | "plinth" => Some(Vec::new()),
                    "self" => Some(own.to_vec()),
                    "super" => Some(own[..own.len() - 1].to_vec()),
                    child => {
                        let below = [own, &[child.to_owned()]].concat();
                        modules.contains(&below.join("::")).then_some(below)
                    }
                };
                match begin {
                    Some(begin) => at = follow(&tokens, at + 3, begin, paths),
                    None => at += 1,
                }
            }
            _ => at += 1,
        }
    }
}

/// Follows a path from behind a `::` on; where it ends.
fn follow(tokens: &[TokenTree], mut at: usize, mut path: Vec<String>, paths: &mut Vec<(usize, Vec<String>)>) -> usize {
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => {
                let line = name.span().start().line;
                if name == "super" {
                    path.pop();
                } else if name != "self" {
                    path.push(name.to_string());
                }
                at += 1;
                if !is_separator(tokens, at) {
                    paths.push((line, path));
                    return at;
                }
                at += 2;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut begin = 0;
                while begin < inner.len() {
                    let end = follow(&inner, begin, path.clone(), paths);
                    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
                    let next = inner[end..].iter().position(comma);
                    begin = next.map_or(inner.len(), |next| end + next + 1);
                }
                return at + 1;
            }
            Some(other) => {
                // A glob, or the parameters of a generic.
                paths.push((other.span().start().line, path));
                return at;
            }
            None => return at,
        }
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at..at + 2), Some([TokenTree::Punct(one), TokenTree::Punct(other)])
        if one.as_char() == ':' && one.spacing() == Spacing::Joint && other.as_char() == ':')
}

fn is_behind_separator(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_separator(tokens, at - 2)
}

/// The line of an `impl Server` or of an `impl ... for Server`.
fn implements_server(text: &str) -> Option<usize> {
    let parsed = syn::parse_file(text).ok()?;
    parsed.items.iter().find_map(|item| {
        let syn::Item::Impl(block) = item else { return None };
        let syn::Type::Path(path) = &*block.self_ty else { return None };
        let is_server = path.path.segments.last().is_some_and(|last| last.ident == "Server");
        is_server.then(|| block.impl_token.span.start().line)
    })
}

/// Sets of files that reach each other, of at least two each.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for next in graph.get(at).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|from| (from, reach(from))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (one, seen) in &reached {
        let circle: Vec<String> = seen
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(*one)))
            .map(|other| (*other).clone())
            .collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into(), words: Vec::new() }
    }

    fn words(faults: &[Fault]) -> Vec<(&str, &str)> {
        faults.iter().map(|fault| (fault.rule, fault.word.as_str())).collect()
    }

    #[test]
    fn an_import_from_above_or_beside_is_a_fault_and_one_from_below_is_none() {
        let files = [
            file("core/src/store/mod.rs", "pub mod keys;"),
            file("core/src/store/keys.rs", "use crate::{base::{clock, log}, engine::server::Server};"),
            file("core/src/base/clock.rs", ""),
            file("core/src/base/log.rs", ""),
            file("core/src/engine/server.rs", "fn f() { format!(\"{}\", crate::store::keys::x()) }"),
            file("core/src/admin/info.rs", "use crate::net::batch::Batch;"),
            file("core/src/net/batch.rs", "mod tests { use crate::admin::info::X; }"),
            file("core/src/attic/x.rs", ""),
        ];
        let (faults, plan) = check(&files);
        assert_eq!(words(&faults), [("rooms", "engine"), ("rooms", "net"), ("rooms", "attic::x")]);
        assert_eq!(plan.arrows["engine"].keys().collect::<Vec<_>>(), [&"store"]);
    }

    #[test]
    fn the_server_is_put_together_in_one_room() {
        let files = [
            file("core/src/engine/server.rs", "impl Server {}"),
            file("core/src/admin/info.rs", "struct S;\nimpl S {}\nimpl crate::engine::Server {}"),
            file("core/src/net/batch.rs", "impl Drop for Server { fn drop(&mut self) {} }"),
        ];
        let (faults, _) = check(&files);
        assert_eq!(words(&faults), [("server", "impl Server"), ("server", "impl Server")]);
    }

    #[test]
    fn a_circle_within_a_room_is_found_by_paths_of_all_kinds() {
        let files = [
            file("core/src/store/mod.rs", "mod a; mod b; mod c; use a::A;"),
            file("core/src/store/a.rs", "use super::b::{self, B};"),
            file("core/src/store/b.rs", "fn f() { crate::store::c::g(); }"),
            file("core/src/store/c.rs", "use super::a::*;"),
            file("core/src/store/d.rs", "use super::a::A;"),
        ];
        let (faults, plan) = check(&files);
        assert!(faults.is_empty());
        assert_eq!(plan.circles["store"], ["store::a", "store::b", "store::c"]);
    }
}
