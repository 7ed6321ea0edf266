//! Every server of this checkout that this machine can run answers the conformance cases as its
//! manifest says, and keeps the process contract.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod prepared;

use std::process::Command;

use bench::checks::verify::{self, Depth};
use bench::servers::launch;

/// Servers that are sent the cases at once, since most of that time is spent waiting.
const AT_ONCE: usize = 3;

#[test]
fn every_server_is_as_its_manifest_says() {
    let (host, servers) = prepared::servers(|_| true);
    prepared::check(&servers, AT_ONCE, |server| match verify::verify(&host, server, Depth::Splits) {
        Ok(verification) if verification.is_as_known() => None,
        Ok(verification) => {
            let unknown: Vec<_> = verification.unknown().collect();
            Some(format!("{unknown:#?}, outdated: {:?}", verification.outdated))
        }
        Err(error) => Some(format!("{error:#}")),
    });
}

#[test]
fn every_server_prints_its_version_and_rejects_bad_flags() {
    let (host, servers) = prepared::servers(|_| true);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for server in &servers {
        let version = launch::version(&host, server).unwrap();
        let expected = format!("server-{} 0.1.0 (", server.name);
        assert!(version.starts_with(&expected) && version.ends_with(')'), "{version}");

        for (flags, codes) in [(["--port", "99999"], [1, 2]), (["--port", taken.as_str()], [1, 1])] {
            let mut command = Command::new(&server.run[0]);
            command.args(&server.run[1..]).args(flags).current_dir(&server.folder).env("PATH", host.path());
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let code = output.status.code().unwrap();
            let name = &server.name;
            assert!(codes.contains(&code), "{name} {flags:?}: exit {code}: {said}");
            assert!(!said.trim().is_empty() && !said.contains("panicked"), "{name} {flags:?}: {said}");
            assert!(output.stdout.is_empty(), "{name} {flags:?} printed to standard output");
        }
    }
}
