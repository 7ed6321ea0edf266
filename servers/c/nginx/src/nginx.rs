//! Starts nginx's main process, waits until it is ready, and ends it.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};
use shared::process;
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use socket2::SockRef;

use crate::prefix::Prefix;

/// Time between two checks whether nginx is ready. It takes some milliseconds.
const LOOK: Duration = Duration::from_millis(1);

/// The time for nginx's workers to run and to answer. It takes some milliseconds, and on a busy
/// machine a second.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The time for nginx to close its connections and to end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// nginx's main process, a child of the launcher.
pub(crate) struct Nginx(Child);

/// Returns the signals that arrive from now on: none is lost while nginx is being started.
pub(crate) fn signals() -> anyhow::Result<Receiver<i32>> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGCHLD]).context("cannot watch for signals")?;
    let (give, arrivals) = channel();
    let watch = move || signals.forever().try_for_each(|signal| give.send(signal));
    process::start_thread("signals", watch)?;
    Ok(arrivals)
}

impl Nginx {
    /// Starts nginx with the listening socket, which the launcher then closes. Fails when there is
    /// no nginx, or no further process can be started.
    #[allow(unsafe_code, reason = "a process prepares itself before it becomes nginx")]
    pub(crate) fn start(listener: TcpListener, prefix: &Prefix) -> anyhow::Result<Self> {
        // nginx sets this for sockets that it opens, and expects it for a socket that it inherits.
        listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
        SockRef::from(&listener).set_cloexec(false).context("cannot hand the listener over")?;
        let launcher = getpid();
        let prepare = move || {
            // nginx gets SIGTERM when the launcher ends, however it ends.
            prctl::set_pdeathsig(Signal::SIGTERM)?;
            // Fails if the launcher has already ended.
            if getppid() == launcher { Ok(()) } else { Err(Errno::ESRCH.into()) }
        };
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&prefix.folder).arg("-c").arg(prefix.configuration()).args(["-e", "stderr"]);
        command.env("NGINX", format!("{};", listener.as_raw_fd()));
        // SAFETY: `prepare` makes system calls, and neither allocates nor takes a lock.
        unsafe { command.pre_exec(prepare) };
        let nginx = command.spawn().map(Self).context("cannot start nginx");
        drop(listener);
        nginx
    }

    /// Waits until all workers run and, by `is_answered`, one of them answers. nginx writes its
    /// process ID to its folder before it starts them, once it has read its configuration and has
    /// its socket. If nginx ends before it is ready, it has printed the reason, and this returns
    /// the exit code of the launcher. Fails when nginx lacks workers, or an answer, after
    /// [`START_LIMIT`]; nginx is then ended.
    pub(crate) fn wait_until_ready(
        &mut self,
        prefix: &Prefix,
        workers: usize,
        is_answered: impl Fn() -> io::Result<bool>,
    ) -> anyhow::Result<Option<ExitCode>> {
        let end = Instant::now() + START_LIMIT;
        loop {
            let running = if prefix.pid_file().exists() { self.workers() } else { 0 };
            if running == workers && is_answered().unwrap_or(false) {
                return Ok(None);
            }
            if let Some(code) = self.ended()? {
                return Ok(Some(ExitCode::from(code.max(1))));
            }
            if Instant::now() >= end {
                self.end()?;
                let limit = START_LIMIT.as_secs();
                bail!("nginx does not answer within {limit} s: {running} of its {workers} workers run");
            }
            thread::sleep(LOOK);
        }
    }

    /// Ends nginx by SIGTERM, which nginx passes on to its workers. Without workers, nginx waits
    /// for the end of a worker forever, and is killed.
    fn end(&mut self) -> anyhow::Result<()> {
        self.send(Signal::SIGTERM);
        let end = Instant::now() + END_LIMIT;
        while self.ended()?.is_none() && Instant::now() < end {
            thread::sleep(LOOK);
        }
        // nginx may have ended already.
        let _ = self.0.kill();
        self.0.wait().map(drop).context("cannot wait for nginx")
    }

    /// Returns the number of workers that run: all children of the main process.
    fn workers(&self) -> usize {
        let id = self.0.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        children.map_or(0, |children| children.split_whitespace().count())
    }

    /// Passes signals on until nginx has ended. Returns the exit code of the launcher.
    ///
    /// SIGQUIT makes nginx drain, for as long as that takes. SIGTERM makes it close all
    /// connections: the launcher sends it on a second signal, and when `drain_limit` has passed.
    pub(crate) fn wait_for_end(
        &mut self,
        signals: &Receiver<i32>,
        drain_limit: Duration,
    ) -> anyhow::Result<ExitCode> {
        let mut limit = None;
        let mut forced_by = None;
        loop {
            match signals.recv_timeout(limit.unwrap_or(Duration::MAX)) {
                Ok(SIGCHLD) => {}
                Ok(_) if limit.is_none() => {
                    limit = Some(drain_limit);
                    self.send(Signal::SIGQUIT);
                }
                Ok(second) => {
                    forced_by = Some(code_of(second));
                    self.send(Signal::SIGTERM);
                }
                Err(_) => self.send(Signal::SIGTERM),
            }
            if let Some(code) = self.ended()? {
                return Ok(ExitCode::from(forced_by.unwrap_or(code)));
            }
        }
    }

    fn send(&self, signal: Signal) {
        // It cannot fail: nginx is a child that has not been waited for.
        let _ = kill(Pid::from_raw(self.0.id().cast_signed()), signal);
    }

    /// Returns nginx's exit code as shells report it, or `None` while nginx runs.
    fn ended(&mut self) -> anyhow::Result<Option<u8>> {
        let status = self.0.try_wait().context("cannot wait for nginx")?;
        Ok(status.map(|status| match status.code() {
            Some(code) => code.to_le_bytes()[0],
            None => code_of(status.signal().unwrap_or_default()),
        }))
    }
}

/// Returns the exit code for an end by a signal, as shells report it.
fn code_of(signal: i32) -> u8 {
    128 + signal.to_le_bytes()[0]
}
