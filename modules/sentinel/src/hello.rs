//! Hellos: how Sentinels find each other, and tell each other who is the master.
//!
//! ```text
//!   127.0.0.1,26379,<identity>,<epoch>,mymaster,127.0.0.1,6379,<the configuration's epoch>
//! ```

use crate::machine::{HELLO_CHANNEL, Level, Sentinel};
use crate::model::{Address, EPOCH_MAX, Expect, Id, Instance, Kind, Ms, NAME_BYTES_MAX, PEERS_MAX};

/// Bytes of a hello that are looked at.
const HELLO_BYTES_MAX: usize = 1024;

/// What a hello says.
#[derive(Debug, PartialEq, Eq)]
pub struct Hello<'h> {
    /// The Sentinel's address.
    pub host: &'h str,
    /// Its port.
    pub port: u16,
    /// Its identity.
    pub run_id: &'h str,
    /// The newest epoch that it knows.
    pub epoch: u64,
    /// The group.
    pub master: &'h str,
    /// The master's address.
    pub master_host: &'h str,
    /// The master's port.
    pub master_port: u16,
    /// Epoch of the configuration.
    pub config_epoch: u64,
}

/// Read a hello.
pub fn read(text: &[u8]) -> Option<Hello<'_>> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= HELLO_BYTES_MAX)?;
    let parts: Vec<&str> = text.split(',').collect();
    let [host, port, run_id, epoch, master, master_host, master_port, config_epoch] = parts[..] else { return None };
    let is_fine = |text: &str| {
        !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let is_identity = run_id.len() == 40 && run_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if ![host, master, master_host].into_iter().all(is_fine) || !is_identity {
        return None;
    }
    let number = |text: &str| text.parse().ok().filter(|epoch| *epoch <= EPOCH_MAX);
    Some(Hello {
        host,
        port: port.parse().ok()?,
        run_id,
        epoch: number(epoch)?,
        master,
        master_host,
        master_port: master_port.parse().ok().filter(|port| *port != 0)?,
        config_epoch: number(config_epoch)?,
    })
}

impl Sentinel {
    /// Publish a hello at somebody.
    pub(crate) fn say_hello(&mut self, at: usize, id: Id, now: Ms) {
        let own_ip = if self.own.announce_ip.is_empty() {
            self.local_ip(at, id).cloned()
        } else {
            Some(self.own.announce_ip.clone())
        };
        let Some(own_ip) = own_ip else { return };
        let port = if self.own.announce_port == 0 { self.own.port } else { self.own.announce_port };
        let group = &self.groups[at];
        let master = group.current_address();
        let text = format!(
            "{own_ip},{port},{},{},{},{},{},{}",
            self.own.my_id,
            self.own.epoch,
            group.name(),
            self.announced(master),
            master.port,
            group.config_epoch
        );
        if self.send(at, id, &["PUBLISH", HELLO_CHANNEL, &text], Expect::Hello)
            && let Some(one) = self.groups[at].get_mut(id)
        {
            one.last_pub = now;
        }
    }

    /// Have all of a group told with the next tick.
    pub(crate) fn hurry_hello(&mut self, at: usize) {
        let early = self.periods.publish + 1;
        self.groups[at].all_mut().for_each(|one| one.last_pub -= early);
    }

    /// A hello has come, on whatever way.
    pub fn hello_came(&mut self, text: &[u8], now: Ms) {
        let Some(hello) = read(text) else { return };
        let Some(at) = self.find(hello.master) else { return };
        if hello.run_id.eq_ignore_ascii_case(&self.own.my_id) {
            return;
        }
        let resolves = self.own.resolve_hostnames;
        let (Some(ip), Some(master_ip)) =
            (crate::names::address(hello.host, resolves), crate::names::address(hello.master_host, resolves))
        else {
            return;
        };
        let address = Address { host: hello.host.into(), ip, port: hello.port };
        let master = Address { host: hello.master_host.into(), ip: master_ip, port: hello.master_port };
        let Some(id) = self.meet(at, &hello, address, now) else { return };
        if hello.epoch > self.own.epoch {
            self.own.epoch = hello.epoch;
            self.flush();
            self.tell(Level::Warning, "+new-epoch", hello.epoch.to_string(), Some(at));
        }
        if hello.config_epoch > self.groups[at].config_epoch {
            self.groups[at].config_epoch = hello.config_epoch;
            if !master.is(&self.groups[at].master.address) {
                self.event(Level::Warning, "+config-update-from", at, id, "");
                self.tell_switch(at, &master);
                self.tell_clients(at, "observer", "start", &master);
                self.change_master(at, master, now);
            } else {
                self.flush();
            }
        }
        if let Some(one) = self.groups[at].get_mut(id) {
            one.last_hello = now;
        }
    }

    /// The Sentinel that a hello is from, which may be new or elsewhere than before.
    fn meet(&mut self, at: usize, hello: &Hello<'_>, address: Address, now: Ms) -> Option<Id> {
        let is_same = |one: &&mut Instance| one.run_id.eq_ignore_ascii_case(hello.run_id);
        if let Some(one) = self.groups[at].sentinels.iter_mut().find(is_same) {
            if one.address.is(&address) {
                return Some(one.id);
            }
            let id = one.id;
            let text = format!(" ip {} port {} for {}", address.ip, address.port, hello.run_id);
            self.event(Level::Notice, "+sentinel-address-switch", at, id, &text);
            self.forget_sentinel(at, id);
            return self.add_sentinel(at, hello.run_id, address, now);
        }
        // Who was there has another identity now, or has gone for good.
        let there = self.groups[at].sentinels.iter().find(|one| one.address.is(&address)).map(|one| one.id);
        if let Some(there) = there {
            self.event(Level::Notice, "+sentinel-invalid-addr", at, there, "");
            self.forget_sentinel(at, there);
        }
        let id = self.add_sentinel(at, hello.run_id, address, now)?;
        self.event(Level::Notice, "+sentinel", at, id, "");
        Some(id)
    }

    fn forget_sentinel(&mut self, at: usize, id: Id) {
        self.disconnect(at, id);
        self.groups[at].sentinels.retain(|one| one.id != id);
    }

    /// Another Sentinel of a group; its number.
    pub fn add_sentinel(&mut self, at: usize, run_id: &str, address: Address, now: Ms) -> Option<Id> {
        if self.groups[at].sentinels.len() >= PEERS_MAX {
            return None;
        }
        let id = self.next_id();
        let mut one = Instance::new(id, Kind::Sentinel, run_id.to_owned(), address, now);
        run_id.clone_into(&mut one.run_id);
        self.groups[at].sentinels.push(one);
        self.flush();
        Some(id)
    }
}
