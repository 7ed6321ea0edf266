//! Installs the programs that servers lack on a host, from Debian.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::machine::host::{Host, Launch};
use crate::servers::server::Server;

/// The limit to fetch and unpack some packages over a slow line.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The time limit of a query to the host.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Installs the packages that are its arguments. Some packages, such as web servers, would start
/// their services: Debian first runs a policy program, whose exit code 101 means that no service
/// may be started. If the host already has a policy, it is left as it is.
const SCRIPT: &str = r#"
policy=/usr/sbin/policy-rc.d
if (set -C; printf '#!/bin/sh\nexit 101\n' >"$policy") 2>/dev/null; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 143' HUP INT TERM
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qq --no-install-recommends "$@"
"#;

/// Installs the Debian packages of the programs that the servers lack, and reports it by `say`. A
/// package that cannot be installed is reported too: its server is then unavailable.
pub fn missing(host: &Host, servers: &[&Server], shown: bool, say: impl Fn(&str)) {
    let packages = packages(servers, |program| host.find(program).is_some());
    if packages.is_empty() {
        return;
    }
    let names = packages.join(", ");
    if !is_root(host) || host.find("apt-get").is_none() {
        say(&format!("left out {names}: --install needs root on Debian"));
        return;
    }
    say(&format!("installing {names} (Debian)"));
    if let Err(error) = install(host, &packages, shown) {
        say(&format!("left out {names}: {error:#}"));
    }
}

/// The packages to install, each once, by name.
fn packages(servers: &[&Server], has_program: impl Fn(&str) -> bool) -> Vec<String> {
    let missing = servers.iter().flat_map(|server| server.missing(&has_program));
    let packages: BTreeSet<&String> = missing.filter_map(|requirement| requirement.debian.as_ref()).collect();
    packages.into_iter().cloned().collect()
}

fn install(host: &Host, packages: &[String], shown: bool) -> anyhow::Result<()> {
    let words = [&["sh", "-c", SCRIPT, "install"].map(str::to_owned)[..], packages].concat();
    host.run(&Launch::build(&words, Path::new("/")).shown(shown), LIMIT).map(drop)
}

fn is_root(host: &Host) -> bool {
    let words = ["id", "-u"].map(str::to_owned);
    host.run(&Launch::new(&words, Path::new("/")), AT_ONCE).is_ok_and(|user| user.trim() == "0")
}
