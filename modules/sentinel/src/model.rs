//! What a Sentinel knows: the groups that it watches, and of each its primary, replicas and other Sentinels.
//!
//! Names are those of Redis's protocol, which users and clients read: the primary is `master`, a replica `slave`.

use std::collections::BTreeMap;

/// A moment: milliseconds of Unix time.
pub type Ms = i64;

/// Number of an instance, never given twice.
pub type Id = u64;

/// Least time between two looks at who is down, and what the others are multiples of.
pub const DEFAULT_PARALLEL_SYNCS: i64 = 1;
/// Time that a failover may take.
pub const DEFAULT_FAILOVER_TIMEOUT_MS: Ms = 180_000;
/// Priority of a replica that says none.
pub const DEFAULT_PRIORITY: i64 = 100;
/// Port of one that says none.
pub const DEFAULT_PORT: u16 = 26379;
/// The last epoch: answers count them in 64 bits with a sign.
pub const EPOCH_MAX: u64 = i64::MAX as u64;
/// Most groups, ...
pub const GROUPS_MAX: usize = 1000;
/// ... most replicas or Sentinels of one, ...
pub const PEERS_MAX: usize = 500;
/// ... and the longest name.
pub const NAME_BYTES_MAX: usize = 512;

/// Where somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Address {
    /// As it was said: a name, or digits.
    pub host: String,
    /// In digits.
    pub ip: String,
    /// 0 when it is not to be connected to.
    pub port: u16,
}

impl Address {
    /// Whether two are the same place.
    pub fn is(&self, other: &Address) -> bool {
        self.port == other.port && self.ip == other.ip
    }
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The primary of a group.
    Master,
    /// A replica of it.
    Slave,
    /// Another Sentinel that watches it.
    Sentinel,
}

impl Kind {
    /// As events say it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Master => "master",
            Kind::Slave => "slave",
            Kind::Sentinel => "sentinel",
        }
    }
}

/// How a replica comes to follow the one that was promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reconf {
    /// It has not been told.
    #[default]
    No,
    /// It has been told.
    Sent,
    /// It says that it follows.
    InProgress,
    /// It is in step.
    Done,
}

/// A connection to somebody.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Its number, 0 when there is none.
    pub id: u64,
    /// Whether it is made.
    pub is_connected: bool,
    /// When it was begun.
    pub since: Ms,
    /// Commands that wait for an answer.
    pub pending: std::collections::VecDeque<Expect>,
}

/// What an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// PING.
    Pong,
    /// INFO.
    Info,
    /// A hello that was published.
    Hello,
    /// Whether the master is down.
    Vote,
    /// SUBSCRIBE.
    Subscribed,
    /// Nothing that is looked at.
    Nothing,
}

/// Somebody.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its number.
    pub id: Id,
    /// What it is.
    pub kind: Kind,
    /// The group's name, a replica's address, a Sentinel's identity.
    pub name: String,
    /// Its run's identity, or empty.
    pub run_id: String,
    /// Where it is.
    pub address: Address,
    /// Down as we see it.
    pub s_down: bool,
    /// Since when.
    pub s_down_since: Ms,
    /// The connection for commands.
    pub cc: Link,
    /// The connection that listens.
    pub pc: Link,
    /// When something last came on it.
    pub pc_activity: Ms,
    /// When the last connection was tried.
    pub last_reconnect: Ms,
    /// When a PING was sent that is not answered, 0 for none.
    pub act_ping: Ms,
    /// When the last PING was sent.
    pub last_ping: Ms,
    /// When it last answered as one who serves.
    pub last_avail: Ms,
    /// When it last answered at all.
    pub last_pong: Ms,
    /// When the last hello was published by it.
    pub last_pub: Ms,
    /// When its last hello came.
    pub last_hello: Ms,
    /// When INFO last came, 0 for never.
    pub info_refresh: Ms,
    /// Its last INFO.
    pub info: String,
    /// What it says that it is.
    pub role: Kind,
    /// Since when.
    pub role_since: Ms,
    /// The script that keeps it busy was told to end.
    pub script_killed: bool,
    // Of a replica.
    /// How long it has not been connected to its master.
    pub link_down_ms: Ms,
    /// Whether it is.
    pub link_up: bool,
    /// Whom it says that it follows.
    pub master_host: String,
    /// And the port.
    pub master_port: u16,
    /// When that last changed.
    pub conf_changed: Ms,
    /// Which is promoted first; 0 for never.
    pub priority: i64,
    /// How much of the master's stream it has.
    pub offset: u64,
    /// Whether clients are told of it.
    pub is_announced: bool,
    /// How it comes to follow another.
    pub reconf: Reconf,
    /// When it was told.
    pub reconf_sent: Ms,
    /// It is being made the master.
    pub is_promoted: bool,
    // Of a Sentinel.
    /// It says that the master is down.
    pub says_down: bool,
    /// When it last said whether.
    pub last_down_reply: Ms,
    /// Whom it has voted for, or empty.
    pub leader: String,
    /// In which epoch.
    pub leader_epoch: u64,
}

impl Instance {
    /// Somebody of whom nothing is known.
    pub fn new(id: Id, kind: Kind, name: String, address: Address, now: Ms) -> Instance {
        let role = if kind == Kind::Master { Kind::Master } else { Kind::Slave };
        Instance {
            id,
            kind,
            name,
            run_id: String::new(),
            address,
            s_down: false,
            s_down_since: 0,
            cc: Link::default(),
            pc: Link::default(),
            pc_activity: 0,
            last_reconnect: 0,
            act_ping: now,
            last_ping: 0,
            last_avail: now,
            last_pong: now,
            last_pub: now,
            last_hello: now,
            info_refresh: 0,
            info: String::new(),
            role,
            role_since: now,
            script_killed: false,
            link_down_ms: 0,
            link_up: false,
            master_host: String::new(),
            master_port: 0,
            conf_changed: now,
            priority: DEFAULT_PRIORITY,
            offset: 0,
            is_announced: true,
            reconf: Reconf::No,
            reconf_sent: 0,
            is_promoted: false,
            says_down: false,
            last_down_reply: 0,
            leader: String::new(),
            leader_epoch: 0,
        }
    }

    /// Whether commands can be sent.
    pub fn is_connected(&self) -> bool {
        self.cc.is_connected
    }

    /// Whether a connection that it should have is missing.
    pub fn is_disconnected(&self) -> bool {
        !self.cc.is_connected || self.kind != Kind::Sentinel && !self.pc.is_connected
    }
}

/// How far a failover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stage {
    /// There is none.
    #[default]
    None,
    /// It waits until this Sentinel is elected.
    WaitStart,
    /// A replica is to be chosen.
    SelectSlave,
    /// It is to be told.
    SendSlaveofNoone,
    /// It has been told, and has not said that it is a master.
    WaitPromotion,
    /// The others are being told.
    ReconfSlaves,
    /// Clients are to be told.
    UpdateConfig,
}

impl Stage {
    /// As SENTINEL MASTER shows it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::None => "none",
            Stage::WaitStart => "wait_start",
            Stage::SelectSlave => "select_slave",
            Stage::SendSlaveofNoone => "send_slaveof_noone",
            Stage::WaitPromotion => "wait_promotion",
            Stage::ReconfSlaves => "reconf_slaves",
            Stage::UpdateConfig => "update_config",
        }
    }
}

/// What is to be done about a group, as the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many Sentinels must agree that the master is down.
    pub quorum: i64,
    /// Silence after which somebody is down.
    pub down_after_ms: Ms,
    /// Time that a failover may take.
    pub failover_timeout_ms: Ms,
    /// How many replicas are told at once.
    pub parallel_syncs: i64,
    /// Run for events, or empty.
    pub notification_script: String,
    /// Run when the master changes, or empty.
    pub client_reconfig_script: String,
    /// Password for the group's servers, or empty.
    pub auth_pass: String,
    /// User, or empty.
    pub auth_user: String,
    /// Time after which a master that was restarted is down, though it answers; 0 for never.
    pub reboot_down_after_ms: Ms,
    /// What commands are called there, by their names in lower case.
    pub renamed: BTreeMap<String, String>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its primary.
    pub master: Instance,
    /// Replicas.
    pub slaves: Vec<Instance>,
    /// Other Sentinels.
    pub sentinels: Vec<Instance>,
    /// What is to be done.
    pub options: Options,
    /// Enough others agree that the master is down.
    pub o_down: bool,
    /// Since when.
    pub o_down_since: Ms,
    /// Epoch of the present configuration.
    pub config_epoch: u64,
    /// Whom this Sentinel has voted for, or empty.
    pub leader: String,
    /// In which epoch.
    pub leader_epoch: u64,
    /// Epoch of the failover that goes on.
    pub failover_epoch: u64,
    /// How far that is.
    pub stage: Stage,
    /// When it came so far.
    pub stage_since: Ms,
    /// When it began, or another Sentinel's.
    pub failover_start: Ms,
    /// Up to when it was logged that none begins.
    pub delay_logged: Ms,
    /// It was asked for, and needs no agreement.
    pub is_forced: bool,
    /// The replica that is promoted.
    pub promoted: Option<Id>,
    /// The master was restarted, and may have lost what it had.
    pub rebooted_since: Option<Ms>,
}

impl Group {
    /// A group of which only the master's address is known.
    pub fn new(master: Instance, options: Options) -> Group {
        Group {
            master,
            slaves: Vec::new(),
            sentinels: Vec::new(),
            options,
            o_down: false,
            o_down_since: 0,
            config_epoch: 0,
            leader: String::new(),
            leader_epoch: 0,
            failover_epoch: 0,
            stage: Stage::None,
            stage_since: 0,
            failover_start: 0,
            delay_logged: 0,
            is_forced: false,
            promoted: None,
            rebooted_since: None,
        }
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.master.name
    }

    /// Whether a failover goes on.
    pub fn in_failover(&self) -> bool {
        self.stage != Stage::None
    }

    /// Everybody in it.
    pub fn all(&self) -> impl Iterator<Item = &Instance> {
        std::iter::once(&self.master).chain(&self.slaves).chain(&self.sentinels)
    }

    /// Everybody in it, to change.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        std::iter::once(&mut self.master).chain(&mut self.slaves).chain(&mut self.sentinels)
    }

    /// Somebody in it.
    pub fn get(&self, id: Id) -> Option<&Instance> {
        self.all().find(|one| one.id == id)
    }

    /// Somebody in it, to change.
    pub fn get_mut(&mut self, id: Id) -> Option<&mut Instance> {
        self.all_mut().find(|one| one.id == id)
    }

    /// The replica that is promoted.
    pub fn promoted_slave(&self) -> Option<&Instance> {
        let id = self.promoted?;
        self.slaves.iter().find(|slave| slave.id == id)
    }

    /// Where clients are to go: to the one that is promoted, once it says that it is a master.
    pub fn current_address(&self) -> &Address {
        match self.promoted_slave() {
            Some(slave) if matches!(self.stage, Stage::ReconfSlaves | Stage::UpdateConfig) => &slave.address,
            _ => &self.master.address,
        }
    }

    /// What a command is called there.
    pub fn command<'n>(&'n self, name: &'n str) -> &'n str {
        self.options.renamed.get(&name.to_ascii_lowercase()).map_or(name, String::as_str)
    }
}
