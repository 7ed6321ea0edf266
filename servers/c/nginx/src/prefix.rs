//! nginx's prefix: a separate folder with its configuration and all files that it writes.
//!
//! A process that is killed removes no files. So another process, the remover, waits for the end of
//! the launcher and of nginx: both have the write end of a pipe, which the kernel closes when they
//! end, and then the remover's read returns. The remover has its own process group, since a signal
//! that kills a server is sent to the server's group.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{self, Group, User, getegid, geteuid};

use crate::flags::Flags;
use crate::protocol::Protocol;

const TEMPLATE: &str = include_str!("../nginx.conf");

/// The longest time in the configuration. nginx counts milliseconds in a signed number.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The folder of nginx, which exists until the launcher and nginx have ended.
pub(crate) struct Prefix {
    pub(crate) folder: PathBuf,
    /// The write end of the pipe, which nginx inherits.
    _in_use: ChildStdin,
}

impl Prefix {
    /// Makes the folder in `TMPDIR`, and starts the remover. An error names the one that failed.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let place = env::temp_dir();
        let folder = unistd::mkdtemp(&place.join("server-nginx-XXXXXX")).with_context(|| {
            format!("cannot make a folder in {}; TMPDIR names another place", place.display())
        })?;
        let _in_use = start_remover(&folder)
            .inspect_err(|_| drop(fs::remove_dir(&folder)))
            .with_context(|| format!("cannot start the process that removes {}", folder.display()))?;
        Ok(Self { folder, _in_use })
    }

    /// Returns the path of the file that nginx writes its process ID to.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.folder.join("nginx.pid")
    }

    /// Returns the path of nginx's configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("nginx.conf")
    }

    /// Writes the configuration of a server of `protocol` at `address`, with `connections`
    /// connections per worker. Fails when the file cannot be written.
    pub(crate) fn configure(
        &self,
        flags: &Flags,
        protocol: Protocol<'_>,
        address: SocketAddr,
        connections: usize,
    ) -> anyhow::Result<()> {
        let values = [
            ("@user@", user()),
            ("@address@", format!("{address}{}", protocol.parameters())),
            ("@tls@", protocol.directives().to_owned()),
            ("@workers@", flags.0.workers_or_cores().to_string()),
            ("@connections@", connections.to_string()),
            ("@head-timeout@", milliseconds(flags.0.head_timeout)),
            ("@idle-timeout@", milliseconds(flags.0.idle_timeout)),
            ("@write-timeout@", milliseconds(flags.0.write_timeout)),
        ];
        let text = values.iter().fold(TEMPLATE.to_owned(), |text, (name, value)| text.replace(name, value));
        let path = self.configuration();
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Starts the remover. It removes the folder once no process has the returned end of a pipe.
fn start_remover(folder: &Path) -> std::io::Result<ChildStdin> {
    let mut remover = Command::new("/bin/sh");
    remover.args(["-c", "read -r end; exec rm -rf -- \"$0\""]).arg(folder);
    // If the remover inherited these streams, their readers would not see the end of the server.
    remover.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    remover.process_group(0).env("PATH", "/usr/bin:/bin");
    let in_use = remover.spawn()?.stdin.take().ok_or(ErrorKind::BrokenPipe)?;
    // nginx inherits it.
    fcntl(&in_use, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(in_use)
}

/// Returns the directive that lets workers run as root if root starts nginx, as other servers here
/// do. nginx would change them to another user. In a container without `CAP_SYS_PTRACE`, an
/// observer cannot see the open files of another user's processes.
fn user() -> String {
    let names = || {
        let (user, group) = (geteuid(), getegid());
        user.is_root().then_some(())?;
        Some((User::from_uid(user).ok()??.name, Group::from_gid(group).ok()??.name))
    };
    names().map_or_else(String::new, |(user, group)| format!("user {user} {group};"))
}

/// Returns a time in nginx's notation. Zero would turn off some of the timeouts.
fn milliseconds(time: Duration) -> String {
    format!("{}ms", time.min(LONGEST).as_millis().max(1))
}
