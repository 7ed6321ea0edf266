//! The machine that a measurement runs on: every process is started, pinned, watched and ended here, and nowhere else.
//!
//! A process leads a process group of its own. So Ctrl-C on the terminal reaches the harness alone, which then ends
//! each group itself, and a child's children end with it.

mod descriptors;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::time::ClockId;
use nix::unistd::Pid;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub use descriptors::raise_descriptor_limit;

/// Bytes of a process's standard output that are kept; a tool's summary is some kilobytes.
const OUTPUT_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of the end of a process's standard error that are kept: what it said when it failed.
const COMPLAINT_BYTES: u64 = 4 * 1024;

/// Time for the last output of a process that has ended to arrive. It only runs out when a grandchild left the
/// process group and holds the pipe open.
const OUTPUT_BOUND: Duration = Duration::from_secs(5);

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
    /// The cores that it may use; empty for any.
    pub cores: &'a [usize],
    /// Whether its standard error is the person's to see, as for a build. Otherwise its end is kept.
    pub shown: bool,
}

/// A process of ours. Dropping it ends it and all of its group.
pub struct Process {
    name: String,
    child: Child,
    group: Pid,
    exited: Receiver<()>,
    first_line: Receiver<String>,
    output: Receiver<Vec<u8>>,
    complaint: File,
    reaped: bool,
    ours: Arc<Ours>,
}

/// How a wait came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The process has exited; its figures can still be read.
    Exited,
    /// The bound has passed, and the process goes on.
    TimedOut,
}

/// What is left of a process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub output: String,
    /// The end of what it said on standard error.
    pub complaint: String,
}

/// Memory of a process in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Resident at most until now.
    pub peak: u64,
}

impl Host {
    /// This machine. Programs are looked for in `tools`, then beside our own, which is where `visit` is built, then on
    /// `PATH`. From now on SIGINT and SIGTERM end our processes and make [`Host::interrupted`] true; a second one kills
    /// them and exits with 130.
    pub fn this_machine(tools: PathBuf) -> anyhow::Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let own = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
        let path = env::join_paths(std::iter::once(tools).chain(own).chain(env::split_paths(&path)))
            .context("PATH, the folder of the checkout or our own has a colon in it")?;
        let ours = Arc::new(Ours::default());
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot watch for signals")?;
        let watched = Arc::clone(&ours);
        let watch = move || {
            for _ in signals.forever() {
                let again = watched.interrupted.swap(true, Ordering::SeqCst);
                watched.signal_all(if again { Signal::SIGKILL } else { Signal::SIGTERM });
                if again {
                    std::process::exit(130);
                }
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
        let complaint = tempfile::tempfile().context("cannot make a temporary file")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(launch.folder).env("PATH", &self.path).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        if !launch.shown {
            command.stderr(complaint.try_clone().context("cannot share a temporary file")?);
        }

        let mut groups = self.ours.lock();
        self.check_interrupted()?;
        let mut child =
            spawn_on(&mut command, launch.cores).with_context(|| format!("cannot start {program}"))?;
        let group = Pid::from_raw(child.id().cast_signed());
        groups.push(group);
        drop(groups);

        let (first_line, output) = read_in_background(child.stdout.take());
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let exited = watch_in_background(group);
        let ours = Arc::clone(&self.ours);
        Ok(Process { name, child, group, exited, first_line, output, complaint, reaped: false, ours })
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

impl Process {
    /// The first line that it prints; an error when it ends or `bound` passes before that.
    pub fn first_line(&mut self, bound: Duration) -> anyhow::Result<String> {
        match self.first_line.recv_timeout(bound) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("{} printed nothing within {} s", self.name, bound.as_secs())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.obituary()),
        }
    }

    /// An error that says how it ended, when it has.
    pub fn check_running(&mut self) -> anyhow::Result<()> {
        match self.wait(Duration::ZERO) {
            Waited::TimedOut => Ok(()),
            Waited::Exited => Err(self.obituary()),
        }
    }

    /// CPU time of all its threads since its start, also of those that ended. Can be read until it is reaped.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        let read = || ClockId::pid_cpu_clock_id(self.group)?.now();
        let time = read().with_context(|| format!("cannot read the CPU time of {}", self.name))?;
        Ok(Duration::from(time))
    }

    /// Its memory; `None` once it has ended.
    pub fn memory(&self) -> Option<Memory> {
        let status = procfs::process::Process::new(self.group.as_raw()).ok()?.status().ok()?;
        // `/proc/PID/status` counts in units of 1,024 bytes.
        Some(Memory { resident: status.vmrss? * 1024, peak: status.vmhwm? * 1024 })
    }

    /// Waits until it exits.
    pub fn wait(&mut self, bound: Duration) -> Waited {
        match self.exited.recv_timeout(bound) {
            Err(mpsc::RecvTimeoutError::Timeout) => Waited::TimedOut,
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => Waited::Exited,
        }
    }

    /// Sends it SIGTERM, and leaves what comes of that to the caller.
    pub fn terminate(&self) -> anyhow::Result<()> {
        // It is not reaped before it is ended, so the number is still its own.
        killpg(self.group, Signal::SIGTERM).with_context(|| format!("cannot send SIGTERM to {}", self.name))
    }

    /// Asks it to end with SIGTERM; kills it when `bound` has passed.
    pub fn stop(mut self, bound: Duration) -> anyhow::Result<Ended> {
        self.end(Signal::SIGTERM, bound)
    }

    /// Kills what is left of it and of its group.
    pub fn kill(mut self) -> anyhow::Result<Ended> {
        self.end(Signal::SIGKILL, OUTPUT_BOUND)
    }

    fn end(&mut self, signal: Signal, bound: Duration) -> anyhow::Result<Ended> {
        // The group outlives its leader until the leader is reaped, which is below; an error means that it is empty.
        let _ = killpg(self.group, signal);
        if self.wait(bound) == Waited::TimedOut {
            let _ = killpg(self.group, Signal::SIGKILL);
            self.wait(OUTPUT_BOUND);
        }
        let _ = killpg(self.group, Signal::SIGKILL);
        let status = self.reap().with_context(|| format!("cannot wait for {}", self.name))?;
        let output = self.output.recv_timeout(OUTPUT_BOUND).unwrap_or_default();
        let complaint = tail(&mut self.complaint).unwrap_or_default();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ended { status, output: text(output), complaint: text(complaint) })
    }

    fn obituary(&mut self) -> anyhow::Error {
        let name = self.name.clone();
        match self.end(Signal::SIGKILL, OUTPUT_BOUND) {
            Ok(ended) => anyhow!("{name} ended with {}{}", ended.status, ended.last_words()),
            Err(error) => error,
        }
    }

    /// Frees its number, which from then on gets no signal from us.
    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        let mut groups = self.ours.lock();
        groups.retain(|group| *group != self.group);
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = killpg(self.group, Signal::SIGKILL);
            let _ = self.reap();
        }
    }
}

impl Ended {
    /// The last line of its complaint as the end of a sentence; empty when it said nothing.
    pub fn last_words(&self) -> String {
        let lines = self.complaint.lines().map(str::trim);
        lines.rev().find(|line| !line.is_empty()).map_or_else(String::new, |line| format!(": {line}"))
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

/// Spawns on a thread that is pinned first: a child inherits the cores of the thread that makes it, before it runs
/// its first instruction.
fn spawn_on(command: &mut Command, cores: &[usize]) -> anyhow::Result<Child> {
    if cores.is_empty() {
        return Ok(command.spawn()?);
    }
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core).with_context(|| format!("core {core}"))?;
    }
    let spawn = || {
        sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot use cores {cores:?}"))?;
        Ok(command.spawn()?)
    };
    std::thread::scope(|scope| {
        scope.spawn(spawn).join().unwrap_or_else(|_| bail!("the spawning thread died"))
    })
}

/// Sends the first line of `pipe` when it has come, and all of it at its end.
fn read_in_background(pipe: Option<impl Read + Send + 'static>) -> (Receiver<String>, Receiver<Vec<u8>>) {
    let (send_line, line) = mpsc::channel();
    let (send_output, output) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let mut pipe = BufReader::new(pipe);
        let mut kept = Vec::new();
        let first = pipe.by_ref().take(OUTPUT_BYTES).read_until(b'\n', &mut kept);
        if first.is_ok() && kept.ends_with(b"\n") {
            let _ = send_line.send(String::from_utf8_lossy(&kept).trim_end().to_owned());
        }
        drop(send_line);
        let _ = pipe.by_ref().take(OUTPUT_BYTES).read_to_end(&mut kept);
        let _ = send_output.send(kept);
        // What is more than that is dropped, so that the writer is never held up.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
    (line, output)
}

/// Tells when the process has exited, and leaves it to be reaped.
fn watch_in_background(pid: Pid) -> Receiver<()> {
    let (send, exited) = mpsc::channel();
    std::thread::spawn(move || {
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(nix::Error::EINTR) {}
        let _ = send.send(());
    });
    exited
}

fn tail(file: &mut File) -> std::io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(COMPLAINT_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(COMPLAINT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
