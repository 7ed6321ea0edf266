//! The hosts that a measurement runs on: every process is started, pinned, watched and ended here,
//! and what the kernel counts is read here.
//!
//! A [`Host`] is this machine, or another one that is reached by `ssh`. What uses one does not know
//! which:
//!
//! ```text
//! Host ─┬─ Local: this machine ───────────────────────────────────── processes, counters
//!       └─ Remote: questions ─▶ ssh ─▶ `bench host` there: its Local ─ processes, counters
//! ```

mod attached;
mod clock;
mod descriptors;
mod environment;
mod frequency;
mod guard;
mod kernel;
mod launch;
mod local;
mod local_process;
mod network;
mod offloads;
mod ports;
mod process;
mod remote;
mod scratch;
mod sockets;
mod started;
mod suspended;
mod threads;
mod throttled;
mod usage;
mod watch;

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::machine::Machine;
use crate::machine::assignment::Layout;
use crate::machine::cores::Cores;
use crate::machine::topology::Topology;
use local::Local;
use remote::Remote;
use started::Started;

pub use attached::{AttachedProcess, is_here};
pub use clock::{Clock, Offset};
pub use descriptors::{descriptor_limit, raise_descriptor_limit};
pub use environment::kept;
pub use kernel::KernelCounters;
pub use launch::Launch;
pub use network::{Interface, Traffic};
pub use offloads::{Offload, Offloads};
pub use ports::Ports;
pub use process::{Ended, Process, Waited};
pub use remote::{Deployed, RemoteFolder, RemoteWatch, Source, Ssh, serve};
pub use threads::ThreadTimes;
pub use throttled::quota;
pub use usage::{Memory, Usage};
pub use watch::{LocalWatch, Seen};

/// A host, and the processes that the harness has started on it.
pub struct Host {
    place: Place,
    started: Arc<Started>,
}

enum Place {
    Here(Arc<Local>),
    There(Remote),
}

/// A folder for the time of a run, in which a load tool finds its script. Dropping it removes it.
pub enum Scratch<'a> {
    /// On this machine.
    Here(TempDir),
    /// On another host.
    There(RemoteFolder<'a>),
}

/// A load that is being looked at.
pub enum Watch<'a> {
    /// Those of a server of this machine.
    Here(LocalWatch),
    /// Those of a server of another host.
    There(RemoteWatch<'a>),
}

impl Host {
    /// This machine. Programs are searched for in `tools`, then beside the harness's own and among
    /// release builds, one of which `visit` is, then on `PATH`, and last where Debian has those of
    /// services. From now on SIGINT, SIGTERM and a closed terminal end all started processes and make
    /// [`Host::interrupted`] true; a process that has not ended after two seconds is killed. A
    /// second signal kills all at once and exits with 130. Fails if a search path cannot be in
    /// `PATH`, or the signals cannot be handled.
    pub fn this_machine(tools: PathBuf) -> anyhow::Result<Self> {
        let local = Local::new(tools, None)?;
        Ok(Self { started: Arc::clone(&local.started), place: Place::Here(Arc::new(local)) })
    }

    /// The host that `ssh` knows by this name, reached from `self`, which is this machine. Fails where
    /// it cannot be reached, or its helper does not start.
    pub fn connect(&self, ssh: &Ssh, name: &str) -> anyhow::Result<Self> {
        let Place::Here(local) = &self.place else { bail!("hosts are reached from this machine") };
        let remote = Remote::connect(Arc::clone(local), ssh, name)?;
        Ok(Self { started: Arc::clone(&self.started), place: Place::There(remote) })
    }

    /// The name by which the user reaches it; `None` of this machine.
    pub fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => Some(remote.name()),
        }
    }

    /// The path of the program called `name`, if it is on this host.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Here(local) => local.find(name),
            Place::There(remote) => remote.find(name),
        }
    }

    /// Where programs are searched for on this machine, as the value of `PATH`; `None` of another host.
    pub fn path(&self) -> Option<&OsStr> {
        match &self.place {
            Place::Here(local) => Some(local.path()),
            Place::There(_) => None,
        }
    }

    /// Where servers of this host listen: the loopback interface, or the address by which the user's
    /// `ssh` reaches it.
    pub fn address(&self) -> IpAddr {
        match &self.place {
            Place::Here(_) => Ipv4Addr::LOCALHOST.into(),
            Place::There(remote) => remote.address(),
        }
    }

    /// Fails once the user has interrupted the harness.
    pub fn check_interrupted(&self) -> anyhow::Result<()> {
        self.started.check_interrupted()
    }

    /// Whether the user has interrupted the harness.
    pub fn interrupted(&self) -> bool {
        self.started.interrupted()
    }

    /// Waits for a time. Returns whether it has passed: the user may interrupt the wait.
    pub fn pause(&self, time: Duration) -> bool {
        self.started.pause(time)
    }

    /// Starts a process. Fails if there is no such program, or the user has interrupted.
    pub fn start(&self, launch: &Launch) -> anyhow::Result<Process> {
        self.check_interrupted()?;
        match &self.place {
            Place::Here(local) => local.start(launch).map(|(name, process)| Process::new(name, process)),
            Place::There(remote) => remote.start(launch),
        }
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

    /// A folder for the time of a run, with these files: their names and texts. Dropping it removes it.
    /// Fails where none can be made.
    pub fn scratch(&self, files: &[(&str, &str)]) -> anyhow::Result<Scratch<'_>> {
        match &self.place {
            Place::Here(_) => scratch::make(files).map(Scratch::Here),
            Place::There(remote) => remote.scratch(files).map(Scratch::There),
        }
    }

    /// What the kernel counts of these cores, and of the host. Fails where the host is lost.
    pub fn counters(&self, cores: &[usize]) -> anyhow::Result<KernelCounters> {
        match &self.place {
            Place::Here(_) => Ok(KernelCounters::read(cores)),
            Place::There(remote) => remote.counters(cores),
        }
    }

    /// How many connections the server that listens on `address` has now, those that wait in the queue
    /// to be accepted too. `None` where the kernel does not say.
    pub fn established(&self, address: SocketAddr) -> Option<u64> {
        match &self.place {
            Place::Here(_) => sockets::established(address),
            Place::There(remote) => remote.established(address),
        }
    }

    /// How many connections the host has accepted since it started, on any port. `None` where the kernel
    /// does not say.
    pub fn accepted(&self) -> Option<u64> {
        match &self.place {
            Place::Here(_) => sockets::accepted(),
            Place::There(remote) => remote.accepted(),
        }
    }

    /// Counts the connections of `address` at times, and reads once how fast `cores` run, until the
    /// returned value is asked for what was seen. The host does so itself: the harness sends nothing
    /// meanwhile.
    pub fn watch(&self, address: SocketAddr, cores: Vec<usize>) -> anyhow::Result<Watch<'_>> {
        match &self.place {
            Place::Here(_) => Ok(Watch::Here(LocalWatch::start(address, cores))),
            Place::There(remote) => remote.watch(address, cores).map(Watch::There),
        }
    }

    /// The clock frequency of each of these cores now, in hertz. `None` where the kernel does not say, and
    /// of another host, which is asked by [`Host::watch`] alone.
    pub fn frequencies(&self, cores: &[usize]) -> Option<Vec<u64>> {
        match &self.place {
            Place::Here(_) => frequency::frequencies(cores),
            Place::There(_) => None,
        }
    }

    /// The ports for outgoing connections to `target`, now. `None` where the kernel does not say.
    pub fn ports(&self, target: IpAddr) -> Option<Ports> {
        match &self.place {
            Place::Here(_) => ports::ports(target.is_loopback()),
            Place::There(remote) => remote.ports(target.is_loopback()),
        }
    }

    /// Waits until half of the ports for outgoing connections are free, or can be reused for
    /// connections to `target`, and returns whether they are: false once the wait has timed out, or the
    /// user has interrupted it. Calls `say` when the wait begins, and when it times out. Does not wait
    /// where the kernel does not say.
    pub fn wait_for_ports(&self, target: IpAddr, say: impl FnMut(&str)) -> bool {
        ports::wait_for_ports(self, target, say)
    }

    /// What its network interface with this address has sent and received, and what TCP has repeated.
    pub fn traffic(&self, address: IpAddr) -> Option<Traffic> {
        match &self.place {
            Place::Here(_) => network::traffic(address),
            Place::There(remote) => remote.traffic(address),
        }
    }

    /// Its network interface with this address.
    pub fn interface(&self, address: IpAddr) -> Option<Interface> {
        match &self.place {
            Place::Here(_) => network::interface(address),
            Place::There(remote) => remote.interface(address),
        }
    }

    /// Its cores. Fails where the kernel does not say which may be used.
    pub fn topology(&self) -> anyhow::Result<Topology> {
        match &self.place {
            Place::Here(_) => Topology::here(),
            Place::There(remote) => remote.topology(),
        }
    }

    /// The state of the machine now, of which the measurement uses these cores. Fails where its kernel
    /// does not say its name.
    pub fn machine(&self, layout: &Layout, seed: u64) -> anyhow::Result<Machine> {
        match &self.place {
            Place::Here(_) => Machine::read(layout, seed),
            Place::There(remote) => remote.machine(layout, seed),
        }
    }

    /// How far its clock is from this machine's, by the fastest of some exchanges. Fails where it does
    /// not answer.
    pub fn clock_offset(&self) -> anyhow::Result<Offset> {
        match &self.place {
            Place::Here(_) => Ok(Offset::NONE),
            Place::There(remote) => remote.clock_offset(),
        }
    }

    /// Which start of which machine it runs on. Hosts that have the same are one machine, such as two
    /// containers. `None` where the kernel does not say.
    pub fn boot(&self) -> Option<String> {
        match &self.place {
            Place::Here(_) => boot(),
            Place::There(remote) => remote.boot(),
        }
    }

    /// The address of this machine by which the host is reached; `None` of this machine, and where `ssh`
    /// does not say.
    pub fn reached_from(&self) -> Option<IpAddr> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.reached_from(),
        }
    }

    /// Moves the harness, or its helper on this host, to that core. Fails if the kernel does not allow
    /// it.
    pub fn pin_harness(&self, cores: &Cores) -> anyhow::Result<()> {
        match &self.place {
            Place::Here(_) => cores.pin_harness(),
            Place::There(remote) => remote.pin(cores),
        }
    }

    /// The checkout there, where programs of this machine do not run and it builds its own.
    pub fn source(&self) -> Option<Source> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.source(),
        }
    }

    /// Copies files of this machine to a folder of the host's cache, named after their content, so that
    /// the second time nothing is copied. Returns where they are there. Fails where they cannot be read,
    /// or do not fit.
    pub fn deploy(&self, files: &[Deployed]) -> anyhow::Result<Vec<PathBuf>> {
        match &self.place {
            Place::Here(_) => Ok(files.iter().map(|file| file.from.clone()).collect()),
            Place::There(remote) => remote.deploy(files),
        }
    }

    /// Why nothing can be asked of it any more: the channel to it was lost. `None` while it can.
    pub fn lost(&self) -> Option<String> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.lost(),
        }
    }

    /// Reaches it again, if it was lost. Fails where it cannot be reached.
    pub fn revive(&self) -> anyhow::Result<()> {
        match &self.place {
            Place::Here(_) => Ok(()),
            Place::There(remote) => {
                remote.revive().with_context(|| format!("cannot reach {} again", remote.name()))
            }
        }
    }
}

impl Scratch<'_> {
    /// Where it is on its host.
    pub fn path(&self) -> &Path {
        match self {
            Self::Here(folder) => folder.path(),
            Self::There(folder) => folder.path(),
        }
    }
}

impl Watch<'_> {
    /// What was seen.
    pub fn end(self) -> Seen {
        match self {
            Self::Here(watch) => watch.end(),
            Self::There(watch) => watch.end(),
        }
    }
}

/// Which start of this machine it is.
fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}
