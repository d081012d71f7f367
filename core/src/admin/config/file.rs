//! CONFIG REWRITE: what the server knows of its parameters, for the file.

use crate::acl::user::User;
use crate::engine::server::Server;
use crate::modules::services::directives::{line_key, module_lines};
use crate::settings::file::{Directive, parse_line};
use crate::settings::parameters::{self as settings, Settings};
use crate::settings::rewrite::{Said, lines, module_said, replace_file, rewritten, word};
use std::io;

/// Put all parameters back into the configuration file; with `force`, also those
/// at their default that the file does not mention.
pub fn rewrite(server: &mut Server, force: bool) -> io::Result<()> {
    let path = server.config_file.clone();
    let old = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let mut said = said(server);
    forget_claimed(server, &old, &mut said);
    said.iter_mut().flat_map(|one| &mut one.lines).for_each(|(_, is_needed)| *is_needed |= force);
    let known = |line: &Directive| match (settings::find(&line.name), line.name.as_str()) {
        (Some(parameter), _) => Some(parameter.name.to_owned()),
        (None, name) if matches!(name, "include" | "loadmodule" | "rename-command" | "user") => Some(name.to_owned()),
        (None, name) if server.registry.directives.claim(name).is_some() => Some(line_key(name, &line.args)),
        (None, name) => {
            let at = server.registry.find_parameter(name);
            at.and_then(|at| server.registry.parameter(at)).map(|parameter| parameter.name.to_ascii_lowercase())
        }
    };
    replace_file(&path, &rewritten(&old, &said, &known))
}

/// What the file is to say.
fn said(server: &mut Server) -> Vec<Said> {
    let mut default = Settings::default();
    let mut all: Vec<Said> = settings::all()
        .map(|parameter| Said {
            name: parameter.name.into(),
            lines: lines(parameter, &mut server.settings, &mut default),
        })
        .collect();
    let parameters = server.registry.modules.visible().flat_map(|module| &module.parameters);
    all.extend(parameters.map(module_said));
    all.push(Said { name: "loadmodule".into(), lines: loaded(server) });
    all.push(Said { name: "user".into(), lines: users(server) });
    all.extend(module_lines(server));
    all
}

/// Lines of names that modules have, of whose first words they say nothing any more, go.
fn forget_claimed(server: &Server, old: &[u8], said: &mut Vec<Said>) {
    let lines = old.split(|byte| *byte == b'\n').filter_map(|line| parse_line(line.trim_ascii(), 0).ok()?);
    for line in lines.filter(|line| server.registry.directives.claim(&line.name).is_some()) {
        let name = line_key(&line.name, &line.args);
        if !said.iter().any(|one| one.name == name) {
            said.push(Said { name, lines: Vec::new() });
        }
    }
}

/// `user` lines, unless users are kept in a file of their own. Without one the default user is as `requirepass`
/// makes it.
fn users(server: &Server) -> Vec<(Vec<u8>, bool)> {
    if !server.settings.acl.file.is_empty() {
        return Vec::new();
    }
    let mut usual = User::default_user();
    usual.set_only_password(&server.settings.requirepass);
    let usual = usual.line();
    let quoted = |line: &[u8]| {
        let mut quoted = Vec::new();
        for (at, part) in line.split(|byte| *byte == b' ').enumerate() {
            quoted.extend_from_slice(if at == 0 { b"" } else { b" " });
            word(part, &mut quoted);
        }
        quoted
    };
    let lines = server.acl.users.iter().map(|(_, user)| user.line());
    lines.filter(|line| *line != usual).map(|line| (quoted(&line), true)).collect()
}

/// `loadmodule` lines: one for each module that would not load by itself.
fn loaded(server: &Server) -> Vec<(Vec<u8>, bool)> {
    let named = |path: &str| server.settings.loadmodule.iter().any(|words| words[0] == path);
    let mut lines = Vec::new();
    for module in server.registry.modules.visible() {
        let path = module.path.display().to_string();
        if !named(&path) && crate::modules::folder::loads_by_itself(server, &module.path) {
            continue;
        }
        let mut line = format!("loadmodule {path}").into_bytes();
        for arg in &module.args {
            line.push(b' ');
            word(arg, &mut line);
        }
        lines.push((line, true));
    }
    lines
}
