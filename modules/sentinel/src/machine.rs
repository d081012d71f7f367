//! The Sentinel as a machine: time and messages go in, actions come out. It knows no socket, no clock and no file, so
//! that its tests make up all three.
//!
//! ```text
//!   tick(now) ───────────┐                         ┌─> Connect, Close, Send
//!   connected, closed ───┼──> groups, epochs ──────┼─> Publish, Log          events, for people and clients
//!   answers, messages ───┤                         ├─> Flush                 before anything that counts on it
//!   commands ────────────┘                         └─> Script, Crash
//! ```
//!
//! *Invariant*: what another is told of (a vote, an epoch) is flushed first: `Flush` stands before it in the actions.

use crate::model::{Address, Expect, Group, Id, Kind, Link, Ms};
use crate::scripts::Scripts;
use std::collections::{HashMap, VecDeque};

/// Where Sentinels tell of themselves.
pub const HELLO_CHANNEL: &str = "__sentinel__:hello";
/// Unanswered commands of a connection.
const PENDING_MAX: usize = 100;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect, under the number of a link.
    Connect(u64, String, u16),
    /// Close a link.
    Close(u64),
    /// Send commands.
    Send(u64, Vec<Vec<u8>>),
    /// Tell of an event on the channel of its name.
    Publish(String, String),
    /// Write to the log.
    Log(Level, String),
    /// Write the configuration file.
    Flush,
    /// End at once, as SIMULATE-FAILURE asked for.
    Crash,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// To nobody but who looks for a fault; it is not published.
    Debug,
    /// A little.
    Verbose,
    /// To some.
    Notice,
    /// To all; the notification script is run.
    Warning,
}

/// How often things are done, in ms.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// INFO.
    pub info: Ms,
    /// PING.
    pub ping: Ms,
    /// Asking the others.
    pub ask: Ms,
    /// Hellos.
    pub publish: Ms,
    /// Silence after which somebody is down, where the group says nothing.
    pub down_after: Ms,
    /// A gap between two ticks that is no accident.
    pub tilt_trigger: Ms,
    /// How long nothing is believed then.
    pub tilt: Ms,
    /// Time for a replica to follow.
    pub slave_reconf: Ms,
    /// A connection younger than this is not given up.
    pub min_reconnect: Ms,
    /// Longest election.
    pub election: Ms,
    /// Spread of what all Sentinels do at once.
    pub desync: Ms,
    /// Time that a failover may take, where the group says nothing.
    pub failover_timeout: Ms,
    /// Time that a script may take.
    pub script: Ms,
    /// Time until one that failed runs again.
    pub script_retry: Ms,
}

impl Default for Periods {
    fn default() -> Self {
        Periods {
            info: 10_000,
            ping: 1000,
            ask: 1000,
            publish: 2000,
            down_after: 30_000,
            tilt_trigger: 2000,
            tilt: 30_000,
            slave_reconf: 10_000,
            min_reconnect: 15_000,
            election: 10_000,
            desync: 1000,
            failover_timeout: crate::model::DEFAULT_FAILOVER_TIMEOUT_MS,
            script: 60_000,
            script_retry: 30_000,
        }
    }
}

/// What all groups share.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// This Sentinel's identity, 40 hex digits.
    pub my_id: String,
    /// The newest epoch that it knows.
    pub epoch: u64,
    /// The address that it tells of itself, or empty for the one that it is seen under.
    pub announce_ip: String,
    /// The port, or 0.
    pub announce_port: u16,
    /// Whether hosts are names.
    pub resolve_hostnames: bool,
    /// Whether others are told names.
    pub announce_hostnames: bool,
    /// User at other Sentinels.
    pub user: String,
    /// Password there.
    pub pass: String,
    /// Scripts can be set by the configuration file only.
    pub deny_scripts: bool,
    /// The port that this server has for other Sentinels.
    pub port: u16,
    /// Whether TLS is spoken with servers and other Sentinels.
    pub speaks_tls: bool,
    /// Its own password, which others are thought to have where they have none of their own.
    pub requirepass: String,
}

/// The machine.
pub struct Sentinel {
    /// What all groups share.
    pub own: Own,
    /// Groups, by name.
    pub groups: Vec<Group>,
    /// How often things are done.
    pub periods: Periods,
    /// Scripts.
    pub scripts: Scripts,
    /// Since when the clock is not believed.
    pub tilt_since: Option<Ms>,
    /// How often it was not.
    pub tilts: u64,
    /// SIMULATE-FAILURE.
    pub simulate: u32,
    /// What is to be done, in order.
    pub actions: VecDeque<Action>,
    previous: Ms,
    last_id: Id,
    /// Whose link is whose: instance, and whether it listens.
    links: HashMap<u64, (Id, bool)>,
    /// Addresses that this Sentinel has on its links.
    local: HashMap<u64, String>,
    random: u64,
}

/// Crash after the election is won.
pub const CRASH_AFTER_ELECTION: u32 = 1;
/// Crash after the promotion.
pub const CRASH_AFTER_PROMOTION: u32 = 2;

impl Sentinel {
    /// One that watches nobody. `seed` makes it choose other moments than the others.
    pub fn new(seed: u64) -> Sentinel {
        Sentinel {
            own: Own { deny_scripts: true, ..Own::default() },
            groups: Vec::new(),
            periods: Periods::default(),
            scripts: Scripts::default(),
            tilt_since: None,
            tilts: 0,
            simulate: 0,
            actions: VecDeque::new(),
            previous: 0,
            last_id: 0,
            links: HashMap::new(),
            local: HashMap::new(),
            random: seed | 1,
        }
    }

    /// A number below a limit (xorshift; it spreads moments, and nobody is to be surprised by it).
    pub fn chance(&mut self, below: i64) -> i64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 1) as i64 % below.max(1)
    }

    /// A number for somebody or something new.
    pub fn next_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }

    /// Position of a group.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name() == name)
    }

    /// Position of the group that somebody is in.
    pub fn group_of(&self, id: Id) -> Option<usize> {
        self.groups.iter().position(|group| group.get(id).is_some())
    }

    /// Have the file written.
    pub fn flush(&mut self) {
        self.actions.push_back(Action::Flush);
    }

    /// Write to the log.
    pub fn log(&mut self, level: Level, text: String) {
        self.actions.push_back(Action::Log(level, text));
    }

    // Events.

    /// How events and scripts show a host.
    pub fn announced(&self, address: &Address) -> String {
        if self.own.announce_hostnames && !address.host.is_empty() { address.host.clone() } else { address.ip.clone() }
    }

    /// Somebody, as events show it.
    pub fn show(&self, at: usize, id: Id) -> String {
        let group = &self.groups[at];
        let Some(one) = group.get(id) else { return String::new() };
        let place = |address: &Address| format!("{} {}", self.announced(address), address.port);
        let shown = format!("{} {} {}", one.kind.name(), one.name, place(&one.address));
        if one.kind == Kind::Master {
            return shown;
        }
        format!("{shown} @ {} {}", group.name(), place(&group.master.address))
    }

    /// Something has happened to somebody.
    pub fn event(&mut self, level: Level, name: &str, at: usize, id: Id, more: &str) {
        let text = format!("{}{more}", self.show(at, id));
        self.tell(level, name, text, Some(at));
    }

    /// Something has happened; `at` is the group whose script is told.
    pub fn tell(&mut self, level: Level, name: &str, text: String, at: Option<usize>) {
        self.log(level, format!("{name} {text}"));
        if level != Level::Debug {
            self.actions.push_back(Action::Publish(name.to_owned(), text.clone()));
        }
        let script = at.map(|at| self.groups[at].options.notification_script.clone()).unwrap_or_default();
        if level == Level::Warning && !script.is_empty() {
            self.scripts.queue(vec![script, name.to_owned(), text]);
        }
    }

    /// A script has ended: with a code, or by a signal, of which the negative is told.
    pub fn script_ended(&mut self, script: u64, code: i32, now: Ms) {
        if let Some(path) = self.scripts.ended(script, code, now, self.periods.script_retry) {
            let (by_signal, code) = if code < 0 { (-code, 0) } else { (0, code) };
            self.tell(Level::Warning, "-script-error", format!("{path} {by_signal} {code}"), None);
        }
    }

    /// A script has run for too long, and is about to be killed.
    pub fn script_late(&mut self, script: u64) {
        let found = self.scripts.all.iter().find(|one| one.id == script);
        if let Some(text) = found.map(|one| format!("{} {}", one.words[0], one.pid)) {
            self.tell(Level::Warning, "-script-timeout", text, None);
        }
    }

    // Connections.

    /// A link is connected, from this address.
    pub fn connected(&mut self, link: u64, local_ip: String, now: Ms) {
        let Some((id, listens)) = self.links.get(&link).copied() else { return };
        self.local.insert(link, local_ip);
        let Some(at) = self.group_of(id) else { return };
        let Some(one) = self.groups[at].get_mut(id) else { return };
        if listens {
            one.pc.is_connected = true;
            (one.pc.since, one.pc_activity) = (now, now);
        } else {
            one.cc.is_connected = true;
            one.cc.since = now;
        }
    }

    /// A link is gone.
    pub fn closed(&mut self, link: u64) {
        let Some((id, listens)) = self.links.remove(&link) else { return };
        self.local.remove(&link);
        let Some(at) = self.group_of(id) else { return };
        let Some(one) = self.groups[at].get_mut(id) else { return };
        if listens { one.pc = Link::default() } else { one.cc = Link::default() }
    }

    /// Whose link it is.
    pub fn owner(&self, link: u64) -> Option<(Id, bool)> {
        self.links.get(&link).copied()
    }

    /// Close the links of somebody.
    pub fn disconnect(&mut self, at: usize, id: Id) {
        for listens in [false, true] {
            self.disconnect_one(at, id, listens);
        }
    }

    pub(crate) fn disconnect_one(&mut self, at: usize, id: Id, listens: bool) {
        let Some(one) = self.groups[at].get_mut(id) else { return };
        let link = std::mem::take(if listens { &mut one.pc } else { &mut one.cc });
        if link.id != 0 {
            self.links.remove(&link.id);
            self.local.remove(&link.id);
            self.actions.push_back(Action::Close(link.id));
        }
    }

    /// The address that this Sentinel has as somebody sees it.
    pub fn local_ip(&self, at: usize, id: Id) -> Option<&String> {
        self.local.get(&self.groups[at].get(id)?.cc.id)
    }

    /// Send a command to somebody, if it can be.
    pub fn send(&mut self, at: usize, id: Id, words: &[&str], expect: Expect) -> bool {
        let group = &mut self.groups[at];
        let name = if group.get(id).is_some_and(|one| one.kind == Kind::Sentinel) {
            words[0].to_owned()
        } else {
            group.command(words[0]).to_owned()
        };
        let Some(one) = group.get_mut(id).filter(|one| one.cc.id != 0) else { return false };
        one.cc.pending.push_back(expect);
        let link = one.cc.id;
        let words = std::iter::once(name.as_str()).chain(words[1..].iter().copied());
        self.actions.push_back(Action::Send(link, words.map(|word| word.as_bytes().to_vec()).collect()));
        true
    }

    fn credentials(&self, at: usize, kind: Kind) -> (String, String) {
        let options = &self.groups[at].options;
        match kind {
            Kind::Master | Kind::Slave => (options.auth_user.clone(), options.auth_pass.clone()),
            Kind::Sentinel if !self.own.pass.is_empty() => (self.own.user.clone(), self.own.pass.clone()),
            // What a Sentinel asks of others is what they ask of it, where nothing else is said.
            Kind::Sentinel => (String::new(), self.own.requirepass.clone()),
        }
    }

    /// Begin a connection.
    fn connect(&mut self, at: usize, id: Id, listens: bool, now: Ms) {
        let link = self.next_id();
        let Some(one) = self.groups[at].get_mut(id) else { return };
        let (kind, ip, port) = (one.kind, one.address.ip.clone(), one.address.port);
        *(if listens { &mut one.pc } else { &mut one.cc }) = Link { id: link, since: now, ..Link::default() };
        self.links.insert(link, (id, listens));
        self.actions.push_back(Action::Connect(link, ip, port));
        let (user, pass) = self.credentials(at, kind);
        let role = if listens { "pubsub" } else { "cmd" };
        let name = format!("sentinel-{}-{role}", self.own.my_id.get(..8).unwrap_or_default());
        let auth: Vec<&str> = ["AUTH", &user, &pass].into_iter().filter(|word| !word.is_empty()).collect();
        let mut commands: Vec<Vec<&str>> = vec![vec!["CLIENT", "SETNAME", &name]];
        if !pass.is_empty() {
            commands.insert(0, auth);
        }
        if listens {
            commands.push(vec!["SUBSCRIBE", HELLO_CHANNEL]);
            let name_of = |word: &str| match kind {
                Kind::Sentinel => word.to_owned(),
                _ => self.groups[at].command(word).to_owned(),
            };
            let mapped: Vec<Action> = commands
                .iter()
                .map(|words| {
                    let words =
                        std::iter::once(name_of(words[0])).chain(words[1..].iter().map(|word| (*word).to_owned()));
                    Action::Send(link, words.map(String::into_bytes).collect())
                })
                .collect();
            if let Some(one) = self.groups[at].get_mut(id) {
                one.pc.pending.extend((1..mapped.len()).map(|_| Expect::Nothing));
                one.pc.pending.push_back(Expect::Subscribed);
            }
            self.actions.extend(mapped);
            return;
        }
        for words in commands {
            self.send(at, id, &words, Expect::Nothing);
        }
        self.ping(at, id, now);
    }

    fn ping(&mut self, at: usize, id: Id, now: Ms) {
        if !self.send(at, id, &["PING"], Expect::Pong) {
            return;
        }
        if let Some(one) = self.groups[at].get_mut(id) {
            one.last_ping = now;
            if one.act_ping == 0 {
                one.act_ping = now;
            }
        }
    }

    // Time.

    /// Do what is due.
    pub fn tick(&mut self, now: Ms) {
        let gap = now - self.previous;
        if self.previous != 0 && (gap < 0 || gap > self.periods.tilt_trigger) {
            self.tilt_since = Some(now);
            self.tilts += 1;
            self.tell(Level::Warning, "+tilt", "#tilt mode entered".into(), None);
        }
        self.previous = now;
        for at in 0..self.groups.len() {
            let ids: Vec<Id> = self.groups[at].all().map(|one| one.id).collect();
            for id in ids {
                self.look_after(at, id, now);
            }
            if self.groups[at].stage == crate::model::Stage::UpdateConfig {
                self.switch_to_promoted(at, now);
            }
        }
        self.scripts.tick(now, self.periods.script);
    }

    fn look_after(&mut self, at: usize, id: Id, now: Ms) {
        self.reconnect(at, id, now);
        self.send_periodic(at, id, now);
        if let Some(since) = self.tilt_since {
            if now - since < self.periods.tilt {
                return;
            }
            self.tilt_since = None;
            self.tell(Level::Warning, "-tilt", "#tilt mode exited".into(), None);
        }
        self.check_subjectively_down(at, id, now);
        if self.groups[at].master.id == id {
            self.check_objectively_down(at, now);
            if self.start_failover_if_needed(at, now) {
                self.ask_others(at, true, now);
            }
            self.go_on_with_failover(at, now);
            self.ask_others(at, false, now);
        }
    }

    fn reconnect(&mut self, at: usize, id: Id, now: Ms) {
        let (ping, resolves) = (self.periods.ping, self.own.resolve_hostnames);
        let Some(one) = self.groups[at].get_mut(id) else { return };
        let listens = one.kind != Kind::Sentinel;
        if one.address.port == 0 || one.cc.id != 0 && (one.pc.id != 0 || !listens) || now - one.last_reconnect < ping {
            return;
        }
        one.last_reconnect = now;
        // A name may lead elsewhere by now.
        if resolves && let Some(ip) = crate::names::resolve(&one.address.host) {
            one.address.ip = ip;
        }
        let (has_cc, has_pc) = (one.cc.id != 0, one.pc.id != 0);
        if !has_cc {
            self.connect(at, id, false, now);
        }
        if listens && !has_pc {
            self.connect(at, id, true, now);
        }
    }

    fn send_periodic(&mut self, at: usize, id: Id, now: Ms) {
        let periods = self.periods;
        let group = &self.groups[at];
        let urgent = group.o_down || group.in_failover();
        let Some(one) = group.get(id) else { return };
        if !one.is_connected() || one.cc.pending.len() >= PENDING_MAX {
            return;
        }
        let is_urgent = one.kind == Kind::Slave && (urgent || one.link_down_ms != 0);
        let info = if is_urgent { periods.info.min(1000) } else { periods.info };
        let ping = periods.ping.min(group.options.down_after_ms);
        let asks_info = one.kind != Kind::Sentinel && (one.info_refresh == 0 || now - one.info_refresh > info);
        let is_asked = one.cc.pending.contains(&Expect::Info);
        let pings = now - one.last_pong > ping && now - one.last_ping > ping / 2;
        let greets = now - one.last_pub > periods.publish;
        if asks_info && !is_asked {
            self.send(at, id, &["INFO"], Expect::Info);
        }
        if pings {
            self.ping(at, id, now);
        }
        if greets {
            self.say_hello(at, id, now);
        }
    }

    fn check_subjectively_down(&mut self, at: usize, id: Id, now: Ms) {
        let periods = self.periods;
        let group = &self.groups[at];
        let down_after = group.options.down_after_ms;
        let rebooted = group.rebooted_since.filter(|_| id == group.master.id);
        let reboot_after = group.options.reboot_down_after_ms;
        let Some(one) = group.get(id) else { return };
        let silent_ms = match (one.act_ping, one.is_connected()) {
            (0, true) => 0,
            (0, false) => now - one.last_avail,
            (since, _) => now - since,
        };
        let is_stuck = one.cc.id != 0
            && now - one.cc.since > periods.min_reconnect
            && one.act_ping != 0
            && now - one.act_ping > down_after / 2
            && now - one.last_pong > down_after / 2;
        let is_deaf =
            one.pc.id != 0 && now - one.pc.since > periods.min_reconnect && now - one.pc_activity > periods.publish * 3;
        let demoted =
            one.kind == Kind::Master && one.role == Kind::Slave && now - one.role_since > down_after + periods.info * 2;
        let is_rebooted = reboot_after > 0 && rebooted.is_some_and(|since| now - since > reboot_after);
        let (is_down, was_down) = (silent_ms > down_after || demoted || is_rebooted, one.s_down);
        if is_stuck {
            self.disconnect_one(at, id, false);
        }
        if is_deaf {
            self.disconnect_one(at, id, true);
        }
        if is_down == was_down {
            return;
        }
        self.event(Level::Warning, if is_down { "+sdown" } else { "-sdown" }, at, id, "");
        if let Some(one) = self.groups[at].get_mut(id) {
            one.s_down = is_down;
            if is_down {
                one.s_down_since = now;
            } else {
                one.script_killed = false;
            }
        }
    }

    fn check_objectively_down(&mut self, at: usize, now: Ms) {
        let group = &mut self.groups[at];
        let votes = 1 + group.sentinels.iter().filter(|one| one.says_down).count() as i64;
        let (quorum, id) = (group.options.quorum, group.master.id);
        let is_down = group.master.s_down && votes >= quorum;
        if is_down == group.o_down {
            return;
        }
        group.o_down = is_down;
        if is_down {
            group.o_down_since = now;
            self.event(Level::Warning, "+odown", at, id, &format!(" #quorum {votes}/{quorum}"));
        } else {
            self.event(Level::Warning, "-odown", at, id, "");
        }
    }
}
