//! What the configuration file says of groups, and what it is to say: `sentinel` lines.
//!
//! Lines may stand in any order, because CONFIG REWRITE puts new ones at the end: what all groups share is read first,
//! then the groups, then what is said of them.

use crate::machine::{Level, Own, Sentinel};
use crate::model::{
    Address, DEFAULT_PARALLEL_SYNCS, EPOCH_MAX, GROUPS_MAX, Group, Instance, Kind, Ms, NAME_BYTES_MAX, Options,
};
use std::collections::BTreeMap;

/// What a line said that is wrong.
pub type Fault = String;

/// In which pass a line is read.
fn pass(name: &str) -> u8 {
    match name {
        "monitor" => 1,
        "announce-ip"
        | "announce-port"
        | "deny-scripts-reconfig"
        | "sentinel-user"
        | "sentinel-pass"
        | "current-epoch"
        | "myid"
        | "resolve-hostnames"
        | "announce-hostnames" => 0,
        _ => 2,
    }
}

fn yes_no(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The longest period: a few of them together can still be counted.
const PERIOD_MAX: i64 = i64::MAX / 16;

pub(crate) fn positive(value: &str) -> Option<i64> {
    value.parse().ok().filter(|number| (1..=PERIOD_MAX).contains(number))
}

impl Own {
    /// Set what all groups share; whether the value fits.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        match name {
            "announce-ip" => value.clone_into(&mut self.announce_ip),
            "announce-port" => match value.parse() {
                Ok(port) => self.announce_port = port,
                Err(_) => return false,
            },
            "sentinel-user" => value.clone_into(&mut self.user),
            "sentinel-pass" => value.clone_into(&mut self.pass),
            "resolve-hostnames" | "announce-hostnames" => {
                let Some(is_on) = yes_no(value) else { return false };
                *(if name == "resolve-hostnames" {
                    &mut self.resolve_hostnames
                } else {
                    &mut self.announce_hostnames
                }) = is_on;
            }
            _ => return false,
        }
        true
    }
}

impl Sentinel {
    /// Read all lines.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn configure(&mut self, mut lines: Vec<Vec<String>>, now: Ms) -> Result<(), Fault> {
        lines.sort_by_key(|line| pass(&line[0].to_ascii_lowercase()));
        for line in lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            self.read_line(&words, now).map_err(|fault| format!("sentinel {}: {fault}", line.join(" ")))?;
        }
        Ok(())
    }

    fn read_line(&mut self, words: &[&str], now: Ms) -> Result<(), Fault> {
        let name = words[0].to_ascii_lowercase();
        let wrong = || "Unrecognized sentinel configuration statement.".to_owned();
        match (name.as_str(), &words[1..]) {
            ("monitor", [name, host, port, quorum]) => {
                let quorum = quorum.parse().map_err(|_| "Quorum must be 1 or greater.")?;
                self.monitor(name, host, port.parse().unwrap_or(-1), quorum, now).map(drop)
            }
            ("myid", [id]) if id.len() == 40 => {
                (*id).clone_into(&mut self.own.my_id);
                Ok(())
            }
            ("myid", [_]) => Err("Malformed Sentinel id in myid option.".into()),
            ("current-epoch", [epoch]) => {
                let epoch: u64 = epoch.parse().map_err(|_| wrong())?;
                self.own.epoch = self.own.epoch.max(epoch.min(EPOCH_MAX));
                Ok(())
            }
            ("deny-scripts-reconfig", [value]) => {
                self.own.deny_scripts =
                    yes_no(value).ok_or("Please specify yes or no for the deny-scripts-reconfig options.")?;
                Ok(())
            }
            (_, [value]) if pass(&name) == 0 => {
                if self.own.set(&name, value) {
                    Ok(())
                } else {
                    Err(format!("Please specify a valid value for the '{name}' option."))
                }
            }
            (_, [group, rest @ ..]) if !rest.is_empty() => {
                let at = self.find(group).ok_or("No such master with specified name.")?;
                self.read_group_line(at, &name, rest, now)
            }
            _ => Err(wrong()),
        }
    }

    fn read_group_line(&mut self, at: usize, name: &str, rest: &[&str], now: Ms) -> Result<(), Fault> {
        let wrong = || "Unrecognized sentinel configuration statement.".to_owned();
        let number = |text: &str| text.parse::<u64>().map(|epoch| epoch.min(EPOCH_MAX)).map_err(|_| wrong());
        match (name, rest) {
            ("config-epoch", [epoch]) => {
                self.groups[at].config_epoch = number(epoch)?;
                self.own.epoch = self.own.epoch.max(self.groups[at].config_epoch);
            }
            ("leader-epoch", [epoch]) => self.groups[at].leader_epoch = number(epoch)?,
            ("known-slave" | "known-replica", [host, port]) => {
                let address = self.place(host, port.parse().unwrap_or(-1))?;
                self.add_slave(at, address, now).ok_or("Duplicate hostname and port for replica.")?;
            }
            ("known-sentinel", [host, port, rest @ ..]) if rest.len() < 2 => {
                if let [run_id] = rest {
                    let address = self.place(host, port.parse().unwrap_or(-1))?;
                    if self.groups[at].sentinels.iter().any(|one| one.run_id == *run_id) {
                        return Err("Duplicate runid for sentinel.".into());
                    }
                    self.add_sentinel(at, run_id, address, now);
                }
            }
            _ => self.set_option(at, name, rest).map_err(|refusal| match refusal {
                Refusal::Unknown => wrong(),
                Refusal::Value(_) => format!("Invalid value for '{name}'."),
                Refusal::Text(text) => text,
            })?,
        }
        Ok(())
    }

    fn place(&self, host: &str, port: i64) -> Result<Address, Fault> {
        let port = u16::try_from(port).ok().filter(|port| *port > 0).ok_or("Invalid port number.")?;
        let is_fine = host.len() <= NAME_BYTES_MAX && host.bytes().all(|byte| byte.is_ascii_graphic());
        let ip = crate::names::address(host, self.own.resolve_hostnames).filter(|_| is_fine);
        let ip = ip.ok_or("Can't resolve instance hostname.")?;
        Ok(Address { host: host.to_owned(), ip, port })
    }

    /// Watch another group; its position.
    ///
    /// # Errors
    /// What is wrong.
    pub fn monitor(&mut self, name: &str, host: &str, port: i64, quorum: i64, now: Ms) -> Result<usize, Fault> {
        if quorum <= 0 {
            return Err("Quorum must be 1 or greater.".into());
        }
        if self.find(name).is_some() {
            return Err("Duplicate master name.".into());
        }
        let is_fine = !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if !is_fine || self.groups.len() >= GROUPS_MAX {
            return Err("Invalid master name.".into());
        }
        let address = self.place(host, port)?;
        let options = Options {
            quorum,
            down_after_ms: self.periods.down_after,
            failover_timeout_ms: self.periods.failover_timeout,
            parallel_syncs: DEFAULT_PARALLEL_SYNCS,
            notification_script: String::new(),
            client_reconfig_script: String::new(),
            auth_pass: String::new(),
            auth_user: String::new(),
            reboot_down_after_ms: 0,
            renamed: BTreeMap::new(),
        };
        let id = self.next_id();
        self.groups.push(Group::new(Instance::new(id, Kind::Master, name.to_owned(), address, now), options));
        Ok(self.groups.len() - 1)
    }

    /// Watch a group no more.
    pub fn remove(&mut self, at: usize) {
        let id = self.groups[at].master.id;
        self.event(Level::Warning, "-monitor", at, id, "");
        let ids: Vec<u64> = self.groups[at].all().map(|one| one.id).collect();
        for id in ids {
            self.disconnect(at, id);
        }
        self.groups.remove(at);
    }

    /// Other Sentinels are to be asked with other words.
    pub fn reconnect_sentinels(&mut self) {
        for at in 0..self.groups.len() {
            let ids: Vec<u64> = self.groups[at].sentinels.iter().map(|one| one.id).collect();
            for id in ids {
                self.disconnect(at, id);
            }
        }
    }

    /// Set an option of a group.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn set_option(&mut self, at: usize, name: &str, values: &[&str]) -> Result<(), Refusal> {
        let options = &mut self.groups[at].options;
        let value = values.first().copied().unwrap_or_default();
        let number = || positive(value).ok_or(Refusal::Value(value.to_owned()));
        if values.len() != if name == "rename-command" { 2 } else { 1 } {
            return Err(Refusal::Unknown);
        }
        match name {
            "down-after-milliseconds" => options.down_after_ms = number()?,
            "failover-timeout" => options.failover_timeout_ms = number()?,
            "parallel-syncs" => options.parallel_syncs = number()?,
            "quorum" => options.quorum = number()?,
            // As Redis has it, and as Valkey has it too, in files and otherwise.
            "master-reboot-down-after-period" | "primary-reboot-down-after-period" => {
                let number = value.parse().ok().filter(|number: &i64| *number >= 0);
                options.reboot_down_after_ms = number.ok_or(Refusal::Value(value.to_owned()))?;
            }
            "notification-script" | "client-reconfig-script" => {
                let is_notification = name == "notification-script";
                let kind = if is_notification { "Notification" } else { "Client reconfiguration" };
                if !value.is_empty() && !is_executable(value) {
                    return Err(Refusal::Text(format!("{kind} script seems non existing or non executable")));
                }
                let script = if is_notification {
                    &mut options.notification_script
                } else {
                    &mut options.client_reconfig_script
                };
                value.clone_into(script);
            }
            "auth-pass" | "auth-user" => {
                value.clone_into(if name == "auth-pass" { &mut options.auth_pass } else { &mut options.auth_user });
                self.reconnect_servers(at);
            }
            "rename-command" => {
                let (from, to) = (values[0].to_ascii_lowercase(), values[1]);
                if from.is_empty() || to.is_empty() {
                    return Err(Refusal::Value(if from.is_empty() { from } else { to.to_owned() }));
                }
                options.renamed.remove(&from);
                if from != to.to_ascii_lowercase() {
                    options.renamed.insert(from, to.to_owned());
                }
            }
            _ => return Err(Refusal::Unknown),
        }
        Ok(())
    }

    fn reconnect_servers(&mut self, at: usize) {
        let ids: Vec<u64> = self.groups[at].all().filter(|one| one.kind != Kind::Sentinel).map(|one| one.id).collect();
        for id in ids {
            self.disconnect(at, id);
        }
    }

    /// The lines that the file is to have.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let mut out = vec![words(&["myid", &self.own.my_id])];
        let own = &self.own;
        let flag = |name: &str, is_on: bool| words(&[name, if is_on { "yes" } else { "no" }]);
        if !own.deny_scripts {
            out.push(flag("deny-scripts-reconfig", false));
        }
        if own.resolve_hostnames {
            out.push(flag("resolve-hostnames", true));
        }
        if own.announce_hostnames {
            out.push(flag("announce-hostnames", true));
        }
        self.groups.iter().for_each(|group| self.group_lines(group, &mut out));
        out.push(words(&["current-epoch", &own.epoch.to_string()]));
        let port = if own.announce_port == 0 { String::new() } else { own.announce_port.to_string() };
        for (name, value) in [
            ("announce-ip", &own.announce_ip),
            ("announce-port", &port),
            ("sentinel-user", &own.user),
            ("sentinel-pass", &own.pass),
        ] {
            if !value.is_empty() {
                out.push(words(&[name, value]));
            }
        }
        out
    }

    fn group_lines(&self, group: &Group, out: &mut Vec<Vec<String>>) {
        let (name, options) = (group.name(), &group.options);
        let host =
            |address: &Address| if self.own.resolve_hostnames { address.host.clone() } else { address.ip.clone() };
        let master = group.current_address();
        out.push(words(&["monitor", name, &host(master), &master.port.to_string(), &options.quorum.to_string()]));
        let numbers = [
            ("down-after-milliseconds", options.down_after_ms, crate::machine::Periods::default().down_after),
            ("failover-timeout", options.failover_timeout_ms, crate::machine::Periods::default().failover_timeout),
            ("parallel-syncs", options.parallel_syncs, DEFAULT_PARALLEL_SYNCS),
            ("master-reboot-down-after-period", options.reboot_down_after_ms, 0),
        ];
        for (option, value, usual) in numbers {
            if value != usual {
                out.push(words(&[option, name, &value.to_string()]));
            }
        }
        for (option, value) in [
            ("notification-script", &options.notification_script),
            ("client-reconfig-script", &options.client_reconfig_script),
            ("auth-pass", &options.auth_pass),
            ("auth-user", &options.auth_user),
        ] {
            if !value.is_empty() {
                out.push(words(&[option, name, value]));
            }
        }
        for (from, to) in &options.renamed {
            out.push(words(&["rename-command", name, from, to]));
        }
        out.push(words(&["config-epoch", name, &group.config_epoch.to_string()]));
        out.push(words(&["leader-epoch", name, &group.leader_epoch.to_string()]));
        // While a failover ends, the promoted one is the master, and the old master a replica.
        let places = group
            .slaves
            .iter()
            .map(|slave| if slave.address.is(master) { &group.master.address } else { &slave.address });
        let mut known: Vec<&Address> = Vec::new();
        for address in places {
            // Twice, it could not be read again.
            if known.iter().any(|other| other.is(address)) {
                continue;
            }
            known.push(address);
            out.push(words(&["known-replica", name, &host(address), &address.port.to_string()]));
        }
        for one in group.sentinels.iter().filter(|one| one.address.port != 0) {
            out.push(words(&["known-sentinel", name, &host(&one.address), &one.address.port.to_string(), &one.run_id]));
        }
    }
}

/// Why an option is not set.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such option, or it takes another number of words.
    Unknown,
    /// The value does not fit.
    Value(String),
    /// Another reason.
    Text(String),
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|word| (*word).to_owned()).collect()
}

fn is_executable(path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
