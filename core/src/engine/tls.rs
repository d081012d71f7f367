//! What connections that speak TLS are made with: taken up from the parameters, and again when files change.
//!
//! Connections keep what they began with, so that nobody is cut off by a change.

use crate::engine::duties::Duty;
use crate::engine::parameters::{Applier, Undo};
use crate::engine::server::Server;
use crate::settings::tls as parameters;
use crate::socket::tls::certificate::{Identity, Validity};
use crate::socket::tls::material::{Clients, Material, Options, Pair};
use rustls::{ClientConfig, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What is in use.
#[derive(Default)]
pub struct Tls {
    material: Option<Arc<Material>>,
    /// The files and folders that it was made from, and when each was changed last.
    files: Vec<(PathBuf, Option<SystemTime>)>,
    /// When the files are looked at next.
    next: Option<Instant>,
}

/// All parameters but addresses: made anew at each change.
pub const MATERIAL: Applier = Applier {
    names: &[
        "tls-port",
        "tls-cluster",
        "tls-replication",
        "tls-auth-clients",
        "tls-prefer-server-ciphers",
        "tls-session-caching",
        "tls-session-cache-size",
        "tls-session-cache-timeout",
        "tls-cert-file",
        "tls-key-file",
        "tls-key-file-pass",
        "tls-client-cert-file",
        "tls-client-key-file",
        "tls-client-key-file-pass",
        "tls-ca-cert-file",
        "tls-ca-cert-dir",
        "tls-protocols",
        "tls-ciphers",
        "tls-ciphersuites",
    ],
    apply,
};

/// Looks whether the files have changed (`tls-auto-reload-interval`).
pub const RELOAD: Duty = Duty { due, run };

fn apply(server: &mut Server, _name: &str) -> Result<Undo, String> {
    let before = server.take_up_tls().map_err(|reason| {
        crate::base::log::warning(&format!("Failed to configure TLS: {reason}"));
        "Unable to update TLS configuration. Check server logs.".to_owned()
    })?;
    Ok(Box::new(move |server| server.slots.put(Box::new(before))))
}

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let interval = server.settings.tls.auto_reload_interval;
    let tls = server.slots.peek::<Tls>().filter(|tls| interval > 0 && tls.material.is_some())?;
    // The first turn begins the wait.
    Some(tls.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)))
}

fn run(server: &mut Server, now: Instant) {
    let interval = Duration::from_secs(server.settings.tls.auto_reload_interval.unsigned_abs());
    let before = server.slots.with(|tls: &mut Tls| tls.next.replace(now + interval));
    if before.is_some() {
        server.reload_tls(false);
    }
}

/// When a file was changed last.
fn changed(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

impl Server {
    /// Make what is needed as the parameters say now, nothing if nobody speaks TLS; what there was before.
    pub fn take_up_tls(&mut self) -> Result<Tls, String> {
        let settings = &self.settings.tls;
        let is_wanted = settings.port > 0 || settings.replication || settings.cluster;
        let mut new = Tls::default();
        if is_wanted {
            let options = options(settings);
            new.material = Some(Arc::new(Material::new(&options)?));
            let Options { own, outgoing, ca_file, ca_dir, .. } = options;
            let paths = [own.certificate, own.key, outgoing.certificate, outgoing.key, ca_file, ca_dir];
            let paths = paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from);
            new.files = paths.map(|path| (path.clone(), changed(&path))).collect();
        }
        Ok(self.slots.with(|tls: &mut Tls| std::mem::replace(tls, new)))
    }

    /// Take the files up again if they have changed, or in any case; what was there stays when they are no
    /// good.
    pub fn reload_tls(&mut self, always: bool) {
        let has_changed = self.slots.peek::<Tls>().is_some_and(|tls| {
            tls.material.is_some() && (always || tls.files.iter().any(|(path, at)| changed(path) != *at))
        });
        if !has_changed {
            return;
        }
        match self.take_up_tls() {
            Ok(_) => crate::base::log::notice("TLS certificates and keys were read again"),
            Err(reason) => {
                crate::base::log::warning(&format!("TLS files have changed and are not taken up: {reason}"));
                // Not told of again before they change again.
                self.slots.with(|tls: &mut Tls| tls.files.iter_mut().for_each(|(path, at)| *at = changed(path)));
            }
        }
    }

    /// What a connection that comes in is made with.
    pub fn tls_of_clients(&self) -> Option<Arc<ServerConfig>> {
        self.slots.peek::<Tls>()?.material.as_ref().map(|material| material.server.clone())
    }

    /// What a link that goes out is made with.
    pub fn tls_of_links(&self) -> Option<Arc<ClientConfig>> {
        self.slots.peek::<Tls>()?.material.as_ref().map(|material| material.client.clone())
    }

    /// What INFO shows: of the server's certificate, of that for links, of the authority's.
    pub fn tls_shown(&self) -> [Option<Validity>; 3] {
        let material = self.slots.peek::<Tls>().and_then(|tls| tls.material.as_ref());
        material.map_or([None, None, None], |material| material.shown.clone())
    }

    /// Let a client in as the user that its certificate names, if the parameters say so and there is one that
    /// may come in. Who is not let in so may still say who he is.
    pub fn authenticate_by_certificate(&mut self, token: usize, identity: &Identity) {
        let names: Vec<&String> = match parameters::AUTH_CLIENTS_USER[self.settings.tls.auth_clients_user] {
            "CN" => identity.common_name.iter().collect(),
            "URI" => identity.uris.iter().collect(),
            _ => return,
        };
        let users = &self.acl.users;
        let found = names.iter().find_map(|name| users.find(name.as_bytes()).filter(|id| users.get(*id).is_on));
        match found {
            Some(id) => self.become_user(token, id),
            None => {
                self.stats.certificate_failures += 1;
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                crate::base::log::verbose(&format!("TLS: no user is named as the certificate has it: {names:?}"));
            }
        }
    }
}

fn options(settings: &parameters::Tls) -> Options {
    let lifetime = Duration::from_secs(settings.session_cache_timeout.unsigned_abs());
    let count = match usize::try_from(settings.session_cache_size) {
        // As in OpenSSL, no limit; but there is one for everything.
        Ok(0) | Err(_) => SESSIONS_MAX,
        Ok(count) => count.min(SESSIONS_MAX),
    };
    Options {
        own: Pair {
            certificate: settings.cert_file.clone(),
            key: settings.key_file.clone(),
            password: settings.key_file_pass.clone(),
        },
        outgoing: Pair {
            certificate: settings.client_cert_file.clone(),
            key: settings.client_key_file.clone(),
            password: settings.client_key_file_pass.clone(),
        },
        ca_file: settings.ca_cert_file.clone(),
        ca_dir: settings.ca_cert_dir.clone(),
        clients: match parameters::AUTH_CLIENTS[settings.auth_clients] {
            "no" => Clients::No,
            "optional" => Clients::Optional,
            _ => Clients::Yes,
        },
        protocols: settings.protocols.clone(),
        ciphers: settings.ciphers.clone(),
        ciphersuites: settings.ciphersuites.clone(),
        prefers_own_order: settings.prefer_server_ciphers,
        sessions: settings.session_caching.then_some((count, lifetime)),
    }
}

/// Most sessions that are kept for clients that come back.
const SESSIONS_MAX: usize = 1 << 20;
