//! How replication is shown: INFO and ROLE, one function for each role.

use crate::engine::server::{Roles, Server};
use crate::registry::replication::{KnownReplica, Role};
use crate::replication::primary::address;
use crate::replication::replica::Stage;
use crate::replication::state::{self, Replication};
use crate::replication::upstream;
use crate::wire::write::Writer;

/// Fields of INFO, with their values.
pub type Fields = Vec<(String, String)>;

/// The section `replication` of INFO.
pub fn fields(server: &Server) -> Fields {
    let known = &server.registry.replication;
    let mut fields = match &known.role {
        Role::Primary => vec![("role".into(), "master".into())],
        Role::Replica { .. } => replica_fields(server),
    };
    let mut add = |name: &str, value: String| fields.push((name.into(), value));
    primary_fields(server, &mut add);
    add("master_replid", known.id.clone());
    add("master_replid2", known.id2.clone());
    add("master_repl_offset", known.offset.to_string());
    add("second_repl_offset", known.second_offset.to_string());
    let backlog = server.slots.peek::<Replication>().and_then(|replication| replication.backlog.as_ref());
    let (first, length) = backlog.map_or((0, 0), |kept| (kept.begin() + 1, kept.end() - kept.begin()));
    add("repl_backlog_active", u8::from(backlog.is_some()).to_string());
    add("repl_backlog_size", state::kept_bytes(server).to_string());
    add("repl_backlog_first_byte_offset", first.to_string());
    add("repl_backlog_histlen", length.to_string());
    fields
}

/// What a replica says, from `role` on.
fn replica_fields(server: &Server) -> Fields {
    let Role::Replica { host, port } = &server.registry.replication.role else { return Fields::new() };
    let mut fields = vec![
        ("role".into(), "slave".into()),
        ("master_host".into(), host.clone()),
        ("master_port".into(), port.to_string()),
    ];
    fields.extend(upstream::info::fields(server));
    fields
}

/// What is said of the replicas of this server.
fn primary_fields(server: &Server, add: &mut impl FnMut(&str, String)) {
    let replication = server.slots.peek::<Replication>();
    let attached = || replication.into_iter().flat_map(Replication::attached);
    add("connected_slaves", attached().count().to_string());
    if server.settings.replication.min_replicas_to_write > 0 {
        add("min_slaves_good_slaves", crate::replication::primary::good_replicas(server).to_string());
    }
    for (at, replica) in attached().enumerate() {
        let (ip, port) = address(server, replica);
        let lag = if replica.stage == Stage::Online { (server.clock.now_s - replica.heard_s).max(0) } else { 0 };
        let (state, offset) = (replica.stage_text(), replica.acked);
        add(&format!("slave{at}"), format!("ip={ip},port={port},state={state},offset={offset},lag={lag}"));
    }
    add("master_failover_state", crate::replication::failover::state(server).into());
}

/// What modules may do about roles.
pub const ROLES: Roles =
    Roles { replicas: known_replicas, follow: upstream::role::follow, promote: upstream::role::promote };

fn known_replicas(server: &Server) -> Vec<KnownReplica> {
    let attached = server.slots.peek::<Replication>().into_iter().flat_map(Replication::attached);
    let known = attached.map(|replica| KnownReplica {
        client: replica.client,
        address: address(server, replica),
        is_online: replica.stage == Stage::Online,
        acknowledged: replica.acked,
        synced: replica.synced,
        lag_s: (server.clock.now_s - replica.heard_s).max(0),
    });
    known.collect()
}

/// The answer to ROLE.
pub enum RoleAnswer {
    /// Of a primary: its offset, and address, port and offset of each replica that reads the stream.
    Primary(i64, Vec<(String, u16, i64)>),
    /// Of a replica: its primary, the link, and the offset.
    Replica(String, u16, &'static str, i64),
}

impl RoleAnswer {
    /// Write it as a reply.
    pub fn write(&self, reply: &mut Writer<'_>) {
        match self {
            RoleAnswer::Primary(offset, replicas) => {
                reply.array(3);
                reply.bulk("master");
                reply.integer(*offset);
                reply.array(replicas.len());
                for (ip, port, offset) in replicas {
                    reply.array(3);
                    [ip.clone(), port.to_string(), offset.to_string()].iter().for_each(|text| reply.bulk(text));
                }
            }
            RoleAnswer::Replica(host, port, link, offset) => {
                reply.array(5);
                reply.bulk("slave");
                reply.bulk(host);
                reply.integer(i64::from(*port));
                reply.bulk(link);
                reply.integer(*offset);
            }
        }
    }
}

/// What ROLE answers.
pub fn role(server: &Server) -> RoleAnswer {
    match &server.registry.replication.role {
        Role::Primary => primary_role(server),
        Role::Replica { host, port } => replica_role(server, host, *port),
    }
}

fn primary_role(server: &Server) -> RoleAnswer {
    let replication = server.slots.peek::<Replication>();
    let online = replication.into_iter().flat_map(Replication::attached).filter(|one| one.stage == Stage::Online);
    let replicas = online.map(|replica| {
        let (ip, port) = address(server, replica);
        (ip, port, replica.acked)
    });
    RoleAnswer::Primary(server.registry.replication.offset, replicas.collect())
}

fn replica_role(server: &Server, host: &str, port: u16) -> RoleAnswer {
    RoleAnswer::Replica(host.into(), port, server.registry.replication.link.text(), server.registry.replication.offset)
}
