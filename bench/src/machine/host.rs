//! The machine that a measurement runs on: every process is started, pinned, watched and ended here, and nowhere else.
//!
//! A process leads a process group of its own. So Ctrl-C on the terminal reaches the harness alone, which then ends
//! each group itself, and a child's children end with it.

mod attached;
mod descriptors;
mod ports;
mod process;
mod sockets;
mod throttled;
mod usage;

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::machine::cores;

pub use attached::{AttachedProcess, is_here};
pub use descriptors::raise_descriptor_limit;
pub use ports::{Ports, port_range, ports, wait_for_ports};
pub use process::{Ended, Process, Waited};
pub use sockets::established;
pub use throttled::{quota, throttled};
pub use usage::{Memory, Usage};

/// Time for our processes to end when somebody stops us. A server may take longer to drain, for clients that are gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where Debian has the programs of services, such as nginx. It is on root's `PATH`, and on nobody else's.
const SERVICES: &str = "/usr/sbin";

/// The machine, and the processes of ours that live on it.
pub struct Host {
    path: OsString,
    ours: Arc<Ours>,
}

/// What the thread that watches for signals shares with everybody else.
#[derive(Default)]
struct Ours {
    interrupted: AtomicBool,
    /// Process groups that may get a signal: started and not yet reaped, so that no number can have been reused.
    groups: Mutex<Vec<Pid>>,
}

/// What to start.
pub struct Launch<'a> {
    /// The program and its arguments.
    pub words: &'a [String],
    /// The folder that it runs in.
    pub folder: &'a Path,
    /// The cores that it may use; empty for those of the thread that starts it.
    pub cores: &'a [usize],
    /// Whether what it says is the person's to see, on our standard error, as of a build. Otherwise its output and the end of its
    /// standard error are kept.
    pub shown: bool,
}

impl Host {
    /// This machine. Programs are looked for in `tools`, then beside our own and among release builds, one of which `visit`
    /// is, then on `PATH`, and last in [`SERVICES`]. From now on SIGINT, SIGTERM and a terminal that is closed end our processes and make
    /// [`Host::interrupted`] true; what has not ended after [`LAST_WORDS`] is killed. A second one kills all at once and exits
    /// with 130.
    pub fn this_machine(tools: PathBuf) -> anyhow::Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let own = env::current_exe().ok().and_then(|program| own_folder(&program).map(Path::to_owned));
        let release = own.as_deref().and_then(Path::parent).map(|target| target.join("release"));
        let folders = std::iter::once(tools).chain(own).chain(release).chain(env::split_paths(&path));
        let path = env::join_paths(folders.chain([SERVICES.into()])).context(
            "PATH cannot name the folder of the checkout or our own: move it to one without a colon",
        )?;
        let ours = Arc::new(Ours::default());
        let mut signals = Signals::new(signals()).context("cannot watch for signals")?;
        let watched = Arc::clone(&ours);
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
                    // Nothing has been started meanwhile, and nothing will be.
                    watched.signal_all(Signal::SIGKILL);
                });
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).context("cannot start a thread")?;
        Ok(Self { path, ours })
    }

    /// Where the program called `name` lies, if it is on this machine.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            use std::os::unix::fs::PermissionsExt;
            path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        };
        env::split_paths(&self.path).map(|folder| folder.join(name)).find(is_program)
    }

    /// Where programs are looked for, as the value of `PATH`.
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    /// An error once somebody asked us to stop.
    pub fn check_interrupted(&self) -> anyhow::Result<()> {
        if self.interrupted() { Err(anyhow!("interrupted")) } else { Ok(()) }
    }

    /// Whether somebody asked us to stop.
    pub fn interrupted(&self) -> bool {
        self.ours.interrupted.load(Ordering::SeqCst)
    }

    /// Starts a process.
    pub fn start(&self, launch: &Launch) -> anyhow::Result<Process> {
        let (program, arguments) = launch.words.split_first().context("there is no program to start")?;
        let complaint = tempfile::tempfile().with_context(|| {
            format!(
                "cannot make a temporary file in {}; TMPDIR names another folder",
                env::temp_dir().display()
            )
        })?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(launch.folder).env("PATH", &self.path).process_group(0);
        command.stdin(Stdio::null());
        if launch.shown {
            command.stdout(std::io::stderr());
        } else {
            command
                .stdout(Stdio::piped())
                .stderr(complaint.try_clone().context("cannot share a temporary file")?);
        }

        let mut groups = self.ours.lock();
        self.check_interrupted()?;
        let child =
            spawn_on(&mut command, launch.cores).with_context(|| format!("cannot start {program}"))?;
        groups.push(group_of(&child));
        drop(groups);
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Process::watch(name, child, complaint, Arc::clone(&self.ours)))
    }

    /// Runs a process to its end, which has to be a success; what it printed.
    pub fn run(&self, launch: &Launch, bound: Duration) -> anyhow::Result<String> {
        let ended = self.output(launch, bound)?;
        if !ended.status.success() {
            bail!("`{}` failed with {}{}", launch.words.join(" "), ended.status, ended.last_words());
        }
        Ok(ended.output)
    }

    /// Runs a process to its end, whatever that is.
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

impl Ours {
    fn lock(&self) -> MutexGuard<'_, Vec<Pid>> {
        // The list is whole after a panic too: each change to it is one call.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal_all(&self, signal: Signal) {
        for group in self.lock().iter() {
            let _ = killpg(*group, signal);
        }
    }
}

/// The signals that stop us. Who has us ignore that the terminal is closed, as `nohup` does, wants us to go on.
fn signals() -> Vec<i32> {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    let is_hangup_ignored = status.is_ok_and(|status| status.sigign & (1 << (SIGHUP - 1)) != 0);
    if is_hangup_ignored { vec![SIGINT, SIGTERM] } else { vec![SIGINT, SIGTERM, SIGHUP] }
}

/// The group that a child of ours leads.
fn group_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Where cargo puts the programs of our package. An example lies a folder deeper.
fn own_folder(program: &Path) -> Option<&Path> {
    let folder = program.parent()?;
    if folder.ends_with("examples") { folder.parent() } else { Some(folder) }
}

/// Spawns on a thread that is pinned first: a child inherits the cores of the thread that makes it, before it runs
/// its first instruction.
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
