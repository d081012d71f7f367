//! INFO of masters and replicas: what they are, and who follows them.

use crate::machine::{Action, CRASH_AFTER_PROMOTION, Level, Sentinel};
use crate::model::{Address, Group, Id, Instance, Kind, Ms, PEERS_MAX, Reconf, Stage};

/// Bytes of an INFO that are kept and read.
pub const INFO_BYTES_MAX: usize = 64 * 1024;

/// What an INFO says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `run_id`, 40 characters.
    pub run_id: String,
    /// `role`.
    pub role: Option<Role>,
    /// Address and port of each replica, at most [`PEERS_MAX`].
    pub slaves: Vec<(String, u16)>,
    /// `master_host`.
    pub master_host: String,
    /// `master_port`.
    pub master_port: u16,
    /// `master_link_status` is up.
    pub link_up: bool,
    /// `master_link_down_since_seconds`.
    pub link_down_s: i64,
    /// `slave_priority`.
    pub priority: Option<i64>,
    /// `slave_repl_offset`.
    pub offset: Option<u64>,
    /// `replica_announced`.
    pub is_announced: Option<bool>,
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It has no master.
    Master,
    /// It has one.
    Slave,
}

/// Read an INFO. What is not understood is passed over.
pub fn read(text: &str) -> Said {
    let mut said = Said::default();
    for line in text.lines() {
        let Some((name, value)) = line.trim_end().split_once(':') else { continue };
        match name {
            "run_id" if value.len() == 40 => value.clone_into(&mut said.run_id),
            "role" if value == "master" => said.role = Some(Role::Master),
            "role" if value == "slave" => said.role = Some(Role::Slave),
            "master_host" => value.clone_into(&mut said.master_host),
            "master_port" => said.master_port = value.parse().unwrap_or(0),
            "master_link_status" => said.link_up = value == "up",
            "master_link_down_since_seconds" => said.link_down_s = value.parse().unwrap_or(0),
            "slave_priority" => said.priority = value.parse().ok(),
            "slave_repl_offset" => said.offset = value.parse().ok(),
            "replica_announced" => said.is_announced = value.parse::<u8>().ok().map(|number| number != 0),
            _ => said.slaves.extend(slave(name, value).filter(|_| said.slaves.len() < PEERS_MAX)),
        }
    }
    said
}

/// `slave0:ip=127.0.0.1,port=6380,state=online`.
fn slave(name: &str, value: &str) -> Option<(String, u16)> {
    let number = name.strip_prefix("slave")?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let field = |name: &str| value.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let (ip, port) = (field("ip")?, field("port")?.parse().ok().filter(|port| *port != 0)?);
    (!ip.is_empty() && ip.len() <= 255).then(|| (ip.to_owned(), port))
}

impl Sentinel {
    /// An INFO has come.
    pub fn info_came(&mut self, at: usize, id: Id, text: &str, now: Ms) {
        let mut text = text;
        if text.len() > INFO_BYTES_MAX {
            let end = (0..=INFO_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text = &text[..end];
        }
        let said = read(text);
        let Some(one) = self.groups[at].get_mut(id) else { return };
        text.clone_into(&mut one.info);
        let is_reboot = !one.run_id.is_empty() && !said.run_id.is_empty() && one.run_id != said.run_id;
        if !said.run_id.is_empty() {
            one.run_id.clone_from(&said.run_id);
        }
        one.info_refresh = now;
        one.link_down_ms = said.link_down_s.clamp(0, i64::MAX / 1000) * 1000;
        if is_reboot {
            self.event(Level::Notice, "+reboot", at, id, "");
            let group = &mut self.groups[at];
            if group.master.id == id && group.options.reboot_down_after_ms > 0 {
                group.rebooted_since = Some(now);
            }
        }
        let role = match said.role {
            Some(Role::Master) => Kind::Master,
            Some(Role::Slave) => Kind::Slave,
            None => return,
        };
        if role == Kind::Master && self.groups[at].master.id == id {
            self.discover_slaves(at, &said, now);
        }
        self.note_role(at, id, role, &said, now);
        if self.tilt_since.is_some() {
            return;
        }
        let is_slave = self.groups[at].get(id).is_some_and(|one| one.kind == Kind::Slave);
        match (is_slave, role) {
            (true, Kind::Master) => self.slave_is_master(at, id, now),
            (true, _) => self.slave_follows(at, id, now),
            (false, _) => {}
        }
    }

    fn discover_slaves(&mut self, at: usize, said: &Said, now: Ms) {
        for (host, port) in &said.slaves {
            let Some(ip) = crate::names::address(host, self.own.resolve_hostnames) else { continue };
            let address = Address { host: host.clone(), ip, port: *port };
            if let Some(id) = self.add_slave(at, address, now) {
                self.flush();
                self.event(Level::Notice, "+slave", at, id, "");
            }
        }
    }

    /// A replica that was not known; its number.
    pub fn add_slave(&mut self, at: usize, address: Address, now: Ms) -> Option<Id> {
        let group = &self.groups[at];
        if group.slaves.len() >= PEERS_MAX || group.slaves.iter().any(|slave| slave.address.is(&address)) {
            return None;
        }
        let host = self.announced(&address);
        let name =
            if host.contains(':') { format!("[{host}]:{}", address.port) } else { format!("{host}:{}", address.port) };
        let id = self.next_id();
        self.groups[at].slaves.push(Instance::new(id, Kind::Slave, name, address, now));
        Some(id)
    }

    fn note_role(&mut self, at: usize, id: Id, role: Kind, said: &Said, now: Ms) {
        let Some(one) = self.groups[at].get_mut(id) else { return };
        if role == Kind::Slave {
            if one.master_host != said.master_host || one.master_port != said.master_port {
                one.master_host.clone_from(&said.master_host);
                (one.master_port, one.conf_changed) = (said.master_port, now);
            }
            one.link_up = said.link_up;
            one.priority = said.priority.unwrap_or(one.priority);
            one.offset = said.offset.unwrap_or(one.offset);
            one.is_announced = said.is_announced.unwrap_or(one.is_announced);
        }
        if one.role != role {
            (one.role, one.role_since) = (role, now);
            if role == Kind::Slave {
                one.conf_changed = now;
            }
            let (name, level) =
                if one.kind == role { ("+role-change", Level::Verbose) } else { ("-role-change", Level::Debug) };
            self.event(level, name, at, id, &format!(" new reported role is {}", role.name()));
        }
    }

    fn slave_is_master(&mut self, at: usize, id: Id, now: Ms) {
        let group = &mut self.groups[at];
        if group.promoted == Some(id) && group.stage == Stage::WaitPromotion {
            // Everybody else is told of it under the epoch that the election was won in.
            group.config_epoch = group.failover_epoch;
            (group.stage, group.stage_since) = (Stage::ReconfSlaves, now);
            let master = group.master.id;
            self.flush();
            self.event(Level::Warning, "+promoted-slave", at, id, "");
            if self.simulate & CRASH_AFTER_PROMOTION != 0 {
                return self.actions.push_back(Action::Crash);
            }
            self.event(Level::Warning, "+failover-state-reconf-slaves", at, master, "");
            if let Some(to) = self.groups[at].promoted_slave().map(|slave| slave.address.clone()) {
                self.tell_clients(at, "leader", "start", &to);
            }
            return self.hurry_hello(at);
        }
        let wait = self.periods.publish * 4;
        let Some(one) = self.groups[at].get(id) else { return };
        if !one.is_promoted && now - one.role_since > wait && self.may_fix(at, id, wait, now) {
            let to = self.groups[at].master.address.clone();
            self.send_slaveof(at, id, Some(to));
            self.event(Level::Notice, "+convert-to-slave", at, id, "");
        }
    }

    fn slave_follows(&mut self, at: usize, id: Id, now: Ms) {
        let wait = self.groups[at].options.failover_timeout_ms;
        let group = &self.groups[at];
        let promoted = group.promoted_slave().map(|slave| slave.address.clone());
        let Some(one) = group.get(id) else { return };
        let (host, port, reconf, link_up) = (one.master_host.clone(), one.master_port, one.reconf, one.link_up);
        let follows = |address: &Address| {
            port == address.port && (host == address.ip || host.eq_ignore_ascii_case(&address.host))
        };
        let is_elsewhere = !follows(&group.master.address) && !one.is_promoted && !group.in_failover();
        if is_elsewhere && now - one.conf_changed > wait && self.may_fix(at, id, wait, now) {
            let to = self.groups[at].master.address.clone();
            self.send_slaveof(at, id, Some(to));
            self.event(Level::Notice, "+fix-slave-config", at, id, "");
        }
        let mut reached = reconf;
        if reached == Reconf::Sent && promoted.is_some_and(|address| follows(&address)) {
            reached = Reconf::InProgress;
            self.event(Level::Notice, "+slave-reconf-inprog", at, id, "");
        }
        if reached == Reconf::InProgress && link_up {
            reached = Reconf::Done;
            self.event(Level::Notice, "+slave-reconf-done", at, id, "");
        }
        if let Some(one) = self.groups[at].get_mut(id).filter(|_| reached != reconf) {
            one.reconf = reached;
        }
    }

    /// Whether a replica may be told whom to follow outside a failover: the master is what we think it is, and
    /// the replica has not been down lately.
    fn may_fix(&self, at: usize, id: Id, wait: Ms, now: Ms) -> bool {
        let group: &Group = &self.groups[at];
        let master = &group.master;
        let is_sane = master.role == Kind::Master
            && !master.s_down
            && !group.o_down
            && now - master.info_refresh < self.periods.info * 2;
        let was_well = group.get(id).is_some_and(|one| !one.s_down && now - one.s_down_since > wait);
        is_sane && was_well
    }
}
