//! Several hosts on this machine, each with an sshd, as the script `rig` beside this file makes
//! them. Its `--help` says what they share.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The exit status of the script where this machine lacks what it needs.
const SKIPPED: i32 = 77;

/// Hosts, until dropped.
pub(crate) struct Rig {
    folder: tempfile::TempDir,
    /// Removes the hosts at the end of its standard input: when they are dropped, or when the
    /// kernel closes it since a signal has ended the test.
    remover: Child,
}

impl Rig {
    /// A host per name, which answers to [`Rig::ssh`]. An error says in a line what this machine
    /// lacks for that: the test is to be skipped.
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
        // Ctrl-C is not for it.
        let remover = remover.process_group(0).stdin(Stdio::piped()).spawn().unwrap();
        Ok(Self { folder, remover })
    }

    /// A file of the rig. `hosts/NAME/log` is what the sshd of a host says.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that logs in to the hosts, without anything of `~/.ssh`.
    pub(crate) fn ssh(&self) -> String {
        format!("ssh -F {}", self.path("ssh_config").display())
    }

    /// The address of a host. That of this machine, which runs the test, ends in `.1`.
    pub(crate) fn address(&self, name: &str) -> Ipv4Addr {
        self.call("address", &[name]).trim().parse().unwrap()
    }

    /// Plugs the network cable of a host in, or pulls it: packets are lost then without an error.
    pub(crate) fn link(&self, name: &str, up: bool) {
        self.call("link", &[name, if up { "up" } else { "down" }]);
    }

    /// Lets a host send no more than this, such as `20mbit`. An error says in a line what this machine
    /// lacks for that: the test is to be skipped.
    pub(crate) fn limit(&self, name: &str, rate: &str) -> Result<(), String> {
        let output = script("limit", self.folder.path()).args([name, rate]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert!(output.status.success() || output.status.code() == Some(SKIPPED), "rig limit: {said}");
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// The processes of a host, apart from the sshd that listens. While a connection logs in, they
    /// are up to two of sshd's; then one, and what it has started.
    pub(crate) fn pids(&self, name: &str) -> Vec<i32> {
        numbers(&self.call("pids", &[name]))
    }

    /// Those of [`Rig::pids`] that are sshd's: one per connection, also before it is logged in.
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
        // Closes its standard input first.
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
