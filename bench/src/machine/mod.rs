//! The contents of `machine.json`: the machine that a measurement ran on, and the command that made
//! the results.

pub mod assignment;
pub mod conflict;
pub mod cores;
pub mod host;
mod settings;
pub mod sides;
pub mod topology;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use anyhow::Context;
use procfs::Current;
use serde::{Deserialize, Serialize};

use crate::machine::assignment::Layout;
use crate::machine::host::Interface;
use crate::machine::topology::Topology;
use crate::text::numbers;
use crate::text::visible::visible;

pub use settings::{Frequency, Network};

/// The machine and the command that made results. A value that could not be read is `null`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The harness's version.
    pub bench: String,
    /// The command that made the results.
    pub command: Vec<String>,
    /// The start of the measurement: UTC, RFC 3339.
    pub started: String,
    /// The seed of the order of runs.
    pub seed: u64,
    /// The machine's name.
    pub host: String,
    /// Kernel name, release and version.
    pub kernel: String,
    /// The processor's name.
    pub processor: Option<String>,
    /// The number of CPUs that are switched on. A core with two threads counts as two.
    pub cores: Option<usize>,
    /// The memory of the machine, in bytes.
    pub memory_bytes: Option<u64>,
    /// The swap space in use before the first run, in bytes.
    pub swapped_bytes: Option<u64>,
    /// When the kernel uses transparent huge pages: `always`, `madvise` (on request) or `never`.
    pub huge_pages: Option<String>,
    /// Load averages over 1, 5 and 15 minutes, before the first run.
    pub load_averages: Option<[f32; 3]>,
    /// Whether the processor says that it is virtual.
    pub virtual_machine: Option<bool>,
    /// The files that show that this is a container. A container may have none of them.
    pub container_signs: Vec<String>,
    /// The nice value of the harness, which servers and tools inherit. Above 0, the kernel prefers
    /// other processes. Absent in old records.
    #[serde(default)]
    pub nice: Option<i64>,
    /// The frequency settings of the cores.
    pub frequency: Frequency,
    /// The kernel settings that limit connections.
    pub network: Network,
    /// The number of files that a process started by the harness may have open. A process may raise
    /// its own limit.
    pub descriptors: Option<u64>,
    /// The variables of the user's environment that servers and tools inherited, besides `PATH`;
    /// `null` in old results, in which they inherited all variables.
    #[serde(default)]
    pub environment: Option<BTreeMap<String, String>>,
    /// Cores that servers could use.
    pub server_cores: Vec<usize>,
    /// Cores that the tool could use.
    pub tool_cores: Vec<usize>,
    /// The core of the harness, which no server or tool could use; `null` when it shared theirs.
    pub harness_core: Option<usize>,
    /// The machine's cores, and what they share. Absent in old records.
    #[serde(default)]
    pub topology: Option<Topology>,
    /// The hosts of the measurement, if the server or the load tool ran on another machine than the
    /// harness. The other fields then describe the server's host. Absent if everything ran on this
    /// machine, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Hosts>,
}

/// The hosts of a measurement whose server or load tool ran on another machine than the harness.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// The machine that the harness ran on.
    pub harness: String,
    /// The server's host.
    pub server: HostLink,
    /// Each load host, with the machine that it runs on.
    pub loads: Vec<(HostLink, Machine)>,
}

/// How the harness reached a host.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostLink {
    /// The name that the user gave for the host; `null` for the harness's machine.
    pub name: Option<String>,
    /// The host's address in the measurement.
    pub address: Option<IpAddr>,
    /// The network interface that has this address.
    pub interface: Option<Interface>,
    /// The round trip of the fastest exchange with the host's helper. The error of the clock offset
    /// is at most half of it.
    pub round_trip_seconds: f64,
}

impl Machine {
    /// Reads this machine's state now. Fails if the kernel does not report its name.
    pub fn read(layout: &Layout, seed: u64) -> anyhow::Result<Self> {
        let cores = &layout.cores;
        let kernel = nix::sys::utsname::uname().context("cannot ask the kernel for its name")?;
        let text = |part: &std::ffi::OsStr| visible(&part.to_string_lossy()).into_owned();
        let processors = procfs::CpuInfo::current().ok();
        let memory = procfs::Meminfo::current().ok();
        let (load, root) = (procfs::LoadAverage::current().ok(), Path::new("/"));
        Ok(Self {
            bench: env!("CARGO_PKG_VERSION").into(),
            command: command_line(),
            started: now(),
            seed,
            host: text(kernel.nodename()),
            kernel: [kernel.sysname(), kernel.release(), kernel.machine()].map(text).join(" "),
            processor: processors.as_ref().and_then(|all| all.model_name(0)).map(str::to_owned),
            cores: processors.as_ref().map(procfs::CpuInfo::num_cores),
            memory_bytes: memory.as_ref().map(|memory| memory.mem_total),
            swapped_bytes: memory.map(|memory| memory.swap_total.saturating_sub(memory.swap_free)),
            huge_pages: settings::huge_pages(root),
            load_averages: load.map(|load| [load.one, load.five, load.fifteen]),
            // Processors other than x86 have no such flag.
            virtual_machine: processors.and_then(|all| Some(all.flags(0)?.contains(&"hypervisor"))),
            container_signs: settings::container_signs(root),
            nice: procfs::process::Process::myself().and_then(|own| own.stat()).ok().map(|own| own.nice),
            frequency: Frequency::read(root, &cores.all()),
            network: Network::read(root),
            descriptors: host::descriptor_limit(),
            environment: Some(host::kept()),
            server_cores: cores.server.clone(),
            tool_cores: cores.tool.clone(),
            harness_core: cores.harness,
            topology: Some(layout.topology.clone()),
            hosts: None,
        })
    }

    /// Returns the machine, as a helper has read it, with the version, the command line and the
    /// time of this process.
    pub fn by_this_command(self) -> Self {
        Self { bench: env!("CARGO_PKG_VERSION").into(), command: command_line(), started: now(), ..self }
    }

    /// Whether two measurements ran on the same machine, by its name, processor, cores and memory.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let known = |machine: &Self| {
            let Self { host, processor, cores, memory_bytes, .. } = machine;
            (host.clone(), processor.clone(), *cores, *memory_bytes)
        };
        known(self) == known(other)
    }

    /// Returns the number of cores in words: `2 cores`, `8 cores with 16 threads`. If it is not
    /// known which threads belong to one core, each counts as a core.
    pub fn counted_cores(&self) -> String {
        let Some(topology) = self.topology.as_ref().filter(|topology| topology.is_visible) else {
            let unknown = || "an unknown number of cores".into();
            return self.cores.map_or_else(unknown, |cores| numbers::counted(cores, "core"));
        };
        let cores = topology.cores.len();
        let threads: usize = topology.cores.iter().map(|core| core.cpus.len()).sum();
        let counted = numbers::counted(cores, "core");
        if threads == cores { counted } else { format!("{counted} with {threads} threads") }
    }

    /// Returns the name of a result folder: the start time and the machine's name.
    pub fn folder_name(&self) -> String {
        let stamp: String = self.started.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        format!("{stamp}-{}", self.host.chars().map(plain).collect::<String>())
    }
}

/// The time now: UTC, RFC 3339, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The command as the user typed it: the program without its folder.
fn command_line() -> Vec<String> {
    let mut words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        let name = Path::new(program.as_str()).file_name().map(|name| name.to_string_lossy().into_owned());
        *program = name.unwrap_or_default();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::assignment::Choice;
    use crate::machine::topology::example::{bare, recorded};

    #[test]
    fn what_was_stored_is_read() {
        let layout = Layout::here(&Choice::default()).unwrap();
        let machine = Machine::read(&layout, 7).unwrap();
        let stored = serde_json::to_string(&machine).unwrap();
        let read: Machine = serde_json::from_str(&stored).unwrap();
        assert_eq!(format!("{read:?}"), format!("{machine:?}"));
        assert_eq!((read.harness_core, read.topology), (layout.cores.harness, Some(layout.topology)));
        // Every Linux has these.
        assert!(read.load_averages.is_some() && read.swapped_bytes.is_some() && read.descriptors.is_some());
        assert!(read.nice.is_some());
        assert!(read.network.outgoing_ports.is_some(), "{:?}", read.network);
    }

    #[test]
    fn threads_are_no_cores() {
        let mut machine = Machine::read(&Layout::here(&Choice::default()).unwrap(), 7).unwrap();
        let cases = [
            (Some(recorded("two-ccx", "0-15")), "8 cores with 16 threads"),
            (Some(recorded("siblings", "0-1")), "1 core with 2 threads"),
            (Some(recorded("smt-off", "0-7")), "8 cores"),
            (Some(bare(3)), "4 cores"),
            (None, "4 cores"),
        ];
        machine.cores = Some(4);
        for (topology, expected) in cases {
            machine.topology = topology;
            assert_eq!(machine.counted_cores(), expected);
        }
    }
}
