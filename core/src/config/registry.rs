//! Parameters of modules: declared in a module's entry, kept as text here, and told
//! to the module through its `apply`.

use super::value::memory_size;
use crate::module::ModuleId;
use crate::resp::number::parse_i64;
use crate::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::config as abi;
use plinth_abi::status::STATUS_OK;

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
            use crate::command::table::text;
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
    fn parse(&self, value: &[u8]) -> Result<(i64, Vec<u8>), String> {
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
                    .map(|at| unsafe { crate::command::table::text(*at) }.into_owned())
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

impl Server {
    /// Whether a parameter of this name exists.
    pub fn parameter_exists(&self, name: &str) -> bool {
        super::settings::find(name).is_some() || self.find_module_parameter(name).is_some()
    }

    /// Module and position of a module's parameter.
    pub fn find_module_parameter(&self, name: &str) -> Option<(ModuleId, usize)> {
        self.modules.visible().find_map(|module| {
            let at = module.parameters.iter().position(|parameter| parameter.is_called(name))?;
            Some((module.id, at))
        })
    }

    /// A module's parameter.
    pub fn module_parameter(&self, at: (ModuleId, usize)) -> Option<&ModuleParameter> {
        self.modules.get(at.0)?.parameters.get(at.1)
    }

    /// Set a module's parameter, which its `apply` may refuse.
    pub fn set_module_parameter(&mut self, at: (ModuleId, usize), value: &[u8]) -> Result<(), String> {
        let parameter = self.module_parameter(at).ok_or("no such parameter")?;
        let (number, text) = parameter.parse(value)?;
        let (apply, data) = (parameter.spec.apply, parameter.spec.data);
        if let Some(apply) = apply {
            let said = self.call_module(at.0, 0, |context| {
                // SAFETY: the module is loaded, and text and call live for the call.
                let status = unsafe { apply(&raw mut context.call, number, Bytes::of(&text), data) };
                let mark = context.mark;
                let reply = context.output().copy_after(mark);
                (status, String::from_utf8_lossy(&reply).trim_start_matches('-').trim().to_owned())
            });
            if let Some((status, said)) = said
                && status != STATUS_OK
            {
                return Err(if said.is_empty() { "the module refused the value".into() } else { said });
            }
        }
        if let Some(parameter) = self.modules.get_mut(at.0).and_then(|module| module.parameters.get_mut(at.1)) {
            parameter.value = text;
            parameter.number = number;
        }
        self.set_for_inactive(at, value);
        Ok(())
    }

    /// Tell the module whose place another has taken of a parameter of the other's that
    /// it has too: its handlers still run commands on large values.
    fn set_for_inactive(&mut self, at: (ModuleId, usize), value: &[u8]) {
        let Some(inactive) = self.replacements.iter().find(|one| one.active == at.0).map(|one| one.inactive) else {
            return;
        };
        let (Some(set), Some(module)) = (self.module_parameter(at), self.modules.get(inactive)) else { return };
        // An alias of one module may be a parameter of its own in the other.
        let is_same = |other: &ModuleParameter| set.names().any(|name| other.is_called(name));
        let known: Vec<usize> =
            (0..module.parameters.len()).filter(|known| is_same(&module.parameters[*known])).collect();
        for known in known {
            // What it refuses it does without: the active module has taken it.
            let _ = self.set_module_parameter((inactive, known), value);
        }
    }

    /// Tell a module that is being loaded its parameters: what the request says, what
    /// the module had that it replaces, what the configuration file has said, or the
    /// default.
    pub fn initialise_parameters(
        &mut self,
        id: ModuleId,
        requested: &[(String, Vec<u8>)],
        carried: &[(String, Vec<u8>)],
    ) -> Result<(), String> {
        let Some(module) = self.modules.get(id) else { return Ok(()) };
        let count = module.parameters.len();
        if let Some((name, _)) =
            requested.iter().find(|(name, _)| !module.parameters.iter().any(|one| one.is_called(name)))
        {
            return Err(format!("the module has no parameter '{name}'"));
        }
        for at in 0..count {
            let Some(parameter) = self.modules.get(id).and_then(|module| module.parameters.get(at)) else { break };
            // What is said last counts, under either name.
            let last = |pairs: &[(String, Vec<u8>)]| {
                let found = pairs.iter().rev().find(|(given, _)| parameter.is_called(given));
                found.map(|(_, value)| value.clone())
            };
            // Of two parameters that have become one, the one of its name.
            let carry = || {
                let of = |name: &str| carried.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
                parameter.names().find_map(of).map(|(_, value)| value.clone())
            };
            let waiting = last(&self.waiting_parameters);
            let value = last(requested).or_else(carry).or(waiting).unwrap_or_else(|| parameter.value.clone());
            let name = parameter.name.clone();
            self.waiting_parameters.retain(|(given, _)| !parameter.is_called(given));
            self.set_module_parameter((id, at), &value).map_err(|reason| format!("parameter '{name}': {reason}"))?;
        }
        Ok(())
    }
}
