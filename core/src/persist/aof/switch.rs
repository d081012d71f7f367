//! `appendonly` while the server runs.

use crate::engine::parameters::{Applier, Undo};
use crate::engine::server::Server;
use crate::persist::aof::rewrite::REWRITE;
use crate::persist::aof::{Aof, State, flush, refuse_for, rewrite, take_units};
use crate::persist::child;

/// How it takes effect.
pub const APPEND: Applier = Applier { names: &["appendonly"], apply };

/// How `aof-disable-auto-gc` does: what was kept goes.
pub const HISTORY: Applier = Applier { names: &["aof-disable-auto-gc"], apply: apply_history };

/// How `appendfsync` does: what waits is seen to by the new rule.
pub const SYNC: Applier = Applier { names: &["appendfsync"], apply: apply_sync };

fn apply(server: &mut Server, _name: &str) -> Result<Undo, String> {
    let was_on = server.slots.with(|aof: &mut Aof| aof.state != State::Off);
    let is_wanted = server.settings.aof.is_wanted;
    if was_on == is_wanted {
        return Ok(Box::new(|_| ()));
    }
    if server.registry.standing.is_loading {
        return Err("data are being loaded: the append-only file can be switched afterwards".into());
    }
    if !is_wanted {
        disable(server);
        return Ok(Box::new(|server| _ = enable(server)));
    }
    enable(server)?;
    Ok(Box::new(disable))
}

fn enable(server: &mut Server) -> Result<(), String> {
    if rewrite_runs(server) {
        crate::base::log::warning("AOF was enabled while the AOF is rewritten: that child is stopped, for another.");
        child::cancel(server, REWRITE.name);
    }
    server.slots.with(|aof: &mut Aof| aof.state = State::Waiting);
    if let Err(error) = rewrite::request_anyway(server) {
        server.slots.with(|aof: &mut Aof| {
            aof.state = State::Off;
            aof.rewrites.cancel();
        });
        crate::base::log::warning(&format!("The AOF cannot be enabled without a first rewrite: {error}"));
        return Err("Unable to turn on AOF. Check server logs.".into());
    }
    // Another child works, or a unit goes on.
    if server.slots.with(|aof: &mut Aof| aof.rewrites.is_scheduled) {
        crate::base::log::warning(
            "AOF was enabled but there is already another background operation. \
             An AOF background was scheduled to start when possible.",
        );
    }
    Ok(())
}

fn rewrite_runs(server: &mut Server) -> bool {
    server.slots.with(|aof: &mut Aof| aof.rewrites.is_running())
}

fn disable(server: &mut Server) {
    flush(server);
    let disk = server.disk.clone();
    let was = server.slots.with(|aof: &mut Aof| {
        let was = std::mem::replace(&mut aof.state, State::Off);
        aof.rewrites.cancel();
        if was == State::On {
            aof.writer.close(&disk);
        }
        was
    });
    if was == State::Waiting {
        rewrite::drop_waiting(server);
    }
    if rewrite_runs(server) {
        crate::base::log::notice("Killing running AOF rewrite child");
        child::cancel(server, REWRITE.name);
    }
    take_units(server, false);
    refuse_for(server, None);
}

fn apply_history(server: &mut Server, _name: &str) -> Result<Undo, String> {
    let mut aof = server.slots.take::<Aof>();
    rewrite::remove_history(server, &mut aof);
    server.slots.put(aof);
    Ok(Box::new(|_| ()))
}

fn apply_sync(server: &mut Server, _name: &str) -> Result<Undo, String> {
    flush(server);
    Ok(Box::new(|_| ()))
}
