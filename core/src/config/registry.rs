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
        let (short, default) = unsafe { (crate::command::table::text(spec.name), spec.default.as_slice().to_vec()) };
        let name = if spec.flags & abi::CONFIG_BARE != 0 { short.into_owned() } else { format!("{module}.{short}") };
        ModuleParameter { name, spec, value: default, number: 0 }
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
            let at = module.parameters.iter().position(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
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
        let Some(name) = self.module_parameter(at).map(|parameter| parameter.name.clone()) else { return };
        let known = self.modules.get(inactive).and_then(|module| {
            module.parameters.iter().position(|parameter| parameter.name.eq_ignore_ascii_case(&name))
        });
        if let Some(known) = known {
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
        let names: Vec<String> = self
            .modules
            .get(id)
            .map(|module| module.parameters.iter().map(|one| one.name.clone()).collect())
            .unwrap_or_default();
        for (name, _) in requested {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(format!("the module has no parameter '{name}'"));
            }
        }
        for (at, name) in names.iter().enumerate() {
            let of = |pairs: &[(String, Vec<u8>)]| {
                let found = pairs.iter().rev().find(|(given, _)| given.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone())
            };
            let given = of(requested).or_else(|| of(carried));
            let waiting = self.waiting_parameters.iter().position(|(given, _)| given.eq_ignore_ascii_case(name));
            let waiting = waiting.map(|at| self.waiting_parameters.remove(at).1);
            let default = self.module_parameter((id, at)).map(|parameter| parameter.value.clone()).unwrap_or_default();
            let value = given.or(waiting).unwrap_or(default);
            self.set_module_parameter((id, at), &value).map_err(|reason| format!("parameter '{name}': {reason}"))?;
        }
        Ok(())
    }
}
