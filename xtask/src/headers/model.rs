//! What the mirror says, without Rust's syntax: files of constants, structs, callbacks and
//! aliases, in the order in which they stand there.

/// The whole mirror.
pub(super) struct Abi {
    /// The crate's own constants, which go into `plinth.h`.
    pub(super) root: File,
    /// One file per interface.
    pub(super) files: Vec<File>,
}

/// One source file.
pub(super) struct File {
    /// Name without extension.
    pub(super) stem: String,
    /// What it opens with.
    pub(super) docs: Vec<String>,
    /// What it defines.
    pub(super) items: Vec<Item>,
}

/// One definition.
pub(super) enum Item {
    Constant(Constant),
    Struct(Struct),
    Callback(Callback),
    Alias(Alias),
}

/// `pub const NAME: kind = value;`
pub(super) struct Constant {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) value: Value,
}

/// A constant's value, as far as C has to show it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number of a type.
    Number { scalar: Scalar, value: i128 },
    /// `1 << shift`, shown as such because it is a bit.
    Bit { scalar: Scalar, shift: u32 },
    /// A magic number, shown in hexadecimal.
    Hex { scalar: Scalar, value: u32 },
    /// A text, which becomes a string literal.
    Text(String),
}

/// A `repr(C)` struct.
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// Generic over the type that a pointer in it points at: only `Slice` is.
    pub(super) is_generic: bool,
}

/// A field of a struct.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) kind: Kind,
}

/// A `repr(transparent)` struct around one function pointer: to C, that pointer.
pub(super) struct Callback {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) function: Function,
}

/// `pub type Name = scalar;`
pub(super) struct Alias {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) scalar: Scalar,
}

/// A function pointer's type.
#[derive(Clone)]
pub(super) struct Function {
    pub(super) parameters: Vec<(String, Kind)>,
    pub(super) result: Option<Kind>,
}

/// The type of a field, a parameter or a result.
#[derive(Clone)]
pub(super) enum Kind {
    Scalar(Scalar),
    /// An address whose type only one side knows.
    Opaque,
    /// A struct, callback or alias of the mirror, by value.
    Named(String),
    /// An array of structs with its stride.
    Slice(Box<Kind>),
    Pointer {
        is_const: bool,
        to: Box<Kind>,
    },
    Function(Box<Function>),
    /// The parameter of a generic struct.
    Parameter,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    U8,
    U16,
    U32,
    U64,
    I32,
    I64,
    F64,
    Size,
}

impl Scalar {
    /// The scalar that Rust calls `name`.
    pub(super) fn from_rust(name: &str) -> Option<Scalar> {
        Some(match name {
            "u8" => Scalar::U8,
            "u16" => Scalar::U16,
            "u32" => Scalar::U32,
            "u64" => Scalar::U64,
            "i32" => Scalar::I32,
            "i64" => Scalar::I64,
            "f64" => Scalar::F64,
            "usize" => Scalar::Size,
            _ => return None,
        })
    }

    /// What C calls it.
    pub(super) fn c_name(self) -> &'static str {
        match self {
            Scalar::U8 => "uint8_t",
            Scalar::U16 => "uint16_t",
            Scalar::U32 => "uint32_t",
            Scalar::U64 => "uint64_t",
            Scalar::I32 => "int32_t",
            Scalar::I64 => "int64_t",
            Scalar::F64 => "double",
            Scalar::Size => "size_t",
        }
    }

    /// Its size, which is its alignment too, on the 64-bit targets that are asserted.
    pub(super) fn bytes(self) -> usize {
        match self {
            Scalar::U8 => 1,
            Scalar::U16 => 2,
            Scalar::U32 | Scalar::I32 => 4,
            Scalar::U64 | Scalar::I64 | Scalar::F64 | Scalar::Size => 8,
        }
    }
}

impl Abi {
    /// Every item with the file it stands in, the crate's own first.
    pub(super) fn items(&self) -> impl Iterator<Item = (&File, &Item)> {
        std::iter::once(&self.root).chain(&self.files).flat_map(|file| file.items.iter().map(move |item| (file, item)))
    }

    /// Every struct with the file it stands in.
    pub(super) fn structs(&self) -> impl Iterator<Item = (&File, &Struct)> {
        self.items().filter_map(|(file, item)| match item {
            Item::Struct(found) => Some((file, found)),
            _ => None,
        })
    }
}

impl Item {
    /// The name in Rust.
    pub(super) fn name(&self) -> &str {
        match self {
            Item::Constant(item) => &item.name,
            Item::Struct(item) => &item.name,
            Item::Callback(item) => &item.name,
            Item::Alias(item) => &item.name,
        }
    }

    /// The kinds that its definition mentions.
    pub(super) fn kinds(&self) -> Vec<&Kind> {
        match self {
            Item::Constant(_) | Item::Alias(_) => Vec::new(),
            Item::Struct(item) => item.fields.iter().map(|field| &field.kind).collect(),
            Item::Callback(item) => item.function.kinds().collect(),
        }
    }
}

impl Function {
    /// The kinds of its parameters and its result.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.parameters.iter().map(|(_, kind)| kind).chain(&self.result)
    }
}

impl Kind {
    /// This kind and all that it is made of, outermost first.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Kind)) {
        visit(self);
        match self {
            Kind::Slice(inner) | Kind::Pointer { to: inner, .. } => inner.walk(visit),
            Kind::Function(function) => function.kinds().for_each(|kind| kind.walk(visit)),
            Kind::Scalar(_) | Kind::Opaque | Kind::Named(_) | Kind::Parameter => {}
        }
    }
}
