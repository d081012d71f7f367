//! Names: what a thing of the mirror is called in C.
//!
//! ```text
//!   KeysService        plinth_keys_service
//!   GET_WRITE          PLINTH_GET_WRITE
//!   Slice<KeySpec>     plinth_key_spec_slice
//!   field `class`      class_                   (words that C++ keeps for itself)
//! ```

use std::collections::{HashMap, HashSet};

use super::model::{Abi, Item, Kind, Scalar};

/// Words of C11, C23, C++17 and C++20 that a field or a parameter can be called in Rust but not
/// there.
const KEYWORDS: &str = "alignas alignof and asm auto bool case catch char class compl concept consteval constexpr constinit \
    decltype default delete do double explicit export float friend goto inline int long mutable namespace \
    new noexcept not nullptr operator or private protected public register requires short signed switch \
    template this throw typedef typename union unsigned using void xor";

/// What the mirror defines, for prose that speaks of it.
pub(super) struct Names {
    constants: HashSet<String>,
    types: HashSet<String>,
    stems: HashSet<String>,
    /// Fields and parameters.
    members: HashSet<String>,
    /// Where each type is defined.
    homes: HashMap<String, String>,
}

impl Names {
    /// The names of a mirror.
    ///
    /// # Errors
    /// When two files define the same name: C has no modules to keep them apart.
    pub(super) fn of(abi: &Abi) -> Result<Names, String> {
        let mut names = Names {
            constants: HashSet::new(),
            types: HashSet::new(),
            stems: abi.files.iter().map(|file| file.stem.clone()).collect(),
            members: HashSet::new(),
            homes: HashMap::new(),
        };
        for (file, item) in abi.items() {
            let name = item.name().to_string();
            let set = if matches!(item, Item::Constant(_)) { &mut names.constants } else { &mut names.types };
            if !set.insert(name.clone()) {
                return Err(format!("{}.rs: {name} is defined twice, and C has one name space", file.stem));
            }
            names.homes.insert(name, file.stem.clone());
            if let Item::Struct(found) = item {
                names.members.extend(found.fields.iter().map(|field| field.name.clone()));
            }
            for kind in item.kinds() {
                kind.walk(&mut |part| {
                    if let Kind::Function(function) = part {
                        names.members.extend(function.parameters.iter().map(|(name, _)| name.clone()));
                    }
                });
            }
        }
        Ok(names)
    }

    /// The stem of the file that defines a type.
    pub(super) fn home(&self, name: &str) -> Result<&str, String> {
        self.homes.get(name).map(String::as_str).ok_or_else(|| format!("{name} is nowhere defined"))
    }

    /// What a piece of code in prose is in C; `None` when it is no name of the mirror.
    pub(super) fn of_code(&self, code: &str) -> Option<String> {
        let path: Vec<&str> = code.strip_prefix("crate::").unwrap_or(code).split("::").collect();
        let modules = path.iter().take_while(|segment| path.len() > 1 && self.stems.contains(**segment)).count();
        match &path[modules..] {
            [] => path.last().map(|stem| format!("{stem}.h")),
            [name] if self.types.contains(*name) => Some(type_name(name)),
            [name] if code.starts_with("crate::") && self.stems.contains(*name) => Some(format!("{name}.h")),
            [name] if self.members.contains(*name) && is_keyword(name) => Some(member(name)),
            [name] => {
                Scalar::from_rust(name).map(|scalar| scalar.c_name().to_string()).or_else(|| self.of_constant(name))
            }
            [name, field] if self.types.contains(*name) => Some(format!("{}.{}", type_name(name), member(field))),
            _ => None,
        }
    }

    /// A constant, a family of them (`GET_*`), or a status without its prefix (`NONE`).
    fn of_constant(&self, name: &str) -> Option<String> {
        if self.constants.contains(name) {
            return Some(constant(name));
        }
        if let Some(family) = name.strip_suffix('*') {
            let is_family = family.ends_with('_') && self.constants.iter().any(|known| known.starts_with(family));
            return is_family.then(|| constant(name));
        }
        let status = format!("STATUS_{name}");
        self.constants.contains(&status).then(|| constant(&status))
    }
}

/// The name of a struct, callback or alias.
pub(super) fn type_name(rust: &str) -> String {
    let mut name = String::from("plinth");
    for letter in rust.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The name of a constant.
pub(super) fn constant(rust: &str) -> String {
    format!("PLINTH_{rust}")
}

/// The name of the array struct over `element`.
pub(super) fn slice(element: &Kind) -> Result<String, String> {
    match element {
        Kind::Named(name) => Ok(format!("{}_slice", type_name(name))),
        Kind::Scalar(scalar) => Ok(format!("plinth_{}_slice", scalar.c_name().trim_end_matches("_t"))),
        _ => Err("a slice of this type has no name".to_string()),
    }
}

/// The name of a field or a parameter.
pub(super) fn member(rust: &str) -> String {
    if is_keyword(rust) { format!("{rust}_") } else { rust.to_string() }
}

fn is_keyword(name: &str) -> bool {
    KEYWORDS.split(' ').any(|word| word == name)
}
