//! Sentinel: groups of Plinth's, Redis's and Valkey's servers under Sentinels of each, alone and together; what Sentinels
//! say of a group, and the files that they keep of it.

use crate::watched::{Maker, Member, fails_over, field, group, primary_of, sentinels};
use plinth_testkit::{Client, Reply, TempDir, wait_until};

/// The makers of these names, unless one of them is not here.
fn makers(names: &[&str]) -> Option<Vec<Maker>> {
    names.iter().map(|name| if *name == "Plinth" { Some(Maker::Ours) } else { Maker::find(name) }).collect()
}

/// A group is failed over by Sentinels, if all are here.
fn fails_over_among(servers: &[&str], watchers: &[&str]) {
    let (Some(servers), Some(watchers)) = (makers(servers), makers(watchers)) else { return };
    let group = group(&servers);
    let sentinels = sentinels(&watchers, &group);
    fails_over(group, &sentinels);
}

#[test]
fn a_group_of_redis_7_0_is_failed_over_by_our_sentinels() {
    fails_over_among(&["Redis 7.0"; 3], &["Plinth"; 3]);
}

#[test]
fn a_group_of_redis_8_2_is_failed_over_by_our_sentinels() {
    fails_over_among(&["Redis 8.2"; 3], &["Plinth"; 3]);
}

#[test]
fn a_group_of_valkey_9_1_is_failed_over_by_our_sentinels() {
    fails_over_among(&["Valkey 9.1"; 3], &["Plinth"; 3]);
}

#[test]
fn a_group_of_ours_is_failed_over_by_redis_s_sentinels() {
    fails_over_among(&["Plinth"; 3], &["Redis 7.0"; 3]);
}

#[test]
fn sentinels_of_all_makers_agree_about_a_mixed_group() {
    fails_over_among(&["Plinth", "Redis 7.0", "Plinth"], &["Plinth", "Redis 7.0", "Redis 8.2", "Valkey 9.1"]);
}

#[test]
fn our_sentinel_votes_for_redis_s_own() {
    let Some(watchers) = makers(&["Plinth", "Redis 7.0", "Redis 7.0"]) else { return };
    let group = group(&watchers);
    let sentinels = sentinels(&watchers, &group);
    let old = group[0].port();
    let asked = |member: &Member| member.connect().text(&["SENTINEL", "FAILOVER", "mymaster"]);
    wait_until("it begins", || asked(&sentinels[1]) == "OK");
    for sentinel in &sentinels {
        let mut client = sentinel.connect();
        wait_until("the new primary is known", || primary_of(&mut client) != old);
    }
}

/// The names of the fields of what is told of somebody, and those values that all see alike.
fn told(reply: &Reply) -> (Vec<String>, Vec<(String, String)>) {
    const ALIKE: [&str; 19] = [
        "name",
        "ip",
        "port",
        "runid",
        "flags",
        "link-refcount",
        "down-after-milliseconds",
        "role-reported",
        "config-epoch",
        "num-slaves",
        "num-other-sentinels",
        "quorum",
        "failover-timeout",
        "parallel-syncs",
        "master-link-status",
        "master-host",
        "master-port",
        "slave-priority",
        "replica-announced",
    ];
    let texts = reply.texts();
    let pairs = texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let (names, alike) = pairs.clone().map(|(name, _)| name).zip(pairs).unzip::<_, _, Vec<String>, Vec<_>>();
    (names, alike.into_iter().filter(|(name, _)| ALIKE.contains(&name.as_str())).collect())
}

#[test]
fn a_group_is_told_of_in_the_words_of_redis() {
    for maker in ["Redis 7.0", "Redis 8.2"] {
        let Some(watchers) = makers(&["Plinth", maker]) else { continue };
        let group = group(&[Maker::Ours, watchers[1].clone()]);
        let sentinels = sentinels(&watchers, &group);
        let mut clients: Vec<Client> = sentinels.iter().map(Member::connect).collect();
        for client in &mut clients {
            wait_until("the replica is well", || {
                let told = client.ask(&["SENTINEL", "REPLICAS", "mymaster"]);
                let field = |name: &str| told.items()[0].field(name).map(Reply::text).unwrap_or_default();
                field("flags") == "slave" && field("master-link-status") == "ok"
            });
            wait_until("the other one is well", || {
                let told = client.ask(&["SENTINEL", "SENTINELS", "mymaster"]);
                told.items()[0].field("flags").map(Reply::text).as_deref() == Some("sentinel")
            });
        }
        for command in ["MASTERS", "REPLICAS"] {
            let words = [&["SENTINEL", command][..], if command == "MASTERS" { &[] } else { &["mymaster"] }].concat();
            let said: Vec<_> = clients.iter_mut().map(|client| told(&client.ask(&words).items()[0])).collect();
            assert_eq!(said[0], said[1], "SENTINEL {command} of Plinth and {maker}");
        }
        let others = |client: &mut Client| client.ask(&["SENTINEL", "SENTINELS", "mymaster"]);
        let said: Vec<_> = clients.iter_mut().map(|client| told(&others(client).items()[0]).0).collect();
        assert_eq!(said[0], said[1], "SENTINEL SENTINELS of Plinth and {maker}");
        let status = |client: &mut Client| client.info("sentinel", "master0").unwrap_or_default();
        assert_eq!(status(&mut clients[0]), status(&mut clients[1]));
    }
}

/// What a Sentinel has in its file of a group.
fn known(member: &Member) -> Vec<String> {
    let lines = member.lines();
    // Values in quotation marks or without: both read them alike.
    let mut known: Vec<String> =
        lines.lines().filter(|line| line.starts_with("sentinel ")).map(|l| l.replace('"', "")).collect();
    // Valkey has another name for it, and keeps a line of the old one beside that.
    known.iter_mut().for_each(|line| *line = line.replace("primary-reboot", "master-reboot"));
    known.sort();
    known.dedup();
    known
}

#[test]
fn a_sentinel_goes_on_with_the_file_of_another_maker_s() {
    for maker in ["Redis 7.0", "Redis 8.2", "Valkey 9.1"] {
        let Some(watchers) = makers(&["Plinth", maker]) else { continue };
        let group = group(&[Maker::Ours, Maker::Ours]);
        let all = sentinels(&watchers, &group);
        for sentinel in &all {
            let mut client = sentinel.connect();
            for words in [
                &["SET", "mymaster", "parallel-syncs", "2", "auth-pass", "secret", "auth-user", "default"][..],
                &["SET", "mymaster", "rename-command", "config", "other"],
                &["SET", "mymaster", "master-reboot-down-after-period", "5"],
                &["CONFIG", "SET", "announce-ip", "127.0.0.1"],
                &["CONFIG", "SET", "sentinel-user", "default"],
                &["CONFIG", "SET", "resolve-hostnames", "yes"],
            ] {
                assert_eq!(client.text(&[&["SENTINEL"], words].concat()), "OK", "{words:?}");
            }
        }
        // Their folders go with them.
        let lines = |member: &Member| {
            member.lines().lines().filter(|line| !line.starts_with("dir ")).collect::<Vec<_>>().join("\n")
        };
        let files: Vec<(Vec<String>, String)> = all.iter().map(|member| (known(member), lines(member))).collect();
        drop(all);
        for (at, (expected, text)) in files.iter().enumerate() {
            let other = &watchers[1 - at];
            let heir = other.start(TempDir::new(), text, true);
            let mut client = heir.connect();
            assert_eq!(client.text(&["SENTINEL", "FLUSHCONFIG"]), "OK");
            assert_eq!(known(&heir), *expected, "{maker}, {at}");
            assert_eq!(
                (field(&mut client, "num-slaves"), field(&mut client, "num-other-sentinels")),
                ("1".into(), "1".into())
            );
            let id = expected.iter().find_map(|line| line.strip_prefix("sentinel myid ")).unwrap();
            assert_eq!(client.text(&["SENTINEL", "MYID"]), id);
        }
    }
}
