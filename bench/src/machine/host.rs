//! The machine that a measurement runs on: every process is started, pinned and ended here.
//!
//! A process leads a process group of its own. So Ctrl-C on the terminal reaches the harness alone,
//! which then ends each group itself, and a child's children end with it. Where the harness is
//! killed and cannot, its [`Guard`] does.

mod attached;
mod descriptors;
mod environment;
mod guard;
mod ports;
mod process;
mod sockets;
mod suspended;
mod threads;
mod throttled;
mod usage;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{SigHandler, SigSet, Signal, killpg, signal};
use nix::unistd::Pid;
use parking_lot::Mutex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::machine::cores;
use environment::Environment;
use guard::Guard;

pub use attached::{AttachedProcess, is_here};
pub use descriptors::{descriptor_limit, raise_descriptor_limit};
pub use environment::kept;
pub use ports::{Ports, port_range, ports, wait_for_ports};
pub use process::{Ended, Process, Waited};
pub use sockets::{accepted, established};
pub use suspended::suspended;
pub use threads::ThreadTimes;
pub use throttled::{quota, throttled};
pub use usage::{Memory, Usage};

/// Time for the started processes to end on an interruption, rather than to drain.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where Debian has the programs of services, such as nginx. It is on the `PATH` of root alone.
const SERVICES: &str = "/usr/sbin";

/// Where programs are searched for if `PATH` is not set, as shells do, or empty, which for shells
/// is the working folder.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The machine, and the processes that the harness has started on it.
pub struct Host {
    path: OsString,
    started: Arc<Started>,
}

/// What the thread that waits for signals shares with the others.
#[derive(Default)]
struct Started {
    interrupted: AtomicBool,
    groups: Mutex<Groups>,
}

/// The processes that run.
#[derive(Default)]
struct Groups {
    /// Process groups that may get a signal: not yet reaped, so no number has been reused.
    running: Vec<Pid>,
    /// Kills them if the harness is killed; from the first on.
    guard: Option<Guard>,
}

/// What to start.
#[derive(Clone, Copy)]
pub struct Launch<'a> {
    words: &'a [String],
    folder: &'a Path,
    cores: &'a [usize],
    is_shown: bool,
    is_commanded: bool,
    environment: Environment,
}

impl<'a> Launch<'a> {
    /// A program with its arguments, in a folder: a server, a load tool, or a question to one. It
    /// has a clean environment, and the cores of the thread that starts it. Its output and the end
    /// of its standard error are kept.
    pub fn new(words: &'a [String], folder: &'a Path) -> Self {
        Self {
            words,
            folder,
            cores: &[],
            is_shown: false,
            is_commanded: false,
            environment: Environment::Clean,
        }
    }

    /// The same for what builds or installs, which has the user's environment.
    pub fn build(words: &'a [String], folder: &'a Path) -> Self {
        Self { environment: Environment::Users, ..Self::new(words, folder) }
    }

    /// On these cores; none stands for those of the thread that starts it.
    pub fn on(self, cores: &'a [usize]) -> Self {
        Self { cores, ..self }
    }

    /// Whether the user sees its output, on the harness's standard error, and nothing is kept.
    pub fn shown(self, is_shown: bool) -> Self {
        Self { is_shown, ..self }
    }

    /// It takes commands from its standard input, and answers each by a line.
    pub fn commanded(self) -> Self {
        Self { is_commanded: true, ..self }
    }
}

impl Host {
    /// This machine. Programs are searched for in `tools`, then beside the harness's own and among
    /// release builds, one of which `visit` is, then on `PATH`, and last in [`SERVICES`]. From now
    /// on SIGINT, SIGTERM and a closed terminal end all started processes and make
    /// [`Host::interrupted`] true; a process that has not ended after [`LAST_WORDS`] is killed. A
    /// second signal kills all at once and exits with 130. Fails if a search path cannot be in
    /// `PATH`, or the signals cannot be handled.
    pub fn this_machine(tools: PathBuf) -> anyhow::Result<Self> {
        let path = env::var_os("PATH").filter(|path| !path.is_empty());
        let path = path.unwrap_or_else(|| DEFAULT_PATH.into());
        let own = env::current_exe().ok().and_then(|program| own_folder(&program).map(Path::to_owned));
        let release = own.as_deref().and_then(Path::parent).map(|target| target.join("release"));
        let folders = std::iter::once(tools).chain(own).chain(release).chain(env::split_paths(&path));
        let path = env::join_paths(folders.chain([SERVICES.into()])).context(
            "PATH cannot name the folder of the checkout or of this program: move it to one without a colon",
        )?;
        reset_inherited()?;
        let started = Arc::new(Started::default());
        let mut signals = Signals::new(signals()).context("cannot watch for signals")?;
        let watched = Arc::clone(&started);
        let watch = move || {
            for _ in signals.forever() {
                let again = watched.interrupted.swap(true, Ordering::SeqCst);
                if again {
                    watched.signal_all(Signal::SIGKILL);
                    std::process::exit(130);
                }
                watched.signal_all(Signal::SIGTERM);
                let watched = Arc::clone(&watched);
                std::thread::spawn(move || {
                    std::thread::sleep(LAST_WORDS);
                    // No process was started in the meantime, and none will be.
                    watched.signal_all(Signal::SIGKILL);
                });
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).context("cannot start a thread")?;
        Ok(Self { path, started })
    }

    /// The path of the program called `name`, if it is on this machine.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            use std::os::unix::fs::PermissionsExt;
            path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        };
        env::split_paths(&self.path).map(|folder| folder.join(name)).find(is_program)
    }

    /// Where programs are searched for, as the value of `PATH`.
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    /// Fails once the user has interrupted the harness.
    pub fn check_interrupted(&self) -> anyhow::Result<()> {
        if self.interrupted() { Err(anyhow!("interrupted")) } else { Ok(()) }
    }

    /// Whether the user has interrupted the harness.
    pub fn interrupted(&self) -> bool {
        self.started.interrupted.load(Ordering::SeqCst)
    }

    /// Starts a process. Fails if there is no such program, or the user has interrupted.
    pub fn start(&self, launch: &Launch) -> anyhow::Result<Process> {
        let (program, arguments) = launch.words.split_first().context("there is no program to start")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(launch.folder).process_group(0);
        launch.environment.apply(&mut command);
        command.env("PATH", &self.path);
        command.stdin(if launch.is_commanded { Stdio::piped() } else { Stdio::null() });
        if launch.is_shown {
            command.stdout(std::io::stderr());
        } else {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }

        let mut groups = self.started.groups.lock();
        self.check_interrupted()?;
        let guard = match &mut groups.guard {
            Some(guard) => guard,
            none => none.insert(Guard::start()?),
        };
        guard.watch(&mut command);
        let child =
            spawn_on(&mut command, launch.cores).with_context(|| format!("cannot start {program}"))?;
        groups.running.push(group_of(&child));
        drop(groups);
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Process::watch(name, child, Arc::clone(&self.started)))
    }

    /// Runs a process to its end and returns its output. Fails if that is no success in `bound`.
    pub fn run(&self, launch: &Launch, bound: Duration) -> anyhow::Result<String> {
        let ended = self.output(launch, bound)?;
        if !ended.status.success() {
            bail!("`{}` failed with {}{}", launch.words.join(" "), ended.status, ended.last_words());
        }
        Ok(ended.output)
    }

    /// Runs a process to its end, with whatever status. Fails as [`Host::run`] does otherwise.
    pub fn output(&self, launch: &Launch, bound: Duration) -> anyhow::Result<Ended> {
        let mut process = self.start(launch)?;
        let waited = process.wait(bound);
        let ended = process.kill()?;
        self.check_interrupted()?;
        if waited == Waited::TimedOut {
            bail!("`{}` did not end within {} s", launch.words.join(" "), bound.as_secs());
        }
        Ok(ended)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.started.groups.lock().guard.take();
    }
}

impl Started {
    fn signal_all(&self, signal: Signal) {
        for group in &self.groups.lock().running {
            let _ = killpg(*group, signal);
        }
    }
}

/// Undoes what whoever started the harness may have left it: signals that are blocked, SIGCHLD that
/// is ignored, so that no child could be waited for, and open files, which would count among those of
/// servers. Children inherit the signals as they are then, and no file but the standard streams.
#[allow(unsafe_code, reason = "a signal's action is set, and descriptors are used by their numbers")]
fn reset_inherited() -> anyhow::Result<()> {
    SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    // SAFETY: the default action runs no code of this process.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("cannot reset SIGCHLD")?;
    // So that a file that exceeds `ulimit -f` is an error, and does not end the harness.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).context("cannot handle SIGXFSZ")?;
    for entry in fs::read_dir("/proc/self/fd").context("cannot list open files")? {
        let name = entry.context("cannot list open files")?.file_name();
        let Some(number @ 3..) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // SAFETY: this thread closes none before it has read the list, and another, of which there are
        // some in tests, can at most make the number that of a file of its own, or of none.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        match fcntl(file, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)) {
            Ok(_) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error).context("cannot mark an open file"),
        }
    }
    Ok(())
}

/// The signals that interrupt the harness, without SIGHUP where `nohup` has set it to be ignored.
fn signals() -> Vec<i32> {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    let is_hangup_ignored = status.is_ok_and(|status| status.sigign & (1 << (SIGHUP - 1)) != 0);
    if is_hangup_ignored { vec![SIGINT, SIGTERM] } else { vec![SIGINT, SIGTERM, SIGHUP] }
}

fn group_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Where cargo puts the programs of this package. An example lies one folder deeper.
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
