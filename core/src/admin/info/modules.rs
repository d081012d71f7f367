//! INFO modules: for each module the line that Redis has, and one with what a module
//! is here.
//!
//! ```text
//! module:name=string,ver=100,api=1,filters=0,usedby=[bitmap],using=[],options=[]
//! plinth_module_string:version=0.1.0,types=[string],services=[plinth.string/1],uses=[plinth.keys/1|plinth.reply/1],
//!     commands=22,calls=15,usec=112,panics=0,values=3,boxed_bytes=0,path=/usr/lib/plinth/libplinth_string.so
//! plinth_replacement_zset:state=converting,version=0.2.0,old_version=0.1.0,left=812,converted=188,sliced=1,failed=0
//! plinth_ghosts:values=4,types=[com.example.gauge|com.example.shop]
//! plinth_still_mapped:libraries=2,bytes=851968,of=[gauge=2]
//! plinth_thread_keys:taken=3
//! ```
//!
//! (The second is one line. The third is there while a module is being replaced, the
//! fourth while there are values whose type nobody provides, the fifth once a library that was let go of
//! has stayed mapped.) `taken` are keys of threads, of which a process has 1024. Lists are in brackets, with `|` between their members, as
//! Redis writes them. `calls`, `usec` and `panics` are sums over the module's commands;
//! `usec` has the time of its timers and hooks besides, and `panics` those outside commands. `values` are keys that hold a
//! value of its types, `boxed_bytes` what these take beyond the entries, as the module
//! last said. The path is the last, because it may hold a comma.

use crate::admin::info::Fields;
use crate::base::id::ModuleId;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use crate::registry::library::stayed;
use crate::registry::modules::Module;
use crate::registry::modules::Standing;
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn list(server: &mut Server, fields: &mut Fields) {
    fields.section("Modules");
    for module in server.registry.modules.visible() {
        redis_line(server, module, fields);
    }
    for module in server.registry.modules.visible() {
        own_line(server, module, fields);
    }
    for one in crate::admin::module::replace::shown(server, "") {
        let [left, converted, sliced, failed] = one.values;
        let (new, old) = one.versions;
        let current = one.current.map_or(String::new(), |(_, elements)| format!(",current_elements={elements}"));
        fields.add(
            &format!("plinth_replacement_{}", one.module),
            format_args!(
                "state={},version={new},old_version={old},left={left},converted={converted},sliced={sliced},failed={failed}{current}",
                one.state
            ),
        );
    }
    let ghosts = &server.store.ghosts;
    if ghosts.values() > 0 {
        let types = bracketed(ghosts.iter().map(|(name, _)| name));
        fields.add("plinth_ghosts", format_args!("values={},types={types}", ghosts.values()));
    }
    let stayed = stayed();
    if !stayed.is_empty() {
        let (times, bytes) = stayed.iter().fold((0, 0), |sum, one| (sum.0 + one.times, sum.1 + one.bytes));
        let names: Vec<String> = stayed.iter().map(|one| format!("{}={}", one.name, one.times)).collect();
        let names = bracketed(names.iter().map(String::as_str));
        fields.add("plinth_still_mapped", format_args!("libraries={times},bytes={bytes},of={names}"));
    }
    fields.add("plinth_thread_keys", format_args!("taken={}", crate::modules::keys::look().taken));
}

/// Names of modules whose services a module uses.
fn providers<'a>(server: &'a Server, module: &'a Module) -> impl Iterator<Item = ModuleId> + 'a {
    let provider = |id: &String| server.registry.modules.service(id).map(|service| service.module);
    module.uses.iter().filter_map(provider).filter(|id| *id != ModuleId::CORE && *id != module.id)
}

fn bracketed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    format!("[{}]", names.join("|"))
}

fn redis_line(server: &Server, module: &Module, fields: &mut Fields) {
    let using = bracketed(providers(server, module).map(|id| server.registry.modules.name(id)));
    let users = server.registry.modules.visible().filter(|other| providers(server, other).any(|id| id == module.id));
    let used_by = bracketed(users.map(|other| other.name.as_str()));
    fields.add(
        "module",
        format_args!(
            "name={},ver={},api=1,filters=0,usedby={used_by},using={using},options=[]",
            module.name,
            crate::admin::module::version_number(&module.version)
        ),
    );
}

fn own_line(server: &Server, module: &Module, fields: &mut Fields) {
    let types = || module.types.iter().filter_map(|id| server.store.types.get(*id));
    let services = server.registry.modules.services.iter().filter(|service| service.module == module.id);
    let mine = |command: &&Registered| command.module == module.id;
    let all = || {
        let whole = server.commands.iter().filter(mine);
        whole.flat_map(|command| std::iter::once(command).chain(command.subcommands.iter().map(|sub| &**sub)))
    };
    let ticks = all().map(|command| command.stats.ticks.get()).sum::<u64>() + module.hook_ticks;
    let leaving = if module.standing == Standing::Leaving { "state=leaving," } else { "" };
    fields.add(
        &format!("plinth_module_{}", module.name),
        format_args!(
            "version={},{leaving}types={},services={},uses={},commands={},calls={},usec={},panics={},values={},boxed_bytes={},path={}",
            module.version,
            bracketed(types().map(|ty| ty.name.as_str())),
            bracketed(services.map(|service| service.id.as_str())),
            bracketed(module.uses.iter().map(String::as_str)),
            server.commands.iter().filter(mine).count(),
            all().map(|command| command.stats.calls.get()).sum::<u64>(),
            server.clock.ticks_to_us(ticks),
            all().map(|command| command.stats.panics.get()).sum::<u64>() + module.panics.load(Relaxed),
            types().map(|ty| ty.values).sum::<u64>(),
            types().map(|ty| ty.boxed_bytes).sum::<u64>(),
            module.path.display()
        ),
    );
}
