//! Sizes and offsets, as a C compiler and `repr(C)` lay structs out on a 64-bit machine: each
//! field at the next multiple of its alignment.
//!
//! They are computed here and not asked of the compiler so that generating needs no list of
//! fields kept by hand. Two sides hold them to the truth: a test compares them with `size_of` and
//! `offset_of!` of the mirror's types, and the headers assert them in C.
//!
//! A gap between fields is refused. Bytes that belong to nobody would go over uninitialised, and
//! no later field could claim them; a `reserved` field says the same honestly.

use std::collections::HashMap;

use super::model::{Abi, Item, Kind, Scalar, Struct};

/// The layout of one struct.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// `sizeof`.
    pub(super) size: usize,
    /// `offsetof` of each field, in order.
    pub(super) offsets: Vec<usize>,
}

/// Size and alignment.
type Extent = (usize, usize);

const POINTER: Extent = (8, 8);

/// The layouts of all structs, by their names in Rust.
pub(super) fn of_all(abi: &Abi) -> Result<HashMap<String, Layout>, String> {
    let items: HashMap<&str, &Item> = abi.items().map(|(_, item)| (item.name(), item)).collect();
    let mut layouts = HashMap::new();
    for (file, found) in abi.structs() {
        let (layout, _) = lay_out(found, &items).map_err(|error| format!("{}.rs: {error}", file.stem))?;
        layouts.insert(found.name.clone(), layout);
    }
    Ok(layouts)
}

fn lay_out(found: &Struct, items: &HashMap<&str, &Item>) -> Result<(Layout, Extent), String> {
    let (mut end, mut align) = (0_usize, 1);
    let mut offsets = Vec::new();
    for field in &found.fields {
        let (size, field_align) = extent(&field.kind, items)?;
        if !end.is_multiple_of(field_align) {
            return Err(format!("{}::{}: a gap before it; fill it with a reserved field", found.name, field.name));
        }
        offsets.push(end);
        end += size;
        align = align.max(field_align);
    }
    if !end.is_multiple_of(align) {
        return Err(format!("{}: a gap at its end; fill it with a reserved field", found.name));
    }
    Ok((Layout { size: end, offsets }, (end, align)))
}

fn extent(kind: &Kind, items: &HashMap<&str, &Item>) -> Result<Extent, String> {
    let scalar = |scalar: Scalar| (scalar.bytes(), scalar.bytes());
    match kind {
        Kind::Scalar(number) => Ok(scalar(*number)),
        Kind::Opaque | Kind::Pointer { .. } | Kind::Function(_) => Ok(POINTER),
        // The parameter of a slice is behind a pointer, so that any slice will do for all.
        Kind::Slice(_) => of_named("Slice", items),
        Kind::Named(name) => of_named(name, items),
        Kind::Parameter => Err("a parameter by value has no size".to_string()),
    }
}

fn of_named(name: &str, items: &HashMap<&str, &Item>) -> Result<Extent, String> {
    match items.get(name) {
        Some(Item::Struct(found)) => lay_out(found, items).map(|(_, extent)| extent),
        Some(Item::Callback(_)) => Ok(POINTER),
        Some(Item::Alias(alias)) => Ok((alias.scalar.bytes(), alias.scalar.bytes())),
        _ => Err(format!("{name} is nowhere defined")),
    }
}
