//! Serving others while a command takes long, see [`crate::engine::busy`].
//!
//! The batch in which that command was parsed holds commands of other clients as well. They have not run: their
//! clients are parsed again here, and what then is left when the batch goes on is parsed again there. So nothing but
//! the command that takes long points into a query buffer, and of all clients only its own is left alone.

use crate::engine::server::Server;
use crate::net::batch::run_batch;
use crate::net::event_loop::Intake;
use crate::session::client::Closing;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Serve others once.
pub fn serve(server: &mut Server) {
    let Some(intake) = server.slots.peek::<Rc<RefCell<Intake>>>().cloned() else { return };
    // Somebody who holds it is taking a client in, or lets one go.
    let Ok(mut intake) = intake.try_borrow_mut() else { return };
    let own = server.registry.standing.busy.as_ref().and_then(|busy| busy.client);
    if let Err(error) = intake.wait(Duration::ZERO) {
        crate::base::log::warning(&format!("Serving clients meanwhile: {error}"));
    }
    intake.note_ready(server);
    let turn = Some(server.stats.loop_turns);
    if std::mem::replace(&mut server.pending.is_parsed_anew, turn) != turn {
        list_all(server, own, &mut intake.ready);
    }
    // What a primary sends changes keys, and waits as well.
    let primary = server.sessions.clients.iter().find(|client| client.standing.is_primary()).map(|one| one.token);
    for token in own.into_iter().chain(primary.filter(|token| Some(*token) != own)) {
        if take_out(&mut intake.ready, token) {
            // It is listed as before, for when the command has ended.
            server.sessions.clients.to_read.push(token);
        }
    }
    intake.read_all(server);
    let (mut batch, mut ready) = (std::mem::take(&mut intake.meanwhile), std::mem::take(&mut intake.ready));
    run_batch(server, &mut batch, &mut ready);
    (intake.meanwhile, intake.ready) = (batch, ready);
    crate::persist::aof::flush(server);
    let held = own.is_some_and(|own| take_out(&mut server.sessions.clients.to_write, own));
    intake.write_all(server);
    server.sessions.clients.to_write.extend(own.filter(|_| held));
    close_newcomers(server, &mut intake);
}

/// Whether a token was in a list, which it is no more.
fn take_out(list: &mut Vec<usize>, token: usize) -> bool {
    let before = list.len();
    list.retain(|other| *other != token);
    list.len() < before
}

/// List all who have sent something that has not run, also those whose turn is still to come, but for one client.
fn list_all(server: &mut Server, own: Option<usize>, ready: &mut Vec<usize>) {
    ready.clear();
    for client in server.sessions.clients.iter_mut().filter(|client| Some(client.token) != own) {
        if client.query.has_input() && !client.stalled && client.closing == Closing::No {
            client.query.restart();
            client.unparsed = true;
            client.read_listed = true;
        }
        if client.read_listed {
            ready.push(client.token);
        }
    }
    // Its own mark of being listed holds for the list that is read when its command has ended.
    ready.extend(own.filter(|own| server.sessions.clients.peek(*own).is_some_and(|client| client.read_listed)));
}

/// Let those go that have come meanwhile and are to be closed; the others, of which modules know, when the command
/// has ended.
fn close_newcomers(server: &mut Server, intake: &mut Intake) {
    let mut to_close = std::mem::take(&mut server.sessions.clients.to_close);
    to_close.sort_unstable();
    to_close.dedup();
    to_close.retain(|&token| {
        let Some(client) = server.sessions.clients.get(token) else { return false };
        if client.closing == Closing::No {
            return false;
        }
        if server.forget_newcomer(token) {
            intake.release(server, token);
            return false;
        }
        true
    });
    server.sessions.clients.to_close.append(&mut to_close);
}
