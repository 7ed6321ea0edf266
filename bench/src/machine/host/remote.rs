//! Another host, which is reached by the user's own `ssh`.
//!
//! The helper, `bench host`, runs there and answers questions, which it reads from its standard
//! input, one per line: it starts processes, reads counters, and ends the processes that it has
//! started. One channel carries all questions and replies.
//!
//! ```text
//! connect: ssh NAME exec /bin/sh -c '…'    a shell starts the cached helper, or receives it
//!          helper: hello                   from now on each side sends a line per second at least
//! ask:     question ─▶ reply
//! lost:    the helper ends its processes and itself when its input ends, or when nothing arrives
//!          for ten seconds. If it does neither, a second `ssh` ends it.
//! ```

mod bootstrap;
mod cache;
mod channel;
mod helper;
mod protocol;
mod source;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use super::clock::Offset;
use super::kernel::KernelCounters;
use super::local::Local;
use super::network::{Interface, Traffic};
use super::ports::Ports;
use super::process::{Ended, Line, Operations, Waited};
use super::{Clock, Launch, Memory, Process, Seen, ThreadTimes, Usage};
use crate::machine::Machine;
use crate::machine::assignment::Layout;
use crate::machine::cores::Cores;
use crate::machine::topology::Topology;
use channel::Channel;
use protocol::{Ask, EndedReply, Hello};

pub use cache::Deployed;
pub use helper::serve;
pub use source::Source;

/// The time for a question that the host can answer without waiting.
const AT_ONCE: Duration = Duration::ZERO;

/// The time to end a process: a grandchild may hold its output open.
const TO_END: Duration = Duration::from_secs(15);

/// The command that connects to hosts.
#[derive(Clone, Debug)]
pub struct Ssh {
    /// The program and its first arguments.
    pub words: Vec<String>,
    /// The checkout that a host of another architecture builds; without it such a host cannot be used.
    pub checkout: Option<PathBuf>,
}

/// A host and the channel to its helper.
pub(super) struct Remote {
    name: String,
    local: Arc<Local>,
    ssh: Ssh,
    /// The value with which the helper marks its processes.
    mark: String,
    link: Mutex<Arc<Link>>,
}

/// A channel, and the first line of the helper.
pub(super) struct Link {
    channel: Channel,
    hello: Hello,
    /// The checkout on the host, if the host has built the helper itself.
    source: Option<Source>,
}

impl Remote {
    /// Starts the helper on the host. Fails if the host cannot be reached, or the helper does not
    /// start.
    pub(super) fn connect(local: Arc<Local>, ssh: &Ssh, name: &str) -> anyhow::Result<Self> {
        let mark = super::guard::new_mark();
        let link = bootstrap::connect(&local, ssh, name, &mark).with_context(|| format!("host {name}"))?;
        Ok(Self { name: name.to_owned(), local, ssh: ssh.clone(), mark, link: Mutex::new(Arc::new(link)) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn lost(&self) -> Option<String> {
        self.link().channel.lost()
    }

    /// Ends what a lost channel has left on the host, and opens another channel. If the host cannot
    /// be reached for the first step, the second is not tried: if packets are dropped, each step
    /// takes the whole timeout of ssh.
    pub(super) fn revive(&self) -> anyhow::Result<()> {
        if self.lost().is_none() {
            return Ok(());
        }
        bootstrap::sweep(&self.local, &self.ssh, &self.name, &self.mark)?;
        let link = bootstrap::connect(&self.local, &self.ssh, &self.name, &self.mark)?;
        *self.link.lock() = Arc::new(link);
        Ok(())
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link.lock())
    }

    /// Asks the helper a question. Fails if the reply is an error, or if the channel is lost; the
    /// error names the host.
    fn ask<T: DeserializeOwned>(&self, ask: Ask, within: Duration) -> anyhow::Result<T> {
        self.link().channel.ask(ask, within).with_context(|| format!("host {}", self.name))
    }

    pub(super) fn address(&self) -> IpAddr {
        let addresses = self.link().hello.addresses;
        addresses.map_or(Ipv4Addr::UNSPECIFIED.into(), |(own, _)| own)
    }

    pub(super) fn source(&self) -> Option<Source> {
        self.link().source.clone()
    }

    pub(super) fn boot(&self) -> Option<String> {
        self.link().hello.boot.clone()
    }

    /// The address from which this machine reaches the host.
    pub(super) fn reached_from(&self) -> Option<IpAddr> {
        self.link().hello.addresses.map(|(_, other)| other)
    }

    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        self.ask(Ask::Find { name: name.to_owned() }, AT_ONCE).ok()?
    }

    pub(super) fn start(&self, launch: &Launch) -> anyhow::Result<Process> {
        let owned = Launch {
            words: launch.words.to_vec().into(),
            folder: launch.folder.to_path_buf().into(),
            cores: launch.cores.to_vec().into(),
            ..launch.clone()
        };
        let program = launch.words.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
        let name = format!("{} on {}", program.to_string_lossy(), self.name);
        let link = self.link();
        let number = link.channel.ask(Ask::Start { launch: owned }, AT_ONCE);
        let number = number.with_context(|| format!("host {}", self.name))?;
        let process = RemoteProcess { host: self.name.clone(), link, number, has_ended: false };
        Ok(Process::new(name, process))
    }

    pub(super) fn scratch(&self, files: &[(&str, &str)]) -> anyhow::Result<RemoteFolder<'_>> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Ok(RemoteFolder { remote: self, path: self.ask(Ask::MakeFolder { files }, AT_ONCE)? })
    }

    pub(super) fn counters(&self, cores: &[usize]) -> anyhow::Result<KernelCounters> {
        self.ask(Ask::Counters { cores: cores.to_vec() }, AT_ONCE)
    }

    pub(super) fn established(&self, address: SocketAddr) -> Option<u64> {
        self.ask(Ask::Established { address }, AT_ONCE).ok()?
    }

    pub(super) fn accepted(&self) -> Option<u64> {
        self.ask(Ask::Accepted, AT_ONCE).ok()?
    }

    pub(super) fn watch(&self, address: SocketAddr, cores: Vec<usize>) -> anyhow::Result<RemoteWatch<'_>> {
        Ok(RemoteWatch { remote: self, number: self.ask(Ask::Watch { address, cores }, AT_ONCE)? })
    }

    pub(super) fn ports(&self, to_loopback: bool) -> Option<Ports> {
        self.ask(Ask::Ports { to_loopback }, AT_ONCE).ok()?
    }

    pub(super) fn traffic(&self, address: IpAddr) -> Option<Traffic> {
        self.ask(Ask::Traffic { address }, AT_ONCE).ok()?
    }

    pub(super) fn interface(&self, address: IpAddr) -> Option<Interface> {
        self.ask(Ask::Interface { address }, AT_ONCE).ok()?
    }

    pub(super) fn topology(&self) -> anyhow::Result<Topology> {
        self.ask(Ask::Topology, AT_ONCE)
    }

    pub(super) fn machine(&self, layout: &Layout, seed: u64) -> anyhow::Result<Machine> {
        self.ask(Ask::Machine { layout: Box::new(layout.clone()), seed }, AT_ONCE)
    }

    pub(super) fn clock_offset(&self) -> anyhow::Result<Offset> {
        let link = self.link();
        Offset::measure(|| link.channel.ask::<Clock>(Ask::Clock, AT_ONCE))
            .with_context(|| format!("host {}", self.name))
    }

    pub(super) fn pin(&self, cores: &Cores) -> anyhow::Result<()> {
        self.ask(Ask::Pin { cores: cores.clone() }, AT_ONCE)
    }

    pub(super) fn deploy(&self, files: &[Deployed]) -> anyhow::Result<Vec<PathBuf>> {
        let link = self.link();
        cache::deploy(&link.channel, &link.hello.cache, files).with_context(|| format!("host {}", self.name))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if !self.link().channel.close() {
            // If the host cannot be reached, the helper ends by itself.
            let _ = bootstrap::sweep(&self.local, &self.ssh, &self.name, &self.mark);
        }
    }
}

/// A process on another host.
struct RemoteProcess {
    host: String,
    link: Arc<Link>,
    number: u64,
    has_ended: bool,
}

impl RemoteProcess {
    fn ask<T: DeserializeOwned>(&self, ask: impl FnOnce(u64) -> Ask, within: Duration) -> anyhow::Result<T> {
        self.link.channel.ask(ask(self.number), within).with_context(|| format!("host {}", self.host))
    }
}

impl Operations for RemoteProcess {
    fn usage(&self) -> anyhow::Result<Usage> {
        self.ask(|process| Ask::Usage { process }, AT_ONCE)
    }

    fn threads(&self) -> Option<ThreadTimes> {
        self.ask(|process| Ask::Threads { process }, AT_ONCE).ok()?
    }

    fn memory(&self) -> Option<Memory> {
        self.ask(|process| Ask::Memory { process }, AT_ONCE).ok()?
    }

    fn descriptors(&self) -> anyhow::Result<usize> {
        self.ask(|process| Ask::Descriptors { process }, AT_ONCE)
    }

    fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        self.ask(|process| Ask::LimitDescriptors { process, more }, AT_ONCE)
    }

    fn next_line(&mut self, bound: Duration) -> anyhow::Result<Line> {
        self.ask(|process| Ask::NextLine { process, seconds: bound.as_secs_f64() }, bound)
    }

    fn tell(&mut self, command: &str) -> anyhow::Result<()> {
        self.ask(|process| Ask::Tell { process, command: command.to_owned() }, AT_ONCE)
    }

    fn end_input(&mut self) -> anyhow::Result<()> {
        self.ask(|process| Ask::EndInput { process }, AT_ONCE)
    }

    fn wait(&mut self, bound: Duration) -> Waited {
        let waited = self.ask(|process| Ask::Wait { process, seconds: bound.as_secs_f64() }, bound);
        waited.unwrap_or(Waited::Exited)
    }

    fn terminate(&self) -> anyhow::Result<()> {
        self.ask(|process| Ask::Terminate { process }, AT_ONCE)
    }

    fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        self.ask(|process| Ask::Freeze { process, seconds: time.as_secs_f64() }, time)
    }

    fn end(&mut self) -> anyhow::Result<Ended> {
        if self.has_ended {
            bail!("it has ended already");
        }
        self.has_ended = true;
        self.ask::<EndedReply>(|process| Ask::End { process }, TO_END).map(Ended::from)
    }
}

impl Drop for RemoteProcess {
    fn drop(&mut self) {
        // If the host is lost, the helper ends the process.
        let _ = self.end();
    }
}

/// A folder on another host. Dropping the value removes the folder.
pub struct RemoteFolder<'a> {
    remote: &'a Remote,
    path: PathBuf,
}

impl RemoteFolder<'_> {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RemoteFolder<'_> {
    fn drop(&mut self) {
        let _ = self.remote.ask::<()>(Ask::RemoveFolder { path: self.path.clone() }, AT_ONCE);
    }
}

/// A watch that the helper on the server's host runs during a load.
pub struct RemoteWatch<'a> {
    remote: &'a Remote,
    number: u64,
}

impl RemoteWatch<'_> {
    pub(super) fn end(self) -> Seen {
        self.remote.ask(Ask::EndWatch { watch: self.number }, AT_ONCE).unwrap_or_default()
    }
}
