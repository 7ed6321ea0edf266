//! Several hosts on this machine, each with an sshd. The script `rig`, beside this file, makes
//! them. Its `--help` says what they share.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The exit status of the script if this machine lacks something that it needs.
const SKIPPED: i32 = 77;

/// Hosts that exist until this is dropped.
pub(crate) struct Rig {
    folder: tempfile::TempDir,
    /// The process that removes the hosts when its standard input ends: when this is dropped, or
    /// when a signal ends the test and the kernel closes the pipe.
    remover: Child,
}

impl Rig {
    /// Makes a host per name, which [`Rig::ssh`] can reach. An error says in a line what this
    /// machine lacks for that; the test is then skipped.
    pub(crate) fn up(names: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let output = script("up", folder.path()).args(names).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(SKIPPED) {
            return Err(said.trim().to_owned());
        }
        assert!(output.status.success(), "rig up {names:?}: {}: {said}", output.status);
        let mut remover = Command::new("sh");
        remover.args(["-c", "cat; exec \"$0\" down \"$1\"", SCRIPT]).arg(folder.path());
        // Ctrl-C must not reach it.
        let remover = remover.process_group(0).stdin(Stdio::piped()).spawn().unwrap();
        Ok(Self { folder, remover })
    }

    /// The path of a file of the rig. `hosts/NAME/log` is the log of a host's sshd.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that logs in to the hosts, without any file of `~/.ssh`.
    pub(crate) fn ssh(&self) -> String {
        format!("ssh -F {}", self.path("ssh_config").display())
    }

    /// The address of a host. The address of this machine, which runs the test, ends in `.1`.
    pub(crate) fn address(&self, name: &str) -> Ipv4Addr {
        self.call("address", &[name]).trim().parse().unwrap()
    }

    /// Sets the link of a host up or down. While it is down, packets are lost without an error.
    pub(crate) fn link(&self, name: &str, up: bool) {
        self.call("link", &[name, if up { "up" } else { "down" }]);
    }

    /// Limits the rate at which a host sends, such as `20mbit`. An error says in a line what this
    /// machine lacks for that; the test is then skipped.
    pub(crate) fn limit(&self, name: &str, rate: &str) -> Result<(), String> {
        let output = script("limit", self.folder.path()).args([name, rate]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert!(output.status.success() || output.status.code() == Some(SKIPPED), "rig limit: {said}");
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// The processes of a host, except for the listening sshd. A connection has up to two processes
    /// of sshd while it logs in, and then one, with the processes that it has started.
    pub(crate) fn pids(&self, name: &str) -> Vec<i32> {
        numbers(&self.call("pids", &[name]))
    }

    /// The processes of [`Rig::pids`] that are sshd's: one per connection, also before it is logged
    /// in.
    pub(crate) fn sessions(&self, name: &str) -> Vec<i32> {
        numbers(&self.call("sessions", &[name]))
    }

    #[track_caller]
    fn call(&self, command: &str, arguments: &[&str]) -> String {
        let output = script(command, self.folder.path()).args(arguments).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "rig {command} {arguments:?}: {status}: {said}");
        String::from_utf8(stdout).unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // `wait` closes its standard input first, which ends it.
        let status = self.remover.wait().unwrap();
        // A second panic would hide the first.
        assert!(status.success() || std::thread::panicking(), "rig down: {status}");
    }
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/rig");

fn script(command: &str, folder: &Path) -> Command {
    let mut script = Command::new(SCRIPT);
    script.arg(command).arg(folder).stdin(Stdio::null());
    script
}

fn numbers(lines: &str) -> Vec<i32> {
    lines.lines().map(|line| line.parse().unwrap()).collect()
}
