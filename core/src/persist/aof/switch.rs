//! `appendonly` while the server runs.

use crate::durable::aof_manifest::Manifest;
use crate::engine::parameters::{Applier, Undo};
use crate::engine::server::Server;
use crate::persist::aof::folder::Folder;
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
    if let Err(error) = begin(server) {
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

/// Begin the first rewrite.
fn begin(server: &mut Server) -> Result<(), String> {
    if rewrite_runs(server) {
        crate::base::log::warning("AOF was enabled while the AOF is rewritten: that child is stopped, for another.");
        child::cancel(server, REWRITE.name);
    }
    let here = Folder::new(&server.settings);
    server.slots.with(|aof: &mut Aof| {
        aof.state = State::Waiting;
        // `dir` may have changed.
        if !aof.rewrites.is_running() && aof.folder.as_ref().is_some_and(|folder| !folder.is_same(&here)) {
            (aof.folder, aof.manifest) = (None, Manifest::default());
        }
    });
    rewrite::request_anyway(server).map(drop)
}

/// All data are going to be others: nothing is appended any more; whether anything was.
pub fn suspend(server: &mut Server) -> bool {
    let was_on = server.slots.with(|aof: &mut Aof| aof.state != State::Off);
    if was_on {
        disable(server);
    }
    was_on
}

/// The data are others: a rewrite puts them into a new base, and what follows is appended. Where that cannot begin it
/// is tried again and again: nobody has said that there should be no file.
pub fn resume(server: &mut Server) {
    if let Err(error) = begin(server) {
        crate::base::log::warning(&format!("The AOF cannot be enabled yet after a sync: {error}"));
    }
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

/// How `dir` does: the files stay where they are as long as units are appended to them.
pub const FOLDER: Applier = Applier { names: &["dir"], apply: apply_folder };

fn apply_folder(server: &mut Server, _name: &str) -> Result<Undo, String> {
    let here = Folder::new(&server.settings);
    let elsewhere =
        server.slots.peek::<Aof>().filter(|aof| aof.state != State::Off).and_then(|aof| aof.folder.as_ref());
    if let Some(folder) = elsewhere.filter(|folder| !folder.is_same(&here)) {
        crate::base::log::warning(&format!(
            "'dir' has changed, and the append-only file goes on in {}: a server that starts with this 'dir' does not \
             find it. Set 'appendonly' to no and to yes again to have it begin in the new one.",
            folder.part("").display()
        ));
    }
    Ok(Box::new(|_| ()))
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
