//! Assigns cores to the server, the load tool and the harness, by the topology and the user's
//! choice.
//!
//! All threads of a core belong to the same side. The server and the tool get cores of one kind and
//! one NUMA node, as many as possible, and the same number of last-level caches each:
//!
//! ```text
//! two caches of four cores each             one cache with six cores, and eight weaker cores
//! [0 harness] [1 2 3 server]                [0 1 2 server  3 4 5 tool]
//! [4 5 6 7 tool]                            [6 harness] 7 8 9 10 11 12 13
//! ```

use std::collections::BTreeSet;

use anyhow::bail;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::conflict::{Conflict, conflicts};
use super::cores::Cores;
use super::topology::{Core, CoreKind, Topology, cpu_ranges};

/// Whether both threads of a core are used, where it has two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Smt {
    /// One thread of each core; the others stay idle
    #[default]
    Off,
    /// All threads of each core
    On,
}

/// The cores that the user chose. A side without a choice gets some of those that the other side
/// leaves.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The server's CPUs.
    pub server: Option<Vec<usize>>,
    /// The load tool's CPUs.
    pub tool: Option<Vec<usize>>,
    /// Whether both threads of a core are used, on a side whose cores the user did not choose.
    pub smt: Smt,
}

/// The machine's cores, and which of them the server, the load tool and the harness have.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Layout {
    /// The machine's cores.
    pub topology: Topology,
    /// The cores of the server, the load tool and the harness.
    pub cores: Cores,
}

/// The kind and the NUMA node, in which cores that are used together should agree.
type Common = (Option<CoreKind>, Option<usize>);

impl Layout {
    /// Returns the layout of this machine. Fails if the user chose CPUs that this process may not
    /// use, or if the kernel does not report which it may use.
    pub fn here(choice: &Choice) -> anyhow::Result<Self> {
        let topology = Topology::here()?;
        let cores = assign(&topology, choice)?;
        Ok(Self { topology, cores })
    }

    /// Returns the cores of a run whose server has `count` of the cores of server and tool, and
    /// whose tool has the rest: at least `count`, or one less if the harness has a core of its own.
    /// `None` if there are too few cores.
    pub fn scaled(&self, count: usize) -> Option<Cores> {
        let cores = self.cores_of_both();
        let (server, tool) = cores.split_at_checked(count)?;
        let is_enough = !tool.is_empty() && count <= self.scalable() / 2;
        is_enough.then(|| Cores { server: server.concat(), tool: tool.concat(), harness: self.cores.harness })
    }

    /// Returns the conflicts between the server's cores and the tool's.
    pub fn conflicts(&self) -> Vec<Conflict> {
        conflicts(&self.topology, &self.cores.server, &self.cores.tool)
    }

    /// Returns how many cores the server, the tool and the harness have in total: twice as many as
    /// the server can have in [`Layout::scaled`].
    pub fn scalable(&self) -> usize {
        self.cores_of_both().len() + usize::from(self.cores.harness.is_some())
    }

    /// Returns the CPUs of each core that the server or the tool has, the server's cores first.
    fn cores_of_both(&self) -> Vec<Vec<usize>> {
        let (server, others): (Vec<&Core>, Vec<&Core>) =
            self.topology.usable_cores().partition(|core| core.has_any_of(&self.cores.server));
        let both = self.cores.all();
        let own = |core: &Core| core.usable.iter().copied().filter(|cpu| both.contains(cpu)).collect();
        server.into_iter().chain(others).map(own).filter(|cpus: &Vec<usize>| !cpus.is_empty()).collect()
    }
}

/// Divides the usable cores. Fails if the user chose CPUs that this process may not use.
pub(super) fn assign(topology: &Topology, choice: &Choice) -> anyhow::Result<Cores> {
    let cores: Vec<&Core> = topology.usable_cores().collect();
    for (flag, chosen) in [("--server-cores", &choice.server), ("--tool-cores", &choice.tool)] {
        refuse_unusable(topology, flag, chosen.as_deref().unwrap_or_default())?;
    }
    let smt = choice.smt;
    let chosen = |cpus: &Vec<usize>| Vec::from_iter(BTreeSet::from_iter(cpus.iter().copied()));
    Ok(match (choice.server.as_ref().map(chosen), choice.tool.as_ref().map(chosen)) {
        (None, None) => divide(&cores, smt),
        (Some(server), None) => {
            let (tool, harness) = rest(&cores, &server, smt);
            Cores { server, tool, harness }
        }
        (None, Some(tool)) => {
            let (server, harness) = rest(&cores, &tool, smt);
            Cores { server, tool, harness }
        }
        (Some(server), Some(tool)) => {
            let left = cores.iter().find(|core| !core.has_any_of(&server) && !core.has_any_of(&tool));
            Cores { server, tool, harness: left.and_then(|core| core.usable.first().copied()) }
        }
    })
}

fn refuse_unusable(topology: &Topology, flag: &str, chosen: &[usize]) -> anyhow::Result<()> {
    let usable: BTreeSet<usize> = topology.usable_cores().flat_map(|core| &core.usable).copied().collect();
    match chosen.iter().find(|cpu| !usable.contains(cpu)) {
        Some(cpu) if topology.offline.contains(cpu) => bail!("{flag}: core {cpu} is switched off"),
        Some(cpu) => {
            let usable = cpu_ranges(&Vec::from_iter(usable));
            bail!("{flag}: there is no core {cpu} that this process may use, only {usable}")
        }
        None => Ok(()),
    }
}

/// Divides the cores if the user chose none. The harness gets a core that is not like those of the
/// two sides, or else the first one, which handles the interrupts of devices on many machines.
fn divide(cores: &[&Core], smt: Smt) -> Cores {
    if let [core] = cores {
        return divide_core(core);
    }
    let alike = alike(cores);
    let spare = cores.iter().find(|core| !alike.contains(core));
    let (harness, alike) = match (spare, alike.as_slice()) {
        (Some(spare), all) => (Some(spare), all),
        (None, [first, rest @ ..]) if rest.len() > 1 => (Some(first), rest),
        (None, all) => (None, all),
    };
    let (server, tool) = sides(alike);
    Cores {
        server: threads(&server, smt),
        tool: threads(&tool, smt),
        harness: harness.and_then(|core| core.usable.first().copied()),
    }
}

/// Divides a single core. If it has several threads, each side gets some of them, even if
/// [`Smt::Off`] is chosen: two processes on one thread disturb each other even more.
fn divide_core(core: &Core) -> Cores {
    let cpus = core.usable.as_slice();
    let (server, tool) = match cpus.split_at(cpus.len() / 2) {
        ([], all) => (all, all),
        halves => halves,
    };
    Cores { server: server.to_vec(), tool: tool.to_vec(), harness: None }
}

/// Returns the largest group of cores of the strongest kind within one NUMA node. If no two cores
/// have both in common: the cores of one kind, or else of one node, or else all. Of equal nodes the
/// last is used, which leaves the first core to the harness.
fn alike<'a>(cores: &[&'a Core]) -> Vec<&'a Core> {
    let commons: [fn(&Core) -> Common; 3] =
        [|core| (core.kind, core.node), |core| (core.kind, None), |core| (None, core.node)];
    for common in commons {
        let groups = grouped(cores, common).into_iter().filter(|(_, members)| members.len() > 1);
        if let Some((_, members)) = groups.max_by_key(|((kind, _), members)| (*kind, members.len())) {
            return members;
        }
    }
    cores.to_vec()
}

/// Returns the server's cores and the tool's. They are the same number of whole caches each, or the
/// halves of the largest cache, whichever gives the server more cores. If the parts are unequal,
/// the tool gets the larger one: if the tool is too slow, the figures say nothing about the server.
fn sides<'a>(cores: &[&'a Core]) -> (Vec<&'a Core>, Vec<&'a Core>) {
    let mut caches: Vec<Vec<&Core>> =
        grouped(cores, |core| core.cache).into_iter().map(|(_, members)| members).collect();
    caches.sort_by_key(|members| std::cmp::Reverse(members.len()));
    let largest = caches.first().map(Vec::as_slice).unwrap_or_default();
    let (server, tool) = largest.split_at(largest.len() / 2);
    let halves = (server.to_vec(), tool.to_vec());

    let mut whole = (Vec::new(), Vec::new());
    for pair in caches.chunks_exact(2) {
        let [one, other] = pair else { continue };
        let (server, tool) = if one.len() > other.len() { (other, one) } else { (one, other) };
        whole.0.extend(server);
        whole.1.extend(tool);
    }
    let size = |(server, tool): &(Vec<&Core>, Vec<&Core>)| (server.len(), tool.len());
    if size(&whole) > size(&halves) { whole } else { halves }
}

/// Returns the cores of the other side and of the harness, if the user chose the cores of one side.
/// The other side gets cores that are like the chosen ones, if there are any.
fn rest(cores: &[&Core], chosen: &[usize], smt: Smt) -> (Vec<usize>, Option<usize>) {
    let (taken, left): (Vec<&Core>, Vec<&Core>) = cores.iter().partition(|core| core.has_any_of(chosen));
    let is_like = |core: &&Core| taken.iter().any(|one| (one.kind, one.node) == (core.kind, core.node));
    let (alike, others): (Vec<&Core>, Vec<&Core>) = left.iter().partition(|core| is_like(core));
    let (alike, others) = if alike.is_empty() { (others, alike) } else { (alike, others) };
    let first = |cores: &[&Core]| cores.first().and_then(|core| core.usable.first().copied());
    match (alike.as_slice(), others.as_slice()) {
        ([], _) => {
            let cpus: Vec<usize> = taken.iter().flat_map(|core| &core.usable).copied().collect();
            let idle: Vec<usize> = cpus.iter().copied().filter(|cpu| !chosen.contains(cpu)).collect();
            (if idle.is_empty() { cpus } else { idle }, None)
        }
        ([own, more @ ..], []) if !more.is_empty() => (threads(more, smt), first(&[*own])),
        (all, others) => (threads(all, smt), first(others)),
    }
}

fn threads(cores: &[&Core], smt: Smt) -> Vec<usize> {
    let most = match smt {
        Smt::Off => 1,
        Smt::On => usize::MAX,
    };
    let mut cpus: Vec<usize> = cores.iter().flat_map(|core| core.usable.iter().take(most)).copied().collect();
    cpus.sort_unstable();
    cpus
}

/// Groups cores by what they have in common, in the order of first occurrence.
fn grouped<'a, K: PartialEq>(cores: &[&'a Core], common: impl Fn(&Core) -> K) -> Vec<(K, Vec<&'a Core>)> {
    let mut groups: Vec<(K, Vec<&Core>)> = Vec::new();
    for core in cores {
        let key = common(core);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(core),
            None => groups.push((key, vec![core])),
        }
    }
    groups
}

#[cfg(test)]
impl Layout {
    /// Returns the layout of a recorded machine of which the process may use the `usable` CPUs.
    pub(crate) fn recorded(machine: &str, usable: &str, choice: &Choice) -> Self {
        let topology = super::topology::example::recorded(machine, usable);
        let cores = assign(&topology, choice).unwrap();
        Self { topology, cores }
    }
}

#[cfg(test)]
mod tests {
    use super::super::topology::cpu_list;
    use super::super::topology::example::{bare, recorded};
    use super::*;

    fn cores(server: &str, tool: &str, harness: Option<usize>) -> Cores {
        let list = |text: &str| cpu_list(text).unwrap();
        Cores { server: list(server), tool: list(tool), harness }
    }

    #[test]
    fn cores_are_divided_as_they_are() {
        // A machine, the CPUs that the process may use, whether threads are used; then the CPUs of
        // the server, the tool and the harness.
        let (off, on) = (Smt::Off, Smt::On);
        let cases = [
            ("laptop-hybrid", "0-19", off, "0,2,4", "6,8,10", Some(12)),
            ("laptop-hybrid", "0-19", on, "0-5", "6-11", Some(12)),
            ("laptop-hybrid", "0-1,12-19", off, "12-15", "16-19", Some(0)),
            ("laptop-hybrid", "0-1,12", off, "0", "12", None),
            ("laptop-amd", "0-23", off, "0-1", "2-3", Some(4)),
            ("laptop-amd", "0-23", on, "0-1,12-13", "2-3,14-15", Some(4)),
            ("two-ccx", "0-15", off, "1-3", "4-7", Some(0)),
            ("two-ccx", "0-15", on, "1-3,9-11", "4-7,12-15", Some(0)),
            ("two-ccx", "3,7,11", off, "3", "7", None),
            ("two-ccx", "3,7,11", on, "3,11", "7", None),
            ("two-ccx", "0-4", off, "4", "1-3", Some(0)),
            ("two-ccx", "0-3,4-5", off, "4-5", "1-3", Some(0)),
            ("two-sockets", "0-31", off, "8-11", "12-15", Some(0)),
            ("two-sockets", "0-31", on, "8-11,24-27", "12-15,28-31", Some(0)),
            ("two-sockets", "0,8", off, "0", "8", None),
            ("smt-off", "0-7", off, "1-3", "4-7", Some(0)),
            ("smt-off", "3,7", on, "3", "7", None),
            ("arm-server", "3,7,11", off, "7", "11", Some(3)),
            ("one-core", "0", off, "0", "0", None),
            ("siblings", "0-1", off, "0", "1", None),
            ("offline", "0,2-4,7", off, "2", "3", Some(0)),
            ("offline", "0,2-4,7", on, "2", "3,7", Some(0)),
            ("arm-server", "0-79", off, "1-39", "40-79", Some(0)),
            ("arm-board", "0-7", off, "4-5", "6-7", Some(0)),
        ];
        for (machine, usable, smt, server, tool, harness) in cases {
            let choice = Choice { smt, ..Choice::default() };
            let found = Layout::recorded(machine, usable, &choice).cores;
            assert_eq!(found, cores(server, tool, harness), "{machine} {usable} {smt:?}");
        }
    }

    #[test]
    fn what_the_user_chose_comes_first() {
        let (off, on) = (Smt::Off, Smt::On);
        // A machine, its CPUs, the user's choice; then the CPUs of the server, the tool and the harness.
        let cases = [
            ("smt-off", "0-3", Some("0"), None, off, "0", "2-3", Some(1)),
            ("smt-off", "0-3", None, Some("0"), off, "2-3", "0", Some(1)),
            ("smt-off", "0-3", Some("0-1"), Some("2-3"), off, "0-1", "2-3", None),
            ("smt-off", "0-1", Some("1"), Some("1"), off, "1", "1", Some(0)),
            ("smt-off", "0-1", Some("0"), None, off, "0", "1", None),
            ("smt-off", "0-1", Some("0-1"), None, off, "0-1", "0-1", None),
            ("smt-off", "0-7", Some("3,1,3"), Some("0"), off, "1,3", "0", Some(2)),
            ("two-ccx", "0-15", Some("0,8"), None, off, "0,8", "2-7", Some(1)),
            ("two-ccx", "0-15", Some("0"), None, on, "0", "2-7,10-15", Some(1)),
            ("two-ccx", "0-15", Some("0-7"), None, off, "0-7", "8-15", None),
            ("two-ccx", "0-15", Some("0-7"), Some("8-15"), off, "0-7", "8-15", None),
            ("laptop-hybrid", "0-19", Some("0-3"), None, off, "0-3", "4,6,8,10", Some(12)),
            ("laptop-hybrid", "0-19", Some("0-11"), None, off, "0-11", "13-19", Some(12)),
            ("siblings", "0-1", Some("1"), None, off, "1", "0", None),
        ];
        for (machine, usable, server, tool, smt, own_server, own_tool, harness) in cases {
            let list = |text: &str| cpu_list(text).unwrap();
            let choice = Choice { server: server.map(list), tool: tool.map(list), smt };
            let found = Layout::recorded(machine, usable, &choice).cores;
            assert_eq!(found, cores(own_server, own_tool, harness), "{machine} {choice:?}");
        }
    }

    #[test]
    fn a_core_that_cannot_be_used_is_an_error() {
        let cases = [
            (Some(9), None, "--server-cores: there is no core 9 that this process may use, only 0,2,4,7"),
            (None, Some(3), "--tool-cores: there is no core 3"),
            (Some(5), None, "--server-cores: core 5 is switched off"),
        ];
        for (server, tool, expected) in cases {
            let list = |cpu: Option<usize>| cpu.map(|cpu| vec![cpu]);
            let choice = Choice { server: list(server), tool: list(tool), smt: Smt::Off };
            let message = assign(&recorded("offline", "0,2,4,7"), &choice).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_server_can_have_half_of_the_cores_at_most() {
        // The number of cores, all alike; then the cores of server and tool for each number of
        // server cores.
        let cases = [
            (1, vec![]),
            (2, vec![("0", "1")]),
            (3, vec![("1", "2")]),
            (4, vec![("1", "2-3"), ("1-2", "3")]),
            (8, vec![("1", "2-7"), ("1-2", "3-7"), ("1-4", "5-7")]),
            (
                64,
                vec![
                    ("1", "2-63"),
                    ("1-2", "3-63"),
                    ("1-4", "5-63"),
                    ("1-8", "9-63"),
                    ("1-16", "17-63"),
                    ("1-32", "33-63"),
                ],
            ),
        ];
        for (count, expected) in cases {
            let topology = bare(count);
            let layout = Layout { cores: assign(&topology, &Choice::default()).unwrap(), topology };
            assert_eq!(layout.scalable(), count);
            let steps = [1, 2, 4, 8, 16, 32, 64].map(|step| layout.scaled(step));
            let harness = layout.cores.harness;
            let expected = expected.iter().map(|(server, tool)| cores(server, tool, harness));
            assert_eq!(
                steps.into_iter().flatten().collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "{count}"
            );
        }
    }

    #[test]
    fn a_server_is_scaled_by_cores_and_not_by_threads() {
        let choice = |server: Option<&str>, tool: Option<&str>| Choice {
            server: server.and_then(cpu_list),
            tool: tool.and_then(cpu_list),
            smt: Smt::On,
        };
        let two = cores("1,9,2,10", "3,11,4,12,5,13,6,14,7,15", Some(0));
        let four = cores("1,9,2,10,3,11,4,12", "5,13,6,14,7,15", Some(0));
        let cases = [
            (choice(None, None), 2, Some(two)),
            (choice(None, None), 4, Some(four)),
            (choice(Some("4,5"), Some("6,7")), 2, Some(cores("4,5", "6,7", Some(0)))),
            (choice(Some("4,5"), Some("6,7")), 3, None),
            // A core that both sides use cannot be divided.
            (choice(Some("4"), Some("12")), 1, None),
        ];
        for (choice, count, expected) in cases {
            let layout = Layout::recorded("two-ccx", "0-15", &choice);
            assert_eq!(layout.scaled(count), expected, "{choice:?} {count}");
        }
    }
}
