//! The process as the server has it: its title, its score, its locale, its report of a crash; and what a child
//! of it becomes.

use crate::base::process::supervisor::Supervisor;
use crate::base::process::{locale, oom, processors, title};
use crate::base::{crash, log};
use crate::engine::parameters::Applier;
use crate::engine::server::Server;
use crate::registry::replication::Role;
use crate::settings::process::{OOM_ABSOLUTE, OOM_OFF};

/// Positions in `oom-score-adj-values` ...
const PRIMARY: usize = 0;
/// ... of who copies another server, and ...
const REPLICA: usize = 1;
/// ... of a child.
const CHILD: usize = 2;

/// What the process was when it began.
#[derive(Default)]
pub struct Process {
    /// How it was called.
    pub name: String,
    /// Who looks after it.
    pub supervisor: Supervisor,
    /// Its score before it was changed; `None` while it is not.
    oom_base: Option<i64>,
    /// For whom the score was set.
    oom_class: usize,
}

/// `proc-title-template`, and what a title shows.
pub const TITLE: Applier = Applier {
    names: &["proc-title-template", "port", "bind"],
    apply: |server, _| {
        show_title(server);
        Ok(Box::new(show_title))
    },
};

/// `oom-score-adj` and its values.
pub const OOM: Applier = Applier {
    names: &["oom-score-adj", "oom-score-adj-values"],
    apply: |server, _| {
        let before = (oom::score().ok(), server.slots.with(|process: &mut Process| process.oom_base));
        follow_score(server).map_err(|error| {
            log::warning(&format!("Unable to set the process's oom_score_adj: {error}"));
            "Failed to set oom_score_adj, check server logs.".to_owned()
        })?;
        Ok(Box::new(move |server| {
            server.slots.with(|process: &mut Process| process.oom_base = before.1);
            let _ = before.0.map(oom::set_score);
        }))
    },
};

/// `locale-collate`.
pub const LOCALE: Applier = Applier {
    names: &["locale-collate"],
    apply: |server, _| {
        if !locale::set(&server.settings.process.locale) {
            return Err("Invalid locale name".into());
        }
        Ok(Box::new(|server| _ = locale::set(&server.settings.process.locale)))
    },
};

/// `crash-log-enabled`.
pub const CRASH: Applier = Applier {
    names: &["crash-log-enabled"],
    apply: |server, _| {
        crash::set_enabled(server.settings.process.crash_log);
        Ok(Box::new(|server| crash::set_enabled(server.settings.process.crash_log)))
    },
};

/// `watchdog-period`: from now on, or no longer. While it is on, each turn of the housekeeping sets it anew.
pub const WATCHDOG: Applier = Applier {
    names: &["watchdog-period"],
    apply: |server, _| {
        crash::set_watchdog(watchdog_ms(server));
        Ok(Box::new(|server| crash::set_watchdog(watchdog_ms(server))))
    },
};

/// Milliseconds after which the watchdog barks, 0 for never: no less than two turns of the housekeeping.
pub fn watchdog_ms(server: &Server) -> u64 {
    match server.settings.process.watchdog_ms.unsigned_abs() {
        0 => 0,
        ms => ms.max(2000 / server.settings.hz.clamp(1, 500).unsigned_abs()),
    }
}

/// Who looks after the process.
pub fn supervisor(server: &Server) -> Supervisor {
    server.slots.peek::<Process>().map_or(Supervisor::None, |process| process.supervisor)
}

/// Show what the process is called now.
pub fn show_title(server: &mut Server) {
    let name = server.slots.with(|process: &mut Process| process.name.clone());
    // Without a name nobody has made a place for titles.
    if server.settings.process.sets_title && !name.is_empty() {
        title::set(&titled(server, &name));
    }
}

fn titled(server: &mut Server, name: &str) -> String {
    let template = server.settings.process.title.clone();
    let of = |name: &str, server: &mut Server| {
        server.get_parameter(name).map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default()
    };
    let tls_port = of("tls-port", server);
    let settings = &server.settings;
    let expanded = title::expand(&template, |variable| {
        Some(match variable {
            "title" => name.to_owned(),
            "listen-addr" if server.port > 0 => {
                let host = settings.bind.first().map_or("*", |word| word.strip_prefix('-').unwrap_or(word));
                format!("{host}:{}", server.port)
            }
            "listen-addr" | "unixsocket" => settings.unixsocket.clone(),
            "port" => server.port.to_string(),
            "tls-port" => tls_port.clone(),
            "config-file" => server.config_file.to_string_lossy().into_owned(),
            // Nothing is said of a server that stands alone.
            "server-mode" => String::new(),
            _ => return None,
        })
    });
    expanded.unwrap_or_else(|| name.to_owned())
}

/// What the score is to be, where the process is of a class.
fn wanted_score(server: &Server, base: i64, class: usize) -> i64 {
    let process = &server.settings.process;
    let own = process.oom_scores[class];
    if process.oom == OOM_ABSOLUTE { own } else { base + own }
}

/// Have the kernel know whom to end first, as the parameters say; or what it knew before them.
pub fn follow_score(server: &mut Server) -> std::io::Result<()> {
    let base = server.slots.with(|process: &mut Process| process.oom_base);
    if server.settings.process.oom == OOM_OFF {
        if let Some(base) = base {
            oom::set_score(base)?;
        }
        server.slots.with(|process: &mut Process| process.oom_base = None);
        return Ok(());
    }
    let base = base.map_or_else(oom::score, Ok)?;
    let class = class(server);
    oom::set_score(wanted_score(server, base, class))?;
    server.slots.with(|process: &mut Process| (process.oom_base, process.oom_class) = (Some(base), class));
    Ok(())
}

/// The same when the server has another role by now.
pub fn follow_role(server: &mut Server) {
    if server.settings.process.oom == OOM_OFF {
        return;
    }
    let class = class(server);
    if server.slots.peek::<Process>().is_some_and(|process| process.oom_class != class) {
        // What the kernel refuses it has refused before.
        let _ = follow_score(server);
    }
}

fn class(server: &Server) -> usize {
    if server.registry.replication.role == Role::Primary { PRIMARY } else { REPLICA }
}

/// Become a child that works at a task, by its name.
pub fn become_child(server: &mut Server, task: &str) {
    let process = &server.settings.process;
    let (name, list) = match task {
        "RDB" => ("redis-rdb-bgsave", &process.save_cpus),
        "AOF" => ("redis-aof-rewrite", &process.rewrite_cpus),
        other => (other, &process.save_cpus),
    };
    // A child does not log, and works wherever it may.
    processors::bind(list);
    if server.settings.process.sets_title {
        title::set(&titled(server, name));
    }
    let base = server.slots.peek::<Process>().and_then(|process| process.oom_base);
    if let Some(base) = base {
        let _ = oom::set_score(wanted_score(server, base, CHILD));
    }
}
