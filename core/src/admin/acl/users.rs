//! Making, changing, deleting and showing users.

use crate::acl::file::merged;
use crate::acl::selector::{Names, Selector};
use crate::acl::user::{User, is_name};
use crate::acl::users::USERS_MAX;
use crate::base::id::UserId;
use crate::command::status::shown;
use crate::engine::call::Context;
use crate::wire::write::Writer;
use plinth_abi::status::{STATUS_OK, Status};

/// Words of SETUSER that nobody is to see: names, and rules, among which are passwords.
pub(super) fn secrets(words: &[&[u8]]) -> Vec<usize> {
    (2..words.len()).collect()
}

pub(super) fn setuser(context: &mut Context) -> Status {
    let name = context.arg(2);
    if !is_name(name) {
        return context.error("ERR Usernames can't contain spaces or null characters");
    }
    let words: Vec<&[u8]> = (3..context.argc()).map(|at| context.arg(at)).collect();
    let rules = match merged(&words) {
        Ok(rules) => rules,
        Err(word) => {
            let text = [b"ERR Unmatched parenthesis in acl selector starting at '", shown(word), b"'."].concat();
            return context.error(text);
        }
    };
    let server = context.server();
    server.learn_commands();
    let all_channels = server.settings.acl.all_channels();
    let known = server.acl.users.named(name).cloned();
    if known.is_none() && !server.acl.users.has_room() {
        return context.error(format!("ERR there can be {USERS_MAX} users"));
    }
    // The user is as it was if one of the rules is wrong.
    let mut user = known.unwrap_or_else(|| User::new(name, all_channels));
    let names = Names { catalog: &server.acl.catalog, takes_unknown: false };
    for rule in rules {
        if let Err(error) = user.apply(&rule, names, all_channels) {
            let modifier = shown(&rule);
            let text =
                [b"ERR Error in ACL SETUSER modifier '", modifier, b"': ", error.to_string().as_bytes()].concat();
            return context.error(text);
        }
    }
    server.put_user(user);
    context.ok()
}

pub(super) fn deluser(context: &mut Context) -> Status {
    let names: Vec<&[u8]> = (2..context.argc()).map(|at| context.arg(at)).collect();
    if names.contains(&b"default".as_slice()) {
        return context.error("ERR The 'default' user cannot be removed");
    }
    let own = context.client;
    let server = context.server();
    let mut count = 0;
    for name in names {
        if let Some(id) = server.acl.users.find(name) {
            server.remove_user(id, own);
            count += 1;
        }
    }
    context.reply().integer(count);
    STATUS_OK
}

/// The fields of a selector.
fn write_selector(reply: &mut Writer<'_>, selector: &Selector) {
    reply.bulk("commands");
    reply.bulk(selector.commands_text());
    reply.bulk("keys");
    reply.bulk(selector.keys_text());
    reply.bulk("channels");
    reply.bulk(selector.channels_text());
    if let Some(databases) = selector.databases_text() {
        reply.bulk("databases");
        reply.bulk(databases);
    }
}

pub(super) fn getuser(context: &mut Context) -> Status {
    let name = context.arg(2);
    let Some(user) = context.server().acl.users.named(name).cloned() else {
        context.reply().null();
        return STATUS_OK;
    };
    let fields = |selector: &Selector| 3 + usize::from(selector.limits_databases());
    let mut reply = context.reply();
    reply.map(3 + fields(&user.selectors[0]));
    let flags: Vec<&str> = user.flags().collect();
    reply.bulk("flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag));
    reply.bulk("passwords");
    reply.array(user.passwords.len());
    user.passwords.iter().for_each(|password| reply.bulk(password.hex()));
    write_selector(&mut reply, &user.selectors[0]);
    reply.bulk("selectors");
    reply.array(user.selectors.len() - 1);
    for selector in &user.selectors[1..] {
        reply.map(fields(selector));
        write_selector(&mut reply, selector);
    }
    STATUS_OK
}

/// Write a text of each user.
fn write_all(context: &mut Context, text: fn(&User) -> Vec<u8>) -> Status {
    let lines: Vec<Vec<u8>> = context.server().acl.users.iter().map(|(_, user)| text(user)).collect();
    let mut reply = context.reply();
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.bulk(line));
    STATUS_OK
}

pub(super) fn list(context: &mut Context) -> Status {
    write_all(context, User::line)
}

pub(super) fn names(context: &mut Context) -> Status {
    write_all(context, |user| user.name.to_vec())
}

pub(super) fn whoami(context: &mut Context) -> Status {
    let id = context.client().map_or(UserId::DEFAULT, |client| client.user);
    let name = context.server().acl.users.get(id).name.clone();
    context.reply().bulk(&name);
    STATUS_OK
}
