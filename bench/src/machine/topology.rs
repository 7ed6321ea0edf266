//! The machine's cores and what they share, read from the files of `/sys` below `root`.
//!
//! A *core* is a physical core. Linux numbers the threads of cores and calls them CPUs. The
//! firmware decides which numbers belong to one core: 0 and 1 are two cores on one machine and the
//! two threads of one core on another.
//!
//! ```text
//! NUMA node 0                                  NUMA node 1
//! └ last-level cache                           └ last-level cache
//!   ├ core with CPUs 0 and 4                     ├ core with CPUs 2 and 6
//!   └ core with CPUs 1 and 5                     └ core with CPUs 3 and 7
//! ```
//!
//! Six small files per CPU contain all of this. The libraries that read them need hwloc, which is
//! in C and has to be installed first; libraries in Rust alone return only the numbers of CPUs.

#[cfg(test)]
pub(super) mod example;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cores;
use super::settings::{number, text};

/// A core belongs to a kind if its capacity, or its highest frequency, is at least this share of
/// that of the kind's strongest core. Cores of one design differ: by 3 % in Nvidia's GB10, by 8 %
/// in AMD's Ryzen 9 7950X3D.
const SAME_KIND: f64 = 0.9;

/// The kernel's performance counters for the kinds of Intel cores. Each has a list of the CPUs that
/// it counts for.
const INTEL_KINDS: [(&str, CoreKind); 3] = [
    ("cpu_core", CoreKind::Performance),
    ("cpu_atom", CoreKind::Efficient),
    ("cpu_lowpower", CoreKind::LowPower),
];

/// The cores of a machine, and what they share.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// Whether the kernel shows which CPUs are threads of one core. Otherwise each CPU counts as a
    /// core of its own.
    pub is_visible: bool,
    /// The cores that are switched on, in the order of their first CPUs.
    pub cores: Vec<Core>,
    /// CPUs that the machine has and that are switched off.
    pub offline: Vec<usize>,
}

/// A core. A value that could not be read is `null`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// The CPUs of the core that are switched on.
    pub cpus: Vec<usize>,
    /// The CPUs of the core that this process may use: a cpuset or an affinity mask may leave some
    /// out.
    pub usable: Vec<usize>,
    /// The kind of the core; `null` if all cores are alike.
    pub kind: Option<CoreKind>,
    /// The socket that it is in.
    pub socket: Option<usize>,
    /// The NUMA node that it belongs to.
    pub node: Option<usize>,
    /// The last-level cache that the core shares with others, as the number of the first CPU that
    /// uses it; `null` if it shares none.
    pub cache: Option<usize>,
}

/// A kind of core, on a machine that has several kinds. Sorted from the weakest to the strongest.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoreKind {
    /// Intel's low-power cores.
    LowPower,
    /// Intel's efficient cores.
    Efficient,
    /// Intel's performance cores.
    Performance,
    /// The capacity of the strongest core of this kind. The machine's strongest core has 1,024.
    Capacity(u32),
    /// The highest frequency of the strongest core of this kind, in kHz.
    Frequency(u32),
}

impl Topology {
    /// Returns the topology of this machine, with the CPUs that the calling thread may use. Fails
    /// if the kernel does not report those.
    pub fn here() -> anyhow::Result<Self> {
        Ok(Self::read(Path::new("/"), &cores::usable()?))
    }

    /// Reads the topology. `usable` are the CPUs that this process may use.
    pub(super) fn read(root: &Path, usable: &[usize]) -> Self {
        let devices = root.join("sys/devices");
        let folder = devices.join("system/cpu");
        let cpu = |cpu: usize| folder.join(format!("cpu{cpu}"));
        let online = list(&folder.join("online")).unwrap_or_else(|| usable.to_vec());
        let (kinds, nodes) = (kinds(&devices, &online), nodes(&devices.join("system/node")));
        let mut cores: BTreeMap<usize, Core> = BTreeMap::new();
        let mut is_visible = false;
        for number in &online {
            let own = cpu(*number);
            let siblings = siblings(&own);
            is_visible |= siblings.is_some();
            let siblings = siblings.unwrap_or_else(|| vec![*number]);
            let Some(first) = siblings.first() else { continue };
            let core = cores.entry(*first).or_insert_with(|| Core {
                cpus: Vec::new(),
                usable: Vec::new(),
                kind: kinds.get(number).copied(),
                socket: self::number(&own.join("topology/physical_package_id")),
                node: nodes.get(number).copied(),
                cache: shared_cache(&own.join("cache"), &siblings),
            });
            core.cpus.push(*number);
            core.usable.extend(usable.contains(number).then_some(number));
        }
        let present = list(&folder.join("present")).unwrap_or_default();
        let offline = present.into_iter().filter(|cpu| !online.contains(cpu)).collect();
        Self { is_visible, cores: cores.into_values().collect(), offline }
    }

    /// The cores of which this process may use at least one thread.
    pub fn usable_cores(&self) -> impl Iterator<Item = &Core> {
        self.cores.iter().filter(|core| !core.usable.is_empty())
    }
}

impl Core {
    /// Whether one of the CPUs is a thread of this core.
    pub fn has_any_of(&self, cpus: &[usize]) -> bool {
        self.cpus.iter().any(|cpu| cpus.contains(cpu))
    }
}

impl std::fmt::Display for CoreKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LowPower => out.write_str("low-power"),
            Self::Efficient => out.write_str("efficient"),
            Self::Performance => out.write_str("performance"),
            Self::Capacity(capacity) => write!(out, "capacity {capacity}"),
            Self::Frequency(frequency) => write!(out, "{:.1} GHz", f64::from(*frequency) / 1e6),
        }
    }
}

/// Parses a set of CPUs as the kernel writes it, such as `0-2,8`.
pub(super) fn cpu_list(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse().ok()?..=last.parse::<usize>().ok()?);
    }
    Some(cpus)
}

/// Returns CPUs as the kernel writes them, such as `0-2,8`. `cpus` is sorted.
pub(crate) fn cpu_ranges(cpus: &[usize]) -> String {
    let runs = cpus.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        run => run.iter().map(ToString::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(",")
}

fn list(file: &Path) -> Option<Vec<usize>> {
    cpu_list(&text(file)?)
}

/// Returns the threads of a CPU's core, including the CPU itself. The second name is the newer one
/// for the same file.
fn siblings(cpu: &Path) -> Option<Vec<usize>> {
    let names = ["topology/thread_siblings_list", "topology/core_cpus_list"];
    names.iter().find_map(|name| list(&cpu.join(name)))
}

/// Returns the first CPU that uses the core's last-level cache; `None` if no other core uses it.
fn shared_cache(folder: &Path, siblings: &[usize]) -> Option<usize> {
    let caches = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let caches = caches.filter(|cache| text(&cache.join("type")).is_some_and(|kind| kind != "Instruction"));
    let last = caches.filter_map(|cache| Some((number::<u32>(&cache.join("level"))?, cache))).max()?.1;
    let users = list(&last.join("shared_cpu_list"))?;
    let is_shared = users.iter().any(|cpu| !siblings.contains(cpu));
    users.first().copied().filter(|_| is_shared)
}

/// The NUMA node of each CPU.
fn nodes(folder: &Path) -> BTreeMap<usize, usize> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let node = |entry: fs::DirEntry| {
        let node = entry.file_name().to_str()?.strip_prefix("node")?.parse::<usize>().ok()?;
        Some((node, list(&entry.path().join("cpulist"))?))
    };
    entries.filter_map(node).flat_map(|(node, cpus)| cpus.into_iter().map(move |cpu| (cpu, node))).collect()
}

/// Returns the kind of each CPU's core; empty if all cores are of one kind. The kernel names
/// Intel's kinds. Arm's kinds differ in their capacity, and AMD's, which share the instruction set,
/// only in their frequency.
fn kinds(devices: &Path, online: &[usize]) -> BTreeMap<usize, CoreKind> {
    let named = INTEL_KINDS.iter().flat_map(|(name, kind)| {
        let cpus = list(&devices.join(name).join("cpus")).unwrap_or_default();
        cpus.into_iter().map(move |cpu| (cpu, *kind))
    });
    let by_strength = |file: &str, kind: fn(u32) -> CoreKind| {
        let strength =
            |cpu: &usize| Some((number(&devices.join(format!("system/cpu/cpu{cpu}/{file}")))?, *cpu));
        kinds_by_strength(online.iter().filter_map(strength).collect(), kind)
    };
    let found = [
        named.collect(),
        by_strength("cpu_capacity", CoreKind::Capacity),
        by_strength("cpufreq/cpuinfo_max_freq", CoreKind::Frequency),
    ];
    let has_several = |kinds: &BTreeMap<usize, CoreKind>| BTreeSet::from_iter(kinds.values()).len() > 1;
    found.into_iter().find(has_several).unwrap_or_default()
}

/// Returns the kind of each CPU, from the strength of each.
fn kinds_by_strength(mut cpus: Vec<(u32, usize)>, kind: fn(u32) -> CoreKind) -> BTreeMap<usize, CoreKind> {
    cpus.sort_unstable();
    let mut kinds = BTreeMap::new();
    let mut strongest = None;
    for (strength, cpu) in cpus.into_iter().rev() {
        let is_of_kind = |strongest: &u32| f64::from(strength) >= f64::from(*strongest) * SAME_KIND;
        let own = strongest.filter(is_of_kind).unwrap_or(strength);
        strongest = Some(own);
        kinds.insert(cpu, kind(own));
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::example::recorded;
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        let cases = [
            ("", Some(vec![])),
            ("0", Some(vec![0])),
            ("0-2,8", Some(vec![0, 1, 2, 8])),
            ("0,2-", None),
            ("all", None),
        ];
        for (text, expected) in cases {
            assert_eq!(cpu_list(text), expected, "{text}");
            if let Some(cpus) = expected {
                assert_eq!(cpu_ranges(&cpus), text);
            }
        }
    }

    /// The cores of a machine, one per line: its CPUs, with unusable ones in brackets, then its
    /// socket, NUMA node, cache and kind.
    fn shown(topology: &Topology) -> Vec<String> {
        let shown = |core: &Core| {
            let cpu = |cpu: &usize| {
                if core.usable.contains(cpu) { cpu.to_string() } else { format!("[{cpu}]") }
            };
            let part = |name: &str, number: Option<usize>| number.map(|number| format!(" {name}{number}"));
            let parts = [part("s", core.socket), part("n", core.node), part("c", core.cache)];
            let kind = core.kind.map(|kind| format!(" {kind}")).unwrap_or_default();
            let cpus = core.cpus.iter().map(cpu).collect::<Vec<_>>().join(",");
            format!("{cpus}{}{kind}", parts.into_iter().flatten().collect::<String>())
        };
        topology.cores.iter().map(shown).collect()
    }

    #[test]
    fn cores_are_read_with_what_they_share() {
        // A machine, the CPUs that the process may use, the number of cores, the first and the last.
        let cases = [
            ("laptop-hybrid", "0-19", 14, "0,1 s0 n0 c0 performance", "19 s0 n0 c0 efficient"),
            ("two-ccx", "0-15", 8, "0,8 s0 n0 c0", "7,15 s0 n0 c4"),
            ("two-ccx", "3,7,11", 8, "[0],[8] s0 n0 c0", "7,[15] s0 n0 c4"),
            ("two-sockets", "0-31", 16, "0,16 s0 n0 c0", "15,31 s1 n1 c8"),
            ("smt-off", "0-7", 8, "0 s0 n0 c0", "7 s0 n0 c0"),
            ("one-core", "0", 1, "0 s0 n0", "0 s0 n0"),
            ("siblings", "0-1", 1, "0,1 s0 n0", "0,1 s0 n0"),
            ("offline", "0,2-4,7", 3, "0,4 s0 n0 c0", "3,7 s0 n0 c0"),
            ("arm-server", "0-79", 80, "0 s0 n0", "79 s0 n0"),
            ("laptop-amd", "0-23", 12, "0,12 s0 n0 c0 5.1 GHz", "11,23 s0 n0 c4 3.3 GHz"),
            ("arm-board", "0-7", 8, "0 s0 n0 c0 capacity 414", "7 s0 n0 c0 capacity 1024"),
        ];
        for (machine, usable, count, first, last) in cases {
            let topology = recorded(machine, usable);
            let cores = shown(&topology);
            assert_eq!(cores.len(), count, "{machine}");
            assert_eq!((cores[0].as_str(), cores[count - 1].as_str()), (first, last), "{machine}");
        }
        assert_eq!(recorded("offline", "0,2-4,7").offline, [1, 5, 6]);
        assert_eq!(recorded("smt-off", "0-7").offline, [8, 9, 10, 11, 12, 13, 14, 15]);
        assert!(recorded("two-ccx", "0-15").offline.is_empty());
    }

    #[test]
    fn what_is_not_visible_is_unknown() {
        let root = tempfile::tempdir().unwrap();
        let topology = Topology::read(root.path(), &[2, 5]);
        assert_eq!((topology.is_visible, shown(&topology)), (false, vec!["2".into(), "5".into()]));
        assert!(recorded("siblings", "0-1").is_visible);
    }
}
