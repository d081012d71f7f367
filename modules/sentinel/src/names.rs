//! Hosts: digits, or names that are looked up.

use std::net::{IpAddr, ToSocketAddrs};

/// The address of a host in digits.
pub fn resolve(host: &str) -> Option<String> {
    if host.parse::<IpAddr>().is_ok() {
        return Some(host.to_owned());
    }
    let mut found = (host, 0).to_socket_addrs().ok()?;
    // What both kinds of address lead to is reached by the older one, as others do it.
    let all: Vec<IpAddr> = found.by_ref().map(|address| address.ip()).collect();
    all.iter().find(|ip| ip.is_ipv4()).or(all.first()).map(IpAddr::to_string)
}

/// The address of a host, which may be a name only if names are looked up.
pub fn address(host: &str, resolves: bool) -> Option<String> {
    if resolves { resolve(host) } else { host.parse::<IpAddr>().ok().map(|_| host.to_owned()) }
}
