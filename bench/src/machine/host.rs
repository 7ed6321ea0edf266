//! The hosts that a measurement runs on. This module starts, pins, watches and ends all processes,
//! and reads the counters of the kernel.
//!
//! A [`Host`] is this machine, or another one that is reached by `ssh`. Code that uses a host does
//! not know which of the two it is:
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

/// A folder that exists for one run, in which a load tool finds its files. Dropping the value
/// removes the folder.
pub enum Scratch<'a> {
    /// A folder on this machine.
    Here(TempDir),
    /// A folder on another host.
    There(RemoteFolder<'a>),
}

/// A watch of a load: see [`Host::watch`].
pub enum Watch<'a> {
    /// A watch of a server on this machine.
    Here(LocalWatch),
    /// A watch of a server on another host.
    There(RemoteWatch<'a>),
}

impl Host {
    /// Returns this machine. Programs are searched for in `tools`, then in the folder of the
    /// harness's own program and among release builds, where `visit` is, then on `PATH`, and last
    /// in the folder in which Debian installs the programs of services. From now on SIGINT, SIGTERM
    /// and a closed terminal end all started processes and make [`Host::interrupted`] true; a
    /// process that has not ended after two seconds is killed. A second signal kills all processes
    /// at once and exits with 130. Fails if a search path cannot be in `PATH`, or the signals
    /// cannot be handled.
    pub fn this_machine(tools: PathBuf) -> anyhow::Result<Self> {
        let local = Local::new(tools, None)?;
        Ok(Self { started: Arc::clone(&local.started), place: Place::Here(Arc::new(local)) })
    }

    /// Connects to the host that `ssh` knows by this name. `self` has to be this machine. Fails if
    /// the host cannot be reached, or its helper does not start.
    pub fn connect(&self, ssh: &Ssh, name: &str) -> anyhow::Result<Self> {
        let Place::Here(local) = &self.place else { bail!("hosts are reached from this machine") };
        let remote = Remote::connect(Arc::clone(local), ssh, name)?;
        Ok(Self { started: Arc::clone(&self.started), place: Place::There(remote) })
    }

    /// The name that the user gave for the host; `None` for this machine.
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

    /// The search path for programs on this machine, as the value of `PATH`; `None` for another
    /// host.
    pub fn path(&self) -> Option<&OsStr> {
        match &self.place {
            Place::Here(local) => Some(local.path()),
            Place::There(_) => None,
        }
    }

    /// The address at which servers on this host listen: the loopback address, or the address to
    /// which the user's `ssh` connects.
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

    /// Runs a process to its end and returns its output. Fails if it exits with an error, or does
    /// not end within `bound`.
    pub fn run(&self, launch: &Launch, bound: Duration) -> anyhow::Result<String> {
        let ended = self.output(launch, bound)?;
        if !ended.status.success() {
            bail!("`{}` failed with {}{}", launch.words.join(" "), ended.status, ended.last_words());
        }
        Ok(ended.output)
    }

    /// Runs a process to its end, and returns its output and its status, whatever the status is.
    /// Otherwise fails as [`Host::run`] does.
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

    /// Makes a folder that exists for one run, with these files, each given by name and text.
    /// Dropping the value removes the folder. Fails if the folder or a file cannot be made.
    pub fn scratch(&self, files: &[(&str, &str)]) -> anyhow::Result<Scratch<'_>> {
        match &self.place {
            Place::Here(_) => scratch::make(files).map(Scratch::Here),
            Place::There(remote) => remote.scratch(files).map(Scratch::There),
        }
    }

    /// Reads the kernel's counters of these cores and of the host. Fails if the host is lost.
    pub fn counters(&self, cores: &[usize]) -> anyhow::Result<KernelCounters> {
        match &self.place {
            Place::Here(_) => Ok(KernelCounters::read(cores)),
            Place::There(remote) => remote.counters(cores),
        }
    }

    /// Returns the number of connections that the server that listens on `address` has now,
    /// including those in its accept queue. `None` if the kernel does not report it.
    pub fn established(&self, address: SocketAddr) -> Option<u64> {
        match &self.place {
            Place::Here(_) => sockets::established(address),
            Place::There(remote) => remote.established(address),
        }
    }

    /// Returns the number of connections that the host has accepted on all ports since it started.
    /// `None` if the kernel does not report it.
    pub fn accepted(&self) -> Option<u64> {
        match &self.place {
            Place::Here(_) => sockets::accepted(),
            Place::There(remote) => remote.accepted(),
        }
    }

    /// Starts a watch: until [`Watch::end`] is called, the host counts the connections of `address`
    /// from time to time, and reads the frequencies of `cores` once. The host does this itself: the
    /// harness asks it nothing meanwhile.
    pub fn watch(&self, address: SocketAddr, cores: Vec<usize>) -> anyhow::Result<Watch<'_>> {
        match &self.place {
            Place::Here(_) => Ok(Watch::Here(LocalWatch::start(address, cores))),
            Place::There(remote) => remote.watch(address, cores).map(Watch::There),
        }
    }

    /// Returns the clock frequency of each of these cores now, in hertz. `None` if the kernel does
    /// not report it, and for another host, where only [`Host::watch`] reads it.
    pub fn frequencies(&self, cores: &[usize]) -> Option<Vec<u64>> {
        match &self.place {
            Place::Here(_) => frequency::frequencies(cores),
            Place::There(_) => None,
        }
    }

    /// Returns the state of the ports for outgoing connections to `target` now. `None` if the
    /// kernel does not report it.
    pub fn ports(&self, target: IpAddr) -> Option<Ports> {
        match &self.place {
            Place::Here(_) => ports::ports(target.is_loopback()),
            Place::There(remote) => remote.ports(target.is_loopback()),
        }
    }

    /// Waits until half of the ports for outgoing connections are free, or can be reused for
    /// connections to `target`. Returns whether they are: false if the wait timed out, or the user
    /// interrupted it. Calls `say` when the wait begins, and when it times out. Does not wait if
    /// the kernel does not report the ports.
    pub fn wait_for_ports(&self, target: IpAddr, say: impl FnMut(&str)) -> bool {
        ports::wait_for_ports(self, target, say)
    }

    /// Returns the traffic of the host's network interface with this address, and the number of
    /// segments that TCP sent again.
    pub fn traffic(&self, address: IpAddr) -> Option<Traffic> {
        match &self.place {
            Place::Here(_) => network::traffic(address),
            Place::There(remote) => remote.traffic(address),
        }
    }

    /// Returns the host's network interface with this address.
    pub fn interface(&self, address: IpAddr) -> Option<Interface> {
        match &self.place {
            Place::Here(_) => network::interface(address),
            Place::There(remote) => remote.interface(address),
        }
    }

    /// Returns the host's cores. Fails if the kernel does not report which of them may be used.
    pub fn topology(&self) -> anyhow::Result<Topology> {
        match &self.place {
            Place::Here(_) => Topology::here(),
            Place::There(remote) => remote.topology(),
        }
    }

    /// Reads the state of the machine now. `layout` has the cores that the measurement uses. Fails
    /// if the kernel does not report its name.
    pub fn machine(&self, layout: &Layout, seed: u64) -> anyhow::Result<Machine> {
        match &self.place {
            Place::Here(_) => Machine::read(layout, seed),
            Place::There(remote) => remote.machine(layout, seed),
        }
    }

    /// Measures the offset of the host's clock from this machine's, by the fastest of several
    /// exchanges. Fails if the host does not answer.
    pub fn clock_offset(&self) -> anyhow::Result<Offset> {
        match &self.place {
            Place::Here(_) => Ok(Offset::NONE),
            Place::There(remote) => remote.clock_offset(),
        }
    }

    /// Returns the boot ID of the machine that the host runs on. Hosts with the same boot ID are on
    /// one machine, such as two containers. `None` if the kernel does not report it.
    pub fn boot(&self) -> Option<String> {
        match &self.place {
            Place::Here(_) => boot(),
            Place::There(remote) => remote.boot(),
        }
    }

    /// Returns the address from which this machine reaches the host; `None` for this machine
    /// itself, and if `ssh` does not report it.
    pub fn reached_from(&self) -> Option<IpAddr> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.reached_from(),
        }
    }

    /// Moves the harness, or its helper on this host, to the harness's core. Fails if the kernel
    /// does not allow it.
    pub fn pin_harness(&self, cores: &Cores) -> anyhow::Result<()> {
        match &self.place {
            Place::Here(_) => cores.pin_harness(),
            Place::There(remote) => remote.pin(cores),
        }
    }

    /// The checkout on the host, if programs of this machine do not run there and the host builds
    /// its own.
    pub fn source(&self) -> Option<Source> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.source(),
        }
    }

    /// Copies files from this machine to a folder of the host's cache. The folder is named after
    /// the files' content, so that nothing is copied a second time. Returns their paths on the
    /// host. Fails if a file cannot be read or written.
    pub fn deploy(&self, files: &[Deployed]) -> anyhow::Result<Vec<PathBuf>> {
        match &self.place {
            Place::Here(_) => Ok(files.iter().map(|file| file.from.clone()).collect()),
            Place::There(remote) => remote.deploy(files),
        }
    }

    /// Returns why the channel to the host was lost; `None` while it is open.
    pub fn lost(&self) -> Option<String> {
        match &self.place {
            Place::Here(_) => None,
            Place::There(remote) => remote.lost(),
        }
    }

    /// Reconnects to the host if it was lost. Fails if it cannot be reached.
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
    /// The path of the folder on its host.
    pub fn path(&self) -> &Path {
        match self {
            Self::Here(folder) => folder.path(),
            Self::There(folder) => folder.path(),
        }
    }
}

impl Watch<'_> {
    /// Ends the watch, and returns what it has read.
    pub fn end(self) -> Seen {
        match self {
            Self::Here(watch) => watch.end(),
            Self::There(watch) => watch.end(),
        }
    }
}

/// Returns the boot ID of this machine.
fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}
