//! Reading the mirror: Rust source to the model, refusing what has no form in C.
//!
//! Understood are `pub const`, `pub type` of a number, and `pub struct` that is `repr(C)` or a
//! `repr(transparent)` function pointer. `impl` blocks and `use` are Rust's own business and are
//! passed over. `layout.rs` is left out as a whole: it serves Rust modules only.

use std::path::Path;

use syn::ext::IdentExt;
use syn::{
    Attribute, BinOp, Expr, ExprLit, Field as RustField, Fields, GenericArgument, GenericParam, Item as RustItem,
    ItemStruct, Lit, Meta, PathArguments, ReturnType, Type, TypeFnPtr, UnOp, Visibility,
};

use super::model::{Abi, Alias, Callback, Constant, Field, File, Function, Item, Kind, Scalar, Struct, Value};

/// The file that has no header.
const RUST_ONLY: &str = "layout";
/// The file whose constants are the crate's own.
const ROOT: &str = "lib";

/// Reads the mirror in `sources`: `lib.rs`, and each public module that it declares.
pub(super) fn folder(sources: &Path) -> Result<Abi, String> {
    let parsed = parse(sources, ROOT)?;
    let mut files = Vec::new();
    for item in &parsed.items {
        let RustItem::Mod(module) = item else { continue };
        let stem = module.ident.to_string();
        if stem != RUST_ONLY && is_public(&module.vis) {
            files.push(file(stem.clone(), &parse(sources, &stem)?)?);
        }
    }
    Ok(Abi { root: file(ROOT.to_string(), &parsed)?, files })
}

/// Reads one file from its text; what a test feeds.
#[cfg(test)]
pub(super) fn text(stem: &str, source: &str) -> Result<File, String> {
    let parsed = syn::parse_file(source).map_err(|error| error.to_string())?;
    file(stem.to_string(), &parsed)
}

fn parse(sources: &Path, stem: &str) -> Result<syn::File, String> {
    let path = sources.join(format!("{stem}.rs"));
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let source = std::fs::read_to_string(&path).map_err(|error| fault(&error))?;
    syn::parse_file(&source).map_err(|error| fault(&error))
}

fn file(stem: String, parsed: &syn::File) -> Result<File, String> {
    let mut items = Vec::new();
    for rust in &parsed.items {
        let read = item(rust).map_err(|error| format!("{stem}.rs: {error}"))?;
        items.extend(read);
    }
    Ok(File { stem, docs: docs(&parsed.attrs), items })
}

fn item(rust: &RustItem) -> Result<Option<Item>, String> {
    match rust {
        RustItem::Const(item) if is_public(&item.vis) => {
            let name = item.ident.to_string();
            let value = value(&item.ty, &item.expr).map_err(|error| format!("{name}: {error}"))?;
            Ok(Some(Item::Constant(Constant { docs: docs(&item.attrs), name, value })))
        }
        RustItem::Type(item) if is_public(&item.vis) => {
            let name = item.ident.to_string();
            if is_opaque(&name) {
                return Ok(None);
            }
            let Kind::Scalar(scalar) = kind(&item.ty, None)? else {
                return Err(format!("{name}: only an alias of a number has a form in C"));
            };
            Ok(Some(Item::Alias(Alias { docs: docs(&item.attrs), name, scalar })))
        }
        RustItem::Struct(item) if is_opaque(&item.ident.to_string()) => Ok(None),
        RustItem::Struct(item) if is_public(&item.vis) => {
            structure(item).map(Some).map_err(|error| format!("{}: {error}", item.ident))
        }
        RustItem::Enum(item) => Err(format!("{}: an enum does not cross the ABI", item.ident)),
        RustItem::Union(item) => Err(format!("{}: a union does not cross the ABI", item.ident)),
        RustItem::Macro(_) => Err("a macro is not looked into; write out what it makes".to_string()),
        _ => Ok(None),
    }
}

/// `Opaque` is `void *` in C and needs no name there, nor do those that only unsafe Rust makes.
fn is_opaque(name: &str) -> bool {
    matches!(name, "Opaque" | "HandlerData" | "ConfigData")
}

fn structure(item: &ItemStruct) -> Result<Item, String> {
    let parameter = match item.generics.params.iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [GenericParam::Type(only)] => Some(only.ident.to_string()),
        _ => return Err("at most one parameter, a type, has a form in C".to_string()),
    };
    let Fields::Named(named) = &item.fields else { return Err("fields must have names".to_string()) };
    let fields = named.named.iter().map(|rust| field(rust, parameter.as_deref())).collect::<Result<Vec<_>, _>>()?;
    let (name, docs) = (item.ident.to_string(), docs(&item.attrs));
    match representation(&item.attrs).as_deref() {
        Some("C") => Ok(Item::Struct(Struct { name, docs, fields, is_generic: parameter.is_some() })),
        Some("transparent") => match fields.into_iter().next() {
            Some(Field { kind: Kind::Function(function), .. }) => {
                Ok(Item::Callback(Callback { name, docs, function: *function }))
            }
            _ => Err("only a function pointer may be repr(transparent)".to_string()),
        },
        _ => Err("a struct must be repr(C)".to_string()),
    }
}

fn field(rust: &RustField, parameter: Option<&str>) -> Result<Field, String> {
    let name = rust.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
    if !is_public(&rust.vis) {
        return Err(format!("{name} must be public: C sees every field"));
    }
    let kind = kind(&rust.ty, parameter).map_err(|error| format!("{name}: {error}"))?;
    Ok(Field { docs: docs(&rust.attrs), name, kind })
}

fn kind(rust: &Type, parameter: Option<&str>) -> Result<Kind, String> {
    match rust {
        Type::Ptr(pointer) => Ok(Kind::Pointer {
            is_const: matches!(pointer.mutability, syn::PointerMutability::Const(_)),
            to: Box::new(kind(&pointer.elem, parameter)?),
        }),
        Type::FnPtr(function) => Ok(Kind::Function(Box::new(self::function(function)?))),
        Type::Path(path) => {
            let last = path.path.segments.last().ok_or("an empty path")?;
            let name = last.ident.to_string();
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(list) => match list.args.first() {
                    Some(GenericArgument::Type(only)) => Some(only),
                    _ => return Err(format!("{name}: not a type argument")),
                },
                _ => None,
            };
            match (name.as_str(), inner) {
                ("Slice", Some(inner)) => Ok(Kind::Slice(Box::new(kind(inner, parameter)?))),
                // A function pointer that may be null is the same in C; its comment says so.
                ("Option", Some(inner @ Type::FnPtr(_))) => kind(inner, parameter),
                (_, Some(_)) => Err(format!("{name}<...> has no form in C")),
                _ if is_opaque(&name) => Ok(Kind::Opaque),
                _ if Some(name.as_str()) == parameter => Ok(Kind::Parameter),
                _ => Ok(Scalar::from_rust(&name).map_or(Kind::Named(name), Kind::Scalar)),
            }
        }
        _ => Err("a type that has no form in C".to_string()),
    }
}

fn function(rust: &TypeFnPtr) -> Result<Function, String> {
    let is_c = rust.abi.as_ref().and_then(|abi| abi.name.as_ref()).is_some_and(|name| name.value() == "C");
    if !is_c {
        return Err("a function pointer must be extern \"C\"".to_string());
    }
    let mut parameters = Vec::new();
    for argument in &rust.inputs {
        let (name, _) = argument.name.as_ref().ok_or("a parameter without a name")?;
        parameters.push((name.unraw().to_string(), kind(&argument.ty, None)?));
    }
    let result = match &rust.output {
        ReturnType::Default => None,
        ReturnType::Type(_, rust) => Some(kind(rust, None)?),
    };
    Ok(Function { parameters, result })
}

fn value(rust: &Type, expression: &Expr) -> Result<Value, String> {
    if let (Type::Reference(_), Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = (rust, expression) {
        return Ok(Value::Text(text.value()));
    }
    let scalar = match kind(rust, None)? {
        Kind::Scalar(scalar) => scalar,
        Kind::Named(name) if name == "Status" => Scalar::I32,
        _ => return Err("a constant must be a number or a text".to_string()),
    };
    match expression {
        Expr::Binary(binary) if matches!(binary.op, BinOp::Shl(_)) => {
            let shift = number(&binary.right)?;
            match (number(&binary.left)?, u32::try_from(shift)) {
                (1, Ok(shift)) => Ok(Value::Bit { scalar, shift }),
                _ => Err("only 1 << n is understood".to_string()),
            }
        }
        Expr::Call(call) => magic(call).map(|value| Value::Hex { scalar, value }),
        _ => number(expression).map(|value| Value::Number { scalar, value }),
    }
}

fn number(expression: &Expr) -> Result<i128, String> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(digits), .. }) => digits.base10_parse().map_err(|error| error.to_string()),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => number(&unary.expr).map(|value| -value),
        _ => Err("an expression that has no form in C".to_string()),
    }
}

/// `u32::from_le_bytes(*b"....")`
fn magic(call: &syn::ExprCall) -> Result<u32, String> {
    let fault = || "only u32::from_le_bytes(*b\"....\") is understood".to_string();
    let Expr::Path(function) = &*call.func else { return Err(fault()) };
    if function.path.segments.last().is_none_or(|segment| segment.ident != "from_le_bytes") {
        return Err(fault());
    }
    let Some(Expr::Unary(argument)) = call.args.first() else { return Err(fault()) };
    let Expr::Lit(ExprLit { lit: Lit::ByteStr(bytes), .. }) = &*argument.expr else { return Err(fault()) };
    bytes.value().try_into().map(u32::from_le_bytes).map_err(|_| fault())
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn representation(attributes: &[Attribute]) -> Option<String> {
    let list = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("repr") => Some(list),
        _ => None,
    })?;
    Some(list.tokens.to_string())
}

fn docs(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { continue };
        if pair.path.is_ident("doc") {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_string());
        }
    }
    lines
}
