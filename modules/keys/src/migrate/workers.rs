//! Transfers, and the threads that make them.

use super::cache::Cache;
use super::link::{Fault, Link, Reply, shut_down};
use super::{Answer, Failure, Outcome, Target, Transfer};
use std::collections::HashMap;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The threads that make transfers now, and what they share.
#[derive(Default)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    cache: Cache,
    ends: AtomicBool,
    /// Handles of the connections in use, by a number.
    open: Mutex<HashMap<u64, TcpStream>>,
    last: AtomicU64,
}

impl Workers {
    /// Makes a transfer on a thread, which calls `done` at its end. Fails when there is no thread to
    /// be had.
    pub(crate) fn start(&self, transfer: Arc<Transfer>, done: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let work = move || {
            transfer.end(shared.run_contained(&transfer));
            done();
        };
        let thread = std::thread::Builder::new().name("migrate".into()).spawn(work)?;
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Makes a transfer here and now.
    pub(crate) fn run(&self, transfer: &Transfer) -> Outcome {
        self.shared.run_contained(transfer)
    }

    /// Closes connections that were not used for a while; how many are kept.
    pub(crate) fn cached(&self) -> usize {
        self.shared.cache.prune()
    }

    /// Ends all transfers, and waits for their threads.
    pub(crate) fn stop(&self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        lock(&self.shared.open).values().for_each(shut_down);
        for thread in lock(&self.threads).drain(..) {
            // What it could have panicked with was caught.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection in use, which `stop` finds.
struct Open<'s> {
    shared: &'s Shared,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.shared.open).remove(&self.number);
    }
}

impl Shared {
    /// A transfer whose panic, if it has one, is a failure of the connection: the one who waits for
    /// it is always answered.
    fn run_contained(&self, transfer: &Transfer) -> Outcome {
        let run = || self.run(transfer);
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Outcome {
            failure: Some(Failure::Read),
            ..Outcome::without_answers(transfer.orders.len())
        })
    }

    /// Makes a transfer, through a connection that was kept if there is one. That one may have been
    /// closed by the other side meanwhile; then a new one is tried, unless an answer has come.
    fn run(&self, transfer: &Transfer) -> Outcome {
        let address = &transfer.target.address;
        let kept = self.cache.take(address);
        let was_kept = kept.is_some();
        let mut outcome = Outcome::without_answers(transfer.orders.len());
        let mut fault = self.run_once(transfer, kept, &mut outcome).err();
        let is_fresh = outcome.answers.iter().all(|answer| *answer == Answer::Unknown);
        if was_kept
            && is_fresh
            && fault.as_ref().is_some_and(|fault| matches!(fault, Fault::Io(..)) && !fault.is_timeout())
        {
            fault = self.run_once(transfer, None, &mut outcome).err();
        }
        match fault {
            Some(Fault::Io(failure, _)) => outcome.failure = Some(failure),
            Some(Fault::Refused(text)) => outcome.refusal = Some(text),
            None => {}
        }
        outcome
    }

    fn run_once(&self, transfer: &Transfer, kept: Option<Link>, outcome: &mut Outcome) -> Result<(), Fault> {
        let target = &transfer.target;
        let mut link = match kept {
            Some(link) => link,
            None => Link::connect(&target.address, target.timeout, || self.ends.load(Ordering::SeqCst))?,
        };
        check_own(&link, target)?;
        link.set_timeout(target.timeout)?;
        let _open = self.open(&link)?;
        // Of a connection that was kept, too: the password may have been changed.
        link.log_in(&target.address)?;
        link.select(target.db)?;
        link.send(&transfer.orders)?;
        for (answer, order) in outcome.answers.iter_mut().zip(&transfer.orders) {
            let reply = link.reply()?;
            *answer = match &reply {
                Reply::Done => Answer::Done,
                Reply::Error(text) => order.refused(text),
            };
            if let (Reply::Error(text), Answer::Refused) = (reply, *answer) {
                outcome.refusal.get_or_insert(text);
            }
        }
        self.cache.put(&target.address, link);
        Ok(())
    }

    /// Lets `stop` find a connection.
    fn open(&self, link: &Link) -> Result<Open<'_>, Fault> {
        let handle = link.handle().map_err(|error| Fault::Io(Failure::Write, error))?;
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        lock(&self.open).insert(number, handle);
        // `stop` may have looked before this was there.
        if self.ends.load(Ordering::SeqCst) {
            lock(&self.open).values().for_each(shut_down);
        }
        Ok(Open { shared: self, number })
    }
}

/// A key that is sent to the database where it is would be deleted with its copy.
fn check_own(link: &Link, target: &Target) -> Result<(), Fault> {
    let (port, db) = target.own;
    if port == 0 || !link.leads_to(port) || db.is_some_and(|db| db != target.db) {
        return Ok(());
    }
    let failure = if db.is_some() { Failure::Itself } else { Failure::Read };
    Err(Fault::Io(failure, std::io::ErrorKind::InvalidInput.into()))
}
