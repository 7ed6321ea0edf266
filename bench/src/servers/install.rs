//! Installs the programs that servers lack, from Debian.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nix::unistd::geteuid;

use crate::machine::host::{Host, Launch};
use crate::servers::server::Server;

/// The limit to fetch and unpack some packages over a slow line.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The script that Debian's packages ask before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Exit code 101 means that no service may be started.
const START_NOTHING: &[u8] = b"#!/bin/sh\nexit 101\n";

/// Installs the Debian packages of the programs that the servers lack, and reports it by `say`. A
/// package that cannot be installed is reported too: its server is then unavailable.
pub fn missing(host: &Host, servers: &[&Server], shown: bool, say: impl Fn(&str)) {
    let packages = packages(servers, |program| host.find(program).is_some());
    if packages.is_empty() {
        return;
    }
    let names = packages.join(", ");
    if !geteuid().is_root() || host.find("apt-get").is_none() {
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
    let _quiet = NoServices::new(Path::new(POLICY))?;
    let install = ["install", "-qq", "--no-install-recommends"].map(str::to_owned);
    let update = ["update", "-qq"].map(str::to_owned);
    for arguments in [update.to_vec(), [&install[..], packages].concat()] {
        let mut words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"].map(str::to_owned).to_vec();
        words.extend(arguments);
        host.run(&Launch::build(&words, Path::new("/")).shown(shown), LIMIT)?;
    }
    Ok(())
}

/// Keeps packages from starting their services, such as a web server on port 80, until it is
/// dropped. A policy that the machine has already is left as it is.
struct NoServices<'a> {
    ours: Option<&'a Path>,
}

impl<'a> NoServices<'a> {
    fn new(path: &'a Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path);
        let mut file = match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Self { ours: None }),
            file => file.with_context(|| format!("cannot write {}", path.display()))?,
        };
        let ours = Self { ours: Some(path) };
        // The umask may have cleared bits of the mode above.
        file.write_all(START_NOTHING).and_then(|()| file.set_permissions(Permissions::from_mode(0o755)))?;
        Ok(ours)
    }
}

impl Drop for NoServices<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.ours {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_do_not_start_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        let quiet = NoServices::new(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), START_NOTHING);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        // A policy that is there is neither replaced nor removed.
        drop(NoServices::new(&path).unwrap());
        assert!(path.exists());
        drop(quiet);
        assert!(!path.exists());
    }
}
