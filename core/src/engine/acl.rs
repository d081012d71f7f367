//! Who a client is, and what it may do: users meet clients and commands here.

use crate::acl::access::{ChannelAt, DatabaseAt, Denial, Request};
use crate::acl::catalog::Catalog;
use crate::acl::file;
use crate::acl::log::{Place, Refused};
use crate::acl::selector::{Names, Selector};
use crate::acl::user::User;
use crate::base::id::UserId;
use crate::command::keyspec::{self, KeyAt};
use crate::command::status;
use crate::engine::call::Registered;
use crate::engine::effects::Told;
use crate::engine::parameters::Applier;
use crate::engine::server::Server;
use crate::session::line::{Running, line};
use crate::session::standing::Standing;
use plinth_abi::bytes::Bytes;
use plinth_abi::command as abi;
use plinth_abi::events::ON_ACL;
use plinth_abi::status::{STATUS_NONE, STATUS_OK};
use std::path::Path;

/// `requirepass` is the default user's password, and its only one when it is set.
pub const PASSWORD: Applier = Applier {
    names: &["requirepass"],
    apply: |server, _| {
        let before = server.acl.users.get(UserId::DEFAULT).clone();
        server.follow_password();
        Ok(Box::new(move |server| server.put_user(before)))
    },
};

/// How many entries the log keeps.
pub const LOG: Applier = Applier {
    names: &["acllog-max-len"],
    apply: |server, _| {
        server.acl.log.trim(server.settings.acl.log_len());
        Ok(Box::new(|_| ()))
    },
};

/// Whether a user might run a command: ACL DRYRUN.
pub enum WouldRun {
    /// It may.
    Yes,
    /// It may not, and why.
    No(Vec<u8>),
    /// The number of arguments does not fit; the error.
    Arity(String),
    /// There is no such command.
    Unknown,
}

impl Server {
    /// Whether a user may run a command with a database selected. Nothing is run.
    pub fn would_run(&mut self, user: UserId, args: &[Bytes], db: u32) -> WouldRun {
        // SAFETY: arguments live as long as the command that asks.
        let words: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        let found = words.first().and_then(|name| self.commands.find(name));
        // SAFETY: the table has just given the pointer, and nothing below changes the table.
        let found = found.map(|command| unsafe { &*command });
        let found = found.and_then(|command| match words.get(1) {
            Some(word) if !command.subcommands.is_empty() => command.subcommand(word),
            _ => Some(command),
        });
        let Some(command) = found else { return WouldRun::Unknown };
        if !command.takes(args.len()) {
            return WouldRun::Arity(status::arity(&command.name));
        }
        let Err(denial) = self.may_run(user, command, args, db, false) else { return WouldRun::Yes };
        let name = &self.acl.users.get(user).name;
        WouldRun::No(denial.full_text(name, &command.name, &words))
    }

    /// Have the rules know the commands that there are.
    pub fn learn_commands(&mut self) {
        if self.acl.catalog.epoch != self.commands.epoch {
            self.acl.catalog = Catalog::of(&self.commands);
        }
    }

    /// Whether everybody is the default user without having said who they are.
    fn lets_all_in(&self) -> bool {
        let default = self.acl.users.get(UserId::DEFAULT);
        default.is_on && default.needs_no_password
    }

    /// How a client stands that has just come.
    pub fn first_standing(&self) -> Standing {
        let mut standing = Standing::new(self.lets_all_in());
        standing.set_restricted(!self.acl.users.get(UserId::DEFAULT).may_all());
        standing
    }

    /// Give the default user the password that `requirepass` says.
    pub fn follow_password(&mut self) {
        if let Some(default) = self.acl.users.get_mut(UserId::DEFAULT) {
            default.set_only_password(&self.settings.requirepass);
        }
        self.users_changed(Some(b"default"));
    }

    /// Take a user in, or what has become of it.
    pub fn put_user(&mut self, user: User) {
        let name = user.name.clone();
        self.acl.users.put(user);
        self.users_changed(Some(&name));
    }

    /// What a user may do, or any with `None`, has changed: its clients stand otherwise, and modules are told.
    fn users_changed(&mut self, name: Option<&[u8]>) {
        let lets_all_in = self.lets_all_in();
        for client in self.sessions.clients.iter_mut() {
            client.standing.set_restricted(!self.acl.users.get(client.user).may_all());
            if lets_all_in && client.user == UserId::DEFAULT {
                client.standing.set_known(true);
            }
        }
        if self.registry.hooks.wants(ON_ACL) {
            self.tell(Told { kind: ON_ACL, key: name.unwrap_or_default().to_vec(), ..Told::default() });
        }
    }

    /// A client is a user from now on.
    pub fn become_user(&mut self, token: usize, id: UserId) {
        let user = self.acl.users.get(id);
        if let Some(client) = self.sessions.clients.get(token) {
            client.user = id;
            client.user_name = user.name.clone();
            client.standing.set_known(true);
            client.standing.set_restricted(!user.may_all());
        }
    }

    /// A client is the default user again, as if it had just come.
    pub fn become_nobody(&mut self, token: usize) {
        let is_known = self.lets_all_in();
        self.become_user(token, UserId::DEFAULT);
        if let Some(client) = self.sessions.clients.get(token) {
            client.standing.set_known(is_known);
        }
    }

    /// Let a client in as a user, if the password says so; hooks of modules are asked first.
    ///
    /// # Errors
    /// What the client is told.
    pub fn authenticate(&mut self, token: usize, name: &[u8], password: &[u8]) -> Result<(), String> {
        match self.ask_auth_hooks(token, name, password) {
            Some(Ok(())) => return Ok(()),
            Some(Err(Some(text))) => return Err(text),
            Some(Err(None)) => {}
            None => {
                // Of a user that there is not a password is looked at too, which takes as long.
                let found = self.acl.users.find(name);
                let is_right = self.acl.users.get(found.unwrap_or_default()).lets_in(password);
                if let Some(id) = found.filter(|_| is_right) {
                    self.become_user(token, id);
                    return Ok(());
                }
            }
        }
        Err("WRONGPASS invalid username-password pair or user is disabled.".into())
    }

    /// What hooks of modules say: that the client is in, that it shall not be, with what it is told if that is
    /// said, or nothing.
    fn ask_auth_hooks(&mut self, token: usize, name: &[u8], password: &[u8]) -> Option<Result<(), Option<String>>> {
        let id = self.sessions.clients.peek(token)?.id;
        // Where a command takes long no code of modules runs but its own.
        if self.is_busy() {
            return None;
        }
        for asked in self.registry.auth_hooks.list() {
            if self.registry.replacements.iter().any(|one| one.inactive == asked.module) {
                continue;
            }
            let said = self.call_module(asked.module, 0, |context| {
                // SAFETY: the module is loaded, and the texts and the call live for the hook's run.
                let status = unsafe {
                    (asked.hook.run)(context.as_call(), id, Bytes::of(name), Bytes::of(password), asked.data)
                };
                let mark = context.mark;
                (status, context.output().copy_after(mark))
            });
            match said {
                Some((STATUS_OK, _)) => return Some(Ok(())),
                None | Some((STATUS_NONE, _)) => {}
                Some((_, reply)) => {
                    let text = String::from_utf8_lossy(&reply);
                    let text = text.strip_prefix('-').map(|text| text.trim_end().to_owned());
                    return Some(Err(text));
                }
            }
        }
        None
    }

    /// Note that somebody was not let in, by a command as it was sent.
    pub fn deny_entry(&mut self, token: usize, command: &[u8], name: &[u8]) {
        self.stats.auth_failures += 1;
        let is_open = self.sessions.clients.peek(token).is_some_and(|client| client.standing.transaction().is_some());
        let place = if is_open { Place::Multi } else { Place::TopLevel };
        self.note_refused(token, "auth", place, command.to_vec(), name.to_vec());
    }

    fn note_refused(&mut self, token: usize, reason: &'static str, place: Place, object: Vec<u8>, user: Vec<u8>) {
        let now_s = self.clock.now_s;
        let client = self.sessions.clients.peek(token).map(|client| line(client, now_s, Running::default()));
        let refused = Refused { reason, place, object, user, client: client.unwrap_or_default() };
        self.acl.log.add(refused, self.clock.now_ms, self.settings.acl.log_len());
    }

    /// Note that a client was refused a command; what it is told, behind the code.
    pub fn deny(
        &mut self,
        token: usize,
        command: &Registered,
        args: &[Bytes],
        denial: Denial,
        place: Place,
    ) -> Vec<u8> {
        // SAFETY: arguments live as long as the command.
        let slices: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        let counter = match denial {
            Denial::Command => &mut self.stats.denied_commands,
            Denial::Database(_) => &mut self.stats.denied_databases,
            Denial::Key(_) => &mut self.stats.denied_keys,
            Denial::Channel(_) => &mut self.stats.denied_channels,
        };
        *counter += 1;
        let user = self.sessions.clients.peek(token).map(|client| client.user_name.clone()).unwrap_or_default();
        self.note_refused(token, denial.reason(), place, denial.object(&command.name, &slices), user.to_vec());
        denial.text(&user, &command.name)
    }

    /// Whether a user may run a command with a database selected; with `reads_any`, by rules that allow reading
    /// any key. With a number of arguments that does not fit it is the command alone that is looked at.
    ///
    /// # Errors
    /// What it may not do.
    pub fn may_run(
        &mut self,
        user: UserId,
        command: &Registered,
        args: &[Bytes],
        db: u32,
        reads_any: bool,
    ) -> Result<(), Denial> {
        self.learn_commands();
        if let Some(user) = self.acl.users.get_mut(user) {
            user.compile(&self.acl.catalog);
        }
        let user = self.acl.users.get(user);
        // SAFETY: arguments live as long as the command.
        let slices: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        let fits = command.takes(args.len());
        let any = |is: fn(&Selector) -> bool| fits && user.selectors.iter().any(is);
        let keys = if any(|one| !one.has_all_keys()) { keys(command, args) } else { Vec::new() };
        let channels = if any(|one| !one.has_all_channels()) { channels(command, slices.len()) } else { Vec::new() };
        let databases = if any(Selector::limits_databases) { databases(command, &slices, db) } else { Vec::new() };
        user.check(&Request {
            number: command.number,
            is_open: command.is(abi::COMMAND_NO_AUTH),
            args: &slices,
            keys: &keys,
            channels: &channels,
            databases: &databases,
            reads_any,
        })
    }

    /// Remove a user; whoever is that user is cut off, `own` after its reply.
    pub fn remove_user(&mut self, id: UserId, own: Option<usize>) {
        self.cut_clients(own, |user| user == id);
        self.acl.users.remove(id);
    }

    /// Disconnect the clients of some users, who may be removed then.
    fn cut_clients(&mut self, own: Option<usize>, is_cut: impl Fn(UserId) -> bool) {
        for token in self.sessions.clients.tokens() {
            let Some(client) = self.sessions.clients.get(token).filter(|client| is_cut(client.user)) else { continue };
            // A command of it that waits is not run any more, even by somebody who is known.
            client.user = UserId::DEFAULT;
            client.standing.set_known(false);
            if own == Some(token) {
                client.close_after_reply();
                self.sessions.clients.list_write(token);
            } else {
                self.sessions.clients.close(token);
            }
        }
    }

    /// Put the users of the ACL file in the place of those that there are, all or none. Those who are not the
    /// default user are cut off, `own` after its reply.
    ///
    /// # Errors
    /// What is wrong with it, a line for each fault.
    pub fn load_acl_file(&mut self, own: Option<usize>) -> Result<(), String> {
        let path = &self.settings.acl.file;
        let text =
            std::fs::read(path).map_err(|error| format!("Error loading ACLs, opening file '{path}': {error}"))?;
        self.learn_commands();
        let names = Names { catalog: &self.acl.catalog, takes_unknown: true };
        let users = file::parse(&text, names, self.settings.acl.all_channels()).map_err(|errors| {
            let path = &self.settings.acl.file;
            let lines: Vec<String> = errors.iter().map(|(line, error)| format!("{path}:{line}: {error}.")).collect();
            format!("{} Nothing was changed.", lines.join(" "))
        })?;
        self.cut_clients(own, |user| user != UserId::DEFAULT);
        self.acl.users = users;
        self.users_changed(None);
        Ok(())
    }

    /// The same because somebody says that the file has changed; the log says what came of it.
    pub fn reread_users(&mut self) {
        if self.settings.acl.file.is_empty() {
            return;
        }
        match self.load_acl_file(None) {
            Ok(()) => crate::base::log::notice("Received SIGHUP: users were read anew."),
            Err(error) => crate::base::log::warning(&format!("Received SIGHUP: {error}")),
        }
    }

    /// Write all users into the ACL file, in one step.
    ///
    /// # Errors
    /// As of the file.
    pub fn save_acl_file(&self) -> std::io::Result<()> {
        // A path without a folder is one of the working directory, which is synced too.
        let path = std::path::absolute(Path::new(&self.settings.acl.file))?;
        crate::settings::rewrite::replace_file(&path, &file::text(&self.acl.users))
    }
}

/// Keys of a command; those that are known where it does not tell all of them.
fn keys(command: &Registered, args: &[Bytes]) -> Vec<KeyAt> {
    if keyspec::has_keys(command) { keyspec::keys_known(command, args).0 } else { Vec::new() }
}

/// Channels of a command with so many arguments.
fn channels(command: &Registered, argc: usize) -> Vec<ChannelAt> {
    let abi::Channels { flags, first, count, .. } = command.spec.channels;
    if flags & (abi::CHANNEL_SUBSCRIBE | abi::CHANNEL_PUBLISH) == 0 {
        return Vec::new();
    }
    let end = if count < 0 { argc } else { argc.min(first as usize + count as usize) };
    let is_pattern = flags & abi::CHANNEL_PATTERN != 0;
    (first as usize..end).map(|at| ChannelAt { at, is_pattern }).collect()
}

/// Databases that a command works on: those that its arguments name, and the selected one if it works on keys.
/// What does not name a database where one belongs is refused by the command itself.
fn databases(command: &Registered, args: &[&[u8]], db: u32) -> Vec<DatabaseAt> {
    let is_of_scripts = command.categories() & abi::CATEGORY_SCRIPTING != 0 && command.spec.find_keys.is_some();
    let uses_keys = keyspec::has_keys(command) || command.is(abi::COMMAND_TOUCHES_ARBITRARY_KEYS) || is_of_scripts;
    let number = |at: &usize| std::str::from_utf8(args.get(*at)?).ok()?.parse().ok().map(DatabaseAt::Named);
    let named = |all: &[usize]| all.iter().filter_map(number).collect::<Vec<_>>();
    let others = match command.name.as_str() {
        "select" => return named(&[1]),
        "swapdb" => return named(&[1, 2]),
        "move" => named(&[2]),
        "flushall" => return vec![DatabaseAt::All],
        "copy" => match args.iter().skip(3).rposition(|word| word.eq_ignore_ascii_case(b"db")) {
            Some(at) => named(&[at + 4]),
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    uses_keys.then_some(DatabaseAt::Selected(db)).into_iter().chain(others).collect()
}
