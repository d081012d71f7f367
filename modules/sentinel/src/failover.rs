//! Failover: agreeing that the master is down, electing who replaces it, and replacing it.
//!
//! ```text
//!   +odown ─> WaitStart ─> SelectSlave ─> SendSlaveofNoone ─> WaitPromotion ─> ReconfSlaves ─> UpdateConfig
//!             elected?     the best one   SLAVEOF NO ONE      INFO: master     SLAVEOF new      +switch-master
//! ```
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/>

use crate::machine::{Action, CRASH_AFTER_ELECTION, Level, Sentinel};
use crate::model::{Address, EPOCH_MAX, Expect, Group, Id, Instance, Kind, Ms, Reconf, Stage};
use std::collections::HashMap;

/// What a replica's answer may be late, in periods, while the master is well.
const INFO_PERIODS: Ms = 3;

impl Sentinel {
    /// Begin a failover if it is time; whether one has begun.
    pub(crate) fn start_failover_if_needed(&mut self, at: usize, now: Ms) -> bool {
        let group = &mut self.groups[at];
        if !group.o_down || group.in_failover() {
            return false;
        }
        let wait = group.options.failover_timeout_ms * 2;
        if now - group.failover_start < wait {
            if group.delay_logged != group.failover_start {
                group.delay_logged = group.failover_start;
                let left = (group.failover_start + wait - now) / 1000;
                let text = format!("Next failover delay: I will not start a failover for {left} s");
                self.log(Level::Warning, text);
            }
            return false;
        }
        self.start_failover(at, now);
        true
    }

    /// Begin a failover.
    pub(crate) fn start_failover(&mut self, at: usize, now: Ms) {
        self.own.epoch = (self.own.epoch + 1).min(EPOCH_MAX);
        let (epoch, spread) = (self.own.epoch, self.chance(self.periods.desync));
        let group = &mut self.groups[at];
        (group.stage, group.stage_since, group.failover_epoch) = (Stage::WaitStart, now, epoch);
        group.failover_start = now + spread;
        let id = group.master.id;
        self.flush();
        self.tell(Level::Warning, "+new-epoch", epoch.to_string(), Some(at));
        self.event(Level::Warning, "+try-failover", at, id, "");
    }

    /// Ask the other Sentinels whether the master is down, and for their votes if a failover goes on.
    pub(crate) fn ask_others(&mut self, at: usize, is_forced: bool, now: Ms) {
        let ask = self.periods.ask;
        let is_down = self.groups[at].master.s_down;
        let address = self.groups[at].master.address.clone();
        let candidate = if self.groups[at].in_failover() { self.own.my_id.clone() } else { "*".into() };
        let mut asked = Vec::new();
        for one in &mut self.groups[at].sentinels {
            let silent_ms = now - one.last_down_reply;
            if silent_ms > ask * 5 {
                one.says_down = false;
                one.leader.clear();
            }
            let is_asked = one.cc.pending.contains(&Expect::Vote);
            if is_down && one.is_connected() && (is_forced || silent_ms >= ask && !is_asked) {
                asked.push(one.id);
            }
        }
        let (host, port, epoch) = (self.announced(&address), address.port.to_string(), self.own.epoch.to_string());
        for id in asked {
            let words = ["SENTINEL", "is-master-down-by-addr", &host, &port, &epoch, &candidate];
            self.send(at, id, &words, Expect::Vote);
        }
    }

    /// Another Sentinel has answered.
    pub fn vote_came(&mut self, at: usize, id: Id, is_down: bool, leader: &str, epoch: u64, now: Ms) {
        let Some(one) = self.groups[at].sentinels.iter_mut().find(|one| one.id == id) else { return };
        (one.last_down_reply, one.says_down) = (now, is_down);
        if leader != "*" {
            let is_new = one.leader_epoch != epoch;
            (one.leader, one.leader_epoch) = (leader.to_owned(), epoch);
            if is_new {
                let text = format!("{} voted for {leader} {epoch}", one.name);
                self.log(Level::Notice, text);
            }
        }
    }

    /// Vote, if this Sentinel has not in that epoch; whom it has voted for, and in which epoch.
    pub fn vote(&mut self, at: usize, epoch: u64, candidate: &str, now: Ms) -> (String, u64) {
        if epoch > self.own.epoch {
            self.own.epoch = epoch;
            self.flush();
            self.tell(Level::Warning, "+new-epoch", epoch.to_string(), Some(at));
        }
        if self.groups[at].leader_epoch < epoch && self.own.epoch <= epoch {
            let is_own = candidate.eq_ignore_ascii_case(&self.own.my_id);
            let spread = self.chance(self.periods.desync);
            let current = self.own.epoch;
            let group = &mut self.groups[at];
            (group.leader, group.leader_epoch) = (candidate.to_owned(), current);
            if !is_own {
                // Whoever was voted for has its time.
                group.failover_start = now + spread;
            }
            self.flush();
            self.tell(Level::Warning, "+vote-for-leader", format!("{candidate} {current}"), Some(at));
        }
        (self.groups[at].leader.clone(), self.groups[at].leader_epoch)
    }

    /// Who is elected in an epoch, if anybody.
    fn elected(&mut self, at: usize, epoch: u64, now: Ms) -> Option<String> {
        let group = &self.groups[at];
        let voters = group.sentinels.len() + 1;
        let quorum = group.options.quorum;
        let mut votes: HashMap<String, usize> = HashMap::new();
        for one in group.sentinels.iter().filter(|one| !one.leader.is_empty() && one.leader_epoch == self.own.epoch) {
            *votes.entry(one.leader.to_ascii_lowercase()).or_default() += 1;
        }
        let best =
            |votes: &HashMap<String, usize>| votes.iter().max_by_key(|(_, votes)| **votes).map(|(id, _)| id.clone());
        let favourite = best(&votes).unwrap_or_else(|| self.own.my_id.clone());
        let (own, own_epoch) = self.vote(at, epoch, &favourite, now);
        if !own.is_empty() && own_epoch == epoch {
            *votes.entry(own.to_ascii_lowercase()).or_default() += 1;
        }
        let winner = best(&votes)?;
        let enough = votes[&winner] > voters / 2 && votes[&winner] as i64 >= quorum;
        enough.then_some(winner)
    }

    /// One step of the failover that goes on.
    pub(crate) fn go_on_with_failover(&mut self, at: usize, now: Ms) {
        match self.groups[at].stage {
            Stage::None | Stage::UpdateConfig => {}
            Stage::WaitStart => self.wait_for_election(at, now),
            Stage::SelectSlave => self.select_slave(at, now),
            Stage::SendSlaveofNoone => self.promote(at, now),
            Stage::WaitPromotion => {
                let group = &self.groups[at];
                if now - group.stage_since > group.options.failover_timeout_ms {
                    self.abort(at, "-failover-abort-slave-timeout");
                }
            }
            Stage::ReconfSlaves => self.reconfigure_next(at, now),
        }
    }

    fn wait_for_election(&mut self, at: usize, now: Ms) {
        let epoch = self.groups[at].failover_epoch;
        let is_elected =
            self.elected(at, epoch, now).is_some_and(|leader| leader.eq_ignore_ascii_case(&self.own.my_id));
        let group = &self.groups[at];
        if !is_elected && !group.is_forced {
            if now - group.failover_start > self.periods.election.min(group.options.failover_timeout_ms) {
                self.abort(at, "-failover-abort-not-elected");
            }
            return;
        }
        let id = group.master.id;
        self.event(Level::Warning, "+elected-leader", at, id, "");
        if self.simulate & CRASH_AFTER_ELECTION != 0 {
            return self.actions.push_back(Action::Crash);
        }
        self.enter(at, Stage::SelectSlave, now);
        self.event(Level::Warning, "+failover-state-select-slave", at, id, "");
    }

    fn enter(&mut self, at: usize, stage: Stage, now: Ms) {
        (self.groups[at].stage, self.groups[at].stage_since) = (stage, now);
    }

    /// Give a failover up.
    fn abort(&mut self, at: usize, event: &str) {
        let id = self.groups[at].master.id;
        self.event(Level::Warning, event, at, id, "");
        let group = &mut self.groups[at];
        (group.stage, group.is_forced, group.promoted) = (Stage::None, false, None);
        for slave in &mut group.slaves {
            (slave.is_promoted, slave.reconf) = (false, Reconf::No);
        }
    }

    fn select_slave(&mut self, at: usize, now: Ms) {
        let master = self.groups[at].master.id;
        let Some(id) = self.best_slave(&self.groups[at], now) else {
            return self.abort(at, "-failover-abort-no-good-slave");
        };
        self.event(Level::Warning, "+selected-slave", at, id, "");
        let group = &mut self.groups[at];
        group.promoted = Some(id);
        if let Some(slave) = group.get_mut(id) {
            slave.is_promoted = true;
        }
        self.enter(at, Stage::SendSlaveofNoone, now);
        debug_assert_ne!(id, master);
        self.event(Level::Notice, "+failover-state-send-slaveof-noone", at, id, "");
    }

    /// The replica that is best promoted: of those that are well, the one with the least priority, of these the one
    /// with the most of the stream, of these the one whose identity comes first.
    fn best_slave(&self, group: &Group, now: Ms) -> Option<Id> {
        let periods = &self.periods;
        let down_ms = if group.master.s_down { now - group.master.s_down_since } else { 0 };
        let most_link_down = down_ms + group.options.down_after_ms * 10;
        let info_valid = if group.master.s_down { periods.ping * 5 } else { periods.info * INFO_PERIODS };
        let is_good = |slave: &&Instance| {
            !slave.s_down
                && !slave.is_disconnected()
                && now - slave.last_avail <= periods.ping * 5
                && slave.priority != 0
                && slave.info_refresh != 0
                && now - slave.info_refresh <= info_valid
                && slave.link_down_ms <= most_link_down
        };
        let rank = |slave: &Instance| {
            let run_id = slave.run_id.to_ascii_lowercase();
            (slave.priority, std::cmp::Reverse(slave.offset), run_id.is_empty(), run_id)
        };
        group.slaves.iter().filter(is_good).min_by_key(|slave| rank(slave)).map(|slave| slave.id)
    }

    /// Whether there is a replica that could be promoted.
    pub fn has_good_slave(&self, at: usize, now: Ms) -> bool {
        self.best_slave(&self.groups[at], now).is_some()
    }

    fn promote(&mut self, at: usize, now: Ms) {
        let group = &self.groups[at];
        let Some(id) = group.promoted else { return self.abort(at, "-failover-abort-no-good-slave") };
        if !group.get(id).is_some_and(Instance::is_connected) {
            if now - group.stage_since > group.options.failover_timeout_ms {
                self.abort(at, "-failover-abort-slave-timeout");
            }
            return;
        }
        self.send_slaveof(at, id, None);
        self.event(Level::Notice, "+failover-state-wait-promotion", at, id, "");
        self.enter(at, Stage::WaitPromotion, now);
    }

    /// Tell a server whom to follow; nobody for `None`. It keeps that, and its clients connect anew, to find out who is the
    /// master now.
    pub(crate) fn send_slaveof(&mut self, at: usize, id: Id, of: Option<Address>) {
        let (host, port) = match of {
            Some(address) => (self.announced(&address), address.port.to_string()),
            None => ("NO".into(), "ONE".into()),
        };
        let commands: [&[&str]; 6] = [
            &["MULTI"],
            &["SLAVEOF", &host, &port],
            &["CONFIG", "REWRITE"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["CLIENT", "KILL", "TYPE", "pubsub"],
            &["EXEC"],
        ];
        for words in commands {
            self.send(at, id, words, Expect::Nothing);
        }
    }

    fn reconfigure_next(&mut self, at: usize, now: Ms) {
        let reconf_timeout = self.periods.slave_reconf;
        let group = &self.groups[at];
        let Some(target) = group.promoted_slave().map(|slave| slave.address.clone()) else { return };
        let parallel = group.options.parallel_syncs.max(1) as usize;
        let mut busy =
            group.slaves.iter().filter(|one| matches!(one.reconf, Reconf::Sent | Reconf::InProgress)).count();
        let ids: Vec<Id> = group.slaves.iter().filter(|one| !one.is_promoted).map(|one| one.id).collect();
        for id in ids {
            let Some(slave) = self.groups[at].get_mut(id) else { continue };
            if slave.reconf == Reconf::Sent && now - slave.reconf_sent > reconf_timeout {
                slave.reconf = Reconf::Done;
                self.event(Level::Notice, "-slave-reconf-sent-timeout", at, id, "");
                continue;
            }
            if busy >= parallel || slave.reconf != Reconf::No || !slave.is_connected() {
                continue;
            }
            (slave.reconf, slave.reconf_sent) = (Reconf::Sent, now);
            busy += 1;
            self.send_slaveof(at, id, Some(target.clone()));
            self.event(Level::Notice, "+slave-reconf-sent", at, id, "");
        }
        self.look_whether_all_follow(at, target, now);
    }

    fn look_whether_all_follow(&mut self, at: usize, target: Address, now: Ms) {
        let group = &self.groups[at];
        if group.promoted_slave().is_none_or(|slave| slave.s_down) {
            return;
        }
        let master = group.master.id;
        let is_left = |one: &&Instance| !one.is_promoted && one.reconf != Reconf::Done && !one.s_down;
        let left = group.slaves.iter().filter(is_left).count();
        let is_late = now - group.stage_since > group.options.failover_timeout_ms;
        if left > 0 && !is_late {
            return;
        }
        let unsent = |one: &&Instance| !one.is_promoted && one.reconf == Reconf::No && one.is_connected();
        let unsent: Vec<Id> = group.slaves.iter().filter(unsent).map(|one| one.id).collect();
        if is_late {
            self.event(Level::Warning, "+failover-end-for-timeout", at, master, "");
        }
        self.event(Level::Warning, "+failover-end", at, master, "");
        self.enter(at, Stage::UpdateConfig, now);
        for id in unsent.into_iter().filter(|_| is_late) {
            self.send_slaveof(at, id, Some(target.clone()));
            self.event(Level::Notice, "+slave-reconf-sent-be", at, id, "");
            if let Some(slave) = self.groups[at].get_mut(id) {
                slave.reconf = Reconf::Sent;
            }
        }
    }

    /// The failover is over: the promoted replica is the master.
    pub(crate) fn switch_to_promoted(&mut self, at: usize, now: Ms) {
        let group = &self.groups[at];
        let to = group.promoted_slave().map_or_else(|| group.master.address.clone(), |slave| slave.address.clone());
        self.tell_switch(at, &to);
        self.change_master(at, to, now);
    }

    /// Tell that a group has another master.
    pub(crate) fn tell_switch(&mut self, at: usize, to: &Address) {
        let group = &self.groups[at];
        let from = &group.master.address;
        let (old, new) = (self.announced(from), self.announced(to));
        let text = format!("{} {old} {} {new} {}", group.name(), from.port, to.port);
        self.tell(Level::Warning, "+switch-master", text, Some(at));
    }

    /// A group's master is elsewhere: all but the other Sentinels is found out anew, and the old master is one of
    /// the replicas.
    pub(crate) fn change_master(&mut self, at: usize, to: Address, now: Ms) {
        let group = &self.groups[at];
        let old = group.master.address.clone();
        let others = group.slaves.iter().map(|slave| slave.address.clone());
        let slaves: Vec<Address> = others.chain([old]).filter(|address| !address.is(&to)).collect();
        self.reset(at, false, now);
        let id = self.next_id();
        let group = &mut self.groups[at];
        group.master = Instance::new(id, Kind::Master, group.master.name.clone(), to, now);
        for address in slaves {
            if let Some(id) = self.add_slave(at, address, now) {
                self.event(Level::Notice, "+slave", at, id, "");
            }
        }
        self.flush();
    }

    /// Forget what is known of a group beside its master's address; of other Sentinels only `with_sentinels`.
    pub(crate) fn reset(&mut self, at: usize, with_sentinels: bool, now: Ms) {
        let group = &self.groups[at];
        let gone: Vec<Id> =
            group.all().filter(|one| with_sentinels || one.kind != Kind::Sentinel).map(|one| one.id).collect();
        for id in gone {
            self.disconnect(at, id);
        }
        let id = self.next_id();
        let group = &mut self.groups[at];
        group.slaves.clear();
        if with_sentinels {
            group.sentinels.clear();
        }
        let (name, address) = (group.master.name.clone(), group.master.address.clone());
        group.master = Instance::new(id, Kind::Master, name, address, now);
        (group.o_down, group.stage, group.stage_since, group.failover_start) = (false, Stage::None, 0, 0);
        (group.promoted, group.is_forced, group.rebooted_since) = (None, false, None);
        group.leader.clear();
    }

    /// Run the script that tells clients of another master.
    pub(crate) fn tell_clients(&mut self, at: usize, role: &str, state: &str, to: &Address) {
        let group = &self.groups[at];
        let script = group.options.client_reconfig_script.clone();
        if script.is_empty() {
            return;
        }
        let from = &group.master.address;
        let words = [
            group.name(),
            role,
            state,
            &self.announced(from),
            &from.port.to_string(),
            &self.announced(to),
            &to.port.to_string(),
        ];
        let words = std::iter::once(script).chain(words.into_iter().map(str::to_owned)).collect();
        self.scripts.queue(words);
    }
}
