//! nginx's main process: how it is started, when it is ready, and how it is ended.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, exit};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid, getppid};
use socket2::SockRef;

use crate::fork;
use crate::prefix::Prefix;

/// Time between two looks whether nginx is ready. It takes some milliseconds.
const LOOK: Duration = Duration::from_millis(1);

/// The signals that the launcher waits for. They are blocked from the beginning, so that none is
/// lost while nginx is being started.
pub(crate) struct Signals(SignalFd);

/// nginx's main process, a child of the launcher.
pub(crate) struct Nginx(Pid);

impl Signals {
    /// Blocks them. An error when the kernel has no descriptor for them.
    pub(crate) fn block() -> anyhow::Result<Self> {
        let watched = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD]);
        let block = || {
            watched.thread_block()?;
            let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
            nix::Result::Ok(Self(SignalFd::with_flags(&watched, flags)?))
        };
        block().context("cannot watch for signals")
    }

    /// Waits for the next signal; `None` when `limit` has passed without one.
    fn next(&self, limit: PollTimeout) -> anyhow::Result<Option<Signal>> {
        let mut watched = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut watched, limit) {
            // A process that was stopped and continues.
            Err(Errno::EINTR) => return self.next(limit),
            outcome => outcome.context("cannot wait for signals")?,
        };
        let signal = self.0.read_signal().context("cannot read a signal")?;
        Ok(signal.and_then(|info| Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()))
    }
}

impl Nginx {
    /// Starts it with the listening socket, which the launcher closes then. An error when there can
    /// be no further process.
    pub(crate) fn start(listener: TcpListener, prefix: &Prefix) -> anyhow::Result<Self> {
        // nginx sets this for sockets that it opens, and expects it of one that it inherits.
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        SockRef::from(&listener).set_cloexec(false).context("cannot hand the listener over")?;
        let launcher = getpid();
        match fork().context("cannot start nginx")? {
            ForkResult::Parent { child } => {
                drop(listener);
                Ok(Self(child))
            }
            ForkResult::Child => {
                let error = become_nginx(&listener, prefix, launcher);
                eprintln!("error: cannot start nginx: {error}");
                exit(1)
            }
        }
    }

    /// Waits until it has written its process ID to its folder, which it does once it has read its
    /// configuration and has its socket. If it ends before that, it has printed the reason, and
    /// this is the code for the launcher to end with.
    pub(crate) fn wait_until_ready(&self, prefix: &Prefix) -> anyhow::Result<Option<ExitCode>> {
        while !prefix.pid_file().exists() {
            if let Some(code) = self.ended()? {
                return Ok(Some(ExitCode::from(code.max(1))));
            }
            thread::sleep(LOOK);
        }
        Ok(None)
    }

    /// Passes signals on until nginx has ended; the code for the launcher to end with.
    ///
    /// SIGQUIT makes nginx drain, for as long as that takes. SIGTERM makes it close all
    /// connections: the launcher sends it on a second signal, and when `drain_limit` has passed.
    pub(crate) fn wait_for_end(&self, signals: &Signals, drain_limit: Duration) -> anyhow::Result<ExitCode> {
        let drain_limit = PollTimeout::try_from(drain_limit).unwrap_or(PollTimeout::MAX);
        let mut limit = PollTimeout::NONE;
        let mut forced_by = None;
        loop {
            match signals.next(limit)? {
                Some(Signal::SIGCHLD) => {}
                Some(_) if limit.is_none() => {
                    limit = drain_limit;
                    self.send(Signal::SIGQUIT);
                }
                Some(second) => {
                    forced_by = Some(second);
                    self.send(Signal::SIGTERM);
                }
                None => self.send(Signal::SIGTERM),
            }
            if let Some(code) = self.ended()? {
                return Ok(ExitCode::from(forced_by.map_or(code, code_of)));
            }
        }
    }

    fn send(&self, signal: Signal) {
        // It cannot fail: nginx is a child that has not been waited for.
        let _ = kill(self.0, signal);
    }

    /// Its exit code, as shells count; `None` while it runs.
    fn ended(&self) -> anyhow::Result<Option<u8>> {
        Ok(match waitpid(self.0, Some(WaitPidFlag::WNOHANG)).context("cannot wait for nginx")? {
            WaitStatus::Exited(_, code) => Some(code.to_le_bytes()[0]),
            WaitStatus::Signaled(_, signal, _) => Some(code_of(signal)),
            _ => None,
        })
    }
}

/// Replaces this process, a child of the launcher, by nginx; the error if that fails.
fn become_nginx(listener: &TcpListener, prefix: &Prefix, launcher: Pid) -> std::io::Error {
    let prepare = || {
        // nginx would inherit what the launcher blocks.
        SigSet::empty().thread_set_mask()?;
        // nginx does not outlive the launcher, however that ends.
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        // Unless the launcher has ended before that.
        if getppid() == launcher { Ok(()) } else { Err(Errno::ESRCH) }
    };
    if let Err(error) = prepare() {
        return error.into();
    }
    let mut command = Command::new("nginx");
    command.arg("-p").arg(prefix.folder()).arg("-c").arg(prefix.configuration()).args(["-e", "stderr"]);
    command.env("NGINX", format!("{};", listener.as_raw_fd())).exec()
}

/// The exit code for an end by a signal, as shells count.
fn code_of(signal: Signal) -> u8 {
    128 + (signal as i32).to_le_bytes()[0]
}
