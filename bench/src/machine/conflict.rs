//! Conflicts between the CPUs of the server and of the load tool, by the topology: resources that
//! both share but should not, and unequal cores. On some machines they cannot be avoided; on others
//! the user chose the CPUs.

use std::collections::BTreeSet;
use std::fmt;

use super::topology::{Core, Topology, cpu_ranges};

/// The maximum number of cores that a message names.
const NAMED: usize = 3;

/// A reason to doubt figures because of the cores that the server and the tool use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Both sides use threads of the same cores: for each core, the CPUs that the sides use.
    SharedCores(Vec<Vec<usize>>),
    /// Threads of used cores that this process may not use, so other processes may use them.
    OthersThreads(Vec<usize>),
    /// The cores are of several kinds: the kinds of the server's cores, and of the tool's.
    Kinds([String; 2]),
    /// The cores belong to several NUMA nodes.
    Nodes,
    /// One side uses more last-level caches than the other: the server's number of caches, and the
    /// tool's.
    Caches([usize; 2]),
}

impl Conflict {
    /// Whether the conflict makes figures wrong, rather than doubtful.
    pub fn is_severe(&self) -> bool {
        matches!(self, Self::SharedCores(_))
    }
}

/// Returns the conflicts between the CPUs of a server and of a load tool.
pub fn conflicts(topology: &Topology, server: &[usize], tool: &[usize]) -> Vec<Conflict> {
    let used_by = |cpus: &[usize]| -> Vec<&Core> {
        topology.cores.iter().filter(|core| core.has_any_of(cpus)).collect()
    };
    let sides = [used_by(server), used_by(tool)];
    let used = |core: &Core, cpus: &[usize]| -> BTreeSet<usize> {
        core.cpus.iter().copied().filter(|cpu| cpus.contains(cpu)).collect()
    };
    // A CPU that both sides use is not counted here: it has a warning of its own.
    let shared = sides[0].iter().filter_map(|core| {
        let (server, tool) = (used(core, server), used(core, tool));
        let is_shared = !tool.is_empty() && server.is_disjoint(&tool);
        is_shared.then(|| server.union(&tool).copied().collect())
    });
    let shared: Vec<Vec<usize>> = shared.collect();
    let cores = || topology.cores.iter().filter(|core| core.has_any_of(server) || core.has_any_of(tool));
    let others = cores().flat_map(|core| core.cpus.iter().filter(|cpu| !core.usable.contains(cpu)));
    let others: Vec<usize> = others.copied().collect();
    let kinds = sides.each_ref().map(|cores| kinds(cores));
    let nodes: BTreeSet<_> = cores().map(|core| core.node).collect();
    let caches =
        sides.each_ref().map(|cores| cores.iter().map(|core| core.cache).collect::<BTreeSet<_>>().len());
    let all = [
        (!shared.is_empty()).then_some(Conflict::SharedCores(shared)),
        (!others.is_empty()).then_some(Conflict::OthersThreads(others)),
        (kinds[0] != kinds[1] || kinds[0].len() > 1)
            .then(|| Conflict::Kinds(kinds.map(|kinds| Vec::from_iter(kinds).join(" and ")))),
        (nodes.len() > 1).then_some(Conflict::Nodes),
        (caches[0] != caches[1]).then_some(Conflict::Caches(caches)),
    ];
    all.into_iter().flatten().collect()
}

fn kinds(cores: &[&Core]) -> BTreeSet<String> {
    cores.iter().filter_map(|core| core.kind.map(|kind| kind.to_string())).collect()
}

impl fmt::Display for Conflict {
    /// Writes the conflict as a part of a sentence.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedCores(cores) => {
                let words = |cpus: &Vec<usize>| {
                    cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
                };
                let named: Vec<String> = cores.iter().take(NAMED).map(words).collect();
                let more = cores.len().saturating_sub(NAMED);
                let more =
                    if more > 0 { format!(" (and {more} more cores' threads)") } else { String::new() };
                write!(
                    out,
                    "CPUs {}{more} are threads of one core{}: servers use one and the load tool uses the other, so \
                     that each slows the other down",
                    named.join(", "),
                    if cores.len() > 1 { " each" } else { "" },
                )
            }
            Self::OthersThreads(cpus) => {
                let belong = if cpus.len() == 1 { " belongs to a core" } else { "s belong to cores" };
                write!(
                    out,
                    "CPU{belong} in use, but not to this process ({}): what runs there slows these cores down",
                    cpu_ranges(cpus)
                )
            }
            Self::Kinds([server, tool]) => write!(
                out,
                "cores of different kinds: the servers' are {server}, and the load tool's are {tool}; figures are \
                 those of a mixture"
            ),
            Self::Nodes => write!(
                out,
                "cores of several NUMA nodes: a request takes longer where server and load tool are far apart"
            ),
            Self::Caches([server, tool]) => write!(
                out,
                "the servers' cores have {server} of the last-level caches and the load tool's {tool}: some pairs of \
                 them are nearer to each other than others"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assignment::{Choice, Layout, Smt};
    use super::super::topology::cpu_list;
    use super::super::topology::example::recorded;
    use super::*;

    #[test]
    fn a_choice_that_divides_cores_is_told() {
        // A machine, the CPUs that this process may use, the server's and the tool's; the expected
        // messages.
        let cases: [(&str, &str, &str, &str, &[&str]); 12] = [
            ("two-ccx", "0-15", "0-3", "4-7", &[]),
            ("two-ccx", "0-15", "0-1", "0-1", &[]),
            ("two-ccx", "0-15", "0", "8", &["CPUs 0 and 8 are threads of one core: servers"]),
            ("two-ccx", "0-15", "0-1", "8-9", &["CPUs 0 and 8, 1 and 9 are threads of one core each"]),
            (
                "two-ccx",
                "0-15",
                "0-7",
                "8-15",
                &["2 and 10 (and 5 more cores' threads) are threads of one core each"],
            ),
            ("two-ccx", "0-15", "0-4", "5-7", &["have 2 of the last-level caches and the load tool's 1"]),
            ("two-ccx", "3,7,11", "3", "7", &["CPU belongs to a core in use, but not to this process (15)"]),
            ("two-ccx", "3,7,11", "3", "11", &["CPUs 3 and 11 are threads of one core"]),
            (
                "laptop-hybrid",
                "0-19",
                "0",
                "12",
                &["the servers' are performance, and the load tool's are eff"],
            ),
            ("laptop-hybrid", "0-19", "0,12", "2,13", &["are efficient and performance, and"]),
            ("two-sockets", "0-31", "0-7", "8-15", &["cores of several NUMA nodes"]),
            ("siblings", "0-1", "0", "1", &["CPUs 0 and 1 are threads of one core"]),
        ];
        for (machine, usable, server, tool, expected) in cases {
            let list = |text: &str| cpu_list(text).unwrap();
            let found = conflicts(&recorded(machine, usable), &list(server), &list(tool));
            let told: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(told.len(), expected.len(), "{machine} {server} {tool}: {told:?}");
            assert!(told.iter().zip(expected).all(|(told, expected)| told.contains(expected)), "{told:?}");
        }
    }

    #[test]
    fn there_is_none_where_it_can_be_avoided() {
        let machines = [
            ("laptop-hybrid", "0-19"),
            ("laptop-amd", "0-23"),
            ("two-ccx", "0-15"),
            ("two-sockets", "0-31"),
            ("smt-off", "0-7"),
            ("one-core", "0"),
            ("offline", "0,2-4,7"),
            ("arm-server", "0-79"),
            ("arm-board", "0-7"),
        ];
        for (machine, usable) in machines {
            for smt in [Smt::Off, Smt::On] {
                let layout = Layout::recorded(machine, usable, &Choice { smt, ..Choice::default() });
                assert_eq!(layout.conflicts(), [], "{machine} {smt:?}");
            }
        }
    }
}
