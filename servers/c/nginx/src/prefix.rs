//! nginx's prefix: a folder of its own with its configuration and whatever else it writes.
//!
//! A process that is killed removes nothing. So another process, the remover, waits for the end of
//! the launcher and of nginx: each has the write end of a pipe, which the kernel closes when they
//! end, and then the remover's read returns. It has its own session, since a signal that kills a
//! server is sent to the server's process group.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::Duration;

use anyhow::Context;
use nix::errno::Errno;
use nix::unistd::{self, ForkResult, Group, User, getegid, geteuid};

use crate::flags::Flags;
use crate::fork;

const TEMPLATE: &str = include_str!("../nginx.conf");

/// The longest time that goes into the configuration. nginx counts milliseconds in a signed number.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The folder.
pub(crate) struct Prefix {
    folder: PathBuf,
    /// The write end of the pipe, which nginx inherits.
    _in_use: OwnedFd,
}

impl Prefix {
    /// Makes it in `TMPDIR`, and starts the remover. An error names what cannot be made.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let place = env::temp_dir();
        let folder = unistd::mkdtemp(&place.join("server-nginx-XXXXXX")).with_context(|| {
            format!("cannot make a folder in {}; TMPDIR names another place", place.display())
        })?;
        let _in_use = start_remover(&folder)
            .with_context(|| format!("cannot start the process that removes {}", folder.display()))?;
        Ok(Self { folder, _in_use })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that nginx writes its process ID to.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.folder.join("nginx.pid")
    }

    /// nginx's configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("nginx.conf")
    }

    /// Writes the configuration of a server at `address` with that many `connections` per worker.
    /// An error when the file cannot be written.
    pub(crate) fn configure(
        &self,
        flags: &Flags,
        address: SocketAddr,
        connections: usize,
    ) -> anyhow::Result<()> {
        let values = [
            ("@user@", user()),
            ("@address@", address.to_string()),
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

/// The remover, started; the folder is removed once no process has the returned descriptor.
fn start_remover(folder: &Path) -> nix::Result<OwnedFd> {
    let (unused, in_use) = unistd::pipe()?;
    match fork()? {
        ForkResult::Parent { .. } => Ok(in_use),
        ForkResult::Child => {
            // It leads no group: it was forked a moment ago.
            let _ = unistd::setsid();
            drop(in_use);
            // What is open before the pipe: the standard streams, whose other ends would not see
            // the end of the server, the signals' descriptor and the listener.
            for descriptor in 0..unused.as_raw_fd() {
                let _ = unistd::close(descriptor);
            }
            while unistd::read(&unused, &mut [0]) == Err(Errno::EINTR) {}
            // There is nowhere to report an error to.
            let _ = fs::remove_dir_all(folder);
            exit(0)
        }
    }
}

/// The directive that keeps workers with root if root starts nginx, as other servers here do. nginx
/// would change them to another user, and in a container without `CAP_SYS_PTRACE` an observer
/// cannot see what the processes of another user have open.
fn user() -> String {
    let names = || {
        let (user, group) = (geteuid(), getegid());
        user.is_root().then_some(())?;
        Some((User::from_uid(user).ok()??.name, Group::from_gid(group).ok()??.name))
    };
    names().map_or_else(String::new, |(user, group)| format!("user {user} {group};"))
}

/// A time as nginx reads it. Zero would turn some of the timeouts off.
fn milliseconds(time: Duration) -> String {
    format!("{}ms", time.min(LONGEST).as_millis().max(1))
}
