//! How replication is shown: INFO and ROLE, one function for each role.

use crate::engine::server::Server;
use crate::registry::replication::Role;
use crate::replication::backlog::SIZE_MIN;
use crate::replication::state::Replication;
use crate::replication::upstream;

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
    add("repl_backlog_size", server.settings.replication.backlog_size.unsigned_abs().max(SIZE_MIN).to_string());
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
fn primary_fields(_server: &Server, add: &mut impl FnMut(&str, String)) {
    add("connected_slaves", "0".into());
    add("master_failover_state", "no-failover".into());
}
