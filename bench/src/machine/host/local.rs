//! This machine: where programs are, how a process is started and pinned, and how all processes end
//! with the harness.
//!
//! Each process leads a process group of its own. So Ctrl-C on the terminal reaches only the
//! harness, which then ends each group itself, and with it the children of the processes. If the
//! harness is killed and cannot do so, its [`Guard`] does.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::guard::Guard;
use super::launch::Launch;
use super::local_process::LocalProcess;
use super::started::{Started, group_of};
use crate::machine::cores;

/// The folder in which Debian installs the programs of services, such as nginx. It is on the `PATH`
/// of root only.
const SERVICES: &str = "/usr/sbin";

/// The search path if `PATH` is not set or empty. Shells use the same one if `PATH` is not set; for
/// them, an empty `PATH` is the working folder.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// This machine, and the processes that the harness has started on it.
pub(super) struct Local {
    path: OsString,
    pub(super) started: Arc<Started>,
}

impl Local {
    /// Does what [`Host::this_machine`](super::Host::this_machine) says. The guard finds the
    /// processes by `mark`, or, if that is `None`, by a mark of its own.
    pub(super) fn new(tools: PathBuf, mark: Option<String>) -> anyhow::Result<Self> {
        let path = env::var_os("PATH").filter(|path| !path.is_empty());
        let path = path.unwrap_or_else(|| DEFAULT_PATH.into());
        let own = env::current_exe().ok().and_then(|program| own_folder(&program).map(Path::to_owned));
        let release = own.as_deref().and_then(Path::parent).map(|target| target.join("release"));
        let folders = std::iter::once(tools).chain(own).chain(release).chain(env::split_paths(&path));
        let path = env::join_paths(folders.chain([SERVICES.into()])).context(
            "PATH cannot name the folder of the checkout or of this program: move it to one without a colon",
        )?;
        reset_inherited()?;
        let started = Arc::new(Started { mark, ..Started::default() });
        let mut signals = Signals::new(signals()).context("cannot watch for signals")?;
        let watched = Arc::clone(&started);
        let watch = move || {
            for _ in signals.forever() {
                let again = watched.interrupted.swap(true, Ordering::SeqCst);
                if again {
                    watched.kill_all();
                    std::process::exit(130);
                }
                watched.end_all();
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).context("cannot start a thread")?;
        Ok(Self { path, started })
    }

    /// The path of the program called `name`, if it is on this machine.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            use std::os::unix::fs::PermissionsExt;
            path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        };
        env::split_paths(&self.path).map(|folder| folder.join(name)).find(is_program)
    }

    /// The search path for programs, as the value of `PATH`.
    pub(super) fn path(&self) -> &OsStr {
        &self.path
    }

    /// Starts a process, and returns its name. Fails if there is no such program, or the user has
    /// interrupted.
    pub(super) fn start(&self, launch: &Launch) -> anyhow::Result<(String, LocalProcess)> {
        self.start_where(launch, || self.started.check_interrupted())
    }

    /// Starts a process even after an interruption, to end others. A process that was started after
    /// an interruption may take as long as its caller waits: only a second interruption kills it.
    pub(super) fn start_last(&self, launch: &Launch) -> anyhow::Result<(String, LocalProcess)> {
        self.start_where(launch, || Ok(()))
    }

    fn start_where(
        &self,
        launch: &Launch,
        may_start: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<(String, LocalProcess)> {
        let (program, arguments) = launch.words.split_first().context("there is no program to start")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&launch.folder).process_group(0);
        launch.environment.apply(&mut command);
        command.env("PATH", &self.path);
        command.stdin(if launch.is_commanded { Stdio::piped() } else { Stdio::null() });
        if launch.is_shown {
            command.stdout(std::io::stderr());
        } else {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }

        let mut groups = self.started.groups.lock();
        may_start()?;
        let guard = match &mut groups.guard {
            Some(guard) => guard,
            none => none.insert(Guard::start(self.started.mark.as_deref())?),
        };
        guard.watch(&mut command);
        let child =
            spawn_on(&mut command, &launch.cores).with_context(|| format!("cannot start {program}"))?;
        groups.running.push(group_of(&child));
        if self.started.interrupted() {
            groups.last.push(group_of(&child));
        }
        drop(groups);
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let process = LocalProcess::watch(name.clone(), child, Arc::clone(&self.started));
        Ok((name, process))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.started.groups.lock().guard.take();
    }
}

/// Resets what the harness may have inherited from its parent: blocked signals, an ignored SIGCHLD,
/// with which no child could be waited for, and open files, which would be counted as those of
/// servers. Children inherit the signals as they are then, and no files except the standard
/// streams.
#[allow(unsafe_code, reason = "a signal's action is set, and descriptors are used by their numbers")]
fn reset_inherited() -> anyhow::Result<()> {
    SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    // SAFETY: the default action runs no code of this process.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("cannot reset SIGCHLD")?;
    // Without this, a file that exceeds `ulimit -f` would end the harness by a signal.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).context("cannot handle SIGXFSZ")?;
    for entry in fs::read_dir("/proc/self/fd").context("cannot list open files")? {
        let name = entry.context("cannot list open files")?.file_name();
        let Some(number @ 3..) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // SAFETY: this thread closes no file before it has read the list. Another thread, of which
        // there are some in tests, can at most close the file, or reuse its number for a file of
        // its own.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        match fcntl(file, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)) {
            Ok(_) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error).context("cannot mark an open file"),
        }
    }
    Ok(())
}

/// Returns the signals that interrupt the harness: SIGHUP is not among them if `nohup` has set it
/// to be ignored.
fn signals() -> Vec<i32> {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    let is_hangup_ignored = status.is_ok_and(|status| status.sigign & (1 << (SIGHUP - 1)) != 0);
    if is_hangup_ignored { vec![SIGINT, SIGTERM] } else { vec![SIGINT, SIGTERM, SIGHUP] }
}

/// Returns the folder in which cargo puts the programs of this package. An example is one folder
/// deeper.
fn own_folder(program: &Path) -> Option<&Path> {
    let folder = program.parent()?;
    if folder.ends_with("examples") { folder.parent() } else { Some(folder) }
}

/// Spawns on a thread that is pinned first: a child inherits the cores of its parent thread.
fn spawn_on(command: &mut Command, cores: &[usize]) -> anyhow::Result<Child> {
    if cores.is_empty() {
        return Ok(command.spawn()?);
    }
    let spawn = || {
        cores::pin(cores)?;
        Ok(command.spawn()?)
    };
    std::thread::scope(|scope| {
        scope.spawn(spawn).join().unwrap_or_else(|_| bail!("the spawning thread died"))
    })
}
