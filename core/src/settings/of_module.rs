//! Parameters of modules: declared in a module's entry, kept as text here, and told
//! to the module through its `apply`.

use crate::base::number::parse_i64;
use crate::settings::value::memory_size;
use plinth_abi::config as abi;

/// A parameter of a module.
pub struct ModuleParameter {
    /// Name with the module's in front, unless it is a bare one.
    pub name: String,
    /// Second name, in the same form.
    pub alias: Option<String>,
    /// The module's struct.
    pub spec: abi::Config,
    /// The value as CONFIG GET shows it.
    pub value: Vec<u8>,
    /// The value as a number, where it has one.
    pub number: i64,
}

impl ModuleParameter {
    /// A parameter at its default.
    pub fn new(module: &str, spec: abi::Config) -> ModuleParameter {
        // SAFETY: constants of the module, which outlives its parameters.
        let (short, alias, default) = unsafe {
            use crate::base::foreign::text;
            (text(spec.name), text(spec.alias), spec.default.as_slice().to_vec())
        };
        let full = |short: &str| {
            if spec.flags & abi::CONFIG_BARE != 0 { short.to_owned() } else { format!("{module}.{short}") }
        };
        let alias = (!alias.is_empty()).then(|| full(&alias));
        ModuleParameter { name: full(&short), alias, spec, value: default, number: 0 }
    }

    /// The names that it answers to, its own first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.alias.as_deref())
    }

    /// Whether a name is one of its own.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether a `CONFIG_*` bit is set.
    pub fn is(&self, flag: u32) -> bool {
        self.spec.flags & flag != 0
    }

    /// The value that the module declares, as CONFIG GET shows it.
    pub fn default_value(&self) -> Vec<u8> {
        // SAFETY: a constant of the module, which outlives its parameters.
        let declared = unsafe { self.spec.default.as_slice() };
        self.parse(declared).map_or_else(|_| declared.to_vec(), |(_, shown)| shown)
    }

    /// The number and the text that a value stands for, or why it does not fit.
    pub fn parse(&self, value: &[u8]) -> Result<(i64, Vec<u8>), String> {
        let ranged = |number: i64| {
            if (self.spec.min..=self.spec.max).contains(&number) {
                Ok((number, number.to_string().into_bytes()))
            } else {
                Err(format!("argument must be between {} and {} inclusive", self.spec.min, self.spec.max))
            }
        };
        match self.spec.kind {
            abi::CONFIG_TEXT => Ok((0, value.to_vec())),
            abi::CONFIG_BOOLEAN => match value.to_ascii_lowercase().as_slice() {
                b"yes" => Ok((1, b"yes".to_vec())),
                b"no" => Ok((0, b"no".to_vec())),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
            abi::CONFIG_INTEGER => ranged(parse_i64(value).ok_or("argument couldn't be parsed into an integer")?),
            abi::CONFIG_MEMORY => {
                ranged(i64::try_from(memory_size(value).ok_or("argument must be a memory value")?).unwrap_or(i64::MAX))
            }
            abi::CONFIG_CHOICE => {
                // SAFETY: constants of the module.
                let words: Vec<String> = self
                    .spec
                    .choices
                    .iter()
                    .map(|at| unsafe { crate::base::foreign::text(*at) }.into_owned())
                    .collect();
                let found = words.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(value));
                let at =
                    found.ok_or_else(|| format!("argument(s) must be one of the following: {}", words.join(", ")))?;
                Ok((at as i64, words[at].clone().into_bytes()))
            }
            kind => Err(format!("its kind {kind} is not known to this server")),
        }
    }
}
