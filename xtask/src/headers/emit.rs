//! Writing headers: the model as C11 that is C++17 as well.
//!
//! ```text
//!   opening comment
//!   include guard, includes          files whose structs are held by value
//!   typedef struct plinth_x ...      structs spoken of, so that files may speak of each other
//!   arrays of what is defined here   plinth_x_slice
//!   constants, structs, callbacks    in the order of the mirror
//!   sizes and offsets asserted       on 64-bit machines
//! ```

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use super::Header;
use super::comment;
use super::layout::Layout;
use super::model::{Abi, Callback, Constant, Field, File, Function, Item, Kind, Scalar, Struct, Value};
use super::names::{self, Names};

/// What a module includes: everything, and the macros that make constant data short to write.
const UMBRELLA: &str = include_str!("umbrella.h");
/// How layouts are asserted; part of `bytes.h`, which every header with a struct includes.
const ASSERTIONS: &str = include_str!("assertions.h");
/// The file that defines `Slice` and holds [`ASSERTIONS`].
const BASE: &str = "bytes";
/// The generic array.
const SLICE: &str = "Slice";
const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// The headers of a mirror, `plinth.h` first.
pub(super) fn headers(abi: &Abi, layouts: &HashMap<String, Layout>) -> Result<Vec<Header>, String> {
    let emitter = Emitter {
        names: Names::of(abi)?,
        items: abi.items().map(|(_, item)| (item.name(), item)).collect(),
        slices: slices(abi)?,
        abi,
        layouts,
    };
    let mut headers = vec![emitter.umbrella()?];
    for file in &abi.files {
        let text = emitter.header(file).map_err(|error| format!("{}.rs: {error}", file.stem))?;
        headers.push(Header { name: format!("{}.h", file.stem), text });
    }
    Ok(headers)
}

struct Emitter<'a> {
    abi: &'a Abi,
    names: Names,
    items: HashMap<&'a str, &'a Item>,
    layouts: &'a HashMap<String, Layout>,
    /// Elements of arrays by the names of the arrays, sorted so that output is stable.
    slices: Vec<(String, &'a Kind)>,
}

/// What a header needs from others.
#[derive(Default)]
struct Needs {
    includes: BTreeSet<String>,
    structs: BTreeSet<String>,
}

/// Every kind of array that the mirror uses.
fn slices(abi: &Abi) -> Result<Vec<(String, &Kind)>, String> {
    let mut elements = Vec::new();
    for (_, item) in abi.items() {
        for kind in item.kinds() {
            kind.walk(&mut |part| {
                if let Kind::Slice(element) = part {
                    elements.push(&**element);
                }
            });
        }
    }
    let mut named = Vec::new();
    for element in elements {
        named.push((names::slice(element)?, element));
    }
    named.sort_by(|left, right| left.0.cmp(&right.0));
    named.dedup_by(|left, right| left.0 == right.0);
    Ok(named)
}

impl<'a> Emitter<'a> {
    fn umbrella(&self) -> Result<Header, String> {
        let includes: String = self.abi.files.iter().map(|file| include(&file.stem)).collect();
        let mut constants = String::new();
        for item in &self.abi.root.items {
            let Item::Constant(found) = item else {
                return Err(format!("lib.rs: {}: only constants may stand in the root", item.name()));
            };
            self.constant(found, !constants.is_empty(), &mut constants);
        }
        let text = UMBRELLA.replace("@INCLUDES@\n", &includes).replace("@CONSTANTS@\n", constants.trim_start());
        Ok(Header { name: "plinth.h".to_string(), text })
    }

    fn header(&self, file: &'a File) -> Result<String, String> {
        let guard = format!("PLINTH_{}_H", file.stem.to_uppercase());
        let mut out = format!(
            "// Generated from module-api/abi/src/{}.rs by `cargo xtask headers`; do not edit.\n//\n",
            file.stem
        );
        out.push_str(&comment::of(&file.docs, 0, &self.names));
        out.push_str(&format!("\n#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n"));
        self.preamble(file, &mut out)?;
        let mut family = "";
        for item in &file.items {
            let before = std::mem::replace(&mut family, family_of(item));
            match item {
                Item::Constant(found) => self.constant(found, before == family, &mut out),
                Item::Struct(found) if found.is_generic => self.own_slices(file, &mut out)?,
                Item::Struct(found) => self.structure(found, &mut out)?,
                Item::Callback(found) => self.callback(found, &mut out)?,
                Item::Alias(found) => {
                    out.push('\n');
                    out.push_str(&comment::of(&found.docs, 0, &self.names));
                    let _ = writeln!(out, "typedef {} {};", found.scalar.c_name(), names::type_name(&found.name));
                }
            }
        }
        self.assertions(file, &mut out)?;
        out.push_str(&format!("\n#ifdef __cplusplus\n}}\n#endif\n\n#endif // {guard}\n"));
        Ok(out)
    }

    /// Includes, forward declarations, arrays.
    fn preamble(&self, file: &'a File, out: &mut String) -> Result<(), String> {
        let mut needs = Needs::default();
        for kind in file.items.iter().flat_map(Item::kinds) {
            self.needs(kind, &mut needs)?;
        }
        let own: Vec<&Struct> = own_structs(file).collect();
        if !own.is_empty() && file.stem != BASE {
            needs.includes.insert(BASE.to_string());
        }
        needs.includes.remove(&file.stem);
        if !needs.includes.is_empty() {
            out.push('\n');
            needs.includes.iter().for_each(|stem| out.push_str(&include(stem)));
        }
        if file.stem == BASE {
            out.push_str(ASSERTIONS);
        }
        out.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
        let mut lines = BTreeSet::new();
        for name in own.iter().map(|found| found.name.as_str()).chain(needs.structs.iter().map(String::as_str)) {
            let (c, home) = (names::type_name(name), self.names.home(name)?);
            if needs.includes.contains(home) {
                continue;
            }
            let place = if home == file.stem { String::new() } else { format!(" // {home}.h") };
            lines.insert(format!("typedef struct {c} {c};{place}\n"));
        }
        if !lines.is_empty() {
            out.push('\n');
            lines.iter().for_each(|line| out.push_str(line));
        }
        if file.stem != BASE { self.own_slices(file, out) } else { Ok(()) }
    }

    fn needs(&self, kind: &Kind, needs: &mut Needs) -> Result<(), String> {
        match kind {
            Kind::Scalar(_) | Kind::Opaque | Kind::Parameter => Ok(()),
            Kind::Named(name) => {
                needs.includes.insert(self.names.home(name)?.to_string());
                Ok(())
            }
            Kind::Slice(element) => {
                needs.includes.insert(BASE.to_string());
                self.needs(element, needs)
            }
            Kind::Pointer { to, .. } => match &**to {
                Kind::Named(name) if matches!(self.items.get(name.as_str()), Some(Item::Struct(_))) => {
                    needs.structs.insert(name.clone());
                    Ok(())
                }
                inner => self.needs(inner, needs),
            },
            Kind::Function(function) => function.kinds().try_for_each(|kind| self.needs(kind, needs)),
        }
    }

    /// A constant; one of the same family as the one before follows without a blank line.
    fn constant(&self, found: &Constant, is_next: bool, out: &mut String) {
        if !is_next {
            out.push('\n');
        }
        out.push_str(&comment::of(&found.docs, 0, &self.names));
        let _ = writeln!(out, "#define {} {}", names::constant(&found.name), constant_value(&found.value));
    }

    fn structure(&self, found: &Struct, out: &mut String) -> Result<(), String> {
        out.push('\n');
        out.push_str(&comment::of(&found.docs, 0, &self.names));
        let _ = writeln!(out, "struct {} {{", names::type_name(&found.name));
        let is_function = |field: &Field| matches!(field.kind, Kind::Function(_));
        for (at, field) in found.fields.iter().enumerate() {
            if at > 0 && (is_function(field) || is_function(&found.fields[at - 1])) {
                out.push('\n');
            }
            out.push_str(&comment::of(&field.docs, INDENT.len(), &self.names));
            out.push_str(&self.field(field, None)?);
        }
        out.push_str("};\n");
        Ok(())
    }

    fn callback(&self, found: &Callback, out: &mut String) -> Result<(), String> {
        out.push('\n');
        out.push_str(&comment::of(&found.docs, 0, &self.names));
        out.push_str(&self.function(&found.function, "typedef ", &names::type_name(&found.name))?);
        Ok(())
    }

    /// The arrays whose elements are defined in `file`.
    fn own_slices(&self, file: &File, out: &mut String) -> Result<(), String> {
        let Some(Item::Struct(generic)) = self.items.get(SLICE) else { return Ok(()) };
        let mut is_first = file.stem == BASE;
        for (name, element) in self.slices_of(file)? {
            out.push('\n');
            if is_first {
                out.push_str(&comment::of(&generic.docs, 0, &self.names));
            } else {
                let _ = writeln!(out, "// An array of `{}`; see `plinth/{BASE}.h`.", c_type(element)?);
            }
            let _ = writeln!(out, "typedef struct {name} {{");
            for field in &generic.fields {
                if is_first {
                    out.push_str(&comment::of(&field.docs, INDENT.len(), &self.names));
                }
                out.push_str(&self.field(field, Some(element))?);
            }
            let _ = writeln!(out, "}} {name};");
            is_first = false;
        }
        Ok(())
    }

    fn slices_of(&self, file: &File) -> Result<Vec<(&str, &'a Kind)>, String> {
        let mut found = Vec::new();
        for (name, element) in &self.slices {
            let home = match element {
                Kind::Named(element) => self.names.home(element)?,
                _ => BASE,
            };
            if home == file.stem {
                found.push((name.as_str(), *element));
            }
        }
        Ok(found)
    }

    fn field(&self, field: &Field, parameter: Option<&Kind>) -> Result<String, String> {
        let name = names::member(&field.name);
        match (&field.kind, parameter) {
            (Kind::Function(function), _) => self.function(function, INDENT, &name),
            (Kind::Pointer { is_const, to }, Some(element)) if matches!(**to, Kind::Parameter) => {
                let kind = Kind::Pointer { is_const: *is_const, to: Box::new(element.clone()) };
                Ok(format!("{INDENT}{};\n", declaration(&kind, &name)?))
            }
            (kind, _) => Ok(format!("{INDENT}{};\n", declaration(kind, &name)?)),
        }
    }

    /// A function pointer's declaration, broken where it is too long.
    fn function(&self, function: &Function, lead: &str, name: &str) -> Result<String, String> {
        let result = function.result.as_ref().map_or(Ok("void".to_string()), c_type)?;
        let space = if result.ends_with('*') { "" } else { " " };
        let mut out = format!("{lead}{result}{space}(*{name})(");
        if function.parameters.is_empty() {
            out.push_str("void");
        }
        let margin = " ".repeat(out.len());
        let mut column = out.len();
        for (at, (name, kind)) in function.parameters.iter().enumerate() {
            let is_last = at + 1 == function.parameters.len();
            let text = format!("{}{}", declaration(kind, &names::member(name))?, if is_last { ");" } else { "," });
            if at > 0 && column + 1 + text.len() > WIDTH {
                out.push('\n');
                out.push_str(&margin);
                column = margin.len();
            } else if at > 0 {
                out.push(' ');
                column += 1;
            }
            column += text.len();
            out.push_str(&text);
        }
        if function.parameters.is_empty() {
            out.push_str(");");
        }
        out.push('\n');
        Ok(out)
    }

    fn assertions(&self, file: &File, out: &mut String) -> Result<(), String> {
        let mut lines = String::new();
        let layout = |name: &str| self.layouts.get(name).ok_or_else(|| format!("{name} has no layout"));
        for found in own_structs(file) {
            let (layout, name) = (layout(&found.name)?, names::type_name(&found.name));
            let _ = writeln!(lines, "PLINTH_ASSERT_SIZE({name}, {});", layout.size);
            for (field, offset) in found.fields.iter().zip(&layout.offsets) {
                let _ = writeln!(lines, "PLINTH_ASSERT_OFFSET({name}, {}, {offset});", names::member(&field.name));
            }
        }
        for (name, _) in self.slices_of(file)? {
            let _ = writeln!(lines, "PLINTH_ASSERT_SIZE({name}, {});", layout(SLICE)?.size);
        }
        if !lines.is_empty() {
            let _ = write!(out, "\n#if UINTPTR_MAX == UINT64_MAX\n{lines}#endif\n");
        }
        Ok(())
    }
}

fn own_structs(file: &File) -> impl Iterator<Item = &Struct> {
    file.items.iter().filter_map(|item| match item {
        Item::Struct(found) if !found.is_generic => Some(found),
        _ => None,
    })
}

fn include(stem: &str) -> String {
    format!("#include <plinth/{stem}.h>\n")
}

/// A constant's first word, shared by those that belong together; nothing for other items.
fn family_of(item: &Item) -> &str {
    match item {
        Item::Constant(found) => found.name.split('_').next().unwrap_or_default(),
        _ => "",
    }
}

fn declaration(kind: &Kind, name: &str) -> Result<String, String> {
    let c = c_type(kind)?;
    let space = if c.ends_with('*') { "" } else { " " };
    Ok(format!("{c}{space}{name}"))
}

fn c_type(kind: &Kind) -> Result<String, String> {
    match kind {
        Kind::Scalar(scalar) => Ok(scalar.c_name().to_string()),
        Kind::Opaque => Ok("void *".to_string()),
        Kind::Named(name) => Ok(names::type_name(name)),
        Kind::Slice(element) => names::slice(element),
        Kind::Pointer { is_const, to } => {
            let inner = c_type(to)?;
            Ok(match (is_const, inner.ends_with('*')) {
                (false, true) => format!("{inner}*"),
                (true, true) => format!("{inner}const *"),
                (false, false) => format!("{inner} *"),
                (true, false) => format!("const {inner} *"),
            })
        }
        Kind::Function(_) => Err("a function pointer as a parameter needs a name: make it a callback".to_string()),
        Kind::Parameter => Err("a parameter outside an array".to_string()),
    }
}

fn constant_value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{}\"", text.escape_default()),
        Value::Hex { scalar, value } => number(*scalar, &format!("0x{value:08X}")),
        Value::Bit { scalar, shift } => format!("({} << {shift})", number(*scalar, "1")),
        Value::Number { scalar, value } if *value < 0 => format!("({})", number(*scalar, &value.to_string())),
        Value::Number { scalar, value } => number(*scalar, &value.to_string()),
    }
}

/// A literal of a type. The small ones are `int` in C, and a shorter constant fits them anyway.
fn number(scalar: Scalar, digits: &str) -> String {
    match scalar {
        Scalar::U32 => format!("UINT32_C({digits})"),
        Scalar::U64 => format!("UINT64_C({digits})"),
        Scalar::I64 => format!("INT64_C({digits})"),
        Scalar::Size => format!("((size_t){digits})"),
        Scalar::U8 | Scalar::U16 | Scalar::I32 | Scalar::F64 => digits.to_string(),
    }
}
